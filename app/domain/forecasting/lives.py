"""How many accounts of a cohort are still there at each age, where they are of unlike age: Kaplan and Meier's product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import beta, cohorts
from app.domain.forecasting.cohorts import Curve
from app.domain.forecasting.rates import Floats

Unit = Literal["month", "quarter", "year"]
UNITS: tuple[Unit, ...] = ("month", "quarter", "year")
UNIT_DAYS: dict[Unit, float] = {"month": 365.25 / 12, "quarter": 365.25 / 4, "year": 365.25}
TOLERANCE = 0.25
"""Of a term: who leaves so little after a renewal left at it, so that a renewal that slipped is of its own term."""
AHEAD = 5
MOST_TERMS = 60


@dataclass(frozen=True)
class Lives:
    """Lives of a cohort, (rows,) each: how long each was seen, in terms, whether it was lost then (else it was still there when
    last seen), and how much it counts for.

    In accounts, or in money with `worth`: how many accounts a unit of it is worth as evidence (Kish).
    """

    seen: Floats
    lost: NDArray[np.bool_]
    amount: Floats
    worth: float = 1.0


@dataclass(frozen=True)
class Age:
    """At an age in terms: of `at_risk` accounts (or money) that were seen in its term `lost` left in it; the share of the cohort
    that is still there, with its 90 % interval. Not `whole`: nobody is that old yet, and the share is that of the oldest."""

    age: int
    at_risk: float
    lost: float
    rate: float
    low: float
    high: float
    whole: bool = True


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
    """Observed and fitted survival. Of no whole age, or none lost, the fit leans on the stated wide prior."""
    steps = _steps(lives)
    observed, oldest = _observed(lives, steps), _oldest(lives)
    curve = cohorts.fit_lives(*_evidence(lives, steps, int(oldest)))
    terms = len(observed) - 1 + ahead
    rates, (low, high), each = curve.survival(terms), curve.band(terms), curve.retention(terms)
    said = (None, *each.tolist())
    columns = zip(rates.tolist(), low.tolist(), high.tolist(), said, strict=True)
    return Survival(observed, curve, tuple(Expected(age, *row) for age, row in enumerate(columns)))


def _oldest(lives: Lives) -> float:
    """The oldest age at which anybody was seen: those that are there, or lost at a renewal, are as old as their term."""
    return min(float(lives.seen[lives.amount > 0].max(initial=0.0)) + _SLIP, float(MOST_TERMS))


_SLIP = 0.01
"""Of a term: years and months are not of one length, and three days short of a year are a year."""


@dataclass(frozen=True)
class _Steps:
    """Each time at which any were lost, (times,): what was at risk just before, and the share of it that was lost."""

    time: Floats
    risk: Floats
    lost: Floats


def _steps(lives: Lives) -> _Steps:
    order = np.argsort(lives.seen, kind="stable")
    seen, amount = lives.seen[order], lives.amount[order]
    time, place = np.unique(seen, return_index=True)
    risk = float(amount.sum()) - np.append(0.0, np.cumsum(amount))[place]
    gone = np.append(0.0, np.cumsum(np.where(lives.lost[order], amount, 0.0)))
    lost = np.diff(gone[np.append(place, len(seen))])
    told = lost > 0
    return _Steps(time[told], risk[told], lost[told])


def _until(age: float) -> float:
    """Up to when who was lost was lost at that age."""
    return age + TOLERANCE if age else 0.0


def _hazards(steps: _Steps, age: int, worth: float) -> tuple[float, float, float]:
    """Within the age: what was lost, the log of the share that stayed, and Greenwood's growth of its variance."""
    inside = (steps.time > _until(age - 1)) & (steps.time <= _until(age))
    lost, risk = steps.lost[inside], steps.risk[inside]
    left = np.maximum(risk - lost, 0.0)
    with np.errstate(divide="ignore"):
        log = float(np.log(left / risk).sum())
        growth = float((lost / (left * risk * worth)).sum()) if (left > 0).all() else np.inf
    return float(lost.sum()), log, growth


def _observed(lives: Lives, steps: _Steps) -> tuple[Age, ...]:
    """Kaplan and Meier's product, read at the ages; its interval by the number of accounts that say as much (Greenwood)."""
    oldest = _oldest(lives)
    found = [Age(0, float(lives.amount.sum()), 0.0, 1.0, 1.0, 1.0)]
    log = growth = 0.0
    for age in range(1, int(np.ceil(oldest - 2 * _SLIP)) + 1):
        risk = float(lives.amount[lives.seen > _until(age - 1)].sum())
        if risk <= 0:
            break
        lost, more, grown = _hazards(steps, age, lives.worth)
        log, growth = log + more, growth + grown
        rate = float(np.exp(log))
        chance = rate**2 * growth if rate > 0 else 0.0
        units = rate * (1 - rate) / chance if chance > 0 else risk * lives.worth
        low, high = beta.quantile(rate * units + 0.5, (1 - rate) * units + 0.5, np.array([0.05, 0.95]))
        found.append(Age(age, risk, lost, rate, float(low), float(high), whole=oldest >= age))
    return tuple(found)


def _evidence(lives: Lives, steps: _Steps, terms: int) -> tuple[Floats, Floats]:
    """Lost and kept per whole term, (terms,) each, in accounts: the share by Kaplan and Meier, of as many as say so much.

    Counting who left within a term against who was seen through it would leave out the young that stayed.
    """
    lost, kept = np.zeros(terms), np.zeros(terms)
    for age in range(1, terms + 1):
        _, log, growth = _hazards(steps, age, lives.worth)
        left = -float(np.expm1(log))
        through = float(lives.amount[lives.seen > age - _SLIP].sum()) * lives.worth
        entered = float(lives.amount[lives.seen > _until(age - 1)].sum()) * lives.worth
        number = through if left <= 0 else entered if not 0 < growth < np.inf else left / (1 - left) / growth
        lost[age - 1], kept[age - 1] = left * number, (1 - left) * number
    return lost, kept
