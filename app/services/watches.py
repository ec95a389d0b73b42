"""Watched lists: who enters and leaves one, found out each minute and kept as history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeAlias, cast
from uuid import UUID

from app.domain import lists, moments
from app.domain.catalogue import ENTITIES
from app.domain.criteria import text
from app.domain.criteria.check import Checked, Setting, check
from app.domain.criteria.suggest import nearest
from app.domain.errors import Conflict, Fault, Invalid, StrataError, Unavailable
from app.domain.lists import List
from app.domain.roles import Principal, permit
from app.domain.values import MisfitError
from app.domain.workspaces import Workspace, clock
from app.persistence import lists as rows
from app.persistence import watches, workspaces
from app.persistence.database import Database, Reader, Record, Transaction
from app.persistence.watches import Cause, Span
from app.services import list_rows, listings, named
from app.services.calls import Call, Effect, Written, once

MOST = 50
"""Lists of a workspace that can be watched at a time."""
PAUSE = timedelta(seconds=45)
"""What was checked so lately is not checked again."""
TIMEOUT = 300.0
"""Seconds that one list may take. What changes while it is compared, the next comparison finds."""
TICK = timedelta(microseconds=1)
"""As far as moments are apart at least."""
EVENTS = ("entered", "left")

After: TypeAlias = tuple[datetime, str, UUID]
"""What a page of changes goes on after."""
log = logging.getLogger("app.watches")


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of who entered and left, the latest first, and how many did in the whole span. `checked_at`: up to when it is
    known; `reason`: why it cannot be checked any more."""

    data: list[dict[str, Any]]
    span: Span
    entered: int
    left: int
    checked_at: datetime
    reason: str | None
    following: After | None


async def watch(db: Database, call: Call, list_id: UUID) -> Written:
    """Keeps from now on who enters and leaves the list; anybody's to begin who can read it. The list.

    Raises NotFound, Conflict for a list that means something else to each person, one that is broken, and one too many.
    """
    principal = call.principal
    permit(principal, "lists.watch")

    async def act(tx: Transaction) -> Written:
        workspace_id = principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        of = listings.seen(principal, await rows.locked(tx, workspace_id, list_id, principal.user_id), whole=True)
        if of.watched_since is not None:
            return listings.written(principal, of)
        if await watches.count(tx, workspace_id) >= MOST:
            raise Conflict(f"At most {MOST} lists of a workspace are watched: stop watching another one first.")
        workspace = await workspaces.load(tx, workspace_id)
        await watches.insert(tx, workspace_id, list_id, digest(of, workspace), call.now)
        await _compare(tx, workspace, of, await meaning(tx, workspace, of, call.now), "list", call.now)
        done = (Effect("lists", list_id, {"watched_since": None}, {"watched_since": call.now}),)
        return listings.written(principal, replace(of, watched_since=call.now), done)

    return await once(db, call, f"lists.watch {list_id}", act)


async def unwatch(db: Database, call: Call, list_id: UUID) -> Written:
    """Stops watching and forgets who was on the list: for those who may change it. Raises NotFound, Forbidden."""
    principal = call.principal

    async def act(tx: Transaction) -> Written:
        workspace_id = principal.workspace.id
        of = listings.seen(principal, await rows.locked(tx, workspace_id, list_id, principal.user_id), whole=True)
        permit(principal, "lists.write", own=listings.is_own(principal, of))
        if of.watched_since is None:
            return listings.written(principal, of)
        await watches.forget(tx, workspace_id, list_id)
        done = (Effect("lists", list_id, {"watched_since": of.watched_since}, {"watched_since": None}),)
        return listings.written(principal, replace(of, watched_since=None), done)

    return await once(db, call, f"lists.write unwatch {list_id}", act)


async def meaning(reader: Reader, workspace: Workspace, of: List, now: datetime) -> Checked:
    """What the list asks for with nobody's eyes and its parameters' defaults. Raises Conflict where that is nothing."""
    criteria, entity = lists.asked(of.entity, of.criteria, of.mine), ENTITIES[of.entity]
    try:
        params = listings.parameters(of.params)
        setting = Setting(workspace, clock(workspace, now), None, params, people=False, within=of.id)
        return await named.reading(reader, setting, of.owner_id, now, lambda within: check(criteria, entity, within))
    except Invalid as error:
        if list_rows.of_asker(of):
            raise Conflict("A watched list is the same for everybody: this one depends on who looks.") from None
        raise Conflict(f"The list cannot be watched: {error.detail}", error.faults) from None


async def redefine(tx: Transaction, workspace: Workspace, standing: List, changed: List, now: datetime) -> None:
    """A watched list comes to ask for something else: what records did until then is kept as theirs, and who moves now as
    the list's. Raises Conflict where it could not be watched any more."""
    if standing.watched_since is None or digest(changed, workspace) == digest(standing, workspace):
        return
    becomes = await meaning(tx, workspace, changed, now)
    claimed = await watches.held(tx, workspace.id, standing.id)
    if claimed is None:
        return
    moment = max(now, claimed["checked_at"] + TICK)
    if await _of_records(tx, workspace, standing, claimed, moment):
        moment += TICK
    await _compare(tx, workspace, changed, becomes, "list", moment)
    await watches.checked(tx, workspace.id, standing.id, digest(changed, workspace), moment)


async def bring_up(tx: Transaction, workspace: Workspace, list_id: UUID, now: datetime) -> None:
    """What records did until now is kept as theirs, before a watched list comes to ask for something else. `workspace` is the one
    in which it still means what it did. One that is broken, or not watched, is left as it is."""
    claimed, row = await watches.held(tx, workspace.id, list_id), await rows.one(tx, workspace.id, list_id)
    if claimed is None or row is None:
        return
    moment = max(now, claimed["checked_at"] + TICK)
    if await _of_records(tx, workspace, listings.loaded(row, workspace), claimed, moment):
        await watches.checked(tx, workspace.id, list_id, claimed["asked"], moment)


async def _of_records(tx: Transaction, workspace: Workspace, of: List, claimed: Record, moment: datetime) -> bool:
    """Keeps what records did until this moment as theirs; False where nobody knows, as the list is broken or asks for something
    else than when it was last compared."""
    if claimed["asked"] != digest(of, workspace):
        return False
    try:
        was = await meaning(tx, workspace, of, moment)
    except Conflict:
        log.info("a watched list is broken", extra={"list": str(of.id)})
        return False
    await _compare(tx, workspace, of, was, "records", moment)
    return True


def digest(of: List, workspace: Workspace) -> bytes:
    """What tells whether the list still asks for the same."""
    criteria = lists.by_id(lists.asked(of.entity, of.criteria, of.mine), workspace)
    return sha256(repr((text.format(criteria), of.params)).encode()).digest()


# -- changes -----------------------------------------------------------------------------------------------------------


async def changes(
    db: Reader,
    principal: Principal,
    list_id: UUID,
    lo: str | None = None,
    hi: str | None = None,
    event: str | None = None,
    after: After | None = None,
    limit: int = 50,
) -> Changes:
    """Who entered and left between two moments, `lo` included and `hi` not; days begin in the workspace's zone. Left out,
    they are when watching began, and up to when changes are known: whoever asks on from there misses none.

    Raises NotFound, Conflict for a list that is not watched, Invalid for a time before that.
    """
    permit(principal, "lists.read")
    permit(principal, "records.read")
    workspace = principal.workspace
    of = listings.seen(principal, await rows.one(db, workspace.id, list_id), whole=True)
    standing = await watches.one(db, workspace.id, list_id)
    if standing is None:
        raise Conflict("The list is not watched: who entered and left it is known from when that begins.")
    if event is not None and event not in EVENTS:
        expected = f"Expected one of {', '.join(EVENTS)}."
        raise Invalid(faults=(Fault(expected, parameter="event", suggestion=nearest(event, EVENTS)),))
    span = _span(workspace, standing["since"], lo, hi, standing["checked_at"] + TICK)
    found = await watches.events(db, workspace.id, list_id, ENTITIES[of.entity], span, event, after, limit + 1)
    entered, left = await watches.counts(db, workspace.id, list_id, span)
    page = [dict(row) for row in found[:limit]]
    following = place(page[-1]) if len(found) > limit else None
    return Changes(page, span, entered, left, standing["checked_at"], standing["reason"], following)


def place(change: dict[str, Any]) -> After:
    """Where a change stands among the others."""
    return change["at"], change["event"], change["record_id"]


def _span(workspace: Workspace, since: datetime, lo: str | None, hi: str | None, known: datetime) -> Span:
    begins, last = (since, since) if lo is None else _moments(workspace, "from", lo)
    if last < since:
        message = f"Expected {since.isoformat()} or later: since then the list is watched."
        raise Invalid(faults=(Fault(message, parameter="from"),))
    ends = max(known, begins) if hi is None else _moments(workspace, "to", hi)[0]
    if ends < begins:
        raise Invalid(faults=(Fault("Expected a moment that is not before from.", parameter="to"),))
    return Span(max(begins, since), ends, since)


def _moments(workspace: Workspace, parameter: str, told: str) -> tuple[datetime, datetime]:
    """Where a day begins and ends, or an instant twice."""
    try:
        return moments.span(told, workspace.zone)
    except MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(parameter=parameter),)) from None


# -- checking ----------------------------------------------------------------------------------------------------------


async def check_all(db: Database, now: Callable[[], datetime]) -> int:
    """Checks every watched list that was not checked just now, each at its own moment; how many were. Meant to be called
    each minute, by any number of processes; what cannot be checked now is left for the next time."""
    done = 0
    for workspace_id, list_id in await watches.due(db, now() - PAUSE):
        try:
            done += await check_one(db, workspace_id, list_id, now())
        except Unavailable as error:
            because = type(error.__cause__ or error).__name__
            log.warning("a watched list is left for later", extra={"list": str(list_id), "because": because})
        except Exception:  # the others are checked all the same
            log.exception("a watched list could not be checked", extra={"list": str(list_id)})
    return done


async def check_one(db: Database, workspace_id: UUID, list_id: UUID, now: datetime) -> bool:
    """Brings the history of one list up to now; False where somebody else has done so or is at it, and where it is broken:
    its members then stay as they were last known, and the reason is kept."""
    async with db.transaction(TIMEOUT) as tx:
        claimed = await watches.claim(tx, workspace_id, list_id, now)
        row = await rows.one(tx, workspace_id, list_id)
        if claimed is None or row is None:
            return False
        workspace = await workspaces.load(tx, workspace_id)
        try:
            of = listings.loaded(row, workspace)
            checked = await meaning(tx, workspace, of, now)
        except Unavailable:
            raise
        except StrataError as error:
            await watches.failed(tx, workspace_id, list_id, error.detail)
            return False
        asked = digest(of, workspace)
        await _compare(tx, workspace, of, checked, "records" if asked == claimed["asked"] else "list", now)
        await watches.checked(tx, workspace_id, list_id, asked, now)
    return True


async def _compare(
    tx: Transaction, workspace: Workspace, of: List, checked: Checked, cause: Cause, now: datetime
) -> None:
    entity = ENTITIES[of.entity]
    for kept in (True, False):
        found = await watches.compare(tx, workspace, of.id, entity, checked.meaning, cause, now, kept=kept)
        if found.fresh:
            return


def keys(after: Sequence[object] | None) -> After | None:
    """What a cursor told, as `changes` takes it."""
    return cast(After, tuple(after)) if after else None
