"""A workspace's own fiscal calendar: read, set and taken away; segments that stand on it follow before it answers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.domain import calendar_bodies, dependents
from app.domain.calendars import FiscalPeriod
from app.domain.entries import read_all
from app.domain.errors import Invalid, StrataError
from app.domain.roles import Principal, permit
from app.domain.workspaces import Workspace
from app.persistence import calendars, segments, workspaces
from app.persistence import dependents as naming
from app.persistence import lists as kept
from app.persistence.database import Database, Transaction
from app.services import effects, keys, listings, measures, nested, settle
from app.services.calls import ENCODER, Call, Effect, Written, once, versioned
from app.services.dependents import shown_name
from app.services.prepared import definition, prepare
from app.services.workspaces import NOUN, reach

FISCAL = "fiscal_"
Lost = Mapping[str, Mapping[Hashable, str | None]]
NOWHERE = {"from": None, "to": None}


def get(principal: Principal) -> bytes:
    """The calendar of the principal's workspace as JSON; no periods where there is none."""
    permit(principal, "workspace.read")
    return _body(principal.workspace)


async def put(db: Database, call: Call, body: Mapping[str, object], expected_version: int | None) -> Written:
    """Sets the calendar: the periods that the body gives, or makes, and no others. With `with_dependents` also where lists,
    segmentations, entry criteria or measures would mean nothing then, as it does not reach what they name.

    Raises Invalid, Forbidden, Conflict that tells those, VersionRequired, VersionStale; versions are the workspace's.
    """
    permit(call.principal, "workspace.write")
    along, wrong = dependents.along(body)
    if wrong:
        raise Invalid(faults=wrong)
    said = {name: told for name, told in body.items() if name != dependents.ALONG}
    return await _change(db, call, calendar_bodies.read(said).periods, expected_version, along=along is True)


async def delete(db: Database, call: Call, expected_version: int | None) -> Written:
    """Takes the calendar away: fiscal years begin with `fiscal_month` again. Raises as `put` does."""
    permit(call.principal, "workspace.write")
    return await _change(db, call, (), expected_version, along=True)


async def _change(
    db: Database, call: Call, periods: Sequence[FiscalPeriod], expected_version: int | None, *, along: bool
) -> Written:
    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        before = standing = await workspaces.load(tx, workspace_id)
        versioned(standing.version, expected_version)
        if _periods(before) != tuple(periods):
            await calendars.put(tx, workspace_id, periods)
            await workspaces.update(tx, workspace_id, {})
            standing = await workspaces.load(tx, workspace_id)
            if not along:
                await _refuse(tx, call, before, standing)
            await settle.place(tx, standing, call.now)
        done = _differing(before, standing)
        return Written(workspace_id, standing.version, _body(standing), created=False, effects=done)

    written = await once(db, call, "workspace.write calendar", act)
    keys.forget(db)
    return written


async def _refuse(tx: Transaction, call: Call, before: Workspace, after: Workspace) -> None:
    """Raises Conflict that tells what meant something before and would not after."""
    lost = await _lost(tx, call, after)
    if not any(lost.values()):
        return
    had = await _lost(tx, call, before)
    found = [
        one
        for what, names in lost.items()
        for one in dependents.dependent(what, [name for key, name in names.items() if key not in had[what]])
    ]
    assert after.calendar is not None, "without a calendar every day has its fiscal year"
    far = f"from {after.calendar.first} to {after.calendar.last}"
    why = f"; they would mean nothing with a calendar that reaches {far}, which {dependents.ALONG} (withDependents) allows"
    dependents.refuse(found, "depend on it", why)


async def _lost(tx: Transaction, call: Call, workspace: Workspace) -> Lost:
    """What means nothing by this calendar, by kind and key; names are None where the principal may not see them."""
    lists: dict[Hashable, str | None] = {}
    for row in await naming.lists(tx, workspace.id, [FISCAL]):
        one = await kept.one(tx, workspace.id, row["id"])
        assert one is not None, "it was read in this transaction"
        try:
            await nested.verify(tx, listings.loaded(one, workspace), workspace, call.now)
        except StrataError:
            lists[row["id"]] = shown_name(call.principal, row)
    every = {row["id"]: row for row in await segments.all_of(tx, workspace.id)}
    ready = await prepare(tx, [definition(row) for row in every.values()], workspace, call.now)
    ahead, model = read_all(workspace)[1], measures.prepare(workspace)
    return {
        "saved lists": lists,
        "segmentations": {one: every[one]["slug"] for one in ready.broken},
        "entry criteria of stages": {slug: slug for slug in ahead},
        "measures of health": {} if model is None or model.fault is None else {"health": "health"},
    }


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
