"""What time moved within criteria between two moments: spans of values that changed sides, so that those who stand
there can be found by an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.catalogue import ENTITIES, Relation
from app.domain.criteria.meant import (
    And,
    Between,
    Bounds,
    ChangeOf,
    Column,
    Compare,
    CustomOf,
    FoldOf,
    Meaning,
    Not,
    OneOf,
    Operand,
    Or,
    Related,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Instants from `lo` to `hi`, both included, of a field of the accounts, or of rows related to them."""

    relation: Relation | None
    of: Column | CustomOf
    lo: datetime
    hi: datetime


class UnfollowedError(Exception):
    """The two do not mean the same but for instants: whoever it concerns is not found by spans."""


def spans(before: Meaning, after: Meaning) -> tuple[Span, ...]:
    """Whoever may have changed sides has an instant in one of these. Raises UnfollowedError, so where a day passed."""
    return tuple(dict.fromkeys(_walked(before, after, None)))


def _walked(before: Meaning, after: Meaning, rows: Relation | None) -> Iterator[Span]:
    if before == after:
        return
    match before, after:
        case (And(some), And(others)) | (Or(some), Or(others)) if len(some) == len(others):
            for one, other in zip(some, others, strict=True):
                yield from _walked(one, other, rows)
        case Not(one), Not(other):
            yield from _walked(one, other, rows)
        case Between(of, lo, hi), Between(of_, lo_, hi_):
            yield from _compared(of, of_, (lo, hi), (lo_, hi_), rows)
        case Compare(of, cmp, value), Compare(of_, cmp_, value_) if cmp == cmp_:
            yield from _compared(of, of_, (value,), (value_,), rows)
        case OneOf(of, values), OneOf(of_, values_) if len(values) == len(values_):
            yield from _compared(of, of_, values, values_, rows)
        case Related(q, relation, where, bounds), Related(q_, relation_, where_, bounds_) if (q, relation) == (
            q_,
            relation_,
        ):
            yield from _rows(relation, (where, bounds), (where_, bounds_))
        case _:
            raise UnfollowedError


def _compared(
    of: Operand, after: Operand, values: Sequence[object], others: Sequence[object], rows: Relation | None
) -> Iterator[Span]:
    yield from _operands(of, after)
    for one, other in zip(values, others, strict=True):
        if one == other:
            continue
        if isinstance(one, FoldOf | ChangeOf) and isinstance(other, FoldOf | ChangeOf):
            yield from _operands(one, other)
        elif isinstance(of, FoldOf) and of.field is not None:
            yield _span(of.relation, Column(of.field), one, other)
        elif isinstance(of, Column | CustomOf) and of.through is None:
            yield _span(rows, of, one, other)
        else:
            raise UnfollowedError


def _operands(before: Operand, after: Operand) -> Iterator[Span]:
    if before == after:
        return
    match before, after:
        case FoldOf(fn, relation, field, where, bounds), FoldOf(fn_, relation_, field_, where_, bounds_) if (
            fn,
            relation,
            field,
        ) == (fn_, relation_, field_):
            yield from _rows(relation, (where, bounds), (where_, bounds_))
        case ChangeOf(now, was), ChangeOf(now_, was_):
            yield from _operands(now, now_)
            yield from _operands(was, was_)
        case _:
            raise UnfollowedError


Rows = tuple[Meaning | None, Bounds | None]


def _rows(relation: Relation, before: Rows, after: Rows) -> Iterator[Span]:
    (where, bounds), (where_, bounds_) = before, after
    if where is not None and where_ is not None:
        yield from _walked(where, where_, relation)
    if bounds == bounds_:
        return
    entity = ENTITIES[relation.target]
    if bounds is None or bounds_ is None or entity.time_field is None:
        raise UnfollowedError
    time = Column(entity.fields[entity.time_field])
    for one, other in ((bounds.lo, bounds_.lo), (bounds.hi, bounds_.hi)):
        if one != other:
            yield _span(relation, time, one, other)


def _span(relation: Relation | None, of: Column | CustomOf, one: object, other: object) -> Span:
    if not isinstance(one, datetime) or not isinstance(other, datetime):
        raise UnfollowedError
    return Span(relation, of, min(one, other), max(one, other))
