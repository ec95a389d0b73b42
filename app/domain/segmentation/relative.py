"""Where a value stands among cuts of its own book, so that those of all books can be drawn over one axis."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal


def relative(value: float, cuts: Sequence[Decimal]) -> float:
    """The place of a value among ascending cuts: 1 at the first, 2 at the second, and between them as far as it is on its
    way. Below the first it is the value's share of it, above the last it goes on at the same pace."""
    at = [float(cut) for cut in cuts]
    passed = bisect_right(at, value)
    if passed == 0:
        return value / at[0] if at[0] > 0 else (value - at[0]) / (abs(at[0]) or 1.0) + 1.0
    if passed == len(at):
        return passed + (value - at[-1]) / (abs(at[-1]) or 1.0)
    return passed + (value - at[passed - 1]) / (at[passed] - at[passed - 1])
