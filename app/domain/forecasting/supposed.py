"""What is supposed of renewals without writing it: of some accounts another chance or price, of lanes another shift."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain import scenarios
from app.domain.criteria import spellings
from app.domain.criteria.members import Members, child
from app.domain.criteria.nodes import All, At, Node
from app.domain.criteria.suggest import invalid, nearest
from app.domain.errors import Invalid
from app.domain.records import FEW
from app.domain.scenarios import FURTHEST
from app.domain.values import MisfitError, decimal, money

MOST = 10
"""Things supposed in one question."""
DEAREST = 10
"""No price is multiplied by more."""
MOST_TARGETS = 1_000


@dataclass(frozen=True, slots=True)
class Supposed:
    """Of the accounts that meet criteria: logits that move the chance, a chance instead, and a factor of the price."""

    where: Node
    pointer: str
    shift: float = 0.0
    probability: float | None = None
    arr_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """What a group is to reach, in minor units; `key` has the group's value of each grouping, empty where it has none."""

    key: Mapping[str, str]
    amount: int
    pointer: str


def what_if(told: object, pointer: str = "") -> tuple[Supposed, ...]:
    """`[{where?, shift? | probability?, arr_factor?}]`; without `where` every account is meant. Raises Invalid, Unreadable."""
    place = f"{pointer}/what_if"
    return tuple(_supposed(one, child(place, n)) for n, one in enumerate(_array(told, place, MOST)))


def _supposed(told: object, pointer: str) -> Supposed:
    members = Members(told, pointer, (), ("where", "shift", "probability", "arr_factor"))
    if all(members.get(name) is None for name in ("shift", "probability", "arr_factor")):
        raise invalid(members.at, "Expected shift, probability or arr_factor.")
    if members.get("shift") is not None and members.get("probability") is not None:
        raise invalid(members.at_member("probability"), "Expected shift or probability, not both.")
    where = members.get("where")
    node = All() if where is None else spellings.read(where, members.pointer("where"))
    return Supposed(
        node,
        members.pointer("where"),
        _number(members, "shift", -FURTHEST, FURTHEST) or 0.0,
        _number(members, "probability", 0, 1),
        1.0 if members.get("arr_factor") is None else _number(members, "arr_factor", 0, DEAREST) or 0.0,
    )


def _number(members: Members, name: str, low: int, high: int) -> float | None:
    told = members.get(name)
    if told is None:
        return None
    try:
        found = decimal(told)
    except MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(members.pointer(name)),)) from None
    if not Decimal(low) <= found <= Decimal(high):
        raise invalid(members.at_member(name), f"Expected a number from {low} to {high}.")
    return float(found)


def lanes(told: object, pointer: str = "") -> dict[str, float]:
    """The shifts told, in logits by lane. Raises Invalid."""
    shifts, faults = scenarios.lanes(told, {})
    if faults:
        raise Invalid(faults=tuple(replace(fault, pointer=f"{pointer}{fault.pointer}") for fault in faults))
    return shifts


def targets(told: object, groupings: tuple[str, ...], minor_digits: int) -> tuple[Target, ...]:
    """`[{key: {<grouping>: value or null, …}, target}]`, with a value for each of the groupings. Raises Invalid."""
    listed, found = _array(told, "/targets", MOST_TARGETS), []
    if listed and not groupings:
        raise invalid(At(pointer="/targets"), "Expected group_by beside it: each target is of one of its groups.")
    for n, one in enumerate(listed):
        members = Members(one, child("/targets", n), ("key", "target"))
        key = Members(members.get("key"), members.pointer("key"), groupings)
        values = {name: key.get(name) for name in groupings}
        for name, value in values.items():
            if value is not None and not isinstance(value, str):
                raise invalid(key.at_member(name), "Expected a text, or null.")
        try:
            reached = amount(members.get("target"), minor_digits)
        except MisfitError as misfit:
            raise Invalid(faults=(misfit.fault(members.pointer("target")),)) from None
        found.append(Target({name: str(value or "") for name, value in values.items()}, reached, key.at.pointer))
    return tuple(found)


def amount(told: object, minor_digits: int) -> int:
    """What is to be reached, in minor units. Raises MisfitError."""
    found = money(told, minor_digits)
    if found < 0:
        raise MisfitError("an amount from 0 on")
    return found


def there(told: tuple[Target, ...], keys: Collection[tuple[str, ...]]) -> None:
    """Refuses a target of a group that is not among `keys`, and says which there are. Raises Invalid."""
    shown = {", ".join(part or "null" for part in key): key for key in sorted(keys)}
    for target in told:
        key = tuple(target.key.values())
        if key not in keys:
            listed, more = "; ".join(list(shown)[:FEW]), len(shown) - FEW
            message = f"Expected the key of a group: {listed}{f'; and {more} more' if more > 0 else ''}."
            if not shown:
                message = "Expected none: nothing is due, so that there is no group."
            near = nearest(", ".join(part or "null" for part in key), tuple(shown))
            raise invalid(At(pointer=target.pointer), message, near)


def _array(told: object, pointer: str, most: int) -> list[object]:
    if not isinstance(told, list) or len(told) > most:
        raise invalid(At(pointer=pointer), f"Expected an array of at most {most}.")
    return told


def one_of(told: str, known: tuple[str, ...], pointer: str) -> str:
    """A scenario's slug. Raises Invalid that says which there are."""
    if told not in known:
        message = f"Expected one of {', '.join(known)}." if known else "There is no scenario: make one first."
        raise invalid(At(pointer=pointer), message, nearest(told, known))
    return told
