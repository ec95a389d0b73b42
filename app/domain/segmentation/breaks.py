"""Natural breaks (Fisher, Jenks): parts of a bounded histogram that differ as little as they can within, found exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

BINS = 512
"""Bins of a histogram at most."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Values that lie side by side: the least of them, how many, and their mean."""

    least: float
    count: int
    mean: float


def breaks(bins: Sequence[Bin], parts: int) -> tuple[int, ...]:
    """The places of the bins at which the second part and those after it begin, so that squared distances from the means
    of the parts add up to the least; none where there are fewer bins than parts. Of equal partitions the one whose
    last cut is lowest."""
    if len(bins) < parts:
        return ()
    sums = _Sums(bins)
    best = [sums.within(0, end) for end in range(len(bins) + 1)]
    begins: list[list[int]] = []
    for part in range(1, parts):
        best, begin = _further(best, sums, part)
        begins.append(begin)
    cuts, end = [], len(bins)
    for begin in reversed(begins):
        end = begin[end]
        cuts.append(end)
    return tuple(reversed(cuts))


class _Sums:
    """Running sums of counts, values and squares, about the mean so that large values keep their digits."""

    def __init__(self, bins: Sequence[Bin]) -> None:
        total = sum(one.count for one in bins)
        middle = sum(one.mean * (one.count / total) for one in bins)
        moved = [(one.count, one.mean - middle) for one in bins]
        self.counts = [0, *accumulate(n for n, _ in moved)]
        self.values = [0.0, *accumulate(n * v for n, v in moved)]
        self.squares = [0.0, *accumulate(n * v * v for n, v in moved)]

    def within(self, begin: int, end: int) -> float:
        """Squared distances of the bins [begin, end) from their mean."""
        count = self.counts[end] - self.counts[begin]
        if count == 0:
            return 0.0
        value = self.values[end] - self.values[begin]
        return max(0.0, self.squares[end] - self.squares[begin] - value * value / count)


def _further(best: Sequence[float], sums: _Sums, part: int) -> tuple[list[float], list[int]]:
    """With one part more, for each end: the least, and where the last part then begins. Where it begins never goes back
    as the end moves on, so that each half is looked for between its neighbours."""
    last = len(best) - 1
    found, begins = [float("inf")] * (last + 1), [0] * (last + 1)
    todo = [(part + 1, last, part, last - 1)]
    while todo:
        low, high, first, until = todo.pop()
        if low > high:
            continue
        end = (low + high) // 2
        found[end], begins[end] = min(
            (best[begin] + sums.within(begin, end), begin) for begin in range(first, min(until, end - 1) + 1)
        )
        todo += [(low, end - 1, first, begins[end]), (end + 1, high, begins[end], until)]
    return found, begins
