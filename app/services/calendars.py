"""A workspace's own fiscal calendar: read, set and taken away; segments that stand on it follow before it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.domain import calendar_bodies
from app.domain.calendars import FiscalPeriod
from app.domain.roles import Principal, permit
from app.domain.workspaces import Workspace
from app.persistence import calendars, workspaces
from app.persistence.database import Database, Transaction
from app.services import effects, keys, settle
from app.services.calls import ENCODER, Call, Effect, Written, once, versioned
from app.services.workspaces import NOUN, reach

NOWHERE = {"from": None, "to": None}


def get(principal: Principal) -> bytes:
    """The calendar of the principal's workspace as JSON; no periods where there is none."""
    permit(principal, "workspace.read")
    return _body(principal.workspace)


async def put(db: Database, call: Call, body: Mapping[str, object], expected_version: int | None) -> Written:
    """Sets the calendar: the periods that the body gives, or makes, and no others.

    Raises Invalid, Forbidden, VersionRequired, VersionStale; versions are the workspace's.
    """
    permit(call.principal, "workspace.write")
    return await _change(db, call, calendar_bodies.read(body).periods, expected_version)


async def delete(db: Database, call: Call, expected_version: int | None) -> Written:
    """Takes the calendar away: fiscal years begin with `fiscal_month` again. Raises as `put` does."""
    permit(call.principal, "workspace.write")
    return await _change(db, call, (), expected_version)


async def _change(db: Database, call: Call, periods: Sequence[FiscalPeriod], expected_version: int | None) -> Written:
    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        before = standing = await workspaces.load(tx, workspace_id)
        versioned(standing.version, expected_version)
        if _periods(before) != tuple(periods):
            await calendars.put(tx, workspace_id, periods)
            await workspaces.update(tx, workspace_id, {})
            standing = await workspaces.load(tx, workspace_id)
            await settle.place(tx, standing, call.now)
        done = _differing(before, standing)
        return Written(workspace_id, standing.version, _body(standing), created=False, effects=done)

    written = await once(db, call, "workspace.write calendar", act)
    keys.forget(db)
    return written


def _periods(workspace: Workspace) -> tuple[FiscalPeriod, ...]:
    return workspace.calendar.periods if workspace.calendar else ()


def _differing(before: Workspace, after: Workspace) -> tuple[Effect, ...]:
    """What the audit is told: the periods that were there before alone, and those that are there now alone."""
    was, now = _periods(before), _periods(after)
    gone, come = ([asdict(one) for one in of if one not in others] for of, others in ((was, set(now)), (now, set(was))))
    said = ({"fiscal_periods": gone}, {"fiscal_periods": come})
    return effects.differing(NOUN, after.id, *said)


def _body(workspace: Workspace) -> bytes:
    shown: dict[str, Any] = {"periods": [asdict(one) for one in _periods(workspace)], **(reach(workspace) or NOWHERE)}
    return ENCODER.encode({**shown, "version": workspace.version})
