"""No acknowledged write is lost, halved or doubled, whatever is killed, against a journal kept by the clients."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from app.persistence import embedded, migrations
from app.persistence.database import Database
from app.services import keys, users, workspaces
from tests.faults.journal import Journal, load
from tests.servers import Server, start_server, stop_process

CLIENTS = 6
KILLS = 2
BETWEEN = (0.7, 1.5)
"""Seconds of work between two kills."""
DURABLE = {"max_connections": "50"}
"""Nothing of what makes commits durable is turned off here."""


@pytest.fixture(scope="module")
async def durable(home: Path) -> AsyncIterator[embedded.Cluster]:
    """A PostgreSQL of its own, to be killed."""
    data = home / "durable"
    async with embedded.running(data, DURABLE) as dsn:
        await asyncio.to_thread(migrations.upgrade, dsn)
        yield embedded.Cluster(data, DURABLE)


@pytest.fixture
async def server(durable: embedded.Cluster, tmp_path: Path) -> AsyncIterator[list[Server]]:
    """The server that runs now: the last one of these."""
    running = [await asyncio.to_thread(start_server, durable.dsn(), tmp_path)]
    yield running
    await asyncio.to_thread(stop_process, running[-1].process)


async def place(durable: embedded.Cluster) -> tuple[UUID, str]:
    """A workspace, and the token of its admin."""
    db, now = await Database.open(durable.dsn(), size=1), datetime.now(UTC)
    workspace_id = await workspaces.create_workspace(db, f"Killed {now.timestamp()}", now)
    user_id = await users.create_user(db, workspace_id, "a@example.com", "A", "admin", None, now)
    _, token = await keys.create_key(db, workspace_id, "k", "admin", user_id, (), now)
    await db.close()
    return workspace_id, token


async def under_load(
    durable: embedded.Cluster, server: list[Server], kill: Callable[[], Awaitable[None]]
) -> tuple[UUID, Journal]:
    """Clients write while `kill` comes a few times; all of them end with an answer to everything they sent."""
    workspace_id, token = await place(durable)
    journal, over = Journal(), asyncio.Event()
    clients = [asyncio.create_task(load(journal, lambda: server[-1].url, token, str(n), over)) for n in range(CLIENTS)]
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(*BETWEEN))
        await kill()
    await asyncio.sleep(BETWEEN[0])
    over.set()
    await asyncio.gather(*clients)
    assert journal.retried, "nobody noticed a kill"
    return workspace_id, journal


async def agree(durable: embedded.Cluster, workspace_id: UUID, journal: Journal) -> None:
    """The database holds what was acknowledged: whole, once, and nothing else."""
    db = await Database.open(durable.dsn(), size=1)
    rows = await db.fetch("SELECT id, name, version, health, stage FROM accounts WHERE workspace_id = $1", workspace_id)
    assert sorted(row["name"] for row in rows) == sorted(journal.made)
    counters = {row["name"]: (row["version"], row["health"]) for row in rows if row["name"] in journal.counted}
    assert counters == {name: (value + 1, value % 101) for name, value in journal.counted.items()}
    staged = sorted(row["id"] for row in rows if row["stage"] is not None)
    moves = await db.fetch(
        "SELECT account_id FROM stage_moves WHERE workspace_id = $1 ORDER BY account_id", workspace_id
    )
    assert [row["account_id"] for row in moves] == staged
    members = await db.fetch("SELECT DISTINCT account_id FROM members WHERE workspace_id = $1", workspace_id)
    assert {row["account_id"] for row in members} == {row["id"] for row in rows}
    told = await db.fetch(
        "SELECT operation, count(*) FROM audit WHERE workspace_id = $1 AND operation LIKE 'accounts.%' GROUP BY operation",
        workspace_id,
    )
    assert dict(map(tuple, told)) == {
        "accounts.create": len(journal.made), "accounts.write": sum(journal.counted.values())
    }  # fmt: skip
    await db.close()


async def test_the_server_is_killed(durable: embedded.Cluster, server: list[Server], tmp_path: Path) -> None:
    async def kill() -> None:
        server[-1].process.kill()
        server[-1].process.wait()
        server.append(await asyncio.to_thread(start_server, durable.dsn(), tmp_path))

    await agree(durable, *await under_load(durable, server, kill))


async def test_the_database_is_killed(durable: embedded.Cluster, server: list[Server]) -> None:
    async def kill() -> None:
        pid = durable.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(durable.start)

    await agree(durable, *await under_load(durable, server, kill))


async def test_the_killed_database_of_a_server_is_started_again(home: Path) -> None:
    data = home / "kept"
    server = await asyncio.to_thread(start_server, None, data, "--workers", "2")
    cluster = embedded.Cluster(data)
    try:
        _, token = await place(cluster)
        killed = cluster.pid()
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        answers: list[httpx.Response] = []
        until = time.monotonic() + 30
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
            while cluster.pid() in (None, killed) or answers[-1].status_code != 200:
                assert time.monotonic() < until, "nobody started it again"
                await asyncio.sleep(0.1)
                answers.append(await client.get("/v1/accounts"))
        refused = [one for one in answers if one.status_code != 200]
        assert {one.status_code for one in refused} == {503}
        assert all("retry-after" in one.headers for one in refused)
    finally:
        await asyncio.to_thread(stop_process, server.process)
    assert server.process.returncode == 0
    lines = [json.loads(line) for line in (data / "serve.log").read_text().splitlines() if line.startswith("{")]
    told = [line["message"] for line in lines if line["logger"] == "app.database" and line["level"] == "warning"]
    assert told == ["the embedded database had ended and was started again"]
    assert cluster.pid() is None


async def test_a_database_that_ends_with_its_server_is_not_started_again(home: Path) -> None:
    data = home / "ending"
    stopping = threading.Event()
    with embedded.kept(data, stopping):
        cluster = embedded.Cluster(data)
        stopping.set()
        embedded.stop(data)
        await asyncio.sleep(1.5 * embedded.KEEP_SECONDS)
        assert cluster.pid() is None
