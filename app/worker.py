"""The periodic work that no request does: inside `strata serve`, and apart from it as `strata worker`; several may run.

Whose turn it is says the database: whoever is at work holds the row of what it works on until its transaction ends, and
looks again whether it is due when it has the row. Where a worker is killed its connection ends, its transaction with it,
and another takes the work up from the beginning; so nothing is done twice, nor half.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

from app.domain.errors import StrataError
from app.persistence.database import Database
from app.services import attribute_indexes, checks, confirmations, days, hours, pins, ticks, watches

log = logging.getLogger("app.worker")

EVERY = 60.0
"""Seconds from the end of one round to the next."""
Chore = Callable[[Database, datetime], Awaitable[object]]
MEMBERSHIP: tuple[Chore, ...] = (
    days.roll_all, hours.refresh_all, pins.expire_all, ticks.follow_all, confirmations.confirm_all, ticks.refreeze_all,
    checks.check_all,
)  # fmt: skip
"""In this order: each finds everybody where the one before has put them."""


async def _watch(db: Database, _: datetime) -> None:
    await watches.check_all(db, partial(datetime.now, UTC))


ROUNDS: tuple[tuple[Chore, ...], ...] = (MEMBERSHIP, (attribute_indexes.resume,), (_watch,))
"""What is done one after the other; rounds do not wait for each other, as an index may take hours."""


@contextlib.asynccontextmanager
async def working(db: Database, every: float = EVERY) -> AsyncIterator[None]:
    """The work goes on within the block; at its end it is broken off, and what was begun is taken back. Indexes that are being
    made are the process's: whoever ends it stops them."""
    tasks = [asyncio.create_task(_repeat(db, chores, every)) for chores in ROUNDS]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def run(dsn: str, size: int, every: float, started: Callable[[], None]) -> None:
    """Works until SIGINT or SIGTERM; `started` is called when the database has answered."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    db = await Database.open(dsn, size=size)
    try:
        async with working(db, every):
            started()
            await ended.wait()
    finally:
        await attribute_indexes.stop()
        await db.close()


async def _repeat(db: Database, chores: tuple[Chore, ...], every: float) -> None:
    while True:
        for chore in chores:
            await _done(db, chore)
        await asyncio.sleep(every)


async def _done(db: Database, chore: Chore) -> None:
    """One that fails keeps no other from its turn, and has its own again in the next round."""
    told = {"chore": chore.__module__}
    try:
        await chore(db, datetime.now(UTC))
    except StrataError as error:
        log.warning("a chore is left for the next round", extra=told | {"because": type(error).__name__})
    except Exception:
        log.exception("a chore failed", extra=told)
