"""From values to places in a picture: linear or logarithmic, with room for a label between any two cuts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

DECADES = {True: 10.0, False: 100.0}
"""Where the middle nine tenths of money, or of other numbers, span more than this factor, the scale is logarithmic."""
SMALLEST = 1e-4
"""What is smaller than this share of the largest is drawn there with zero, at the edge of a logarithmic scale."""
BEYOND = 0.15
"""What a scale holds beyond a cut where no value lies there."""


@dataclass(frozen=True, slots=True)
class Measure:
    """An axis: its title, whether it is money, and where it is cut (ascending, in the units of the points)."""

    title: str
    money: bool
    cuts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """From [low, high] to [start, end]; what lies outside is drawn at the edge. `knots` are the shares of the way at
    which values lie, and those at which they are drawn: the parts between cuts are widened where they are narrow."""

    low: float
    high: float
    start: float
    end: float
    log: bool
    knots: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 1.0))

    def at(self, value: float) -> float:
        """Where the value is drawn, from `start` to `end`."""
        share = self.share(value)
        for (low, drawn_low), (high, drawn_high) in pairwise(self.knots):
            if share <= high:
                inner = (share - low) / (high - low) if high > low else 0.0
                return self.start + (self.end - self.start) * (drawn_low + inner * (drawn_high - drawn_low))
        return self.end

    def share(self, value: float) -> float:
        """How far it lies from low to high, 0 to 1."""
        low, high, value = self._of(self.low), self._of(self.high), self._of(value)
        return min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.5

    def _of(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.log else value

    def ticks(self) -> list[float]:
        """Round values between the ends: powers of ten, or about five steps."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**n for n in range(first, last + 1)]
        if self.high <= self.low:
            return [self.low]
        step = _round_step((self.high - self.low) / 5)
        return [n * step for n in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)]


def fitted(measure: Measure, values: Sequence[float], start: float, end: float, least: float) -> Scale:
    """Wide enough for every point and cut; each part between cuts takes at least `least`, if there is room for all."""
    even = plain(measure, values, start, end)
    shares = [0.0, *(even.share(cut) for cut in measure.cuts), 1.0]
    drawn = _spread(shares, min(least / abs(end - start), 0.98 / (len(shares) - 1)))
    knots = tuple(zip(shares, drawn, strict=True))
    return Scale(even.low, even.high, start, end, even.log, knots)


def thinned(scale: Scale, room: float) -> list[float]:
    """Ticks that leave room for their texts."""
    kept: list[float] = []
    for tick in scale.ticks():
        if not kept or abs(scale.at(tick) - scale.at(kept[-1])) >= room:
            kept.append(tick)
    return kept


def plain(measure: Measure, values: Sequence[float], start: float, end: float) -> Scale:
    """Wide enough for every value and cut, and nowhere widened."""
    known = [*values, *measure.cuts] if values else [0.0, 2 * max(map(abs, measure.cuts), default=0.0) or 1.0]
    low, high = min(known), max(known)
    positive = sorted(value for value in values if value > 0)
    if (
        positive
        and low >= 0
        and positive[-1 - len(positive) // 20] > DECADES[measure.money] * positive[len(positive) // 20]
    ):
        room = [cut * factor for cut in measure.cuts if cut > 0 for factor in (1 / 3, 3)]
        return Scale(min([max(positive[0], high * SMALLEST), *room]), max([high, *room]), start, end, log=True)
    margin = 0.0 if high > low else abs(high) * 0.1 or 1.0
    low, high = 0.0 if 0 <= low < 0.5 * high else low - margin, high + margin
    beyond = BEYOND * (high - low)
    if measure.cuts:  # there is something on both sides of each
        low = min(low, measure.cuts[0] - beyond) if low >= measure.cuts[0] else low
        high = max(high, measure.cuts[-1] + beyond) if high <= measure.cuts[-1] else high
    return Scale(low, high, start, end, log=False)


def _spread(shares: Sequence[float], least: float) -> list[float]:
    """The same order with gaps of at least `least`; what is left is shared out as the gaps exceed it."""
    excess = [max(0.0, after - before - least) for before, after in pairwise(shares)]
    left = 1.0 - least * len(excess)
    total = sum(excess)
    drawn = [0.0]
    for part in excess:
        drawn.append(drawn[-1] + least + (left * part / total if total > 0 else left / len(excess)))
    drawn[-1] = 1.0
    return drawn


def _round_step(rough: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
