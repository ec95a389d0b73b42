"""Retention in its several meanings, each with its own denominator, cohort and contributions (forecasting.md 3)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting.rates import Floats, Ints

Name = Literal["grr", "nrr", "logo_churn", "gross_renewal", "net_renewal"]
LAST = 3


@dataclass(frozen=True)
class Figure:
    """A ratio of whole numbers: minor units, or accounts for `logo_churn`. `value` is None where nothing is below.

    `cohort` says in words whom it is of. `contributions` (accounts,), in the order of the rows given, add up to the
    numerator exactly; accounts outside the cohort contribute nought.
    """

    name: Name
    cohort: str
    numerator: int
    denominator: int
    contributions: Ints

    @property
    def value(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Retention:
    """A period's figures over the accounts active at its start, and what they leave out: new and returning accounts."""

    grr: Figure
    nrr: Figure
    logo_churn: Figure
    accounts_at_start: int
    left_out_accounts: int
    left_out_minor: int


def retained(start_minor: Ints, end_minor: Ints) -> Retention:
    """Retention from each account's recurring money at the start and the end of a period, (accounts,), >= 0.

    An account without money at the start is new or returning: it is left out, and counted as left out.
    """
    _check(start_minor, end_minor)
    active = start_minor > 0
    cohort = "accounts active at the start"
    start = int(start_minor.sum())
    left_out = ~active & (end_minor > 0)
    return Retention(
        _figure("grr", cohort, np.where(active, np.minimum(start_minor, end_minor), 0), start),
        _figure("nrr", cohort, np.where(active, end_minor, 0), start),
        _figure("logo_churn", cohort, (active & (end_minor == 0)).astype(np.int64), int(active.sum())),
        int(active.sum()),
        int(left_out.sum()),
        int(end_minor[left_out].sum()),
    )


def renewed(due_minor: Ints, paid_minor: Ints) -> tuple[Figure, Figure]:
    """Gross and net renewal rate of what was due in a period: money due and paid after renewal, (accounts,), >= 0."""
    _check(due_minor, paid_minor)
    cohort, due = "renewals due in the period", int(due_minor.sum())
    asked = due_minor > 0
    gross = np.where(asked, np.minimum(due_minor, paid_minor), 0)
    return _figure("gross_renewal", cohort, gross, due), _figure(
        "net_renewal", cohort, np.where(asked, paid_minor, 0), due
    )


def expected(start_minor: Ints, p: Floats, ratio: Floats) -> float | None:
    """p(x) E[g|x] as a share of the money at the start: `p` stays, `ratio` the mean share then paid, (accounts,).

    For GRR the ratio is that of min(g, 1). None where there is no money at the start.
    """
    start = int(start_minor.sum())
    return float(start_minor @ (p * ratio)) / start if start else None


def corrected(forecast: float, known_forecasts: Floats, known_actuals: Floats) -> float:
    """A month's forecast times actual / forecast of the last three known months, (months,), oldest first.

    As it is where no month is known or the known ones forecast nothing.
    """
    actual, before = float(known_actuals[-LAST:].sum()), float(known_forecasts[-LAST:].sum())
    return forecast * actual / before if before > 0 else forecast


def _figure(name: Name, cohort: str, contributions: NDArray[np.int64], denominator: int) -> Figure:
    return Figure(name, cohort, int(contributions.sum()), denominator, contributions)


def _check(first: Ints, second: Ints) -> None:
    if len(first) != len(second):
        raise ValueError("columns of accounts have one length")
    if bool((first < 0).any() or (second < 0).any()):
        raise ValueError("recurring money is not negative")
