"""Real workers beside a server that does no work: one is killed in the middle of it, the other goes on, and nothing is
done twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from app.persistence.database import Database
from app.services import accounts, segmentations
from tests import isolation
from tests.servers import ROOT, start_server, stop_process
from tests.services.organisations import Organisation, organisation

WORKSPACES = 6
SIZE = {
    "name": "Size", "kind": "rules", "rest": "small",
    "segments": [{"slug": "big", "name": "Big", "criteria": "arr >= 100"}],
}  # fmt: skip
# A pin that has ended, and a day that has passed.
DUE = """
INSERT INTO pins (workspace_id, segmentation_id, account_id, segment, reason, pinned_at, expires_at)
SELECT $1, m.segmentation_id, m.account_id, 'small', 'A pilot.', m.since, $3 FROM members m
JOIN segmentations s ON s.workspace_id = $1 AND s.id = m.segmentation_id AND s.slug = 'size'
WHERE m.workspace_id = $1 AND m.account_id = $2
"""
STANDS = """
UPDATE members m SET segment = 'small', rule = 'big', held = 'pin' FROM segmentations s
WHERE m.workspace_id = $1 AND s.workspace_id = $1 AND s.id = m.segmentation_id AND s.slug = 'size'
"""
LEFT = """
SELECT (SELECT count(*) FROM pins WHERE workspace_id = ANY ($1)) + (SELECT count(*) FROM workspaces w
  WHERE w.id = ANY ($1) AND w.facts_day < ($2::timestamptz AT TIME ZONE w.zone)::date)
"""
MOVED = "SELECT account_id FROM past_stays WHERE workspace_id = ANY ($1) AND segment = 'small' ORDER BY account_id"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def worker(dsn: str, data: Path) -> subprocess.Popen[bytes]:
    data.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "STRATA_DATABASE_URL": dsn, "STRATA_DATA_DIR": str(data), "STRATA_POOL_SIZE": "2"}
    command = [sys.executable, "-m", isolation.program(), "worker", "--every", "0.3"]
    with (data / "worker.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def did(data: Path) -> list[dict[str, int]]:
    """What a worker says that it did, round by round."""
    lines = (data / "worker.log").read_text().splitlines(keepends=True)
    return [json.loads(line)["did"] for line in lines if '"did"' in line and line.endswith("\n")]


async def due(org: Organisation) -> UUID:
    """A workspace with a pin to be ended and a day to be rolled; gives the account."""
    made = await accounts.create(org.db, org.call(), {"name": "Acme", "arr": 500})
    await segmentations.put(org.db, org.call(), "size", SIZE, None)
    await org.run(STANDS)
    await org.run(DUE, made.id, datetime.now(UTC) - timedelta(hours=1))
    await org.run("UPDATE workspaces SET facts_day = facts_day - 400 WHERE id = $1")
    return made.id


async def until(told: Callable[[], Awaitable[bool]], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not await told():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.05)


async def test_a_killed_worker_leaves_its_work_to_another(db: Database, dsn: str, home: Path) -> None:
    every = [await organisation(db) for _ in range(WORKSPACES)]
    made = [await due(org) for org in every]
    ids = [org.workspace.id for org in every]
    watcher = await asyncpg.connect(dsn)

    async def left() -> int:
        found: int = await watcher.fetchval(LEFT, ids, datetime.now(UTC))
        return found

    async def waiting() -> bool:
        return bool(await watcher.fetchval(WAITING))

    async def done() -> bool:
        return await left() == 0

    async def told() -> bool:
        return any(one.get("days_begun") for one in did(home / "second"))

    server = start_server(dsn, home / "no-worker", "--no-worker")
    first = second = None
    try:
        await asyncio.sleep(1)
        assert await left() == 2 * WORKSPACES
        holder = await asyncpg.connect(dsn)
        held = holder.transaction()
        await held.start()
        await holder.execute("SELECT FROM accounts WHERE workspace_id = $1 FOR UPDATE", ids[-1])
        first = worker(dsn, home / "first")
        await until(waiting)
        second = worker(dsn, home / "second")
        first.kill()
        first.wait()
        await held.rollback()
        await holder.close()
        await until(done)
        assert [row["account_id"] for row in await watcher.fetch(MOVED, ids)] == sorted(made)
        await until(told)
        second.send_signal(signal.SIGINT)
        assert second.wait(15) == 0
        wrote = (home / "second" / "worker.log").read_text()
        assert "Traceback" not in wrote
        assert "every 0.3 seconds" in wrote
        assert [one for one in did(home / "second")[1:] if not one] == []
    finally:
        for process in (server.process, first, second):
            if process is not None:
                stop_process(process)
        await watcher.close()
