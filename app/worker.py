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
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from app.domain.errors import StrataError
from app.persistence.database import Database
from app.services import attribute_indexes, checks, confirmations, days, hours, pins, ticks, watches

log = logging.getLogger("app.worker")

EVERY = 60.0
"""Seconds from the end of one round to the next."""
Chore = Callable[[Database, datetime], Awaitable[int]]


async def _check(db: Database, now: datetime) -> int:
    """In how many segmentations members were compared."""
    before = checks.counted["checks"]
    await checks.check_all(db, now)
    return checks.counted["checks"] - before


MEMBERSHIP: Mapping[str, Chore] = {
    "days_begun": days.roll_all, "ranks_refreshed": hours.refresh_all, "pins_ended": pins.expire_all,
    "moved_by_time": ticks.follow_all, "moves_confirmed": confirmations.confirm_all, "cuts_taken": ticks.refreeze_all,
    "checked": _check,
}  # fmt: skip
"""In this order: each finds everybody where the one before has put them. What each counts: workspaces whose day began, whose
ranks were compared, pins, workspaces in which time moved accounts, accounts, and segmentations twice."""


async def _watch(db: Database, _: datetime) -> int:
    await watches.check_all(db, partial(datetime.now, UTC))
    return 0


async def _resume(db: Database, now: datetime) -> int:
    await attribute_indexes.resume(db, now)
    return 0


ROUNDS: tuple[Mapping[str, Chore], ...] = (MEMBERSHIP, {"indexes": _resume}, {"watches": _watch})
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


async def _repeat(db: Database, chores: Mapping[str, Chore], every: float) -> None:
    """Says what a round did, where it did anything; the first one in any case, so that nobody waits in silence."""
    begun = chores is not MEMBERSHIP
    while True:
        until, since = datetime.now(UTC), time.monotonic()
        did = {name: count for name, chore in chores.items() if (count := await _done(db, name, chore))}
        if did or not begun:
            seconds = round(time.monotonic() - since, 3)
            told = {"until": until.isoformat(timespec="seconds"), "did": did, "seconds": seconds, "next_in": every}
            log.info("time was followed" if did else "nothing was due", extra=told)
        begun = True
        await asyncio.sleep(every)


async def _done(db: Database, name: str, chore: Chore) -> int:
    """How much was done. One that fails keeps no other from its turn, and has its own again in the next round."""
    told = {"chore": name}
    try:
        return await chore(db, datetime.now(UTC))
    except StrataError as error:
        log.warning("a chore is left for the next round", extra=told | {"because": type(error).__name__})
    except Exception:
        log.exception("a chore failed", extra=told)
    return 0
