"""Segmentation: five segmentations of all accounts, in seconds of PostgreSQL's CPU per million accounts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from time import process_time
from typing import Any
from uuid import UUID

from app.domain.roles import Principal
from app.domain.workspaces import Person
from app.persistence.database import Database
from app.services import segmentations, settle, workspaces
from app.services.calls import Call, new_id
from bench import population
from bench.cpu import Meter
from bench.ratios import Goal, Ratio
from bench.requests import FailedError
from bench.server import Cluster

MILLION = 1_000_000
SEGMENTATIONS = 5
SECONDS = 300.0
# More axes than the presets have: health, seats and employees, each cut into three.
BANDS = {"condition": ("health", [40, 70]), "adoption": ("seats_active", [20, 100]), "size": ("employees", [100, 1000])}
LEVELS = ("high", "medium", "low")


def measured(cluster: Cluster, dsn: str, accounts: int, rounds: int) -> list[Ratio]:
    """Everything placed for the first time, and again with nothing to change, in a database that is for this alone."""
    with asyncio.Runner() as runner:
        db = runner.run(Database.open(dsn, size=2))
        try:
            workspace_id = runner.run(_prepared(db, cluster, dsn, accounts))
            taken, python = _taken(runner, db, cluster, dsn, workspace_id, rounds)
        finally:
            runner.run(db.close())
    scale = MILLION / accounts / 1e6
    figures = {"accounts": f"{accounts:,}", "python": f"{python / accounts * 1e6:.2f} µs an account"}
    return [
        Ratio(name, goal, tuple(spent * scale for spent in taken[side]), figures, " s")
        for name, goal, side in (
            ("segmentation of 1 M x 5, first", Goal(2.5), "first"),
            ("segmentation of 1 M x 5, again", Goal(1.9), "again"),
        )
    ]


def _taken(
    runner: asyncio.Runner, db: Database, cluster: Cluster, dsn: str, workspace_id: UUID, rounds: int
) -> tuple[dict[str, list[float]], float]:
    """PostgreSQL's microseconds of the one first time and of every other, and this process's seconds at most. Between them
    members are vacuumed, as they are of themselves within a minute."""
    meter = Meter({"pg": cluster.pid})
    python: list[float] = []

    def work() -> None:
        began = process_time()
        runner.run(_placed(db, workspace_id))
        python.append(process_time() - began)

    first = meter.during(work)["pg"]
    runner.run(cluster.admin(_database(dsn), "VACUUM members", "CHECKPOINT"))
    again = [meter.during(work)["pg"] for _ in range(rounds)]
    return {"first": [first], "again": again}, max(python)


async def _prepared(db: Database, cluster: Cluster, dsn: str, accounts: int) -> UUID:
    """What a workspace begins with, and three more; defined while there is no account, their cuts are amounts."""
    workspace_id, admin, _ = await population.organisation(db, "segmentation")
    workspace = await workspaces.load(db, workspace_id)
    call = Call(Principal(new_id(), workspace, "admin", Person(admin, (admin,))), population.NOW)
    for slug, body in _bands().items():
        await segmentations.put(db, call, slug, body, None)
    if (found := len((await workspaces.load(db, workspace_id)).segmentations)) != SEGMENTATIONS:
        raise FailedError(f"{found} segmentations are there, not {SEGMENTATIONS}")
    await population.accounts(db, workspace_id, admin, accounts)
    await cluster.admin(_database(dsn), "VACUUM (ANALYZE) accounts", "CHECKPOINT")
    return workspace_id


def _database(dsn: str) -> str:
    return dsn.split("@/", 1)[1].split("?", 1)[0]


def _bands() -> dict[str, dict[str, Any]]:
    segments = [{"slug": level, "name": level.capitalize()} for level in LEVELS]
    return {
        slug: {
            "name": slug.capitalize(), "kind": "bands", "spec": {"field": field, "cuts": {"by": "absolute", "at": at}},
            "segments": segments, "rest": "unclassified",
        }
        for slug, (field, at) in BANDS.items()
    }  # fmt: skip


async def _placed(db: Database, workspace_id: UUID) -> None:
    async with db.transaction(statement_timeout=SECONDS) as tx:
        await settle.place(tx, await workspaces.load(tx, workspace_id), datetime.now(UTC))
