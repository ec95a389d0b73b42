"""What matches only because a value is empty: NOT and != hold for empty values too.

A leaf that holds where its operand is empty, without asking whether it is, is true by emptiness there. A record matches
only because of such leaves where the criteria would not hold without them. Values of related rows are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_never

from app.domain.criteria import nodes
from app.domain.criteria.meant import (
    All,
    And,
    Between,
    Compare,
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
    Tagged,
)  # fmt: skip

Leaf = Compare | OneOf | Between | Match | Tagged | Refers | Grouped
Counted = Callable[[Leaf], bool]
NOTHING = Not(All())
EVERYTHING = All()


def strict(meaning: Meaning, counted: Counted = lambda _: True) -> Meaning:
    """The same, but that the leaves counted do not hold where a value that they ask is empty."""
    return _strict(meaning, counted, negated=False)


def _strict(meaning: Meaning, counted: Counted, *, negated: bool) -> Meaning:
    match meaning:
        case And(args) | Or(args):
            return type(meaning)(tuple(_strict(arg, counted, negated=negated) for arg in args))
        case Not(arg):
            return Not(_strict(arg, counted, negated=not negated))
        case All() | Missing() | Related() | Moved():
            return meaning
        case Compare() | OneOf() | Between() | Match() | Tagged() | Refers() | Grouped():
            if not counted(meaning) or (isinstance(meaning, Compare) and meaning.cmp == "ne") == negated:
                return meaning
            empty = _joined(Or, tuple(Missing(of) for of in asked(meaning)))
            return Or((meaning, empty)) if negated else And((meaning, Not(empty)))
        case _:
            assert_never(meaning)


def sites(node: nodes.Node, meaning: Meaning, *, negated: bool = False) -> Iterator[tuple[nodes.Node, frozenset[int]]]:
    """The leaves of a criteria that may hold by emptiness, and what each came to mean: the ids of those leaves."""
    match node, meaning:
        case (nodes.And(args), And(meanings)) | (nodes.Or(args), Or(meanings)):
            for arg, one in zip(args, meanings, strict=True):
                yield from sites(arg, one, negated=negated)
        case nodes.Not(nodes.And() | nodes.Or() | nodes.Not() as arg), Not(one):
            yield from sites(arg, one, negated=not negated)
        case _:
            if found := frozenset(map(id, _leaves(meaning, negated))):
                yield node, found


def _leaves(meaning: Meaning, negated: bool) -> Iterator[Leaf]:
    match meaning:
        case And(args) | Or(args):
            for arg in args:
                yield from _leaves(arg, negated)
        case Not(arg):
            yield from _leaves(arg, not negated)
        case Compare() | OneOf() | Between() | Match() | Tagged() | Refers() | Grouped():
            if (isinstance(meaning, Compare) and meaning.cmp == "ne") != negated:
                yield meaning
        case _:
            return


def asked(leaf: Leaf) -> tuple[Operand, ...]:
    """The operands whose emptiness decides a leaf."""
    if isinstance(leaf, Compare) and isinstance(leaf.value, Operand):
        return leaf.of, leaf.value
    return (leaf.of,)


def because_empty(meaning: Meaning, counted: Counted = lambda _: True) -> Meaning:
    """Of records that the criteria holds for: whether it does only because values are empty."""
    return _lost(meaning, counted, negated=False)


def _lost(meaning: Meaning, counted: Counted, *, negated: bool) -> Meaning:
    """Where the meaning, in its sign, holds: whether it would not without emptiness."""
    match meaning:
        case And(args) | Or(args):
            every = isinstance(meaning, And) != negated
            lost = [_lost(arg, counted, negated=negated) for arg in args]
            if every:
                return _joined(Or, tuple(lost))
            # Some of the arguments hold: lost is what no argument holds without emptiness.
            parts = zip(args, lost, strict=True)
            return _joined(And, tuple(_without(arg, one, negated=negated) for arg, one in parts))
        case Not(arg):
            return _lost(arg, counted, negated=not negated)
        case All() | Missing() | Related() | Moved():
            return NOTHING
        case Compare() | OneOf() | Between() | Match() | Tagged() | Refers() | Grouped():
            if not counted(meaning) or (isinstance(meaning, Compare) and meaning.cmp == "ne") == negated:
                return NOTHING
            return _joined(Or, tuple(Missing(of) for of in asked(meaning)))
        case _:
            assert_never(meaning)


def _without(arg: Meaning, lost: Meaning, *, negated: bool) -> Meaning:
    """An argument of OR, which need not hold: that it does not, or is lost."""
    told = arg if negated else Not(arg)
    return told if lost == NOTHING else Or((told, lost))


def _joined(join: type[And] | type[Or], parts: tuple[Meaning, ...]) -> Meaning:
    """Joined, without the parts that say nothing."""
    idle, final = (EVERYTHING, NOTHING) if join is And else (NOTHING, EVERYTHING)
    kept = tuple(part for part in dict.fromkeys(parts) if part != idle)
    if final in kept:
        return final
    return kept[0] if len(kept) == 1 else join(kept) if kept else idle
