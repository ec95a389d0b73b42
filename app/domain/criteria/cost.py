"""What it takes to find the records that a criteria holds for, told from what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, assert_never

from app.domain.catalogue import Entity
from app.domain.criteria.meant import (
    All,
    And,
    Between,
    ChangeOf,
    Column,
    Compare,
    CustomOf,
    FoldOf,
    Grouped,
    Match,
    Meaning,
    Missing,
    Moved,
    Not,
    OneOf,
    Operand,
    Or,
    Refers,
    Related,
    SegmentOf,
    Tagged,
)  # fmt: skip

Class = Literal["cheap", "moderate", "heavy"]
CLASSES: dict[Class, str] = {
    "cheap": "what the records hold themselves, or an index, decides",
    "moderate": "for each record something kept elsewhere is looked up, or related rows of a few records are read",
    "heavy": "related rows of every record in the workspace are read",
}
"""Each class with what it means, the cheapest first."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`reason`: why, as a sentence."""

    cost_class: Class
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store keeps: columns of the entity with an index, and folds that are kept per record."""

    indexed: frozenset[str] = frozenset()
    fold: Callable[[FoldOf], bool] = field(default=lambda _: False)


def cost(meaning: Meaning, entity: Entity, kept: Kept) -> Cost:
    """The class of a criteria of `entity`, and why."""
    few = _narrows(meaning, kept)
    found: dict[Class, list[str]] = {name: [] for name in CLASSES}
    _weigh(meaning, entity, kept, found)
    if heavy := found["heavy"]:
        if few:
            return Cost(
                "moderate", f"An index finds few {entity.name}; only of those the rows of {_listed(heavy)} are read."
            )
        return Cost(
            "heavy", f"The rows of {_listed(heavy)} of all {entity.name} are read: narrow it by an indexed field."
        )
    if moderate := found["moderate"]:
        if few:
            return Cost("cheap", f"An index finds few {entity.name}; only for those {_listed(moderate)} are looked up.")
        return Cost("moderate", f"For each of the {entity.name} {_listed(moderate)} are looked up.")
    if few:
        return Cost("cheap", f"An index finds the {entity.name}.")
    return Cost("cheap", f"The {entity.name} themselves hold what is asked; each is looked at once.")


def _weigh(meaning: Meaning, entity: Entity, kept: Kept, found: dict[Class, list[str]]) -> None:
    match meaning:
        case And(args) | Or(args):
            for arg in args:
                _weigh(arg, entity, kept, found)
        case Not(arg):
            _weigh(arg, entity, kept, found)
        case All():
            return
        case Related(_, relation, where):
            if where is not None or entity.name != "accounts" or relation.name != "interactions":
                found["heavy"].append(relation.name)
        case Compare(of, _, value):
            _operand(of, kept, found)
            if isinstance(value, Operand):
                _operand(value, kept, found)
        case OneOf(of) | Between(of) | Match(of) | Tagged(of) | Missing(of) | Refers(of):
            _operand(of, kept, found)
        case Grouped(of, by):
            _operand(of, kept, found)
            _operand(by, kept, found)
        case Moved():
            found["moderate"].append("moves between segments")
        case _:
            assert_never(meaning)


def _operand(of: Operand, kept: Kept, found: dict[Class, list[str]]) -> None:
    match of:
        case FoldOf(_, relation):
            found["moderate" if kept.fold(of) else "heavy"].append(
                f"kept sums of {relation.name}" if kept.fold(of) else relation.name
            )
        case ChangeOf(now, was):
            _operand(now, kept, found)
            _operand(was, kept, found)
        case SegmentOf():
            found["moderate"].append("segments")
        case Column(_, through) | CustomOf(_, through):
            if isinstance(of, Column) and of.on is not None:
                found["moderate"].append("earlier stages")
            if through is not None:
                found["moderate"].append(f"fields of the {through.name}")
        case _:
            assert_never(of)


def _narrows(meaning: Meaning, kept: Kept) -> bool:
    """Whether an index leads to the few records that can meet it: by equality, or within two bounds."""
    match meaning:
        case And(args):
            return any(_narrows(arg, kept) for arg in args)
        case Or(args):
            return bool(args) and all(_narrows(arg, kept) for arg in args)
        case Compare(of, "eq", value) if not isinstance(value, Operand):
            return _leads(of, kept)
        case OneOf(of) | Refers(of):
            return _leads(of, kept)
        case Between(of, lo, hi) if lo is not None and hi is not None:
            return _leads(of, kept)
        case _:
            return False


def _leads(of: Operand, kept: Kept) -> bool:
    match of:
        case Column(one, None, None):
            return one.column in kept.indexed
        case CustomOf(one, None):
            return one.indexed
        case _:
            return False


def _listed(names: list[str]) -> str:
    once = list(dict.fromkeys(names))
    return once[0] if len(once) == 1 else f"{', '.join(once[:-1])} and {once[-1]}"
