"""Migrations that convert what is stored: nothing is lost, readers take what is made, and the way down leads up again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from alembic import command
from alembic.config import Config

from app.domain.segmentation import care
from app.domain.segmentation.reading import Faults
from app.persistence.stays import MOVES
from tests.servers import ROOT, Cluster

MODELS: dict[str, dict[str, Any] | None] = {
    "high": {"model": "high_touch", "aim": "Grow", "own": {"x": 1, "y": None}, "cadence": "weekly"},
    "none": None,
    "empty": {},
    "other": {"model": "weird", "notes": "Keep me.", "long": "x" * 4000},
    "low": {"aim": "two\nlines", "model": "low_touch"},
}


def configured(dsn: str) -> Config:
    made = Config(toml_file=str(Path(ROOT, "pyproject.toml")))
    made.set_main_option("script_location", str(Path(ROOT, "alembic")))
    made.attributes["dsn"] = dsn
    return made


async def stored(dsn: str) -> None:
    """A workspace with a segmentation of before, whose segments carry these models."""
    workspace, segments = uuid4(), [{"slug": slug, "engagement": model} for slug, model in MODELS.items()]
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "INSERT INTO workspaces (id, slug, name, currency, minor_digits, zone, facts_day, created_at) "
        "VALUES ($1, 'w', 'W', 'USD', 2, 'UTC', current_date, now())", workspace,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO segmentations (workspace_id, id, slug, name, kind, spec, segments, rest, cuts, state, created_at, updated_at) "
        "VALUES ($1, $2, 's', 'S', 'rules', '{}', $3, 'rest', '[]', 'ok', now(), now())",
        workspace, uuid4(), json.dumps(segments),
    )  # fmt: skip
    await connection.close()


async def found(dsn: str) -> dict[str, Any]:
    connection = await asyncpg.connect(dsn)
    segments = json.loads(await connection.fetchval("SELECT segments FROM segmentations"))
    await connection.close()
    return {one["slug"]: one["engagement"] for one in segments}


def faulty(models: Mapping[str, Any]) -> list[str]:
    """The segments whose models a reader of now refuses."""
    wrong = []
    for slug, model in models.items():
        faults = Faults()
        if model is not None:
            care.check(faults, model, "")
        wrong += [slug] * bool(faults.found)
    return wrong


def test_engagement_models_of_before_are_read_anew_and_nothing_is_lost(cluster: Cluster) -> None:
    cluster.admin("CREATE DATABASE conversions OWNER strata")
    dsn = cluster.dsn("conversions")
    command.upgrade(configured(dsn), "0015")
    asyncio.run(stored(dsn))
    command.upgrade(configured(dsn), "head")
    made = asyncio.run(found(dsn))
    assert faulty(made) == []
    assert (made["none"], made["empty"]) == (None, {})
    assert {name: made["high"][name] for name in ("touch", "aim")} == {"touch": "high", "aim": "Grow"}
    assert json.loads(made["high"]["notes"]) == {"own": {"x": 1, "y": None}, "cadence": "weekly"}
    assert json.loads(made["other"]["notes"]) == MODELS["other"]
    assert (made["low"]["touch"], made["low"]["aim"]) == ("low", "two\nlines")
    command.downgrade(configured(dsn), "0014")
    command.upgrade(configured(dsn), "head")
    assert faulty(asyncio.run(found(dsn))) == []


# -- stays -------------------------------------------------------------------------------------------------------------

OF = "workspace_id, segmentation_id, account_id"
KEPT = {
    "members": f"SELECT {OF}, segment, since, held FROM members ORDER BY 3",
    "memberships": f"SELECT {OF}, segment, from_at, to_at, reason FROM memberships ORDER BY 3, 5",
    "events": f"SELECT {OF}, at, was, segment, reason FROM member_events ORDER BY 3, 4",
}
STAYS = f"SELECT {OF}, segment, from_at, to_at, reason FROM stays ORDER BY 3, 5"
OVER = KEPT["memberships"].replace("FROM memberships", "FROM past_stays")
LASTING = f"SELECT {OF}, segment, since, NULL::timestamptz AS to_at, reason FROM members ORDER BY 3"
# Where accounts stood, when each stay began and why; the last one lasts.
STOOD: tuple[tuple[tuple[str, int, str], ...], ...] = (
    (("low", 1, "definition"),),
    (("low", 1, "definition"), ("high", 3, "write"), ("low", 7, "confirmation")),
    (("low", 2, "write"), ("high", 2, "pin")),  # right after each other
)


async def stood(dsn: str) -> None:
    """Members, memberships and events of before."""
    connection = await asyncpg.connect(dsn)
    workspace, segmentation = uuid4(), uuid4()
    for stays in STOOD:
        of, was = (workspace, segmentation, uuid4()), None
        starts = [datetime(2026, 3, day, tzinfo=UTC) + timedelta(microseconds=n) for n, (_, day, _) in enumerate(stays)]
        for (segment, _, reason), start, end in zip(stays, starts, (*starts[1:], None), strict=True):
            sql = f"INSERT INTO memberships ({OF}, segment, from_at, to_at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)"
            await connection.execute(sql, *of, segment, start, end, reason)
            sql = f"INSERT INTO member_events ({OF}, at, was, segment, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)"
            await connection.execute(sql, *of, start, was, segment, reason)
            was = segment
        sql = f"INSERT INTO members ({OF}, segment, since, rule, held) VALUES ($1, $2, $3, $4, $5, 'low', 'band')"
        await connection.execute(sql, *of, was, starts[-1])
    await connection.close()


async def rows(dsn: str, *queries: str) -> list[list[tuple[Any, ...]]]:
    connection = await asyncpg.connect(dsn)
    told = [[tuple(row) for row in await connection.fetch(sql)] for sql in queries]
    await connection.close()
    return told


async def moved(dsn: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    workspace = await connection.fetchval("SELECT DISTINCT workspace_id FROM members")
    told = await connection.fetch(f"SELECT x.* FROM ({MOVES}) x ORDER BY account_id, at", workspace)
    await connection.close()
    return [(workspace, *row) for row in told]


def test_stays_of_before_are_told_by_members_and_what_is_over(cluster: Cluster) -> None:
    cluster.admin("CREATE DATABASE stays OWNER strata")
    dsn = cluster.dsn("stays")
    command.upgrade(configured(dsn), "0020")
    asyncio.run(stood(dsn))
    before = dict(zip(KEPT, asyncio.run(rows(dsn, *KEPT.values())), strict=True))
    command.upgrade(configured(dsn), "head")
    stays, lasting, over = asyncio.run(rows(dsn, STAYS, LASTING, OVER))
    assert stays == before["memberships"]
    assert lasting == [stay for stay in stays if stay[5] is None]
    assert over == [stay for stay in stays if stay[5] is not None]
    assert asyncio.run(moved(dsn)) == before["events"]
    command.downgrade(configured(dsn), "0020")
    assert dict(zip(KEPT, asyncio.run(rows(dsn, *KEPT.values())), strict=True)) == before
