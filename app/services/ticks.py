"""Time moving on: accounts that change segments though nothing is written, and cuts that are taken anew on schedule."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from app.domain.errors import StrataError, Unavailable
from app.domain.segmentation.bodies import again
from app.domain.segmentation.cuts import loaded
from app.domain.segmentation.model import Refreeze
from app.domain.segmentation.spans import UnfollowedError
from app.domain.workspaces import clock
from app.persistence import facts, segments, versions, workspaces
from app.persistence.database import Database, Record
from app.services import definitions, settle

PAUSE = timedelta(seconds=45)
"""Where time was followed so lately it is not followed again."""
TIMEOUT = 600.0
"""Seconds that the work of one workspace may take."""
log = logging.getLogger("app.ticks")


async def follow(db: Database, workspace_id: UUID, now: datetime) -> bool:
    """Moves the accounts of a workspace that time alone moved since it was followed last; whether there were any."""
    try:
        async with db.transaction(TIMEOUT) as tx:
            since = await segments.claim(tx, workspace_id, now)
            if since is None:
                return False
            return await settle.follow(tx, await workspaces.load(tx, workspace_id), since, now)
    except UnfollowedError:
        return await _all(db, workspace_id, now)


async def _all(db: Database, workspace_id: UUID, now: datetime) -> bool:
    """Places everybody because of time, in a transaction of its own: the workspace is locked before its segmentations."""
    async with db.transaction(TIMEOUT) as tx:
        await facts.lock(tx, workspace_id, None)
        if await segments.claim(tx, workspace_id, now) is None:
            return False
        await settle.place(tx, await workspaces.load(tx, workspace_id), now, reason="time")
    return True


async def follow_all(db: Database, now: datetime) -> int:
    """The same in every workspace that time moves; in how many somebody moved. Meant to be called each minute, by any number
    of processes."""
    done = 0
    for workspace_id in await segments.due(db, now - PAUSE):
        try:
            done += await follow(db, workspace_id, now)
        except Unavailable:
            continue
        except Exception:  # one workspace's trouble keeps no other from it
            log.exception("time could not be followed", extra={"workspace": str(workspace_id)})
    return done


async def refreeze(db: Database, workspace_id: UUID, now: datetime) -> int:
    """Takes the cuts of a workspace's segmentations anew that are due, each as a version of its own, and places every
    account; how many there were. One that cannot be cut is degraded, and keeps its members."""
    done = 0
    for row in await segments.scheduled(db, workspace_id):
        workspace = await workspaces.load(db, workspace_id)
        if not _is_due(row, clock(workspace, now).today):
            continue
        try:
            done += await _refrozen(db, workspace_id, row, now)
        except Unavailable:
            continue
        except StrataError as error:
            async with db.transaction() as tx:
                await segments.failed(
                    tx, workspace_id, [row["id"]], "degraded", [f"It could not be cut anew: {error.detail}"]
                )
    return done


async def refreeze_all(db: Database, now: datetime) -> int:
    """The same in every workspace that has a schedule. Meant to be called each minute, by any number of processes."""
    done = 0
    for workspace_id in await segments.with_schedule(db):
        try:
            done += await refreeze(db, workspace_id, now)
        except Unavailable:
            continue
        except Exception:
            log.exception("cuts could not be taken anew", extra={"workspace": str(workspace_id)})
    return done


async def _refrozen(db: Database, workspace_id: UUID, row: Record, now: datetime) -> bool:
    async with db.transaction() as tx:
        if not await segments.begin(tx, workspace_id, row["id"], row["version"]):
            return False
    async with db.transaction(TIMEOUT) as tx:
        await workspaces.hold(tx, workspace_id)
        workspace = await workspaces.load(tx, workspace_id)
        standing = await segments.hold(tx, workspace_id, row["slug"])
        if standing is None or standing["version"] != row["version"]:
            return False
        decoded = {name: msgspec.json.decode(row[name]) for name in ("spec", "segments")}
        await definitions.define(tx, workspace, again({**dict(row), **decoded}), row, now, anew=True)
        await versions.keep(tx, workspace_id, row["slug"], "refreeze", now)
        await settle.place(tx, await workspaces.load(tx, workspace_id), now)
    return True


def _is_due(row: Record, today: date) -> bool:
    taken = (one for one in loaded(msgspec.json.decode(row["cuts"])) if one.accounts is not None)
    return min((one.frozen_at for one in taken), default=today) < begun(row["refreeze"], today)


def begun(every: Refreeze, today: date) -> date:
    """When the week, month, quarter or year began that a day is in; weeks on Monday."""
    match every:
        case "week":
            return today - timedelta(days=today.weekday())
        case "month":
            return today.replace(day=1)
        case "quarter":
            return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return today.replace(month=1, day=1)
