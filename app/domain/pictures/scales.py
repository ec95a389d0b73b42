"""From values to places in a picture: linear or logarithmic, with room for a label between any two cuts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

DECADES = {True: 10.0, False: 100.0}
"""Where the middle nine tenths of money, or of other numbers, span more than this factor, the scale is logarithmic."""
SKEWED = 25.0
"""So it is where the largest is more than so many medians."""
SMALLEST = 1e-6
"""What is smaller than this share of the largest is drawn there with zero, at the edge of a logarithmic scale."""
ROUND = (1.0, 2.0, 5.0, 10.0)
"""What round steps begin with."""
STEPS = 12
"""Round values of a scale at most."""
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
    which values lie, and those at which they are drawn: the parts between cuts are widened where they are narrow.
    `edge`: what is less than this, or not above it where it is 0, lies below `low`. `fold`: where a scale of both signs is
    logarithmic, values nearer to zero than this lie about evenly."""

    low: float
    high: float
    start: float
    end: float
    log: bool
    knots: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 1.0))
    edge: float | None = None
    fold: float = 0.0

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
        if self.fold:
            return math.asinh(value / self.fold)
        return math.log10(max(value, self.low)) if self.log else value

    def rounds(self, *, whole: bool = False) -> list[list[float]]:
        """Round values between the ends, ascending: first many of them, last few. `whole`: no parts of one."""
        if self.high <= self.low:
            return [[self.low]]
        if self.log:
            return self._decades()
        found: list[list[float]] = []
        step = round_step((self.high - self.low) / STEPS)
        step = max(step, 1.0) if whole else step
        while True:
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            if found and last <= first:
                return found
            found.append([n * step for n in range(first, last + 1)])
            step = round_step(1.5 * step)

    def _decades(self) -> list[list[float]]:
        """One, two and five of each, powers of ten alone, then ever fewer of them."""
        least = self.fold or self.low
        first, last = math.floor(math.log10(least)), math.floor(math.log10(max(self.high, -self.low)) + 1e-9)
        powers = range(first, last + 1)
        every = [] if self.fold else [[factor * 10.0**n for n in powers for factor in ROUND[:3]]]
        every += [[10.0**n for n in powers if (last - n) % apart == 0] for apart in range(1, max(2, len(powers)))]
        if self.fold:
            every = [[*(-value for value in reversed(up) if value >= least), 0.0, *(v for v in up if v >= least)] for up in every]  # fmt: skip
        low, high = self.low - 1e-9 * abs(self.low), self.high + 1e-9 * abs(self.high)
        return [[value for value in values if low <= value <= high] for values in every]


def fitted(measure: Measure, values: Sequence[float], start: float, end: float, least: float) -> Scale:
    """Wide enough for every point and cut; each part between cuts takes at least `least`, if there is room for all."""
    return widened(plain(measure, values, start, end, signed=True), measure.cuts, least)


def widened(even: Scale, cuts: Sequence[float], least: float) -> Scale:
    """The same, but that each part between cuts takes at least `least`, if there is room for all."""
    shares = [0.0, *(even.share(cut) for cut in cuts), 1.0]
    drawn = _spread(shares, min(least / abs(even.end - even.start), 0.98 / (len(shares) - 1)))
    return replace(even, knots=tuple(zip(shares, drawn, strict=True)))


def plain(measure: Measure, values: Sequence[float], start: float, end: float, *, signed: bool = False) -> Scale:
    """Wide enough for every value and cut, and nowhere widened. `signed`: values of both signs may be logarithmic too."""
    known = [*values, *measure.cuts] if values else [0.0, 2 * max(map(abs, measure.cuts), default=0.0) or 1.0]
    low, high = min(known), max(known)
    both = low < 0 or any(cut <= 0 for cut in measure.cuts)  # there is something on both sides of zero
    if _skewed(measure, values) and (signed or low >= 0):
        return _logarithmic(measure, values, start, end, both=both and signed)
    margin = 0.0 if high > low else abs(high) * 0.1 or 1.0
    low, high = 0.0 if 0 <= low < 0.5 * high else low - margin, high + margin
    beyond = BEYOND * (high - low)
    if measure.cuts:  # there is something on both sides of each
        low = min(low, measure.cuts[0] - beyond) if low >= measure.cuts[0] else low
        high = max(high, measure.cuts[-1] + beyond) if high <= measure.cuts[-1] else high
    return Scale(low, high, start, end, log=False)


def _skewed(measure: Measure, values: Sequence[float]) -> bool:
    """Whether most would lie upon each other if they were drawn evenly."""
    sizes = sorted(abs(value) for value in values if value)
    if not sizes:
        return False
    if sizes[-1] > SKEWED * sizes[len(sizes) // 2]:
        return True
    least, most = sizes[len(sizes) // 20], sizes[-1 - len(sizes) // 20]
    return min(values) >= 0 and most > DECADES[measure.money] * least


def _logarithmic(measure: Measure, values: Sequence[float], start: float, end: float, *, both: bool) -> Scale:
    low, high = min([*values, *measure.cuts]), max([*values, *measure.cuts])
    sizes = sorted(abs(value) for value in values if value)
    if both:
        fold = max(sizes[len(sizes) // 20], sizes[-1] * SMALLEST)
        low = min([low, *(cut - 3 * fold - 2 * abs(cut) for cut in measure.cuts)])
        high = max([high, *(cut + 3 * fold + 2 * abs(cut) for cut in measure.cuts)])
        return Scale(low, high, start, end, log=True, fold=fold)
    room = [cut * factor for cut in measure.cuts if cut > 0 for factor in (1 / 3, 3)]
    # A few that are far smaller than all others do not make it wider.
    below = min([max(sizes[0], sizes[len(sizes) // 100] / SKEWED, high * SMALLEST), *room])
    if max((value for value in values if value < below), default=0.0) > 0:
        below = _round_below(below)
    outside = [value for value in values if value < below]
    edge = None if not outside else 0.0 if max(outside) <= 0 else below
    # What is nothing has a place of its own.
    return Scale(below / 2 if edge == 0.0 else below, max([high, *room]), start, end, log=True, edge=edge)


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


def round_step(rough: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... and of their parts."""
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in ROUND if factor * power >= rough * 0.999)


def _round_below(value: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(value))
    return max(factor * power for factor in ROUND if factor * power <= value * 1.001)
