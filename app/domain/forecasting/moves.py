"""What moves the chance of single renewals: drift, their lane, a scenario, and what is assumed of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.forecasting.book import Floats
from app.domain.forecasting.columns import Texts
from app.domain.forecasting.drift import Drift, LaneShift

NAMES = ("drift", "lane", "scenario", "assumed")


@dataclass(frozen=True)
class Assumed:
    """What is said of renewals due, (n,) each: logits of the scenario, of a question; a chance instead, and the price.

    `chance` is NaN where nobody says it; `factor` multiplies what an account pays where it renews.
    Raises ValueError where columns differ in length, a chance lies outside [0, 1] or a factor is negative.
    """

    scenario: Floats
    shift: Floats
    chance: Floats
    factor: Floats

    def __post_init__(self) -> None:
        if len({len(self.scenario), len(self.shift), len(self.chance), len(self.factor)}) != 1:
            raise ValueError("columns of assumptions have one length")
        if bool(((self.chance < 0) | (self.chance > 1)).any()) or not bool((self.factor >= 0).all()):
            raise ValueError("a chance lies between 0 and 1, a factor is not negative")


@dataclass(frozen=True)
class Moves:
    """Logits by NAMES, (n, 4), the variance of what all share in them, (n,), and the chance said instead, NaN: none."""

    parts: Floats
    variance: Floats
    chance: Floats
    factor: Floats

    @property
    def shift(self) -> Floats:
        """(n,): all of them."""
        return np.asarray(self.parts.sum(axis=1), dtype=np.float64)


def moves(count: int, common: Drift, lanes: Sequence[LaneShift], lane: Texts | None, assumed: Assumed | None) -> Moves:
    """Of `count` renewals; `lane` (count,) names the measured shift, whoever has no lane has none."""
    parts, variance = np.zeros((count, len(NAMES))), np.full(count, common.tau**2)
    parts[:, 0] = common.drift
    for one in lanes if lane is not None else ():
        mine = lane == one.lane
        parts[mine, 1] = one.shift
        variance[mine] += one.variance
    if assumed is None:
        return Moves(parts, variance, np.full(count, np.nan), np.ones(count))
    parts[:, 2], parts[:, 3] = assumed.scenario, assumed.shift
    return Moves(parts, variance, assumed.chance, assumed.factor)
