"""Whatever is written, pinned, defined, killed or passes: verdicts are a full evaluation's, members are where bands and
confirmation leave them, and the events replay to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import Setting, check
from app.domain.criteria.evaluate import holds
from app.domain.errors import NotFound, Unavailable
from app.domain.roles import Principal
from app.domain.segmentation import books, hysteresis
from app.domain.segmentation.hysteresis import Stand
from app.domain.workspaces import Workspace, clock
from app.persistence import segments
from app.persistence.database import Database, Record
from app.services import accounts, checks, confirmations, days, pins, segmentations, ticks, versions, workspaces
from app.services.calls import Call
from app.services.prepared import definition
from app.services.settle import settle
from tests import stays
from tests.laws import worlds
from tests.laws.test_membership import CARE, CUBE, LATELY, SCORED, coherent, record, rewrite
from tests.laws.worlds import NOW, World

DEFINED: dict[str, dict[str, Any]] = {
    "plain": CARE, "held": SCORED | {"band": 0.2}, "waiting": LATELY | {"confirm": "30h"},
    "both": CUBE | {"band": 0.15, "confirm": "3d"}, "told": CARE | {"band": 0.5, "confirm": "36h"},
}  # fmt: skip
CUT = ("held", "both")
"""Those whose cuts are taken from the accounts."""
ROUNDS = 4
Stood = dict[tuple[UUID, UUID], Stand]
Thing = TypeVar("Thing")
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
MEMBERS = "SELECT segmentation_id, account_id, segment, rule, held, pending_since FROM members WHERE workspace_id = $1"
PINNED = """
SELECT segmentation_id, account_id, segment FROM pins WHERE workspace_id = $1 AND (expires_at IS NULL OR expires_at > $2)
"""
ONE_PIN = """
SELECT p.account_id, s.slug FROM pins p JOIN segmentations s ON s.workspace_id = $1 AND s.id = p.segmentation_id
JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = s.id AND m.account_id = p.account_id AND m.held = 'pin'
WHERE p.workspace_id = $1 ORDER BY p.account_id LIMIT 1
"""
LEFT_OVER = """
SELECT count(*) FROM {} m WHERE m.workspace_id = $1
  AND (NOT EXISTS (SELECT FROM accounts a WHERE a.workspace_id = $1 AND a.id = m.account_id)
    OR NOT EXISTS (SELECT FROM segmentations s WHERE s.workspace_id = $1 AND s.id = m.segmentation_id))
"""


class Told(NamedTuple):
    """What the database says at one moment."""

    workspace: Workspace
    defined: Sequence[Record]
    pinned: Sequence[Record]
    members: Sequence[Record]


class Office:
    """One workspace, what is known of it outside, and where its accounts should stand."""

    def __init__(self, db: Database, killer: Database, w: World, seed: int):
        self.db, self.killer, self.w, self.random = db, killer, w, Random(seed)
        self.now = NOW
        self.stood: Stood = {}
        self.anew: set[str] = set()
        self.killed = 0
        self.puts = 0

    async def call(self) -> Call:
        """As an admin, now."""
        return Call(Principal(UUID(int=2), await workspaces.load(self.db, self.w.workspace_id), "admin"), self.now)

    async def surely(self, work: Callable[[], Awaitable[object]]) -> None:
        """Does it though it may be killed in the middle: then once more."""
        while self.random.random() < 0.35:
            task = asyncio.ensure_future(work())
            await asyncio.sleep(self.random.uniform(0, 0.03))
            if self.random.random() < 0.5:
                task.cancel()
            else:
                await self.steadily(lambda: self.killer.fetch(TERMINATE))
            try:
                await task
            except (Unavailable, asyncio.CancelledError):
                self.killed += 1
        await self.steadily(work)

    async def steadily(self, work: Callable[[], Awaitable[Thing]]) -> Thing:
        """Does it as soon as the server is there for it: connections that ended just now are made again."""
        while True:
            try:
                return await work()
            except Unavailable:
                await asyncio.sleep(0.05)

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def write(self) -> None:
        """Other related records and other values by hand of some accounts."""
        touched = rewrite(self.w, self.random.choice((1, 3, 9)))
        for account_id in touched:
            self.w.accounts[account_id] |= {"health": self.random.choice((None, 48.0, 52.0, 57.0, 90.0))}

        async def work() -> None:
            async with self.db.transaction() as tx:
                await worlds.delete_related(tx, self.w, touched)
                await worlds.insert_related(tx, self.w, touched)
                for account_id in touched:
                    health = self.w.accounts[account_id]["health"]
                    sql = "UPDATE accounts SET health = $3 WHERE workspace_id = $1 AND id = $2"
                    await tx.execute(sql, self.w.workspace_id, account_id, health)
                await settle(tx, await workspaces.load(tx, self.w.workspace_id), touched, self.now)

        await self.surely(work)

    async def put(self) -> None:
        """A definition of another name: it keeps its cuts, and whoever is held where they are."""
        slug = self.random.choice(list(DEFINED))
        self.puts += 1
        body = DEFINED[slug] | {"name": f"{DEFINED[slug]['name']} {self.puts}"}

        async def work() -> None:
            row = await segments.one(self.db, self.w.workspace_id, slug)
            call = await self.call()
            await segmentations.put(self.db, call, slug, body, row["version"] if row else None)

        await self.surely(work)

    async def refreeze(self) -> None:
        """Cuts taken now; where they are others, accounts go where they put them, whatever held them."""
        slug = self.random.choice(CUT)

        async def version() -> int:
            row = await segments.one(self.db, self.w.workspace_id, slug)
            return row["version"] if row else 0

        before = await self.steadily(version)

        async def work() -> None:
            await versions.refreeze(self.db, await self.call(), slug, {}, await version())

        await self.surely(work)
        if await self.steadily(version) != before:
            self.anew.add(slug)

    async def pin(self) -> None:
        """An account kept in a segment for a while, or for ever."""
        slug, account_id = self.random.choice(list(DEFINED)), self.random.choice(list(self.w.accounts))
        until = self.random.choice((None, (self.now + timedelta(hours=3)).isoformat()))
        segment = DEFINED[slug]["segments"][0]["slug"]
        told = {"segment": segment, "reason": "A pilot.", "expires_at": until}

        async def work() -> None:
            await pins.pin(self.db, await self.call(), account_id, slug, told)

        await self.surely(work)

    async def unpin(self) -> None:
        """An account that was kept goes where the criteria put it."""
        row = await self.steadily(lambda: self.db.fetchrow(ONE_PIN, self.w.workspace_id))
        if row is None:
            return

        async def work() -> None:
            with contextlib.suppress(NotFound):  # done, and killed before it was said
                await pins.unpin(self.db, await self.call(), row["account_id"], row["slug"])

        await self.surely(work)

    async def step_on(self) -> None:
        """The clock goes on by minutes, hours or days; the worker follows below."""
        self.now += self.random.choice(
            (timedelta(minutes=7), timedelta(hours=5), timedelta(hours=26), timedelta(days=9))
        )

    async def worked(self) -> None:
        """What a worker does in a round."""
        for chore in (days.roll, pins.expire, ticks.follow, confirmations.confirm, checks.check):

            async def work(chore: Any = chore) -> None:
                found = await chore(self.db, self.w.workspace_id, self.now)
                if chore is checks.check:
                    assert not any((found or {}).values()), "nothing but the law moves anybody"

            await self.surely(work)

    # -- the law -------------------------------------------------------------------------------------------------------

    async def compare(self) -> None:
        """Rows of members are what the reference says, step by step."""
        told = await self.steadily(self._told)
        found = {
            (r["segmentation_id"], r["account_id"]): Stand(r["segment"], r["rule"], r["held"], r["pending_since"])
            for r in told.members
        }
        self._expect(told)
        assert found == self.stood

    async def _told(self) -> Told:
        async with self.db.transaction() as tx:
            workspace = await workspaces.load(tx, self.w.workspace_id)
            await coherent(tx, workspace.id)
            return Told(
                workspace,
                await segments.all_of(tx, workspace.id),
                await tx.fetch(PINNED, workspace.id, self.now),
                await tx.fetch(MEMBERS, workspace.id),
            )

    def _expect(self, told: Told) -> None:
        setting = Setting(told.workspace, clock(told.workspace, self.now), people=False)
        held = {(r["segmentation_id"], r["account_id"]): r["segment"] for r in told.pinned}
        records = {account_id: record(self.w, account_id, told.workspace) for account_id in self.w.accounts}
        for row in told.defined:
            one = definition(row)
            within = books.over(setting, one.books)
            cases = [(slug, check(node, ACCOUNTS, within).meaning) for slug, node in one.cases]
            for account_id, found in records.items():
                key = (one.id, account_id)
                verdict = next((slug for slug, meaning in cases if holds(meaning, found)), one.rest)
                keeping = _keeping(cases, one.rest, one.steady.band, found)
                was = None if row["slug"] in self.anew else self.stood.get(key)
                self.stood[key] = hysteresis.stands(was, verdict, keeping, one.steady, self.now, held.get(key))
        self.anew.clear()


def _keeping(cases: hysteresis.Cases, rest: str, band: float | None, found: dict[str, Any]) -> frozenset[str]:
    return frozenset() if band is None else hysteresis.kept(cases, rest, band, lambda meaning: holds(meaning, found))


@pytest.fixture(scope="module")
async def office(db: Database, dsn: str) -> Any:
    """A workspace of 24 accounts with every definition."""
    w = worlds.world(91, 24, "America/New_York")
    async with db.transaction() as tx:
        await worlds.insert(tx, w)
        await settle(tx, await workspaces.load(tx, w.workspace_id), None, NOW)
    killer = await Database.open(dsn, size=1)
    made = Office(db, killer, w, 9)
    for slug, body in DEFINED.items():
        await segmentations.put(db, await made.call(), slug, body, None)
    await made.compare()
    yield made
    await killer.close()


async def test_members_are_what_the_law_says_after_every_step(office: Office) -> None:
    # What is there to be mixed is there as often in every run.
    steps = [
        office.write,
        office.write,
        office.put,
        office.refreeze,
        office.pin,
        office.unpin,
        office.step_on,
        office.step_on,
    ]
    steps *= ROUNDS
    office.random.shuffle(steps)
    held: set[str | None] = set()
    for step in steps:
        await step()
        await office.worked()
        await office.compare()
        held |= {one.held for one in office.stood.values()}
    assert held == {None, "pin", "band", "confirmation"}
    assert office.killed > ROUNDS
    moves = await stays.moves(office.db, office.w.workspace_id)
    assert {"write", "definition", "pin", "unpin", "confirmation"} <= {move["reason"] for move in moves}


async def test_what_has_drifted_is_found_mended_and_told(office: Office) -> None:
    """Values that were changed past the application, as no member of a kept segmentation ever should."""
    w, db = office.w, office.db
    office.now += timedelta(days=1)
    await office.worked()
    await office.compare()
    drifted = [account_id for account_id, one in w.accounts.items() if one["health"] != 90.0][:5]
    for account_id in drifted:
        w.accounts[account_id]["health"] = 90.0
        async with db.transaction() as tx:
            sql = "UPDATE accounts SET health = 90 WHERE workspace_id = $1 AND id = $2"
            await tx.execute(sql, w.workspace_id, account_id)
    assert await checks.check(db, w.workspace_id, office.now) is None
    office.now += timedelta(minutes=1)
    async with db.transaction() as tx:
        sql = "UPDATE segmentations SET checked_at = checked_at - interval '1 day' WHERE workspace_id = $1"
        await tx.execute(sql, w.workspace_id)
    before = checks.counted["drifted"]
    found = await checks.check(db, w.workspace_id, office.now)
    assert found is not None
    assert 0 < sum(found.values()) == checks.counted["drifted"] - before
    await office.compare()
    rows = await segments.all_of(db, w.workspace_id)
    assert {row["id"]: row["drifted"] for row in rows} == found
    assert {row["checked_at"] for row in rows} == {office.now}
    moves = await stays.moves(db, w.workspace_id)
    assert any(move["reason"] == "check" and move["at"] >= office.now for move in moves)


async def test_nothing_is_left_of_what_is_deleted_meanwhile(office: Office) -> None:
    """No reference keeps members: locks do, while accounts and segmentations go and others are placed."""
    w, db = office.w, office.db
    for account_id, slug in zip(list(w.accounts), DEFINED, strict=False):
        call = await office.call()
        writes: list[Any] = [segmentations.put(db, call, f"also-{slug}", CARE, None), _settled(office, account_id)]
        account = await db.fetchrow(
            "SELECT version FROM accounts WHERE workspace_id = $1 AND id = $2", w.workspace_id, account_id
        )
        assert account is not None
        writes.append(accounts.delete(db, call, account_id, account["version"], with_records=True))
        row = await segments.one(db, w.workspace_id, slug)
        assert row is not None
        writes.append(segmentations.delete(db, call, slug, row["version"]))
        office.random.shuffle(writes)
        done = await asyncio.gather(*writes, return_exceptions=True)
        assert [one for one in done if isinstance(one, Exception) and not isinstance(one, Unavailable)] == []
    for table in ("members", "past_stays"):
        assert await db.fetchval(LEFT_OVER.format(table), w.workspace_id) == 0, table
    assert await db.fetchval("SELECT count(*) FROM accounts WHERE workspace_id = $1", w.workspace_id) < len(w.accounts)


async def _settled(office: Office, account_id: UUID) -> None:
    async with office.db.transaction() as tx:
        await settle(tx, await workspaces.load(tx, office.w.workspace_id), [account_id], office.now)
