"""Axes: a numeric field and where it is cut, as bodies say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from app.domain.criteria import text
from app.domain.criteria.nodes import Node
from app.domain.segmentation.reading import Faults

By = Literal["absolute", "percentile", "median", "natural"]
BYS: tuple[By, ...] = ("absolute", "percentile", "median", "natural")
BOOKS = ("csm", "industry", "region")
"""What cuts may be taken within."""
LEVELS: Mapping[int, tuple[str, ...]] = {1: ("low", "high"), 2: ("low", "medium", "high")}
"""What the parts of an axis are called, lowest first, by its number of cuts."""
MAX_CUTS = 20
HALF = Decimal("0.5")
WAYS = f"one of {', '.join(BYS)}"
NEEDED: Mapping[str, str] = {
    "field": "the path of a field of numbers or money, such as arr",
    "cuts": 'where it is cut, such as {"by": "absolute", "at": [25000, 100000]} or {"by": "median"}',
}
"""What an axis cannot be without, and what is expected of it."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where a number is cut, ascending: amounts (money in major units), shares from 0 to 1, the median, or so many natural
    `parts` that values differ as little as they can within each.

    `among` says over which accounts cuts are taken, `within` that each book (of a CSM, say) has cuts of its own. An
    account on a cut belongs above it.
    """

    by: By
    at: tuple[Decimal, ...] = ()
    among: Node | None = None
    within: str | None = None
    parts: int = 0

    @property
    def count(self) -> int:
        """How many cuts there are."""
        return {"median": 1, "natural": self.parts - 1}.get(self.by, len(self.at))

    @property
    def shares(self) -> tuple[Decimal, ...]:
        """The shares to be looked up in the accounts; empty where cuts are no shares."""
        return {"median": (HALF,), "percentile": self.at}.get(self.by, ())


@dataclass(frozen=True, slots=True)
class Axis:
    """A numeric field by its path, and its cuts; `pointer` is where the body says it."""

    field: str
    cuts: Cuts
    pointer: str = dataclasses.field(default="/spec", compare=False)


def read(faults: Faults, told: object, pointer: str, most: int) -> Axis:
    """An axis `{field, cuts}` of at most so many cuts."""
    members = faults.members(told, pointer, ("field", "cuts"), NEEDED)
    name, cuts = faults.line(members.get("field"), f"{pointer}/field"), members.get("cuts")
    if cuts is None:
        return Axis(name, Cuts("absolute"), pointer)
    return Axis(name, read_cuts(faults, cuts, f"{pointer}/cuts", most), pointer)


def read_cuts(faults: Faults, told: object, pointer: str, most: int) -> Cuts:
    """Cuts `{by, at?, parts?, among?, within?}`."""
    members = faults.members(told, pointer, ("by", "at", "parts", "among", "within"), {"by": WAYS})
    by: By | None = faults.one_of(members.get("by"), f"{pointer}/by", BYS)
    at: tuple[Decimal, ...] = ()
    if by in ("absolute", "percentile"):
        at = faults.rising(members.get("at"), f"{pointer}/at", most)
        if by == "percentile" and not all(0 < share < 1 for share in at):
            faults.add(f"{pointer}/at", "Expected shares between 0 and 1.")
    elif by is not None and "at" in members:
        faults.add(f"{pointer}/at", "Expected no cuts: they are found in the accounts.")
    parts = 0
    if by == "natural":
        parts = faults.whole(members.get("parts"), f"{pointer}/parts", 2, most + 1)
    elif "parts" in members:
        faults.add(f"{pointer}/parts", "Expected no number of parts: natural cuts alone have one.")
    among, within = members.get("among"), members.get("within")
    if among is not None and by == "absolute":
        faults.add(f"{pointer}/among", "Expected no accounts: absolute cuts are not taken over any.")
        among = None
    if within is not None and by in ("absolute", "natural"):
        faults.add(f"{pointer}/within", "Expected no books: cuts within them are shares or the median.")
        within = None
    return Cuts(
        by or "absolute", at, None if among is None else faults.criteria(among, f"{pointer}/among"),
        faults.one_of(within, f"{pointer}/within", BOOKS), parts,
    )  # fmt: skip


def told(axis: Axis) -> dict[str, Any]:
    """What reads as the axis."""
    return {"field": axis.field, "cuts": told_cuts(axis.cuts)}


def told_cuts(cuts: Cuts) -> dict[str, Any]:
    """What reads as the cuts."""
    shown: dict[str, Any] = {"by": cuts.by}
    if cuts.at:
        shown["at"] = list(cuts.at)
    if cuts.by == "natural":
        shown["parts"] = cuts.parts
    if cuts.among is not None:
        shown["among"] = text.format(cuts.among)
    return shown if cuts.within is None else shown | {"within": cuts.within}
