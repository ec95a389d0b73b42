"""The indexes of promoted and unique attributes: built and dropped after the answer, by one process at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

from app.domain.attributes import Attribute
from app.domain.errors import Conflict, NotFound, StrataError, Unavailable
from app.persistence import attribute_indexes as indexes
from app.persistence import attributes
from app.persistence.database import Database, Transaction
from app.services import keys, reads
from app.services.calls import Call, Written

SILENT = timedelta(minutes=1)
"""Whoever showed no sign of life for so long is gone: somebody else takes the work."""
ALIVE = 10.0
TRIES = 3
AGAIN_SECONDS = 0.5
LOOK_SECONDS = 0.05

SOON = 5.0
"""Seconds that an answer waits for the index that holds a new unique attribute to its word."""

log = logging.getLogger("app.attributes")

_tasks: set[asyncio.Task[None]] = set()
_turns: WeakKeyDictionary[Database, asyncio.Lock] = WeakKeyDictionary()
"""One build at a time: two on one table would wait for each other."""


def begin(db: Database, workspace_id: UUID, attribute_id: UUID, now: datetime) -> asyncio.Task[None]:
    """Brings the indexes of an attribute to what it wants, in this process and beside all else."""
    task = asyncio.create_task(_afterwards(db, workspace_id, attribute_id, now))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


async def seen_to(db: Database, workspace_id: UUID, attribute_id: UUID, now: datetime, seconds: float) -> None:
    """The same, and waits for it so long at most; another process may be at it too."""
    ends = time.monotonic() + seconds
    await asyncio.wait({begin(db, workspace_id, attribute_id, now)}, timeout=seconds)
    while time.monotonic() < ends:
        row = await attributes.one(db, workspace_id, attribute_id)
        if row is None or not row["index_due"]:
            return
        await asyncio.sleep(LOOK_SECONDS)


@dataclass(slots=True)
class Due:
    """What is to follow a write's COMMIT: the attribute's indexes, and whether its answer waits for them."""

    attribute_id: UUID | None = None
    is_awaited: bool = False


async def want(tx: Transaction, workspace_id: UUID, wanted: Attribute, standing: Attribute | None, due: Due) -> None:
    """Has the indexes brought to what the attribute is to be, once the transaction is through: see `follow`."""
    if not wanted.indexes and not (standing and standing.indexes):
        return
    await indexes.want(tx, workspace_id, wanted)
    due.attribute_id, due.is_awaited = wanted.id, "unique" in wanted.indexes


async def follow(db: Database, call: Call, written: Written, due: Due) -> Written:
    """Indexes are built after COMMIT. An answer waits a little for a unique one, so that what it says is held to."""
    keys.forget(db)
    if due.attribute_id is None:
        return written
    workspace_id = call.principal.workspace.id
    if not due.is_awaited:
        begin(db, workspace_id, due.attribute_id, call.now)
        return written
    await seen_to(db, workspace_id, due.attribute_id, call.now, SOON)
    reader = replace(call.principal, scopes=call.principal.scopes | {"read"})
    try:
        found = await reads.one(db, reader, "attributes", "id", str(due.attribute_id))
    except NotFound:  # deleted since: the write was done all the same
        return written
    return replace(written, body=found.body)


async def resume(db: Database, now: datetime) -> None:
    """Takes up what a process that is gone has left. Meant to be called each minute, by any number of processes."""
    for workspace_id, attribute_id in await indexes.due(db, now - SILENT):
        await _afterwards(db, workspace_id, attribute_id, now)


async def stop() -> None:
    """Breaks off what this process builds; another one, or the next, begins it anew."""
    for task in tuple(_tasks):
        task.cancel()
    if _tasks:
        await asyncio.wait(tuple(_tasks))


async def _afterwards(db: Database, workspace_id: UUID, attribute_id: UUID, now: datetime) -> None:
    try:
        async with db.transaction() as tx:
            if not await indexes.claim(tx, workspace_id, attribute_id, now, SILENT):
                return
        async with _alive(db, workspace_id, attribute_id, now), _turns.setdefault(db, asyncio.Lock()):
            await _work(db, workspace_id, attribute_id)
    except Unavailable as error:
        because = type(error.__cause__ or error).__name__
        log.warning("an index is left for later", extra={"attribute": str(attribute_id), "because": because})
    except Exception:  # nobody waits for this: the log is where its failure is told
        log.exception("an index could not be seen to", extra={"attribute": str(attribute_id)})
    keys.forget(db)


async def _work(db: Database, workspace_id: UUID, attribute_id: UUID) -> None:
    """Until the indexes are what the attribute wants by then, or cannot be."""
    while (row := await attributes.one(db, workspace_id, attribute_id)) is not None:
        of = attributes.made(row)
        wanted = indexes.wanted(workspace_id, of)
        state: str | None = "ready" if wanted else None
        try:
            await _built(db, of.id, of.entity, wanted)
        except Unavailable:
            raise
        except Conflict:
            state = "failed"  # a value came twice while it was built
        except Exception:
            log.exception("an index cannot be made", extra={"attribute": str(attribute_id)})
            state = "failed"
        async with db.transaction() as tx:
            if await indexes.done(tx, workspace_id, attribute_id, state, row["version"]):
                return


async def _built(db: Database, attribute_id: UUID, entity: str, wanted: tuple[indexes.Index, ...]) -> None:
    """A build of another process and ours may wait for each other: the server then ends one of them."""
    for attempt in range(1, TRIES + 1):
        try:
            await indexes.build(db, attribute_id, entity, wanted)
            return
        except Unavailable:
            if attempt == TRIES:
                raise
            await asyncio.sleep(AGAIN_SECONDS * attempt)


@asynccontextmanager
async def _alive(db: Database, workspace_id: UUID, attribute_id: UUID, now: datetime) -> AsyncIterator[None]:
    """Shows every few seconds that somebody is at it."""
    began = time.monotonic()

    async def show() -> None:
        while True:
            await asyncio.sleep(ALIVE)
            try:
                async with db.transaction() as tx:
                    moment = now + timedelta(seconds=time.monotonic() - began)
                    await indexes.alive(tx, workspace_id, attribute_id, moment)
            except StrataError:  # the work itself meets the same trouble, and tells
                continue

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
