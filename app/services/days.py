"""The day moving on: windows, facts and segments that depend on it, and what is forgotten, once per workspace and day."""

from __future__ import annotations

import logging
from datetime import date, datetime
from uuid import UUID

from app.domain.errors import Unavailable
from app.persistence import days, facts, idempotency, workspaces
from app.persistence.database import Database
from app.services import scores
from app.services.settle import settle

log = logging.getLogger("app.days")

TIMEOUT = 600.0
"""Seconds that the work of one workspace may take."""


async def roll(db: Database, workspace_id: UUID, now: datetime) -> date | None:
    """Move the workspace's facts to the day that it is there now, in one transaction; the new day, or None where there
    is nothing to do or somebody else is at it. A day never moves back."""
    async with db.transaction(TIMEOUT) as tx:
        if not await days.hold(tx, workspace_id, now):
            return None
        await facts.lock(tx, workspace_id, None)
        await scores.close(tx, await workspaces.load(tx, workspace_id))
        day = await days.claim(tx, workspace_id, now)
        workspace = await workspaces.load(tx, workspace_id)
        await settle(tx, workspace, None, now, reason="day")
        await idempotency.forget(tx, workspace_id, now)
    return day


async def roll_all(db: Database, now: datetime) -> int:
    """Roll every workspace whose day has passed; how many were. Meant to be called each minute, by any number of
    processes; what is in use by a long write is left for the next time."""
    done = 0
    for workspace_id in await days.due(db, now):
        try:
            done += await roll(db, workspace_id, now) is not None
        except Unavailable:
            continue
        except Exception:  # one workspace's trouble keeps no other from its day
            log.exception("the day could not be rolled", extra={"workspace": str(workspace_id)})
    return done
