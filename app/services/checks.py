"""The nightly check: members are compared with a full evaluation, and what is found elsewhere is mended and told."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.domain.errors import Unavailable
from app.domain.segmentation.spans import UnfollowedError
from app.persistence import facts, segments, workspaces
from app.persistence.database import Database, Transaction
from app.services import settle
from app.services.pins import end

TIMEOUT = 600.0
"""Seconds that the work of one workspace may take."""
log = logging.getLogger("app.checks")
counted: Counter[str] = Counter()
"""Of this process: `checks` of a segmentation, and `drifted` accounts that they found elsewhere."""


async def check(db: Database, workspace_id: UUID, now: datetime) -> Mapping[UUID, int] | None:
    """Compares every segmentation of a workspace with a full evaluation, once on its day; accounts that stood elsewhere are
    placed, as events of the reason `check`. How many those were, by segmentation; None where there is nothing to do.

    It reads first, with nothing locked, and no write waits for that. Only where something differs all is locked, and what time and pins have
    moved since a minute ago is moved first, so that only what nothing explains is drift.
    """
    async with db.transaction(TIMEOUT) as tx:
        if not await segments.is_unchecked(tx, workspace_id, now):
            return None
        found = await settle.compare(tx, await workspaces.load(tx, workspace_id), now)
        if found is not None and not any(found.values()):
            if not await segments.begin_check(tx, workspace_id, now):
                return None  # somebody else has compared them meanwhile
            await segments.checked(tx, workspace_id, found, now)
            return _told(workspace_id, found)
    async with db.transaction(TIMEOUT) as tx:
        await facts.lock(tx, workspace_id, None)
        if not await segments.begin_check(tx, workspace_id, now):
            return None
        mended = await _mended(tx, workspace_id, now)
    return _told(workspace_id, mended)


async def check_all(db: Database, now: datetime) -> int:
    """The same in every workspace that was not yet checked on its day; in how many accounts stood elsewhere. Meant to be
    called each minute, by any number of processes."""
    drifted = 0
    for workspace_id in await segments.unchecked(db, now):
        try:
            drifted += any((await check(db, workspace_id, now) or {}).values())
        except Unavailable:
            continue
        except Exception:  # one workspace's trouble keeps no other from its check
            log.exception("members could not be checked", extra={"workspace": str(workspace_id)})
    return drifted


async def _mended(tx: Transaction, workspace_id: UUID, now: datetime) -> Mapping[UUID, int]:
    await end(tx, workspace_id, now)
    since = await segments.claim(tx, workspace_id, now)
    workspace = await workspaces.load(tx, workspace_id)
    if since is not None:
        try:
            await settle.follow(tx, workspace, since, now)
        except UnfollowedError:
            await settle.place(tx, workspace, now, reason="time")
    await settle.confirm(tx, workspace_id, now)
    found = await settle.compare(tx, workspace, now)
    if found is None or any(found.values()):
        await settle.place(tx, workspace, now, reason="check")
    await segments.checked(tx, workspace_id, found or {}, now)
    return found or {}


def _told(workspace_id: UUID, found: Mapping[UUID, int]) -> Mapping[UUID, int]:
    drifted = {str(one): accounts for one, accounts in found.items() if accounts}
    counted["checks"] += len(found)
    counted["drifted"] += sum(drifted.values())
    told = {"workspace": str(workspace_id), "segmentations": len(found), "drifted": drifted}
    if drifted:
        log.error("members had drifted, and were mended", extra=told)
    else:
        log.info("members are what a full evaluation says", extra=told)
    return found
