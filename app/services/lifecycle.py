"""Accounts that move between stages by themselves, by entry criteria and by time; and those that are stuck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.criteria import spellings, text
from app.domain.criteria.meant import Meaning
from app.domain.criteria.suggest import nearest
from app.domain.entries import meaning, read_all
from app.domain.errors import Fault, Invalid, StrataError
from app.domain.lifecycle import Cause
from app.domain.roles import Principal, permit
from app.domain.segmentation.parts import names
from app.domain.values import MisfitError
from app.domain.workspaces import Workspace, clock
from app.persistence import lifecycle
from app.persistence.database import Reader, Transaction
from app.persistence.lifecycle import Plan
from app.persistence.scoped import Scoped, scoped
from app.services.calls import first_id

RULED = ("entry", "expected_days", "leaves_after_days")
"""The members of a stage that say how accounts move."""
MOST_DAYS = 3650
MOVED = frozenset(("stage", "stage_since"))
WATCHED = frozenset(("archived_at", "status"))
KEPT = 256
Stay = tuple[int, UUID]
"""By how many days an account is beyond what is expected, and which that is."""
_prepared: dict[tuple[UUID, str], Prepared] = {}


@dataclass(frozen=True, slots=True)
class Prepared:
    """The entry criteria that mean something on the day of the facts, in the order of their stages, and what they read; of
    those that mean nothing why that is, by stage."""

    entries: tuple[tuple[str, Meaning], ...]
    broken: Mapping[str, str]
    read: frozenset[str]
    plans: dict[Scoped, Plan]


async def follow(
    tx: Transaction,
    workspace: Workspace,
    account_ids: Sequence[UUID] | None,
    touched: frozenset[str] | None,
    now: datetime,
) -> frozenset[str]:
    """Move whoever of these accounts (None: all), which are locked, moves by itself; the fields that may be others now.
    `touched`: the fields that are, where nothing else was written."""
    if not workspace.rules:
        return frozenset()
    prepared = _prepare(workspace)
    if touched is not None and touched.isdisjoint(prepared.read | WATCHED):
        return frozenset()
    moved = False
    looked = account_ids
    while looked is None or looked:
        onward, cause = await _onward(tx, workspace, prepared, looked)
        if not onward:
            break
        await lifecycle.move(tx, workspace, first_id(), onward, cause, now)
        moved = True
        # Whoever was moved may meet other criteria now; the others of the first look may still move by time.
        looked = account_ids if cause == "criteria" else [account_id for account_id, _ in onward]
    return MOVED if moved else frozenset()


async def _onward(
    tx: Transaction, workspace: Workspace, prepared: Prepared, account_ids: Sequence[UUID] | None
) -> tuple[list[lifecycle.Onward], Cause]:
    if prepared.entries:
        size = scoped(account_ids)
        plan = prepared.plans.get(size)
        if plan is None:
            plan = prepared.plans[size] = lifecycle.plan(prepared.entries, workspace, size)
        if found := await lifecycle.judge(tx, plan, account_ids):
            return found, "criteria"
    return await lifecycle.lasted(tx, workspace, account_ids), "time"


def _prepare(workspace: Workspace) -> Prepared:
    key = (workspace.id, workspace.epoch)
    found = _prepared.get(key)
    if found is None:
        entries, broken = read_all(workspace)
        read = frozenset[str]().union(*(names(one) for _, one in entries))
        found = Prepared(entries, broken, read, {})
        if len(_prepared) >= KEPT:
            _prepared.clear()
        _prepared[key] = found
    return found


def told(workspace: Workspace, stage: str) -> dict[str, str | None]:
    """`state` of a stage, as its record has it, and its `detail`."""
    why = _prepare(workspace).broken.get(stage)
    return {"state": "ok" if why is None else "broken", "detail": why}


def read(workspace: Workspace, body: Mapping[str, object]) -> dict[str, Any]:
    """Those of RULED that a body says, as they are stored. Raises Invalid with every fault."""
    given: dict[str, Any] = {}
    faults: list[Fault] = []
    for name in RULED:
        if name not in body:
            continue
        told = body[name]
        try:
            given[name] = None if told is None else _entry(workspace, told) if name == "entry" else _days(told)
        except MisfitError as misfit:
            faults.append(misfit.fault(f"/{name}"))
        except StrataError as error:
            faults += error.faults or (Fault(error.detail, pointer="/entry"),)
    if faults:
        raise Invalid(faults=tuple(faults))
    return given


def _entry(workspace: Workspace, told: object) -> str:
    node = spellings.read(told, "/entry")
    meaning(workspace, node, "/entry")
    return text.format(node)


def _days(told: object) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or not 1 <= told <= MOST_DAYS:
        raise MisfitError(f"a whole number of days from 1 to {MOST_DAYS}, or null")
    return told


async def stuck(
    db: Reader, principal: Principal, stage: str | None, now: datetime, after: Stay | None, limit: int
) -> tuple[list[dict[str, Any]], list[Stay], bool]:
    """Accounts that stand in a stage for longer than is expected there, the longest beyond it first; the key of each, and
    whether there are more. Stages without `expected_days` have none, nor have churned and archived accounts. Raises Invalid."""
    permit(principal, "records.read")
    workspace = principal.workspace
    if stage is not None and stage not in workspace.stages:
        fault = Fault("Expected the slug of a stage.", parameter="stage", suggestion=nearest(stage, workspace.stages))
        raise Invalid(faults=(fault,))
    found = await lifecycle.stuck(db, workspace.id, clock(workspace, now).today, stage, after, limit + 1)
    page = [{**dict(row), "arr": workspace.major(row["arr"])} for row in found[:limit]]
    return page, [(one["over"], one["id"]) for one in page], len(found) > limit
