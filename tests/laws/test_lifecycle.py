"""Accounts move between stages by themselves as the plain reference says, whatever is written and however days pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.facts import account_facts
from app.domain.lifecycle import Standing, followed
from app.domain.roles import Principal
from app.domain.score_bodies import read
from app.domain.scores import health
from app.domain.workspaces import StageRule, Workspace
from app.persistence import stages, workspaces
from app.persistence.database import Database, Transaction
from app.services import confirmations, days, pins, scores, segmentations
from app.services import stages as services
from app.services.calls import Call, first_id
from app.services.settle import settle
from tests.laws import worlds
from tests.laws.worlds import DAY, NOW, World

RULES = (
    StageRule("trial", None, 3),
    StageRule("onboarding", 'status = "customer"', 5),
    StageRule("adoption", "consumption_score > 10"),
    StageRule("established", 'nps >= 6 AND stage IN ("onboarding", "adoption")', 40),
    StageRule("advocate", 'is_reference = true AND any(tickets WHERE status = "open")'),
)
OTHERS = (replace(RULES[2], entry='status != "prospect" AND consumption_score > 30'), replace(RULES[4], entry=None))
LEAST = {"onboarding": 5, "adoption": 15, "established": 30, "advocate": 45}
WEIGHED = (StageRule("trial", None, 2), *(StageRule(slug, f"health >= {least}") for slug, least in LEAST.items()))
SIZE = {
    "name": "Size", "kind": "rules", "rest": "small", "confirm": "1d",
    "segments": [{"slug": "large", "name": "Large", "criteria": "nps >= 6"}],
}  # fmt: skip
STAGES = ("trial", "onboarding", "adoption", "established", "advocate")


class Reference:
    """Where every account stands, and each move that it made by itself."""

    def __init__(self, w: World) -> None:
        self.world, self.day = w, DAY
        self.rules: tuple[StageRule, ...] = RULES
        self.standing = {account_id: Standing(None, None) for account_id in w.accounts}
        self.moves: dict[UUID, list[tuple[str | None, str]]] = {account_id: [] for account_id in w.accounts}

    def facts(self, account_id: UUID) -> Mapping[str, Any]:
        w = self.world
        return account_facts(w.accounts[account_id], worlds.related(w, account_id), worlds.settings(w, self.day))

    def holds(self, account_id: UUID, found: Mapping[str, Any], slug: str, standing: Standing) -> bool:
        tickets = self.world.related[account_id]["tickets"]
        match slug:
            case "onboarding":
                return bool(found["status"] == "customer")
            case "adoption" if self.rules == RULES:
                return bool(found["consumption_score"] > 10)
            case "adoption":
                return found["status"] != "prospect" and bool(found["consumption_score"] > 30)
            case "established":
                return found["nps"] is not None and found["nps"] >= 6 and standing.stage in ("onboarding", "adoption")
            case _:
                return bool(self.world.accounts[account_id]["is_reference"]) and any(
                    t["status"] == "open" for t in tickets
                )

    async def see(self, tx: Transaction) -> None:
        """What else it must know before it looks."""

    def look(self, account_ids: list[UUID]) -> None:
        for account_id in account_ids:
            found = self.facts(account_id)
            self.standing[account_id], moved = followed(
                self.rules, self.standing[account_id],
                lambda slug, at, one=account_id, facts=found: self.holds(one, facts, slug, at),  # type: ignore[misc]  # mypy infers no defaulted lambda
                self.day, churned=found["status"] == "churned",
            )  # fmt: skip
            self.moves[account_id] += moved


class Weighed(Reference):
    """With health by a model that weighs by segment. Where accounts stand is another law, and read."""

    def __init__(self, w: World) -> None:
        super().__init__(w)
        self.rules, self.model = WEIGHED, read(_model({"used": 1}))
        self.segments: dict[UUID, str] = {}

    async def see(self, tx: Transaction) -> None:
        """In which segments accounts stand."""
        sql = "SELECT account_id, segment FROM members WHERE workspace_id = $1"
        self.segments = {row["account_id"]: row["segment"] for row in await tx.fetch(sql, self.world.workspace_id)}

    def facts(self, account_id: UUID) -> Mapping[str, Any]:
        found = super().facts(account_id)
        assert self.model.health is not None
        values = [found["consumption_score"], found["engagement_score"]]
        return {**found, "health": health(self.model.health, values, self.segments[account_id])}

    def holds(self, account_id: UUID, found: Mapping[str, Any], slug: str, standing: Standing) -> bool:
        return found["health"] is not None and found["health"] >= LEAST[slug]


def _model(large: dict[str, float]) -> dict[str, Any]:
    measures = [
        {"of": "consumption_score", "name": "used", "worst": 0, "best": 60},
        {"of": "engagement_score", "name": "engaged", "worst": 0, "best": 30},
    ]
    by = {"segmentation": "size", "weights": {"large": large, "small": {"engaged": 1}}}
    return {"health": {"source": "model", "measures": measures, "by": by}}


async def rule(tx: Transaction, w: World, rules: tuple[StageRule, ...]) -> None:
    for one in rules:
        await tx.execute(
            "UPDATE stages SET entry = $3, leaves_after_days = $4 WHERE workspace_id = $1 AND slug = $2",
            w.workspace_id, one.slug, one.entry, one.leaves_after_days,
        )  # fmt: skip


async def workspace(tx: Transaction, w: World) -> Workspace:
    return await workspaces.load(tx, w.workspace_id)


async def compare(tx: Transaction, reference: Reference) -> None:
    ws = reference.world.workspace_id
    rows = await tx.fetch(
        """SELECT a.id, a.stage, a.stage_since, v.stage AS verdict FROM accounts a
        LEFT JOIN stage_verdicts v ON v.workspace_id = $1 AND v.account_id = a.id WHERE a.workspace_id = $1""",
        ws,
    )
    assert {r["id"]: Standing(r["stage"], r["stage_since"], r["verdict"]) for r in rows} == reference.standing
    moves: dict[UUID, list[tuple[str | None, str]]] = {account_id: [] for account_id in reference.standing}
    sql = "SELECT account_id, stage, cause FROM stage_moves WHERE workspace_id = $1 ORDER BY account_id, moved_at, id"
    for row in await tx.fetch(sql, ws):
        moves[row["account_id"]].append((row["stage"], row["cause"]))
    assert moves == reference.moves


async def by_hand(tx: Transaction, reference: Reference, account_ids: list[UUID], stage: str | None) -> None:
    ws, day = reference.world.workspace_id, reference.day
    await stages.record(tx, ws, first_id(), account_ids, stage, NOW, None)
    await stages.move(tx, ws, account_ids, stage, day if stage else None, NOW)
    for account_id in account_ids:
        standing = reference.standing[account_id]
        reference.standing[account_id] = Standing(stage, day if stage else None, standing.verdict)
        reference.moves[account_id].append((stage, "hand"))
    await settle(tx, await workspace(tx, reference.world), account_ids, NOW, changed=("stage", "stage_since"))
    await reference.see(tx)
    reference.look(account_ids)


async def touch(tx: Transaction, reference: Reference, touched: list[UUID], now: datetime = NOW) -> None:
    w = reference.world
    await worlds.delete_related(tx, w, touched)
    for account_id in touched:
        for entity in worlds.ROWS:
            worlds.make(w, account_id, entity)
    await worlds.insert_related(tx, w, touched)
    await settle(tx, await workspace(tx, w), touched, now)
    await reference.see(tx)
    reference.look(touched)


async def make(tx: Transaction, w: World, rules: tuple[StageRule, ...]) -> None:
    """The world in the database, with stages."""
    await worlds.insert(tx, w)
    stamps = {"created_at": NOW, "updated_at": NOW}
    made = [{"id": w.uuid(), "name": s, "slug": s, "position": n} | stamps for n, s in enumerate(STAGES, 1)]
    await worlds.copy(tx, "stages", w.workspace_id, made)
    await rule(tx, w, rules)


@pytest.mark.parametrize("seed", [1, 2])
async def test_moves_equal_the_reference_under_writes_and_days(db: Database, seed: int) -> None:
    w = worlds.world(seed, 50)
    dice = w.random
    async with db.transaction() as tx:
        await make(tx, w, RULES)
        reference = Reference(w)
        everybody = list(w.accounts)
        await settle(tx, await workspace(tx, w), None, NOW)
        reference.look(everybody)
        await compare(tx, reference)
        for step in range(8):
            await touch(tx, reference, dice.sample(everybody, dice.choice((1, 6))))
            await compare(tx, reference)
            await by_hand(tx, reference, dice.sample(everybody, 4), dice.choice((*STAGES[:3], None)))
            await compare(tx, reference)
            if step == 4:
                await rule(tx, w, OTHERS)
                reference.rules = tuple(next((o for o in OTHERS if o.slug == r.slug), r) for r in RULES)
                await settle(tx, await workspace(tx, w), None, NOW)
                reference.look(everybody)
            else:
                reference.day += timedelta(days=dice.choice((1, 2, 6)))
                await tx.execute("UPDATE workspaces SET facts_day = $2 WHERE id = $1", w.workspace_id, reference.day)
                await settle(tx, await workspace(tx, w), None, NOW, reason="day")
                reference.look(everybody)
            await compare(tx, reference)
    causes = {cause for moves in reference.moves.values() for _, cause in moves}
    assert causes == {"hand", "criteria", "time"}


class Office:
    """A workspace whose health is weighed by segment, and the reference beside it."""

    def __init__(self, db: Database, w: World) -> None:
        self.db, self.w, self.now, self.reference = db, w, NOW, Weighed(w)

    async def call(self) -> Call:
        """As an admin, now."""
        return Call(Principal(UUID(int=2), await workspaces.load(self.db, self.w.workspace_id), "admin"), self.now)

    async def compare(self) -> None:
        """After a look at everybody."""
        async with self.db.transaction() as tx:
            await self.reference.see(tx)
            self.reference.look(list(self.w.accounts))
            await compare(tx, self.reference)

    async def pass_time(self) -> None:
        """What waits is confirmed, and then the day rolls."""
        self.now += timedelta(days=1)
        await confirmations.confirm(self.db, self.w.workspace_id, self.now)
        await self.compare()
        assert await days.roll(self.db, self.w.workspace_id, self.now)
        self.reference.day = self.now.date()
        await self.compare()

    async def weigh(self, large: dict[str, float], version: int) -> None:
        """Other weights."""
        self.reference.model = read(_model(large))
        await scores.put(self.db, await self.call(), _model(large), version)
        await self.compare()

    async def leave(self, slug: str, version: int) -> None:
        """The last stage goes, and who stood in it begins again."""
        one = self.reference
        one.rules = tuple(rule for rule in one.rules if rule.slug != slug)
        for account_id, standing in one.standing.items():
            if standing.stage == slug:
                one.standing[account_id] = Standing("trial", one.day, standing.verdict)
                one.moves[account_id].append(("trial", "hand"))
        await services.delete(self.db, await self.call(), "slug", slug, version, "trial")
        await self.compare()


async def test_moves_follow_health_however_that_is_weighed(db: Database) -> None:
    """Pins, their ends, confirmed moves and other weights move health, and stages in the same transaction."""
    w = worlds.world(3, 40)
    office = Office(db, w)
    async with db.transaction() as tx:
        await make(tx, w, ())
        await settle(tx, await workspace(tx, w), None, NOW)
    await segmentations.put(db, await office.call(), "size", SIZE, None)
    await scores.put(db, await office.call(), _model({"used": 1}), 1)
    async with db.transaction() as tx:
        await rule(tx, w, WEIGHED)
        await settle(tx, await workspace(tx, w), None, NOW)
    await office.compare()
    for step, pinned in enumerate(w.random.sample(list(w.accounts), 4)):
        async with db.transaction() as tx:
            await touch(tx, office.reference, w.random.sample(list(w.accounts), 12), office.now)
            await by_hand(tx, office.reference, w.random.sample(list(w.accounts), 8), "trial")
        await office.compare()
        other = {"large": "small", "small": "large"}[office.reference.segments[pinned]]
        await pins.pin(db, await office.call(), pinned, "size", {"segment": other, "reason": "A pilot."})
        await office.compare()
        await office.pass_time()
        await pins.unpin(db, await office.call(), pinned, "size")
        await office.compare()
        if step == 1:
            await office.weigh({"used": 1, "engaged": 3}, 2)
        if step == 2:
            await office.leave("advocate", 1)
    assert {stage for moves in office.reference.moves.values() for stage, _ in moves} == {*STAGES}
