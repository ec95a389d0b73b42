"""The hour moving on: ranks are compared with what the records have become since, and segments that stand on them too."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from app.domain.errors import Unavailable
from app.persistence import ranks, workspaces
from app.persistence.database import Database, Transaction
from app.services import settle

log = logging.getLogger("app.hours")

TIMEOUT = 600.0
"""Seconds that the work of one workspace may take."""


async def refresh(tx: Transaction, workspace_id: UUID, now: datetime, before: datetime | None = None) -> bool:
    """Take away the cut-offs of before a moment (all, where none is told), and place every account anew where segments
    stand on ranks, which computes theirs; the others are computed when they are next asked for. False where there were
    none."""
    if not await ranks.take(tx, workspace_id, before):
        return False
    await settle.place(tx, await workspaces.load(tx, workspace_id), now, reason="ranks")
    return True


async def refresh_all(db: Database, now: datetime) -> int:
    """Refresh every workspace that has cut-offs of before the last hour; how many were. Meant to be called each minute,
    by any number of processes; what is in use by a long write is left for the next time."""
    done = 0
    for workspace_id in await ranks.due(db, now):
        try:
            async with db.transaction(TIMEOUT) as tx:
                done += await refresh(tx, workspace_id, now, now - ranks.AGE)
        except Unavailable:
            continue
        except Exception:  # one workspace's trouble keeps no other from its hour
            log.exception("ranks could not be refreshed", extra={"workspace": str(workspace_id)})
    return done
