"""Related rows that show why a leaf holds or does not: which of them, and what of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from app.domain.catalogue import ENTITIES, Field, Relation
from app.domain.criteria.leaves import is_operand
from app.domain.criteria.meant import (
    All,
    And,
    Between,
    Bounds,
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
)

MOST = 3
"""Rows that are shown of a leaf."""
TELLING = 3
"""What a row is known by: so many of its entity's own fields, beside its time."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A related row. `inside`: it lies within the leaf's window; `passes`: it meets the leaf's WHERE. Values are typed
    as their fields are; of references ids."""

    entity: str
    inside: bool
    passes: bool
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Showing:
    """Rows of a relation. `least`, `most`: those come first whose value of `of` is the smallest, or greatest; else the
    latest. `every`: all rows within the window are to pass."""

    relation: Relation
    where: Meaning | None
    bounds: Bounds | None
    fields: tuple[Field, ...]
    of: Field | None = None
    order: str = "latest"
    every: bool = False


def showing(meaning: Meaning) -> Showing | Moved | None:
    """What can be shown of a leaf: related rows, or stays in segments; None where it asks the record alone."""
    match meaning:
        case Related(q, relation, where, bounds):
            return Showing(relation, where, bounds, _fields(relation, where, None), every=q == "all")
        case Moved():
            return meaning
        case Compare(of) | OneOf(of) | Between(of) | Match(of) | Tagged(of) | Missing(of) | Grouped(of):
            return _of_operand(of)
        case And(args) | Or(args):
            return showing(args[0])
        case Not(arg):
            return showing(arg)
        case All() | Refers():
            return None
        case _:
            assert_never(meaning)


def _of_operand(of: Operand) -> Showing | None:
    match of:
        case ChangeOf(now):
            return _of_operand(now)
        case FoldOf(fn, relation, folded, where, bounds):
            order = fn if fn in ("min", "max") else "latest"
            return Showing(relation, where, bounds, _fields(relation, where, folded), folded, order)
        case Column() | SegmentOf() | CustomOf():
            return None
        case _:
            assert_never(of)


def chosen(of: Showing, verdict: bool, tiers: Mapping[str, Sequence[Evidence]]) -> tuple[Evidence, ...]:
    """The rows that are shown: those that made the leaf what it is, else the nearest.

    `tiers` are the first rows `passing` within the window, `failing` within it, and passing ones `before` and `after`.
    """
    names = ("passing", "before", "after", "failing")
    if of.every:
        names = ("passing", "failing", "before", "after") if verdict else ("failing", "passing", "before", "after")
    found = [row for name in names for row in tiers.get(name, ())]
    return tuple(found[:MOST])


def _fields(relation: Relation, where: Meaning | None, folded: Field | None) -> tuple[Field, ...]:
    """The id and the time, what WHERE asks of the row itself, what is folded, and what such rows are known by."""
    entity = ENTITIES[relation.target]
    own = [f for f in entity.own if not f.optional and not f.derived and f.kind not in ("ref", "json")]
    found = [entity.fields[name] for name in ("id", str(entity.time_field)) if name in entity.fields]
    found += [folded] if folded else []
    found += [*_named(where), *own[:TELLING]] if where is not None else own[:TELLING]
    return tuple(dict.fromkeys(found))


def _named(meaning: Meaning) -> Iterator[Field]:
    match meaning:
        case And(args) | Or(args):
            for arg in args:
                yield from _named(arg)
        case Not(arg):
            yield from _named(arg)
        case Compare(of, _, value):
            yield from _column(of)
            if is_operand(value):
                yield from _column(value)
        case OneOf(of) | Between(of) | Match(of) | Tagged(of) | Missing(of) | Refers(of) | Grouped(of):
            yield from _column(of)
        case All() | Related() | Moved():
            return
        case _:
            assert_never(meaning)


def _column(of: Operand) -> Iterator[Field]:
    if isinstance(of, Column) and of.through is None and of.on is None:
        yield of.field
