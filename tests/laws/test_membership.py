"""Members are what the reference evaluator says of every account, after any write and on any later day."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import Setting, check
from app.domain.criteria.evaluate import holds
from app.domain.facts import account_facts, contact_facts, contract_status
from app.domain.roles import Principal
from app.domain.segmentation import books
from app.domain.segmentation.presets import INSTALLED, presets
from app.domain.workspaces import Workspace, clock
from app.persistence import segments
from app.persistence.database import Database, Transaction
from app.services import days, pins, segmentations, ticks, workspaces
from app.services.calls import Call
from app.services.prepared import definition
from app.services.settle import settle
from tests import stays
from tests.laws import worlds
from tests.laws.worlds import MODULES, NOW, World

CARE = {
    "name": "Care",
    "kind": "rules",
    "segments": [
        {"slug": "lost", "name": "Lost", "criteria": 'status = "churned" AND churned_at IN last(60d)'},
        {"slug": "due", "name": "Due", "criteria": "renewal_date IN next(90d) AND NOT health >= 70"},
        {"slug": "silent", "name": "Silent", "criteria": "none(interactions, last(30d))"},
        {
            "slug": "idle",
            "name": "Idle",
            "criteria": 'sum(usage.value WHERE feature IN ("login", "api"), last(30d)) < 4',
        },
        {
            "slug": "owing",
            "name": "Owing",
            "criteria": 'any(invoices WHERE status IN ("unpaid", "failed")) OR open_tickets > 1',
        },
    ],
    "rest": "well",
}
SCORED = {
    "name": "Scored",
    "kind": "score",
    "spec": {
        "measures": [
            {"field": "arr", "cuts": {"by": "natural", "parts": 3}, "points": [0, 1, 3], "weight": 2},
            {"field": "health", "cuts": {"by": "percentile", "at": [0.3]}, "points": [2, 0], "empty": 1},
            {"field": "industry", "values": {"retail": 2}, "otherwise": 1},
            {"criteria": "any(tickets, last(90d))", "points": -1},
        ],
        "at": [2, 4],
    },
    "segments": [{"slug": s, "name": s} for s in ("most", "some", "least")],
}
CUBE = {
    "name": "Cube",
    "kind": "matrix",
    "spec": {
        "x": {"field": "arr", "cuts": {"by": "percentile", "at": [0.3, 0.8], "within": "industry"}},
        "y": {"field": "engagement_score", "cuts": {"by": "median"}},
        "z": {"field": "health", "cuts": {"by": "absolute", "at": [55]}},
    },
    "segments": [
        {"slug": "top", "name": "Top", "x": "high"},
        {"slug": "open", "name": "Open", "x": ["low", "medium"], "y": "high"},
        {"slug": "calm", "name": "Calm", "x": ["low", "medium"], "y": "low", "z": "high"},
        {"slug": "last", "name": "Last", "x": ["low", "medium"], "y": "low", "z": "low"},
    ],
}
LATELY = {
    "name": "Lately",
    "kind": "rules",
    "segments": [
        {"slug": "today", "name": "Today", "criteria": "last_interaction_at >= ago(36h)"},
        {"slug": "met", "name": "Met", "criteria": 'any(interactions WHERE kind = "meeting", last(200h))'},
        {
            "slug": "told",
            "name": "Told",
            "criteria": "max(surveys.answered_at) < ago(1mo) OR NOT count(sentiments, last(50h)) = 0",
        },
    ],
    "rest": "quiet",
}
NATURAL = {
    "name": "Natural",
    "kind": "bands",
    "spec": {"field": "consumption_score", "cuts": {"by": "natural", "parts": 3}},
    "segments": [{"slug": s, "name": s} for s in ("most", "some", "least")],
}
ENGAGED = {
    "name": "Engaged",
    "kind": "bands",
    "spec": {"field": "engagement_score", "cuts": {"by": "percentile", "at": [0.5, 0.8]}},
    "segments": [{"slug": s, "name": s} for s in ("most", "some", "least")],
}


def record(w: World, account_id: UUID, workspace: Workspace) -> dict[str, Any]:
    """The account as the evaluator reads it, its facts from the plain reference."""
    account, related, day = w.accounts[account_id], w.related[account_id], workspace.facts_day
    facts = account_facts(account, worlds.related(w, account_id), worlds.settings(w, day))
    active = facts["last_active_at"]
    if active is not None:
        facts["last_active_at"] = datetime.combine(active, datetime.min.time(), ZoneInfo(w.zone))
    found = {"csm": None, **account, **facts, **related}
    cost = found["cost_to_serve"]
    found["margin"] = None if cost is None else found["arr"] - cost
    found["contracts"] = [c | {"status": contract_status(c, day)} for c in related["contracts"]]
    found["contacts"] = [c | contact_facts(c, worlds.related(w, account_id), day) for c in related["contacts"]]
    found["usage"] = [u | {"module": MODULES[u["feature"]], "is_key": False} for u in related["usage"]]
    return found


async def compare(tx: Transaction, w: World, now: datetime) -> None:
    workspace = await workspaces.load(tx, w.workspace_id)
    setting = Setting(workspace, clock(workspace, now), people=False)
    records = {account_id: record(w, account_id, workspace) for account_id in w.accounts}
    pinned = await tx.fetch(
        "SELECT segmentation_id, account_id, segment FROM pins WHERE workspace_id = $1 AND (expires_at IS NULL OR expires_at > $2)",
        workspace.id, now,
    )  # fmt: skip
    held = {(row["segmentation_id"], row["account_id"]): row["segment"] for row in pinned}
    for row in await segments.all_of(tx, workspace.id):
        one = definition(row)
        within = books.over(setting, one.books)
        cases = [(slug, check(node, ACCOUNTS, within).meaning) for slug, node in one.cases]
        wanted = {
            account_id: held.get((one.id, account_id))
            or next((slug for slug, meaning in cases if holds(meaning, found)), one.rest)
            for account_id, found in records.items()
        }
        rows = await tx.fetch(
            "SELECT account_id, segment FROM members WHERE workspace_id = $1 AND segmentation_id = $2",
            workspace.id,
            one.id,
        )
        assert {r["account_id"]: r["segment"] for r in rows} == wanted, row["slug"]
        assert row["state"] == "ok"
    await coherent(tx, w.workspace_id)


async def coherent(tx: Transaction, workspace_id: UUID) -> None:
    """The current segment is the open end of an unbroken history."""
    rows = await tx.fetch(
        "SELECT h.* FROM stays h WHERE h.workspace_id = $1 ORDER BY h.segmentation_id, h.account_id, h.from_at",
        workspace_id,
    )
    history: dict[tuple[UUID, UUID], list[Any]] = {}
    for row in rows:
        history.setdefault((row["segmentation_id"], row["account_id"]), []).append(row)
    members = await tx.fetch("SELECT * FROM members WHERE workspace_id = $1", workspace_id)
    assert {(m["segmentation_id"], m["account_id"]): (m["segment"], m["since"]) for m in members} == {
        key: (spans[-1]["segment"], spans[-1]["from_at"]) for key, spans in history.items()
    }
    assert await replayed(tx, workspace_id) == {(m["segmentation_id"], m["account_id"]): m["segment"] for m in members}
    for spans in history.values():
        assert spans[-1]["to_at"] is None
        for span, following in pairwise(spans):
            assert span["from_at"] < span["to_at"] == following["from_at"]
            assert span["segment"] != following["segment"]


async def replayed(tx: Transaction, workspace_id: UUID) -> dict[tuple[UUID, UUID], str]:
    """Where the moves lead, each from where the one before it led."""
    stood: dict[tuple[UUID, UUID], str] = {}
    for event in await stays.moves(tx, workspace_id):
        key = (event["segmentation_id"], event["account_id"])
        assert event["was"] == stood.get(key)
        stood[key] = event["segment"]
    return stood


async def define(db: Database, w: World, now: datetime) -> Workspace:
    async with db.transaction() as tx:
        await worlds.insert(tx, w)
        workspace = await workspaces.load(tx, w.workspace_id)
        await settle(tx, workspace, None, now)
        await segmentations.install_presets(tx, workspace, now)
    workspace = await workspaces.load(db, w.workspace_id)
    call = Call(Principal(UUID(int=2), workspace, "admin"), now)
    own = {"care": CARE, "engaged": ENGAGED, "scored": SCORED, "cube": CUBE, "lately": LATELY, "natural": NATURAL}
    ready = {slug: body for slug, body in presets().items() if slug not in INSTALLED}
    for slug, body in ({f"own-{slug}": body for slug, body in own.items()} | ready).items():
        await segmentations.put(db, call, slug, body, None)
    return await workspaces.load(db, w.workspace_id)


def rewrite(w: World, size: int) -> list[UUID]:
    """Give some accounts other related records."""
    touched = w.random.sample(list(w.accounts), size)
    for account_id in touched:
        for entity in worlds.ROWS:
            worlds.make(w, account_id, entity)
    return touched


async def rewritten(tx: Transaction, w: World, size: int) -> list[UUID]:
    touched = rewrite(w, size)
    await worlds.delete_related(tx, w, touched)
    await worlds.insert_related(tx, w, touched)
    return touched


@pytest.mark.parametrize(("seed", "zone"), [(41, "UTC"), (42, "America/New_York")])
async def test_members_follow_every_write_and_every_day(db: Database, seed: int, zone: str) -> None:
    w = worlds.world(seed, 80, zone)
    workspace = await define(db, w, NOW)
    async with db.transaction() as tx:
        await compare(tx, w, NOW)
    now = NOW
    for size in (1, 1, 7, 30):
        now += timedelta(minutes=7)
        async with db.transaction() as tx:
            await settle(tx, workspace, await rewritten(tx, w, size), now)
    # A relative rule of an account that nobody wrote to is computed when its day comes.
    for step in (1, 1, 30, 90):
        now += timedelta(days=step)
        assert await days.roll(db, w.workspace_id, now) == now.astimezone(ZoneInfo(zone)).date()
        async with db.transaction() as tx:
            await compare(tx, w, now)
        async with db.transaction() as tx:
            await settle(tx, workspace, await rewritten(tx, w, 5), now)
            await compare(tx, w, now)


async def test_changes_by_hand_place_the_account_anew(db: Database) -> None:
    w = worlds.world(51, 60)
    workspace = await define(db, w, NOW)
    for n in range(25):
        now = NOW + timedelta(seconds=n)
        account = w.accounts[w.random.choice(list(w.accounts))]
        name, value = w.random.choice(
            (
                ("health", 12.0),
                ("health", None),
                ("arr_by_hand", w.money()),
                ("employees", 7),
                ("renewal_date_by_hand", w.day()),
            )
        )
        account[name] = value
        async with db.transaction() as tx:
            await tx.execute(
                f"UPDATE accounts SET {name} = $3 WHERE workspace_id = $1 AND id = $2",
                workspace.id,
                account["id"],
                value,
            )
            await settle(tx, workspace, [account["id"]], now, changed=[name.removesuffix("_by_hand")])
    async with db.transaction() as tx:
        await compare(tx, w, NOW + timedelta(seconds=25))


async def test_moves_at_one_moment_come_one_right_after_the_other(db: Database) -> None:
    w = worlds.world(61, 30)
    workspace = await define(db, w, NOW)
    for now in (NOW, NOW, NOW - timedelta(seconds=5)):
        async with db.transaction() as tx:
            await settle(tx, workspace, await rewritten(tx, w, 30), now)
            await coherent(tx, w.workspace_id)


async def test_time_alone_moves_accounts_between_two_days(db: Database) -> None:
    """Whoever an hour moves is found by the spans of instants that it moved: afterwards a full evaluation moves nobody."""
    w = worlds.world(71, 120)
    await define(db, w, NOW)
    now, moved = NOW, 0
    for step in (timedelta(minutes=1), timedelta(hours=3), timedelta(hours=2, minutes=59), timedelta(hours=4)):
        now += step
        moved += await ticks.follow(db, w.workspace_id, now)
        async with db.transaction() as tx:
            await compare(tx, w, now)
    assert moved > 0
    reasons = await db.fetch("SELECT DISTINCT h.reason FROM stays h WHERE h.workspace_id = $1", w.workspace_id)
    assert "time" in {row["reason"] for row in reasons}
    assert not await ticks.follow(db, w.workspace_id, now)


async def test_pins_keep_accounts_until_they_end(db: Database) -> None:
    w = worlds.world(81, 40)
    workspace = await define(db, w, NOW)
    principal = Principal(UUID(int=2), workspace, "admin")
    accounts = list(w.accounts)
    for n, slug in enumerate(("tier", "own-cube", "own-lately", "book")):
        rest = workspace.segmentations[slug].segments[-1]
        for k, account_id in enumerate(accounts[n::7]):
            until = None if k % 2 else (NOW + timedelta(hours=1 + k)).isoformat()
            told = {"segment": rest, "reason": "A pilot.", "expires_at": until}
            await pins.pin(db, Call(principal, NOW), account_id, slug, told)
    async with db.transaction() as tx:
        await compare(tx, w, NOW)
        await settle(tx, workspace, await rewritten(tx, w, 20), NOW + timedelta(minutes=1))
        await compare(tx, w, NOW + timedelta(minutes=1))
    for hours in (2, 4, 5):
        now = NOW + timedelta(hours=hours)
        await ticks.follow(db, w.workspace_id, now)
        assert await pins.expire(db, w.workspace_id, now) > 0
        async with db.transaction() as tx:
            await compare(tx, w, now)
    assert await pins.expire(db, w.workspace_id, NOW + timedelta(hours=5)) == 0
