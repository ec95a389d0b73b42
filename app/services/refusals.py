"""Refused attempts in the audit: the first of each kind at once, equal ones of the same minute counted in one entry."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from uuid import UUID
from weakref import WeakKeyDictionary

from app.persistence import audit
from app.persistence.audit import Attempt, Entry
from app.persistence.database import Database
from app.services.calls import Call, attempt, new_id

log = logging.getLogger("app.refusals")

WINDOW_SECONDS = 60.0
APART = 20
"""Different attempts of one credential that are told apart within a window: whoever tries every id fills no disk."""
KEEP_SECONDS = 1.0
"""How long the answer to a refused attempt waits for its entry."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What was refused to whom: equal ones are counted. Without `entity` it stands for any of the operation."""

    workspace_id: UUID
    credential_id: UUID
    door: str
    operation: str
    reason: str
    entity: str | None
    entity_id: UUID | None


@dataclass(slots=True)
class Window:
    """What was refused within a minute: `kept` has its entry, of `more` the last attempt and how many there were."""

    timer: asyncio.TimerHandle
    kept: set[Refused] = field(default_factory=set)
    apart: Counter[UUID] = field(default_factory=Counter)
    more: dict[Refused, tuple[Attempt, int]] = field(default_factory=dict)

    def count(self, what: Refused, tried: Attempt) -> None:
        """One more of those that are not told apart."""
        self.more[what] = (tried, self.more.get(what, (tried, 0))[1] + 1)


_windows: WeakKeyDictionary[Database, Window] = WeakKeyDictionary()
_tasks: set[asyncio.Task[None]] = set()


async def keep(
    db: Database, call: Call, operation: str, reason: str, entity: str | None, entity_id: UUID | None
) -> None:
    """Keeps that `call` was refused, in a transaction of its own. Raises nothing: the refusal is answered in any case."""
    principal = call.principal
    told = attempt(principal, call.now, call.door, call.request_id, operation)
    tried = replace(told, outcome="refused", reason=reason)
    what = Refused(principal.workspace.id, principal.credential_id, call.door, operation, reason, entity, entity_id)
    window = _window(db)
    if what in window.kept:
        window.count(what, tried)
    elif window.apart[principal.credential_id] >= APART:
        window.count(replace(what, entity=None, entity_id=None), tried)
    else:
        window.kept.add(what)
        window.apart[principal.credential_id] += 1
        if not await _written(db, what, tried, 1):
            window.count(what, tried)


async def settle(db: Database) -> None:
    """Ends the window: what was only counted gets its entries."""
    window = _windows.pop(db, None)
    if window is None:
        return
    window.timer.cancel()
    for what, (tried, times) in window.more.items():
        await _written(db, what, tried, times)


def _window(db: Database) -> Window:
    window = _windows.get(db)
    if window is None:
        window = _windows[db] = Window(asyncio.get_running_loop().call_later(WINDOW_SECONDS, _ended, db))
    return window


def _ended(db: Database) -> None:
    task = asyncio.ensure_future(settle(db))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _written(db: Database, what: Refused, tried: Attempt, times: int) -> bool:
    try:
        async with asyncio.timeout(KEEP_SECONDS), db.transaction() as tx:
            entry = Entry(new_id(), what.entity, what.entity_id, times=times)
            await audit.insert(tx, what.workspace_id, tried, (entry,))
    except Exception as error:  # whatever it is, the caller waits for another answer than this
        log.warning("a refused attempt could not be kept", extra={"because": type(error).__name__, "times": times})
        return False
    return True
