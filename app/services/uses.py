"""When lists were last asked what they hold: noted in passing, kept away from requests."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from app.persistence import lists
from app.persistence.database import Database, Reader

Uses = dict[tuple[UUID, UUID], datetime]
_used: WeakKeyDictionary[Database, Uses] = WeakKeyDictionary()
"""When each list, (workspace, id), was last asked; kept by `keep`."""


def note(db: Reader, workspace_id: UUID, list_id: UUID, now: datetime) -> None:
    """The list is asked now."""
    if isinstance(db, Database):
        _used.setdefault(db, {})[workspace_id, list_id] = now


async def keep(db: Database) -> None:
    """Keeps what was noted, in one statement for each workspace. What cannot be kept now is kept the next time; a kill
    loses what was not."""
    uses = _used.pop(db, None) or {}
    by_workspace: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    for (workspace_id, list_id), at in uses.items():
        by_workspace[workspace_id][list_id] = at
    try:
        while by_workspace:
            workspace_id = next(iter(by_workspace))
            async with db.transaction() as tx:
                await lists.used(tx, workspace_id, by_workspace[workspace_id])
            del by_workspace[workspace_id]
    except BaseException:
        left = {(one, list_id): at for one, ats in by_workspace.items() for list_id, at in ats.items()}
        _used[db] = left | _used.get(db, {})
        raise
