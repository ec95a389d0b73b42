"""Exports: all accounts with the usual columns of a list, in its order, by `COPY … TO STDOUT` of the same rows."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit
from uuid import UUID

from app.domain.exports import FORMS, Form
from app.domain.lists import DEFAULT_COLUMNS
from app.persistence.database import EXPORT_MEMORY, Database
from app.persistence.embedded_files import binaries
from bench import population, server
from bench.ratios import Goal, Ratio, Rounds
from bench.requests import LARGEST_READ, FailedError, Request

GOAL = Goal(0.5, most=False)
DATABASE = "bench_exports"
END = b"\r\n0\r\n\r\n"
PAGE = os.sysconf("SC_PAGE_SIZE")
SAME = """
SELECT a.name, a.arr, a.health, a.renewal_date, c.name, a.last_interaction_at, a.nps FROM accounts a
LEFT JOIN contacts c ON c.workspace_id = '{0}' AND c.id = a.primary_contact_id
WHERE a.workspace_id = '{0}' AND a.archived_at IS NULL ORDER BY a.arr DESC, a.id DESC
"""


def measured(cluster: server.Cluster, accounts: int, rounds: int) -> Iterator[Ratio]:
    """Each form by the clock, the client's reading included, in a database that is for this alone."""
    psql = binaries(cluster.home, cluster.cluster.owner) / "bin" / "psql"
    with ExitStack() as stack:
        dsn = stack.enter_context(server.apart(cluster, DATABASE))
        workspace_id, key = asyncio.run(_filled(dsn, accounts))
        asyncio.run(cluster.admin(DATABASE, "VACUUM (ANALYZE)", "CHECKPOINT"))
        served = stack.enter_context(server.serving(cluster.home, dsn, demo=False))
        for form in FORMS:
            sides = {"copy": partial(_copied, psql, dsn, workspace_id), "ours": partial(_exported, served, key, form)}
            Rounds().take(sides, 1)
            taken = Rounds()
            taken.take(sides, rounds)
            figures = {
                "rows": f"{accounts:,}", "ours ms": f"{taken.median('ours', 'wall'):,.0f}",
                "copy ms": f"{taken.median('copy', 'wall'):,.0f}", "sent MB": f"{taken.median('ours', 'sent'):,.0f}",
                "memory +MB": f"{max(one['ours']['grown'] for one in taken.taken):,.0f}",
            }  # fmt: skip
            yield Ratio(f"export as {form}, by COPY", GOAL, taken.ratios("copy", "ours", ("wall",)), figures)


async def _filled(dsn: str, accounts: int) -> tuple[UUID, str]:
    db = await Database.open(dsn, size=2)
    try:
        workspace_id, admin, key = await population.organisation(db, "exports")
        await population.accounts(db, workspace_id, admin, accounts)
        await population.contacts(db, workspace_id, accounts)
    finally:
        await db.close()
    return workspace_id, key


def _copied(psql: Path, dsn: str, workspace_id: UUID) -> dict[str, float]:
    told = ["-c", f"SET work_mem = '{EXPORT_MEMORY}'", "-c", f"COPY ({SAME.format(workspace_id)}) TO STDOUT"]
    began = perf_counter()
    subprocess.run([psql, "-X", "-q", dsn, *told], stdout=subprocess.DEVNULL, check=True)
    return {"wall": (perf_counter() - began) * 1000}


def _exported(served: server.Server, key: str, form: Form) -> dict[str, float]:
    """The whole answer read and thrown away, and by how much the server grew meanwhile."""
    asked = {"format": form, "fields": DEFAULT_COLUMNS["accounts"], "sort": "-arr"}
    request = Request("POST", "/v1/accounts/export", key, json.dumps(asked).encode())
    at, buffer = urlsplit(served.url), bytearray(LARGEST_READ)
    before = most = _resident(served.pid)
    began, size, last = perf_counter(), 0, b""
    with socket.create_connection((at.hostname or "", at.port or 80), timeout=60) as connection:
        connection.sendall(request.wire())
        while not last.endswith(END):
            read = connection.recv_into(buffer)
            last = (last + bytes(buffer[max(0, read - len(END)) : read]))[-len(END) :]
            size += read
            most = max(most, _resident(served.pid))
            if not read or (size == read and not buffer.startswith(b"HTTP/1.1 200 ")):
                raise FailedError(f"export as {form}: {bytes(buffer[:500]).decode(errors='replace')}")
    wall = (perf_counter() - began) * 1000
    return {"wall": wall, "sent": size / 1e6, "grown": (most - before) / 1e6}


def _resident(pid: int) -> int:
    """Bytes of memory that a process has now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
