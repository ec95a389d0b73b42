"""How many accounts of a cohort are still there at each age, where they are of unlike age: Kaplan and Meier's product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.domain.forecasting import beta, cohorts
from app.domain.forecasting.cohorts import Curve
from app.domain.forecasting.rates import Floats

Unit = Literal["month", "quarter", "year"]
UNITS: tuple[Unit, ...] = ("month", "quarter", "year")
UNIT_DAYS: dict[Unit, float] = {"month": 365.25 / 12, "quarter": 365.25 / 4, "year": 365.25}
TOLERANCE = 0.25
"""Of a term: who leaves so little after a renewal left at it."""
AHEAD = 5
MOST_TERMS = 60


@dataclass(frozen=True)
class Lives:
    """Counts by term: `lost` (terms,) left in term 1, 2, …; `there` (terms + 1,) are there after so many terms and no older.

    In accounts, or in money with `worth`: how many accounts a unit of it is worth as evidence (Kish).
    """

    lost: Floats
    there: Floats
    worth: float = 1.0


@dataclass(frozen=True)
class Age:
    """At an age in terms: of `at_risk` accounts (or money) that reached its term `lost` left in it; the share of the cohort that
    is still there, with its 90 % interval."""

    age: int
    at_risk: float
    lost: float
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Expected:
    """By the fitted curve: the share still there after so many terms with its 90 % interval, and the chance of the term itself
    (None at the start)."""

    age: int
    rate: float
    low: float
    high: float
    retention: float | None


@dataclass(frozen=True)
class Survival:
    """A cohort's observed ages, the fitted curve and what it says, beyond the last observed age too."""

    observed: tuple[Age, ...]
    curve: Curve
    expected: tuple[Expected, ...]


def survival(lives: Lives, ahead: int = AHEAD) -> Survival:
    """Observed and fitted survival. Of a single age, or none lost, the fit leans on the stated wide prior."""
    seen = lives.lost[: _oldest(lives)] * lives.worth, lives.there[: _oldest(lives) + 1] * lives.worth
    curve = cohorts.fit_lives(*seen)
    terms = len(seen[0]) + ahead
    rates, (low, high), each = curve.survival(terms), curve.band(terms), curve.retention(terms)
    said = (None, *each.tolist())
    columns = zip(rates.tolist(), low.tolist(), high.tolist(), said, strict=True)
    return Survival(_observed(lives), curve, tuple(Expected(age, *row) for age, row in enumerate(columns)))


def _oldest(lives: Lives) -> int:
    """The oldest age that anybody reached."""
    reached = np.append(0.0, lives.lost) + lives.there
    return int(np.flatnonzero(reached > 0).max(initial=0))


def _observed(lives: Lives) -> tuple[Age, ...]:
    terms = _oldest(lives)
    lost, there = lives.lost[:terms], lives.there[: terms + 1]
    start = float(lost.sum() + there.sum())
    # Who is there after t terms and no older has not been seen in term t + 1.
    risk = start - np.cumsum(np.append(0.0, lost))[:-1] - np.cumsum(there)[:-1]
    each = np.divide(lost, risk, out=np.zeros(terms), where=risk > 0)
    rate = np.cumprod(1 - each)
    units = risk * lives.worth
    growth = np.cumsum(np.divide(each, (1 - each) * units, out=np.zeros(terms), where=(each < 1) & (units > 0)))
    chance = rate**2 * growth
    worth = np.where(chance > 0, rate * (1 - rate) / np.maximum(chance, 1e-300), units)
    low, high = beta.quantile(rate * worth + 0.5, (1 - rate) * worth + 0.5, np.array([[0.05], [0.95]]))
    rows = zip(risk.tolist(), lost.tolist(), rate.tolist(), low.tolist(), high.tolist(), strict=True)
    first = Age(0, start, 0.0, 1.0, 1.0, 1.0)
    return (first, *(Age(age + 1, *row) for age, row in enumerate(rows)))
