"""Moves that wait to be confirmed: made when the criteria have said the same for as long as their segmentation asks."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from app.domain.errors import Unavailable
from app.persistence import segments
from app.persistence.database import Database
from app.services import settle

TIMEOUT = 300.0
"""Seconds that the work of one workspace may take."""
log = logging.getLogger("app.confirmations")


async def confirm(db: Database, workspace_id: UUID, now: datetime) -> int:
    """Makes the moves of a workspace that have waited long enough; how many accounts they were of."""
    async with db.transaction(TIMEOUT) as tx:
        return await settle.confirm(tx, workspace_id, now)


async def confirm_all(db: Database, now: datetime) -> int:
    """The same in every workspace that has such segmentations. Meant to be called each minute, by any number of processes."""
    done = 0
    for workspace_id in await segments.with_confirmation(db):
        try:
            done += await confirm(db, workspace_id, now)
        except Unavailable:
            continue
        except Exception:  # one workspace's trouble keeps no other from it
            log.exception("moves could not be confirmed", extra={"workspace": str(workspace_id)})
    return done
