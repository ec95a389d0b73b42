"""What can be told of criteria without looking at a record: whether some of them can hold together.

Each operand has a region of values that it may have; what cannot be told so is an atom, true or false as a whole.
Answers are one-sided: what is called impossible never holds, what is not may still never hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import assert_never

from app.domain.catalogue import Field
from app.domain.criteria.evaluate import fold
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
from app.domain.criteria.nodes import Fold, Node
from app.domain.criteria.regions import EMPTY, EVERYTHING, Region, in_steps, points, span, with_empty
from app.domain.records import AHEAD
from app.domain.workspaces import Workspace

WRITTEN_NOW = frozenset({"created_at", "updated_at", "archived_at"})
"""Instants that Strata itself writes, when it happens: none lies in the future."""
PAST = frozenset({"last_interaction_at", "last_inbound_at", "stage_since"})
"""What follows from things that happened."""
NEVER_EMPTY = ("count", "count_distinct", "sum")
LAST = 0x10FFFF
"""The last code point."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Text as matching compares it, in its order or from behind."""

    of: Operand
    backwards: bool


Key = Operand | Meaning | Node | Folded
"""An operand, or an atom: a node is one whose meaning others may change at any time."""


@dataclass(frozen=True, slots=True)
class Literal:
    """The operand has a value of the region; of an atom, whose region is of true and false, that it holds."""

    key: Key
    region: Region


@dataclass(frozen=True, slots=True)
class Every:
    args: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Some:
    args: tuple[Formula, ...]


Formula = Literal | Every | Some
TRUE = points((True,))
FILLED = replace(EVERYTHING, empty=False)


def formula(meaning: Meaning, *, negated: bool = False) -> Formula:
    """The meaning as literals, each in its own sign."""
    match meaning:
        case All():
            return Some(()) if negated else Every(())
        case And(args) | Or(args):
            parts = tuple(formula(arg, negated=negated) for arg in args)
            return Every(parts) if isinstance(meaning, And) != negated else Some(parts)
        case Not(arg):
            return formula(arg, negated=not negated)
        case Related(q, relation, where, bounds) if q == "none":
            return _literal(Related("any", relation, where, bounds), TRUE, not negated)
        case Compare(of, cmp, value) if of == value:
            same = EMPTY if cmp == "ne" else Region() if cmp in ("lt", "gt") else FILLED
            return _literal(of, same, negated)
        case Compare(of, cmp, value) if not isinstance(value, Operand):
            return _literal(of, _compared(cmp, value), negated)
        case OneOf(of, values):
            return _literal(of, points(values, steps=all(map(in_steps, values))), negated)
        case Between(of, lo, hi, hi_open):
            steps = all(in_steps(end) for end in (lo, hi) if end is not None)
            return _literal(of, span(lo, hi, hi_open=hi_open, steps=steps), negated)
        case Missing(of):
            return _literal(of, EMPTY, negated)
        case Match(of) | Tagged(of):
            told = Every(
                (Literal(of, FILLED), _matched(meaning) if isinstance(meaning, Match) else Literal(meaning, TRUE))
            )
            return negation(told) if negated else told
        case Compare() | Related() | Refers() | Moved() | Grouped():
            return _literal(meaning, TRUE, negated)
        case _:
            assert_never(meaning)


def _literal(key: Key, region: Region, negated: bool) -> Literal:
    return Literal(key, ~region if negated else region)


def _matched(meaning: Match) -> Literal:
    """What begins with a text lies between it and the next text in the order of code points; what ends with one does so
    from behind."""
    text = fold(meaning.value)
    if meaning.match == "contains" or ord(text[-1 if meaning.match == "starts_with" else 0]) == LAST:
        return Literal(meaning, TRUE)
    backwards = meaning.match == "ends_with"
    text = text[::-1] if backwards else text
    beyond = text[:-1] + chr(ord(text[-1]) + 1)
    return Literal(Folded(meaning.of, backwards), span(text, beyond, hi_open=True))


def _compared(cmp: str, value: object) -> Region:
    steps = in_steps(value)
    match cmp:
        case "eq":
            return points((value,), steps=steps)
        case "ne":
            return ~points((value,), steps=steps)
        case "lt" | "le":
            return span(None, value, hi_open=cmp == "lt", steps=steps)
        case _:
            return span(value, None, lo_open=cmp == "gt", steps=steps)


def negation(of: Formula) -> Formula:
    """What holds where the formula does not."""
    match of:
        case Literal(key, region):
            return Literal(key, ~region)
        case Every(args):
            return Some(tuple(negation(arg) for arg in args))
        case Some(args):
            return Every(tuple(negation(arg) for arg in args))
        case _:
            assert_never(of)


def keys(of: Formula) -> frozenset[Key]:
    """The operands and atoms that a formula speaks of."""
    if isinstance(of, Literal):
        return frozenset((of.key,))
    return frozenset().union(*(keys(arg) for arg in of.args))


def _folded(fn: Fold, values: Region | None) -> Region:
    """What a fold of such values can be."""
    match fn:
        case "count" | "count_distinct":
            return span(0, None, steps=True)
        case "sum":
            return FILLED
        case "avg":
            return EVERYTHING
        case _:
            return with_empty(values or FILLED)


def is_past(field: Field) -> bool:
    """Whether it is of what has happened: clocks may differ by as much as records may be ahead, and no more."""
    return field.happened or field.name in WRITTEN_NOW or field.name in PAST


# -- what operands can be ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class World:
    """What is known of every record of a workspace. `now`: nothing was written later."""

    workspace: Workspace
    now: datetime

    def universe(self, key: Key) -> Region:
        """All that an operand can be, as the catalogue declares it."""
        match key:
            case Column(field):
                values = self._values(field)
                return with_empty(values) if field.optional or field.kind == "tags" else values
            case CustomOf(field):
                return with_empty(self._values(field))
            case SegmentOf(_, slug):
                return with_empty(points(self.workspace.segmentations[slug].segments))
            case Folded():
                return FILLED
            case FoldOf("avg", _, field) if field is not None and field.kind in ("number", "integer"):
                return with_empty(span(field.low, field.high))
            case FoldOf(fn, _, field):
                return _folded(fn, None if field is None else self._values(field))
            case ChangeOf(now, was, relative):
                sure = not relative and now.fn in NEVER_EMPTY and was.fn in NEVER_EMPTY
                return FILLED if sure else EVERYTHING
            case _:
                return points((False, True))

    def _values(self, field: Field) -> Region:
        if field.kind == "bool":
            return points((False, True))
        if field.kind == "enum":
            return points(field.values)
        if field.kind == "instant" and field.name in WRITTEN_NOW:
            return span(None, self.now, hi_open=True)
        if is_past(field):
            latest = self.now + AHEAD
            return span(None, latest.date(), steps=True) if field.kind == "date" else span(None, latest)
        whole = field.kind == "integer"
        lo, hi = (None if edge is None else int(edge) if whole else edge for edge in (field.low, field.high))
        return span(lo, hi, steps=whole)

    def can_be_empty(self, key: Key) -> bool:
        """Whether the operand is empty for some records."""
        return self.universe(key).empty

    def impossible(self, formulas: Iterable[Formula]) -> bool:
        """Whether no record meets all of them."""
        return self.narrowed(formulas) is None

    def narrowed(self, formulas: Iterable[Formula]) -> Mapping[Key, Region] | None:
        """What operands can be where all of them hold; None where they cannot."""
        return self._narrowed({}, Every(tuple(formulas)))

    def _narrowed(self, box: Mapping[Key, Region], of: Formula) -> Mapping[Key, Region] | None:
        match of:
            case Literal(key, region):
                left = box.get(key, self.universe(key)) & region
                return None if left.nothing else {**box, key: left}
            case Every(args):
                return self._each(box, args)
            case Some(args):
                return _either([found for arg in args if (found := self._narrowed(box, arg)) is not None])
            case _:
                assert_never(of)

    def _each(self, box: Mapping[Key, Region], args: Sequence[Formula]) -> Mapping[Key, Region] | None:
        """What is sure comes first: it narrows what is open."""
        found = dict(box)
        for arg in args:
            if isinstance(arg, Literal):
                left = found.get(arg.key, self.universe(arg.key)) & arg.region
                if left.nothing:
                    return None
                found[arg.key] = left
        known: Mapping[Key, Region] | None = found
        for arg in args:
            if known is not None and not isinstance(arg, Literal):
                known = self._narrowed(known, arg)
        return known


def _either(boxes: Sequence[Mapping[Key, Region]]) -> Mapping[Key, Region] | None:
    if not boxes:
        return None
    first, *others = boxes
    joined = {}
    for key, region in first.items():
        if all(key in other for other in others):
            joined[key] = reduce(or_, (other[key] for other in others), region)
    return joined
