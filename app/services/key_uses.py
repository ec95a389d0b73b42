"""When API keys were used last: noted in passing, kept away from requests."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from app.persistence import keys
from app.persistence.database import Database

_used: WeakKeyDictionary[Database, dict[tuple[UUID, UUID], datetime]] = WeakKeyDictionary()
"""When each key, (workspace, id), was looked up last; kept by `keep`."""


def note(db: Database, workspace_id: UUID, key_id: UUID, now: datetime) -> None:
    """The key is looked up now."""
    _used.setdefault(db, {})[workspace_id, key_id] = now


async def keep(db: Database) -> None:
    """Keeps what was noted, all in one statement: once a second and key at most. What cannot be kept now is kept the next
    time; a kill loses what was not."""
    noted = _used.pop(db, None)
    if not noted:
        return
    try:
        async with db.transaction() as tx:
            await keys.used(tx, noted)
    except BaseException:
        _used[db] = noted | _used.get(db, {})
        raise
