"""How far an account is from what it is cut at: on each axis, in points of a score, in what lifts or lowers a lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.segmentation.axes import Axis
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.scorecard import Measure

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut, how far the value is above it (below: negative; on it: 0, which belongs above), and that as a share of the
    cut; None of a cut at 0. Money in major units."""

    at: Decimal
    distance: Decimal
    share: float | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A value among its cuts, ascending. `level` is how many of them it reaches, None where there is no value, no book or
    no cut; `book` is the key of the book whose cuts these are."""

    field: str
    value: Decimal | None
    cuts: tuple[Cut, ...]
    level: int | None
    within: str | None = None
    book: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What a measure of a score gave: `points` times `weight`. `placed` is for numbers, `value` for other fields, and
    `met` for criteria."""

    measure: Measure
    points: Decimal | None
    placed: Placed | None = None
    value: object = None
    met: bool | None = None

    @property
    def given(self) -> Decimal | None:
        """Its part of the sum; None where that cannot be told for want of cuts."""
        return None if self.points is None else self.points * self.measure.weight


def placed(axis: Axis, cuts: Frozen, value: Decimal | None, book: str | None = None) -> Placed:
    """The value among the cuts of the axis, or of its book where it is cut within books."""
    within = axis.cuts.within
    if within is None:
        at: tuple[Decimal, ...] = cuts.at
    else:
        found = None if book is None else cuts.books.get(book)
        at = () if found is None else found.at
    told = () if value is None else tuple(away(value, cut) for cut in at)
    known = value is not None and len(at) == axis.cuts.count
    level = sum(one.distance >= 0 for one in told) if known else None
    return Placed(axis.field, value, told, level, within, book)


def away(value: Decimal, cut: Decimal) -> Cut:
    """How far the value is from the cut."""
    distance = value - cut
    return Cut(cut, distance, round(float(distance / abs(cut)), DIGITS) if cut else None)


def scored(measure: Measure, found: Placed) -> Part:
    """What a number gave by its level."""
    if found.value is None:
        return Part(measure, measure.empty, found)
    return Part(measure, None if found.level is None else measure.points[found.level], found)


def total(parts: Sequence[Part]) -> Decimal | None:
    """The sum of all parts; None where one of them cannot be told."""
    given = [part.given for part in parts]
    return None if None in given else sum((one for one in given if one is not None), Decimal(0))
