"""Waterfalls: what moved a forecast between two days, in total, by group and by account, to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Literal
from uuid import UUID

import numpy as np

from app.domain import values
from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import check, text
from app.domain.criteria.meant import Meaning
from app.domain.criteria.nodes import All, And, Cmp, Me, Node, Path
from app.domain.errors import Fault, Invalid, Unreadable
from app.domain.forecasting import asked as asking
from app.domain.forecasting import ledger
from app.domain.forecasting.asked import Asked, Under
from app.domain.forecasting.ledger import STEPS, Waterfall
from app.domain.roles import Principal, allows, permit
from app.domain.workspaces import Workspace, clock
from app.persistence import waterfalls as rows
from app.persistence.database import Database, Record
from app.persistence.waterfalls import KeptColumns, RenewalColumns
from app.services import forecast_figures as figuring
from app.services import named, standings
from app.services.aside import aside
from app.services.calls import ENCODER
from app.services.segmentation_documents import instant
from app.services.standings import Side

READ = "forecasts.read"
MONTH = timedelta(days=30)
Basis = Literal["kept", "recomputed"]
BASES: tuple[Basis, ...] = ("kept", "recomputed")
WORDS: Mapping[Basis, str] = {
    "kept": "Between two forecasts that were kept: amounts and days are those that were known then.",
    "recomputed": "Both days are computed from today's records as far as they were decided by then: corrections made since do not show.",
}
FILTERED = "Accounts are filtered, and grouped, by what they are today: who has churned has an ARR of 0 by now, and is left out by `arr >= 1`."
STILL = "Nothing moved."


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked, as it was told; days as text. `due_from` and `due_to` bound the days on which renewals are due."""

    start: str | None = None
    end: str | None = None
    due_from: str | None = None
    due_to: str | None = None
    filter: str | None = None
    group_by: tuple[str, ...] = ()
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The two days, the renewals, whether those are all there are, and on what both are to stand; None: on kept forecasts
    where there are any."""

    before: date
    after: date
    asked: Asked
    where: Meaning
    whole: bool
    basis: Basis | None


@dataclass(frozen=True, slots=True)
class Fallen:
    """A waterfall with the account and the groups of each of its renewals."""

    wanted: Wanted
    basis: Basis
    sides: tuple[Side, Side]
    found: Waterfall
    account_ids: list[UUID]
    keys: list[tuple[str, ...]]


async def get(db: Database, principal: Principal, now: datetime, ask: Ask) -> bytes:
    """Opening, steps and closing, in total and by group. A csm's is of the csm's own accounts. Raises Forbidden, Invalid."""
    fallen = await _fallen(db, principal, now, ask)
    workspace, found, asked = principal.workspace, fallen.found, fallen.wanted.asked
    every = np.ones(len(found.renewal_id), dtype=np.bool_)
    names = [name for name, _ in asked.groups]
    groups = [
        {"key": {name: part or None for name, part in zip(names, key, strict=True)}, **_summed(found, mine, workspace)}
        for key in (sorted(set(fallen.keys)) if names else ())
        for mine in (np.array([one == key for one in fallen.keys], dtype=np.bool_),)
    ]
    return ENCODER.encode(
        {
            "from": fallen.wanted.before, "to": fallen.wanted.after, "due_from": asked.start, "due_to": asked.end,
            "basis": fallen.basis, "words": _words(fallen, filtered=ask.filter is not None), "before": _side(fallen.sides[0]),
            "after": _side(fallen.sides[1]), **_summed(found, every, workspace), "groups": groups,
        }
    )  # fmt: skip


def _words(fallen: Fallen, *, filtered: bool) -> str:
    """On what both days stand, and what is of today on both."""
    said = [WORDS[fallen.basis], *([FILTERED] if filtered else [])]
    return " ".join([*said, *([] if fallen.found.parts.any() else [STILL])])


async def accounts(
    db: Database, principal: Principal, now: datetime, ask: Ask, after: tuple[int, UUID] | None, limit: int
) -> tuple[list[dict[str, Any]], list[tuple[int, UUID]], bool]:
    """What each account adds to it, those that moved it most first; the key of each, and whether there are more."""
    fallen = await _fallen(db, principal, now, ask)
    moved = fallen.found.after - fallen.found.before
    total: dict[UUID, int] = {}
    for account, change in zip(fallen.account_ids, moved.tolist(), strict=True):
        total[account] = total.get(account, 0) + change
    order = sorted((-abs(change), account) for account, change in total.items())
    behind = [one for one in order if after is None or one > (after[0], after[1])]
    page = behind[:limit]
    known = await rows.names(db, principal.workspace.id, [account for _, account in page])
    listed = [
        {
            "account_id": account, "name": known.get(account),
            **_summed(fallen.found, np.array([one == account for one in fallen.account_ids]), principal.workspace),
        }
        for _, account in page
    ]  # fmt: skip
    return listed, page, len(behind) > limit


async def _fallen(db: Database, principal: Principal, now: datetime, ask: Ask) -> Fallen:
    wanted = await _read(db, principal, now, ask)
    basis, sides = await _sides(db, principal.workspace, wanted)
    beyond = sorted({one for side in sides for one in side.ids})
    known = await rows.renewals(db, principal.workspace, wanted.asked, wanted.where, beyond)
    return await aside(partial(_computed, wanted, basis, sides, known))


async def _sides(db: Database, workspace: Workspace, wanted: Wanted) -> tuple[Basis, tuple[Side, Side]]:
    """Both kept or both recomputed: between one of each, what the model does otherwise would be taken for movement."""
    days = (wanted.before, wanted.after)
    asked = wanted.asked
    if wanted.basis != "recomputed":
        found = [await rows.kept(db, workspace, day, asked.start, asked.end) for day in days]
        before, after = found
        if before is not None and after is not None:
            return "kept", (await _kept(db, workspace, days[0], before), await _kept(db, workspace, days[1], after))
        if wanted.basis == "kept":
            missing = ("to", "from")[found[0] is None]
            message = "Expected a day by which a forecast was kept that covers all accounts and the whole period."
            raise Invalid(faults=(Fault(message, parameter=missing),))
    return "recomputed", (
        await _recomputed(db, workspace, wanted, days[0]),
        await _recomputed(db, workspace, wanted, days[1]),
    )


async def _kept(db: Database, workspace: Workspace, day: date, row: Record) -> Side:
    said: KeptColumns = await rows.said(db, workspace.id, row["id"])
    calls = await rows.calls(db, workspace, day)
    made = row["as_of"].astimezone(workspace.zone).date()
    return Side(
        made,
        said.ids,
        said.account_ids,
        said.arr,
        said.due_on,
        said.probability,
        said.expected,
        calls,
        row["as_of"],
        row["id"],
    )


async def _recomputed(db: Database, workspace: Workspace, wanted: Wanted, day: date) -> Side:
    plain = replace(wanted.asked, groups=())
    figures = await figuring.read(db, workspace, plain, wanted.where, (), day)
    calls = await rows.calls(db, workspace, day)
    [made] = await aside(partial(figuring.made, figures, plain, (Under(),)))
    due, computed = figures.due, made.computed
    return Side(
        day, due.renewal_ids, due.account_ids, due.arr, due.due_on, computed.probability.tolist(), computed.expected_minor.tolist(), calls
    )  # fmt: skip


def _computed(wanted: Wanted, basis: Basis, sides: tuple[Side, Side], known: RenewalColumns) -> Fallen:
    known = standings.with_gone(sides[0], known) if wanted.whole else known
    place = {one: at for at, one in enumerate(known.ids)}
    found = ledger.waterfall(*standings.of(sides, known, place, wanted.asked))
    at = [place[UUID(one)] for one in found.renewal_id.tolist()]
    keys = [tuple(key[row] for key in known.keys) for row in at]
    return Fallen(wanted, basis, sides, found, [known.account_ids[row] for row in at], keys)


def _summed(found: Waterfall, mine: Any, workspace: Workspace) -> dict[str, Any]:
    steps = found.parts[mine].sum(axis=0).tolist()
    return {
        "renewals": int(mine.sum()), "opening": workspace.major(int(found.before[mine].sum())),
        "steps": {step: workspace.major(money) for step, money in zip(STEPS, steps, strict=True)},
        "closing": workspace.major(int(found.after[mine].sum())),
    }  # fmt: skip


def _side(side: Side) -> dict[str, Any]:
    return {"day": side.day, "as_of": instant(side.as_of), "forecast_id": side.forecast_id, "calls": len(side.calls)}


async def _read(db: Database, principal: Principal, now: datetime, ask: Ask) -> Wanted:
    permit(principal, READ, own=True)
    workspace = principal.workspace
    moment = clock(workspace, now)
    before, after, first, last, basis = _told(ask, moment.today)
    groups = asking.groups(ask.group_by, workspace, "group_by")
    setting = check.Setting(workspace, moment, principal.person)
    where = await named.reading(db, setting, principal.user_id, now, partial(_scope, principal, ask.filter))
    whole = allows(principal, READ) and ask.filter is None
    return Wanted(before, after, Asked(first, last, groups), where, whole, basis)


def _told(ask: Ask, today: date) -> tuple[date, date, date, date, Basis | None]:
    faults: list[Fault] = []

    def day(name: str, told: str | None) -> date | None:
        try:
            return None if told is None else values.day(told)
        except values.MisfitError as misfit:
            faults.append(misfit.fault(parameter=name))
            return None

    after = day("to", ask.end) or today
    before = day("from", ask.start) or after - MONTH
    due_from, due_to = day("due_from", ask.due_from), day("due_to", ask.due_to)
    if not faults and before >= after:
        # What was not told is not to blame.
        late = Fault("Expected a day after `from`.", parameter="to")
        early = Fault("Expected a day before `to`, which is today where it is left out.", parameter="from")
        faults.append(early if ask.end is None else late)
    if after > today:
        faults.append(Fault("Expected a day that has been, or today.", parameter="to"))
    basis: Basis | None = next((one for one in BASES if one == ask.basis), None)
    if ask.basis is not None and basis is None:
        faults.append(Fault(f"Expected one of {', '.join(BASES)}.", parameter="basis"))
    if faults:
        raise Invalid(faults=tuple(faults))
    since = due_from or (before if due_to is None or before < due_to else None)
    first, last = asking.period(since, due_to, before, ("due_from", "due_to"))
    return before, after, first, last, basis


def _scope(principal: Principal, where: str | None, setting: check.Setting) -> Meaning:
    """What was asked for, narrowed to the own accounts of who may see no others. Its faults point at `filter`."""
    try:
        node: Node = text.parse(where) if where is not None else All()
        if not allows(principal, READ):
            node = And((Cmp(Path("csm"), "eq", Me()), node))
        return check.check(node, ACCOUNTS, setting).meaning
    except (Invalid, Unreadable) as refused:
        faults = tuple(replace(fault, pointer=None, parameter="filter") for fault in refused.faults)
        raise type(refused)(refused.detail, faults) from None
