"""Calls of people beside computed forecasts: categories, what changed between two forecasts, and how good calls were."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import beta
from app.domain.forecasting.allocation import to_the_cent
from app.domain.forecasting.rates import Floats, Ints

Texts = NDArray[np.str_]
Category = Literal["commit", "likely", "best_case", "at_risk", "expected_churn"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
DEFAULTS: Mapping[Category, float] = MappingProxyType(
    {"commit": 0.95, "likely": 0.80, "best_case": 0.60, "at_risk": 0.40, "expected_churn": 0.05}
)
"""P(renewal) that a category stands for until a workspace says otherwise: starting points, not measurements."""

Step = Literal["entered", "left", "renewed", "churned", "amount", "likelihood"]
STEPS: tuple[Step, ...] = get_args(Step)


@dataclass(frozen=True)
class Standing:
    """A forecast as it stood on a day, columns (n,): renewals (unique), money due, P(renewal), money it comes to.

    `expected_minor` of an open renewal is its part of the forecast to the cent; of a `closed` one what it brought.
    Raises ValueError where columns differ in length or a renewal is there twice.
    """

    renewal_id: Texts
    due_minor: Ints
    probability: Floats
    expected_minor: Ints
    closed: NDArray[np.bool_]

    def __post_init__(self) -> None:
        lengths = {len(self.due_minor), len(self.probability), len(self.expected_minor), len(self.closed)}
        if lengths != {len(self.renewal_id)}:
            raise ValueError("columns of a standing have one length")
        if len(np.unique(self.renewal_id)) != len(self.renewal_id):
            raise ValueError("a renewal stands once in a forecast")


@dataclass(frozen=True)
class Waterfall:
    """From one forecast to another in minor units: `opening` and all `steps` add up to `closing`, exactly.

    `parts` (renewals, steps), a row per `renewal_id`, add up to the steps.
    """

    opening: int
    steps: Mapping[Step, int]
    closing: int
    renewal_id: Texts
    parts: Ints


def called(due_minor: Ints, probability: Floats, renewal_id: Texts) -> Standing:
    """An open standing from probabilities, computed ones or those of categories; money by largest remainder."""
    cents = to_the_cent(due_minor, probability, renewal_id)
    return Standing(renewal_id, due_minor, probability, cents, np.zeros(len(due_minor), dtype=np.bool_))


def waterfall(before: Standing, after: Standing) -> Waterfall:
    """What moved the forecast: renewals that entered or left it, closed ones, and, of open ones, amounts and likelihood.

    An amount's change counts at the likelihood it had before; what remains of an account's change is likelihood.
    """
    names = np.union1d(before.renewal_id, after.renewal_id)
    old, new = _aligned(before, names), _aligned(after, names)
    change = new.expected - old.expected
    both, closed = old.there & new.there, new.closed & ~old.closed
    settled, open_still = both & closed, both & ~new.closed & ~old.closed
    grown = to_the_cent(np.where(open_still, np.maximum(new.due - old.due, 0), 0), old.p, names)
    shrunk = to_the_cent(np.where(open_still, np.maximum(old.due - new.due, 0), 0), old.p, names)
    amount = grown - shrunk
    brought = settled & (new.expected > 0)
    columns: dict[Step, Ints] = {
        "entered": np.where(~old.there, change, 0),
        "left": np.where(~new.there, change, 0),
        "renewed": np.where(brought, change, 0),
        "churned": np.where(settled & ~brought, change, 0),
        "amount": np.where(open_still, amount, np.where(both & ~settled, change, 0)),
        "likelihood": np.where(open_still, change - amount, 0),
    }
    steps = {step: int(columns[step].sum()) for step in STEPS}
    parts = np.column_stack([columns[step] for step in STEPS])
    return Waterfall(int(before.expected_minor.sum()), steps, int(after.expected_minor.sum()), names, parts)


@dataclass(frozen=True)
class Track:
    """How good the calls of one CSM, category or segment (`key`) were, over `calls` that have closed.

    `bias` = (forecast - actual) / due; `error` = sum |forecast - actual| / due, `accuracy` = 1 - error; None where
    nothing was due. `renewed_share` of the calls with its 90 % interval beside `said_share`, the mean probability said.
    """

    key: str
    calls: int
    due_minor: int
    forecast_minor: int
    actual_minor: int
    bias: float | None
    accuracy: float | None
    said_share: float
    renewed_share: float
    low: float
    high: float


def tracks(
    key: Texts, due_minor: Ints, probability: Floats, forecast_minor: Ints, actual_minor: Ints
) -> tuple[Track, ...]:
    """Bias and accuracy per key of calls whose renewals have closed, columns (calls,); keys in order."""
    names, place = np.unique(key, return_inverse=True)
    order = np.argsort(place, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(place[order])) + 1) if len(order) else []
    return tuple(
        _track(str(name), due_minor[row], probability[row], forecast_minor[row], actual_minor[row])
        for name, row in zip(names, rows, strict=True)
    )


def _track(name: str, due: Ints, probability: Floats, forecast: Ints, actual: Ints) -> Track:
    total, renewals = int(due.sum()), int((actual > 0).sum())
    bias = int(forecast.sum() - actual.sum()) / total if total else None
    error = int(np.abs(forecast - actual).sum()) / total if total else None
    low, high = beta.quantile(renewals + 0.5, len(due) - renewals + 0.5, np.array([0.05, 0.95])).tolist()
    return Track(
        name, len(due), total, int(forecast.sum()), int(actual.sum()), bias, None if error is None else 1 - error,
        float(probability.mean()), renewals / len(due), low, high,
    )  # fmt: skip


@dataclass(frozen=True)
class _Aligned:
    """A standing spread over more renewals; nought where a renewal is not in it."""

    there: NDArray[np.bool_]
    due: Ints
    p: Floats
    expected: Ints
    closed: NDArray[np.bool_]


def _aligned(standing: Standing, names: Texts) -> _Aligned:
    place = np.searchsorted(names, standing.renewal_id)
    there, closed = np.zeros(len(names), dtype=np.bool_), np.zeros(len(names), dtype=np.bool_)
    due, expected = np.zeros(len(names), dtype=np.int64), np.zeros(len(names), dtype=np.int64)
    p = np.zeros(len(names))
    there[place], closed[place], p[place] = True, standing.closed, standing.probability
    due[place], expected[place] = standing.due_minor, standing.expected_minor
    return _Aligned(there, due, p, expected, closed)
