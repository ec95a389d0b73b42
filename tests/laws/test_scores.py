"""Scores that are kept are what the plain reference says, row by row, and their parts add up to them."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from app.domain.facts import Settings, account_facts, contacted, health_band
from app.domain.score_bodies import read, told
from app.domain.scores import Scores, consumption_parts, engagement_parts, health, health_parts
from app.persistence import facts, workspaces
from app.persistence.database import Database, Transaction
from app.services import measures, scores
from tests.laws import worlds
from tests.laws.worlds import DAY, World

BODY: dict[str, Any] = {
    "health": {
        "source": "model",
        "measures": [
            {"of": "consumption_score", "worst": 0, "best": 60, "weight": 3},
            {"of": "engagement_score", "worst": 0, "best": 70, "weight": 0.3},
            {"of": "sentiment", "worst": 1, "best": 5, "weight": 2, "missing": "count_as", "count_as": 33.3},
            {"of": "nps", "worst": 0, "best": 10, "weight": 1},
            {"of": "last_interaction_at", "worst": 90, "best": 3, "weight": 2},
            {"of": "renewal_date", "worst": 10, "best": -200, "weight": 0.7},
            {"of": "open_tickets", "worst": 2, "best": 0, "weight": 1},
            {"of": "seat_utilisation", "worst": 0, "best": 1, "weight": 1.1, "missing": "no_health"},
            {"of": "arr", "worst": 0, "best": 50000, "weight": 1},
            {"of": "is_reference", "worst": 0, "best": 1, "weight": 0.5},
            {"of": "count(tickets WHERE status = \"closed\", last(30d))", "name": "closed", "worst": 0, "best": 2, "weight": 1},
        ],
    },
    "engagement": {"inbound": {"weight": 10, "enough": 3}, "events": {"weight": 0}},
    "consumption": {"frequency": {"enough": 7}, "modules": {"weight": 0}},
}  # fmt: skip


def settings(w: World, day: date, model: Scores) -> Settings:
    plain = worlds.settings(w, day)
    return Settings(
        plain.day, plain.contacted, 40.0, 70.0, plain.impacts, plain.modules, model.engagement, model.consumption
    )


def values(w: World, account_id: UUID, day: date, found: dict[str, Any]) -> list[float | None]:
    """What each measure says of an account, from its facts and records."""
    account, zone = w.accounts[account_id], ZoneInfo(w.zone)
    last, seats = found["last_interaction_at"], found["seats_licensed"]
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)
    closed = [
        t for t in w.related[account_id]["tickets"]
        if t["status"] == "closed" and end - timedelta(days=30, microseconds=1) <= t["opened_at"] < end
    ]  # fmt: skip
    used = min(1.0, account["seats_active"] / seats) if seats and account["seats_active"] is not None else None
    days = None if last is None else (day - last.astimezone(zone).date()).days
    renewal = None if found["renewal_date"] is None else (day - found["renewal_date"]).days
    plain = (found["sentiment"], found["nps"], days, renewal, found["open_tickets"], used, found["arr"] / 100)
    counted = (*plain, account["is_reference"], len(closed))
    return [found["consumption_score"], found["engagement_score"], *(None if v is None else float(v) for v in counted)]


async def compare(tx: Transaction, w: World, day: date, model: Scores) -> None:
    rows = await tx.fetch(
        "SELECT id, health, health_band, engagement_score, consumption_score FROM accounts WHERE workspace_id = $1",
        w.workspace_id,
    )
    assert model.health is not None
    for row in rows:
        found = account_facts(w.accounts[row["id"]], worlds.related(w, row["id"]), settings(w, day, model))
        expected = health(model.health, values(w, row["id"], day, found), None)
        scored = (row["health"], row["engagement_score"], row["consumption_score"])
        assert scored == (expected, found["engagement_score"], found["consumption_score"])
        assert row["health_band"] == health_band(expected, 40.0, 70.0)


async def refresh(tx: Transaction, w: World, touched: list[UUID] | None) -> int:
    await facts.lock(tx, w.workspace_id, touched)
    await facts.refresh(tx, w.workspace_id, touched)
    workspace = await workspaces.load(tx, w.workspace_id)
    return len(await measures.keep(tx, workspace, touched, None))


async def modelled(tx: Transaction, w: World) -> Scores:
    model = read(BODY)
    await worlds.insert(tx, w)
    stored = json.dumps(told(model))
    await tx.execute("UPDATE workspaces SET scores = $2::text::jsonb WHERE id = $1", w.workspace_id, stored)
    return model


@pytest.mark.parametrize(("seed", "zone"), [(1, "UTC"), (2, "America/New_York"), (3, "Pacific/Auckland")])
async def test_health_equals_the_reference(db: Database, seed: int, zone: str) -> None:
    w = worlds.world(seed, 80, zone)
    async with db.transaction() as tx:
        model = await modelled(tx, w)
        await refresh(tx, w, None)
        await compare(tx, w, DAY, model)
        assert await refresh(tx, w, None) == 0


async def test_what_was_touched_and_another_day_equal_all(db: Database) -> None:
    w = worlds.world(5, 50)
    async with db.transaction() as tx:
        model = await modelled(tx, w)
        await refresh(tx, w, None)
        for step, size in enumerate((1, 7, 3)):
            touched = w.random.sample(list(w.accounts), size)
            await worlds.delete_related(tx, w, touched)
            for account_id in touched:
                for entity in worlds.ROWS:
                    worlds.make(w, account_id, entity)
            await worlds.insert_related(tx, w, touched)
            await refresh(tx, w, touched)
            await compare(tx, w, DAY + timedelta(days=step), model)
            await tx.execute("UPDATE workspaces SET facts_day = facts_day + 1 WHERE id = $1", w.workspace_id)
            await refresh(tx, w, None)
            await compare(tx, w, DAY + timedelta(days=step + 1), model)
        assert await refresh(tx, w, None) == 0


@pytest.mark.parametrize(("seed", "size"), [(6, 60), (7, 160)])  # a few are kept account by account
async def test_days_that_are_kept_add_up_from_their_parts(db: Database, seed: int, size: int) -> None:
    w = worlds.world(seed, size)
    async with db.transaction() as tx:
        model = await modelled(tx, w)
        assert model.health is not None
        await refresh(tx, w, None)
        kept = await scores.close(tx, await workspaces.load(tx, w.workspace_id))
        assert (
            kept
            == len(await tx.fetch("SELECT FROM account_scores WHERE workspace_id = $1", w.workspace_id))
            > size - 20
        )
        assert await scores.close(tx, await workspaces.load(tx, w.workspace_id)) == 0
        rows = await tx.fetch("SELECT * FROM account_scores WHERE workspace_id = $1", w.workspace_id)
    assert rows
    for row in rows:
        found = account_facts(
            w.accounts[row["account_id"]], worlds.related(w, row["account_id"]), settings(w, DAY, model)
        )
        assert row["measures"] == values(w, row["account_id"], DAY, found)
        spans = settings(w, DAY, model).contacted
        assert tuple(row["engaged"]) == contacted(w.related[row["account_id"]]["interactions"], spans)
        parts = (
            (row["health"], health_parts(model.health, row["measures"], None, row["health"])),
            (row["engagement"], engagement_parts(model.engagement, row["engaged"], row["engagement"])),
            (row["consumption"], consumption_parts(model.consumption, row["consumed"], row["consumption"])),
        )
        for score, told_ in parts:
            assert round(sum(part.contribution for part in told_), 2) == (score or 0.0)
            assert all(part.contribution >= 0 for part in told_)
            weight = sum(part.weight for part in told_ if part.points is not None)
            for part in told_:
                exact = part.weight * (part.points or 0) / weight if weight and score is not None else 0
                assert abs(part.contribution - exact) < 0.1
