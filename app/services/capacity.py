"""How many CSMs the accounts need, by money and by hours; who has too many; and hand-overs that put it right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from uuid import UUID

from app.domain.capacity import Balance, balance
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.roles import Principal, permit
from app.domain.segmentation.care import Care
from app.domain.workspaces import Workspace, clock
from app.persistence import account_names
from app.persistence import capacity as rows
from app.persistence.capacity import Books, Owner
from app.persistence.database import Reader
from app.services import care
from app.services.account_names import named
from app.services.aside import aside
from app.services.capacity_words import missing, of_other, of_teams, why
from app.services.care import Cared
from app.services.engagements import EVERYBODYS, Whose, booked
from app.services.loads import BY, TARGET_USE, By, Caps, Load, amounts, caps_of, hours, needs, shown

__all__ = ["BY", "LEAST_USE", "MOST_USE", "READ", "TARGET_USE", "Asked", "capacity"]

READ = "records.read"
LEAST_USE, MOST_USE = Decimal("0.1"), Decimal(1)
SHOWN_MOVES = 1_000
"""Moves that an answer tells one by one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a door was told, as it was told. `by`: what moves are to balance."""

    segmentation: str | None = None
    by: str | None = None
    target_use: Decimal | float | str | None = None
    whose: Whose = EVERYBODYS


@dataclass(frozen=True, slots=True)
class Plan:
    """Books by owner, in the order of `owners`, those of nobody last; the accounts that fit in none; hand-overs, to numbers
    behind those of owners where it takes more people; who would stay `over` without those; and all that in words."""

    owners: Sequence[Owner]
    books: Sequence[Load]
    apart: Sequence[int]
    balanced: Balance
    moved: Sequence[UUID]
    over: int
    why: str


async def capacity(db: Reader, principal: Principal, asked: Asked, now: datetime) -> dict[str, Any]:
    """CSMs needed per segment and in all, the load of each, and moves after which nobody is above the target use.

    Raises Invalid, Unreadable.
    """
    permit(principal, READ)
    workspace, moment = principal.workspace, clock(principal.workspace, now)
    by, use = _by(asked.by), _use(asked.target_use)
    of = await care.cared(db, workspace, asked.segmentation)
    where = await booked(db, principal, asked.whose, moment)
    found = await rows.books(db, workspace, of.row["id"], of.cares, where, moment.today)
    _held(found)
    owners = await rows.owners(db, workspace.id, {one.csm_id for one in found if one.csm_id is not None})
    caps = caps_of(workspace, use)
    plan, told = await aside(partial(_planned, found, owners, of, workspace, caps, by))
    called = await account_names.names(db, workspace.id, plan.moved)
    return {
        "by": by, "target_use": use, "arr_per_csm": workspace.major(caps.arr), "hours_per_csm": workspace.hours_per_csm,
        "segmentation": of.told(workspace, now), **told, "moves": _moves(plan, called, workspace), "as_of": now,
    }  # fmt: skip


def _held(found: Sequence[Books]) -> None:
    """Raises Invalid where there are more accounts than are held."""
    if sum(len(one.ids) for one in found) > 16 * rows.MOST:
        message = f"Expected at most {rows.MOST:,} accounts to plan with: narrow them down."
        raise Invalid(faults=(Fault(message, parameter="filter"),))


def _planned(
    found: Sequence[Books], owners: Sequence[Owner], of: Cared, workspace: Workspace, caps: Caps, by: By
) -> tuple[Plan, dict[str, Any]]:
    segments: dict[str | None, Load] = {slug: Load() for slug in of.names}
    numbers = {owner.id: n for n, owner in enumerate(owners)}
    books, whole = [Load() for _ in range(len(owners) + 1)], Load()
    none = Care()
    for one in found:
        model = of.cares.get(one.segment or "", none)
        pace = model.spans[-1 if one.span is None else one.span][3]
        owner = len(owners) if one.csm_id is None else numbers[one.csm_id]
        arr = amounts(one.arr)
        for load in (segments.setdefault(one.segment, Load()), books[owner], whole):
            load.add(arr, pace, one.ids)
    cap, takers = caps.planned(by), [n for n, owner in enumerate(owners) if owner.is_active]
    held = [book.weights(by) for book in books[:-1]]
    # What fits in no book is handed to nobody: it is a team of its own, and weighs nothing in the balance.
    held = [[weight if weight <= cap else 0 for weight in book] for book in held]
    balanced = balance(held, cap, takers)
    hired = _hired(held, cap, takers, balanced.hires) if balanced.over else balanced
    ids = [b"".join(book.ids) for book in books]
    moved = [
        UUID(bytes=ids[move.book][16 * move.position : 16 * move.position + 16]) for move in hired.moves[:SHOWN_MOVES]
    ]
    apart = [sum(weight > cap for weight in book.weights(by)) for book in books]
    told = _all_needed(of, workspace, segments, whole, owners, caps)
    words = why(books, balanced, hired, _room(held, cap, takers), by, workspace) + of_teams(sum(apart))
    plan = Plan(owners, books, apart, hired, moved, len(balanced.over), words + of_other(told["needed"], by))
    told |= {"csms": _csms(plan, caps, by, workspace), "unowned": shown(books[-1], workspace)}
    return plan, told | {"missing": missing(of, segments, books, owners, by)}


def _room(held: Sequence[Sequence[int]], cap: int, takers: Sequence[int]) -> tuple[int, int]:
    """What is above the cap in all books, and what `takers` have room for."""
    loads = [sum(book) for book in held]
    return sum(max(0, load - cap) for load in loads), sum(max(0, cap - loads[n]) for n in takers)


def _hired(held: Sequence[Sequence[int]], cap: int, takers: Sequence[int], people: int) -> Balance:
    """The balance with as many more people as it takes."""
    while True:
        new = range(len(held), len(held) + people)
        found = balance([*held, *([] for _ in new)], cap, [*takers, *new])
        if not found.over:
            return replace(found, hires=people)
        people += 1


def _all_needed(
    of: Cared,
    workspace: Workspace,
    segments: Mapping[str | None, Load],
    whole: Load,
    owners: Sequence[Owner],
    caps: Caps,
) -> dict[str, Any]:
    told = [
        {
            "slug": slug, "name": of.names.get(slug or "", "Nowhere yet"), "touch": of.cares.get(slug or "", Care()).touch,
            **shown(load, workspace), "needed": needs(load.arr, load.hours, caps),
        }
        for slug, load in segments.items()
    ]  # fmt: skip
    return {
        **shown(whole, workspace), "needed": needs(whole.arr, whole.hours, caps),
        "present": sum(owner.is_active for owner in owners), "segments": told,
    }  # fmt: skip


def _csms(plan: Plan, caps: Caps, by: By, workspace: Workspace) -> list[dict[str, Any]]:
    """Each with the load that it has and would have, the one with the highest use first; accounts that are teams of their
    own count in neither."""
    cap = caps.planned(by)
    left = [[weight if weight <= cap else 0 for weight in book.weights(by)] for book in plan.books[:-1]]
    loads = [sum(book) for book in left]
    hired = [0] * plan.balanced.hires
    after, counts = [*loads, *hired], [len(book) - apart for book, apart in zip(left, plan.apart, strict=False)] + hired
    for move in plan.balanced.moves:
        weight = left[move.book][move.position]
        after[move.book], counts[move.book] = after[move.book] - weight, counts[move.book] - 1
        after[move.to], counts[move.to] = after[move.to] + weight, counts[move.to] + 1
    told = [
        {
            "csm_id": owner.id, "csm_name": owner.name, "is_active": owner.is_active, **shown(plan.books[n], workspace),
            "teams": plan.apart[n], "use": _share(loads[n], caps.full(by)), "state": _state(loads[n], cap),
            "room": _amount(cap - loads[n], by, workspace), "accounts_after": counts[n],
            "use_after": _share(after[n], caps.full(by)), "state_after": _state(after[n], cap),
        }
        for n, owner in enumerate(plan.owners)
    ]  # fmt: skip
    return sorted(told, key=lambda one: (-one["use"], one["csm_name"], str(one["csm_id"])))


def _state(load: int, cap: int) -> str:
    return "over" if load > cap else "under" if load < cap else "even"


def _share(load: int, cap: int) -> float:
    return round(load / cap, 4)


def _amount(weight: int, by: By, workspace: Workspace) -> Decimal:
    return workspace.major(weight) if by == "arr" else hours(weight)


def _moves(plan: Plan, called: Mapping[UUID, Mapping[str, Any]], workspace: Workspace) -> dict[str, Any]:
    balanced = plan.balanced
    shown = zip(balanced.moves, plan.moved, strict=False)
    data = [
        {
            "account_id": account, "account": named(called[account]) if account in called else None, "from_id": plan.owners[move.book].id,
            "from_name": plan.owners[move.book].name, **_taker(plan, move.to),
            "arr": workspace.major(plan.books[move.book].arr[move.position]),
            "hours": hours(plan.books[move.book].hours[move.position]),
        }
        for move, account in shown
    ]  # fmt: skip
    return {
        "count": len(balanced.moves), "fewest": balanced.is_fewest, "still_over": plan.over,
        "hires": balanced.hires, "teams": sum(plan.apart), "data": data, "why": plan.why,
    }  # fmt: skip


def _taker(plan: Plan, n: int) -> dict[str, Any]:
    if n < len(plan.owners):
        return {"to_id": plan.owners[n].id, "to_name": plan.owners[n].name}
    return {"to_id": None, "to_name": f"New CSM {n - len(plan.owners) + 1}"}


def _by(told: str | None) -> By:
    for known in BY:
        if told in (None, known):
            return known
    fault = Fault(f"Expected one of {', '.join(BY)}.", parameter="by", suggestion=nearest(str(told), BY))
    raise Invalid(faults=(fault,))


def _use(told: Decimal | float | str | None) -> Decimal:
    try:
        use = TARGET_USE if told is None else Decimal(str(told))
    except InvalidOperation:
        use = Decimal(0)
    if not (use.is_finite() and LEAST_USE <= use <= MOST_USE):
        message = f"Expected a share from {LEAST_USE} to {MOST_USE}."
        raise Invalid(faults=(Fault(message, parameter="target_use"),))
    return use
