"""Migrations that convert what is stored: nothing is lost, readers take what is made, and the way down leads up again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from alembic import command
from alembic.config import Config

from app.domain.segmentation import care
from app.domain.segmentation.reading import Faults
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
