"""Sets of values of one operand: what lies between cuts of its order, and whether the empty value belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

Cut = tuple[Any, int]
"""A place in an order: (value, 0) stands just before the value, (value, 1) just behind it."""


@dataclass(frozen=True, slots=True)
class Region:
    """`below`: whether the lowest values belong to it; at each of `cuts`, in order, that changes.

    `empty`: whether the empty value does.
    """

    below: bool = False
    cuts: tuple[Cut, ...] = ()
    empty: bool = False

    @property
    def nothing(self) -> bool:
        """Whether neither a value nor the empty one belongs to it."""
        return not (self.below or self.cuts or self.empty)

    @property
    def valueless(self) -> bool:
        """Whether no value belongs to it; the empty one may."""
        return not (self.below or self.cuts)

    def __invert__(self) -> Region:
        return Region(not self.below, self.cuts, not self.empty)

    def __and__(self, other: Region) -> Region:
        return _joined(self, other, lambda one, two: one and two)

    def __or__(self, other: Region) -> Region:
        return _joined(self, other, lambda one, two: one or two)


EVERYTHING = Region(below=True, empty=True)
EMPTY = Region(empty=True)


def _joined(one: Region, other: Region, join: Callable[[bool, bool], bool]) -> Region:
    in_one, in_other = one.below, other.below
    inside = below = join(in_one, in_other)
    of_one, of_other = frozenset(one.cuts), frozenset(other.cuts)
    cuts = []
    for cut in sorted(of_one | of_other):
        in_one ^= cut in of_one
        in_other ^= cut in of_other
        if join(in_one, in_other) != inside:
            inside = not inside
            cuts.append(cut)
    return Region(below, tuple(cuts), join(one.empty, other.empty))


def before(value: Any) -> Cut:
    """The place just before a value."""
    return (value, 0)


def behind(value: Any, *, steps: bool) -> Cut:
    """The place just behind a value; where values come in steps of one, that is before the next."""
    if not steps:
        return (value, 1)
    try:
        return (value + timedelta(days=1), 0) if isinstance(value, date) else (value + 1, 0)
    except OverflowError:
        return (value, 1)


def points(values: Iterable[Any], *, steps: bool = False) -> Region:
    """These values alone."""
    cuts: list[Cut] = []
    for value in sorted(set(values)):
        start = before(value)
        if cuts and cuts[-1] == start:
            cuts.pop()
        else:
            cuts.append(start)
        cuts.append(behind(value, steps=steps))
    return Region(False, tuple(cuts))


def span(lo: Any, hi: Any, *, lo_open: bool = False, hi_open: bool = False, steps: bool = False) -> Region:
    """The values from `lo` to `hi`; None is no bound."""
    start = None if lo is None else behind(lo, steps=steps) if lo_open else before(lo)
    end = None if hi is None else before(hi) if hi_open else behind(hi, steps=steps)
    if start is not None and end is not None and start >= end:
        return Region()
    return Region(start is None, tuple(cut for cut in (start, end) if cut is not None))


def in_steps(value: object) -> bool:
    """Whether values like this one, of a kind that is whole, come in steps of one: whole numbers and days."""
    return isinstance(value, int | date) and not isinstance(value, bool | datetime)


def with_empty(region: Region) -> Region:
    """The region, and the empty value."""
    return replace(region, empty=True)
