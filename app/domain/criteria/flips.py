"""When leaves change their verdicts on a record, and when what follows from them does, if data stays as it is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import TypeVar

from app.domain.catalogue import ENTITIES
from app.domain.criteria import nodes
from app.domain.criteria.check import check
from app.domain.criteria.edges import edges, moves
from app.domain.criteria.evaluate import Record, holds
from app.domain.criteria.leaves import Leaf, is_operand
from app.domain.criteria.meant import Between, Bounds, Compare, FoldOf, Meaning, Missing, OneOf, Related
from app.domain.criteria.nodes import Node
from app.domain.errors import Invalid

EFFORT = 2_000_000
"""Rows that may be looked at to follow the leaves of one explanation."""
DEARER = 10
"""Looking at a row's time or at its WHERE takes so much more than counting it."""
Turn = tuple[datetime, int, bool]
"""A moment, the index of a leaf, and what it says from then on."""
Decision = TypeVar("Decision")


class UntoldError(Exception):
    """When it flips cannot be followed: rows are missing or too many, or a calendar ends before."""


@dataclass(frozen=True, slots=True)
class Flip:
    """`at`: the first moment of another verdict, None where there is none before the year 2200; `known` is False where
    that cannot be followed."""

    at: datetime | None
    known: bool = True


UNKNOWN = Flip(None, known=False)


@dataclass(slots=True)
class Effort:
    """What may still be looked at."""

    left: int = EFFORT

    def spend(self, rows: int) -> None:
        """Raises UntoldError where it is used up."""
        self.left -= rows
        if self.left < 0:
            raise UntoldError


class Turns:
    """The turns of one leaf in order, found as they are asked for, and kept. Iterating raises UntoldError where they
    cannot be followed any further."""

    def __init__(self, turns: Iterator[Turn]) -> None:
        self._turns = turns
        self._told: list[Turn] = []
        self._untold = False

    def __iter__(self) -> Iterator[Turn]:
        yield from self._told
        while (turn := self._next()) is not None:
            yield turn

    def _next(self) -> Turn | None:
        if self._untold:
            raise UntoldError
        try:
            turn = next(self._turns, None)
        except UntoldError:
            self._untold = True
            raise
        if turn is not None:
            self._told.append(turn)
        return turn

    @property
    def flip(self) -> Flip:
        """The first of them."""
        try:
            return Flip(next((moment for moment, _, _ in self), None))
        except UntoldError:
            return UNKNOWN


def followed(
    leaves: Iterable[Leaf], verdicts: Sequence[bool], record: Record, cut: Collection[str] = ()
) -> tuple[Turns, ...]:
    """The turns of each leaf. `verdicts` are by index; where the record says something else, or is `cut` where the
    leaf reads it, they are not known."""
    effort = Effort()
    return tuple(Turns(_turns(leaf, verdicts[leaf.index], record, cut, effort)) for leaf in leaves)


def _turns(leaf: Leaf, verdict: bool, record: Record, cut: Collection[str], effort: Effort) -> Iterator[Turn]:
    if not moves(leaf.node, leaf.setting):
        return
    asked = related(leaf.node)
    if asked is not None and asked.rel in cut:
        raise UntoldError
    leaf, record = _thinned(leaf, record)
    says = _asking(leaf, record, effort)
    if says(leaf.meaning) != verdict:
        raise UntoldError
    for moment in edges(leaf.node, leaf.entity, record, leaf.setting):
        try:
            then = leaf.at(moment)
        except Invalid:
            raise UntoldError from None
        if says(then) != verdict:
            verdict = not verdict
            yield moment, leaf.index, verdict


def next_decision(
    decide: Callable[[Sequence[bool]], Decision], verdicts: Sequence[bool], turns: Iterable[Turns]
) -> tuple[Flip, Decision]:
    """When what follows from the verdicts of all leaves, by index, changes next, and what it is then."""
    verdicts = list(verdicts)
    stands = decide(verdicts)
    try:
        # A leaf is followed on only where what it turned to decided nothing: its next turn may be far to seek.
        due = [(turn, rest) for rest in map(iter, turns) if (turn := next(rest, None)) is not None]
        while due:
            moment = min(turn[0] for turn, _ in due)
            for turn, _ in due:
                if turn[0] == moment:
                    verdicts[turn[1]] = turn[2]
            if (then := decide(verdicts)) != stands:
                return Flip(moment), then
            followed_on = [(next(rest, None) if turn[0] == moment else turn, rest) for turn, rest in due]
            due = [(turn, rest) for turn, rest in followed_on if turn is not None]
    except UntoldError:
        return UNKNOWN, stands
    return Flip(None), stands


# -- asking again and again --------------------------------------------------------------------------------------------


def _asking(leaf: Leaf, record: Record, effort: Effort) -> Callable[[Meaning], bool]:
    """What the leaf says of the record, whatever it means by then. Rows are in order of time, so that those within a
    window are found without looking at all of them."""
    asked = related(leaf.node)
    if asked is None:
        return lambda meaning: holds(meaning, record)
    relation = leaf.entity.relations[asked.rel]
    time = str(ENTITIES[relation.target].time_field)
    rows = sorted(record[asked.rel], key=itemgetter(time))
    times = [row[time] for row in rows]

    def says(meaning: Meaning) -> bool:
        free, bounds = _unbounded(meaning)
        if bounds is None:
            effort.spend(DEARER * len(rows) + 1)
            return holds(free, record)
        first = 0 if bounds.lo is None else bisect_left(times, bounds.lo)
        last = len(rows) if bounds.hi is None else bisect_left(times, bounds.hi)
        within = rows[first:last]
        effort.spend((DEARER if asked.where else 1) * len(within) + 1)
        return holds(free, {**record, asked.rel: within})

    return says


def _unbounded(meaning: Meaning) -> tuple[Meaning, Bounds | None]:
    """The same of rows within its one window, and that window; itself where it has not one alone."""
    match meaning:
        case Related(bounds=Bounds() as bounds):
            return replace(meaning, bounds=None), bounds
        case Compare(FoldOf(bounds=Bounds() as bounds) as of, _, value) if not is_operand(value):
            return replace(meaning, of=replace(of, bounds=None)), bounds
        case OneOf(FoldOf(bounds=Bounds() as bounds) as of) | Between(FoldOf(bounds=Bounds() as bounds) as of):
            return replace(meaning, of=replace(of, bounds=None)), bounds
        case Missing(FoldOf(bounds=Bounds() as bounds) as of):
            return replace(meaning, of=replace(of, bounds=None)), bounds
        case _:
            return meaning, None


# -- fewer rows --------------------------------------------------------------------------------------------------------


def related(node: Node) -> nodes.Quant | nodes.Aggregate | None:
    """What of a leaf asks related rows."""
    of = getattr(node, "of", None)
    if isinstance(of, nodes.Change):
        of = of.of
    found = node if isinstance(node, nodes.Quant) else of
    return found if isinstance(found, nodes.Quant | nodes.Aggregate) else None


def _thinned(leaf: Leaf, record: Record) -> tuple[Leaf, Record]:
    """The same leaf over the rows alone that its WHERE lets pass, where that does not change with time."""
    asked = related(leaf.node)
    if asked is None or asked.where is None or moves(asked.where, leaf.setting):
        return leaf, record
    if isinstance(asked, nodes.Quant) and asked.q == "all":
        return leaf, record
    target = ENTITIES[leaf.entity.relations[asked.rel].target]
    passes = check(asked.where, target, leaf.setting).meaning
    kept = [row for row in record[asked.rel] if holds(passes, row)]
    node = _without_where(leaf.node)
    thinned = replace(leaf, node=node, checked=check(node, leaf.entity, leaf.setting))
    return thinned, {**record, asked.rel: kept}


def _without_where(node: Node) -> Node:
    match node:
        case nodes.Quant():
            return replace(node, where=None)
        case nodes.Cmp(of) | nodes.In(of) | nodes.Range(of) | nodes.Time(of) | nodes.Empty(of):
            match of:
                case nodes.Aggregate():
                    return replace(node, of=replace(of, where=None))
                case nodes.Change(_, nodes.Aggregate() as inner):
                    return replace(node, of=replace(of, of=replace(inner, where=None)))
    return node
