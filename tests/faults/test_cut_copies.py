"""A COPY whose connection is cut while the server takes nothing ends at once, instead of waiting for room for ever."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from app.domain.errors import Unavailable
from app.persistence.database import Database

LINE = b"x" * 1000 + b"\n"


async def test_a_cut_copy_ends(db: Database, dsn: str) -> None:
    """The server's process is stopped, so that what is sent piles up; then it is ended."""
    pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield LINE * 100

    async def copy() -> None:
        async with db.transaction() as tx:
            await tx.execute("CREATE TEMPORARY TABLE import_lines (c0 text) ON COMMIT DROP")
            pid.set_result(await tx.fetchval("SELECT pg_backend_pid()"))
            await tx.copy_csv("import_lines", endless(), ["c0"])

    copying = asyncio.create_task(copy())
    backend = await pid
    await asyncio.sleep(0.2)
    os.kill(backend, signal.SIGSTOP)
    await asyncio.sleep(0.3)
    await db.fetchval("SELECT pg_terminate_backend($1)", backend)
    os.kill(backend, signal.SIGCONT)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(copying, 5)
