"""Calls of people beside computed forecasts: categories, what changed between two forecasts, and how good calls were."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

Step = Literal[
    "entered", "moved_in", "left", "moved_out", "renewed", "churned", "amount_up", "amount_down", "likelihood_up",
    "likelihood_down", "called",
]  # fmt: skip
STEPS: tuple[Step, ...] = get_args(Step)
LEAST_CALLS = 10
"""Closed calls below which nothing is said of whoever made them."""
Verdict = Literal["too few", "no bias shown", "too high", "too low"]
_Z = 1.6448536269514722


@dataclass(frozen=True)
class Standing:
    """A forecast as it stood on a day, columns (n,): renewals (unique), money due, P(renewal), money it comes to.

    `expected_minor` of an open renewal is its part of the computed forecast to the cent; of a `closed` one what it
    brought. `called_minor` is what people call of it, the computed part where nobody does; None: nobody calls any.
    `elsewhere` (any number) are renewals that were known and open then, and due outside the period.
    Raises ValueError where columns differ in length or a renewal is there twice.
    """

    renewal_id: Texts
    due_minor: Ints
    probability: Floats
    expected_minor: Ints
    closed: NDArray[np.bool_]
    called_minor: Ints | None = None
    elsewhere: Texts = field(default_factory=lambda: np.zeros(0, dtype=np.str_))

    def __post_init__(self) -> None:
        lengths = {
            len(self.due_minor),
            len(self.probability),
            len(self.expected_minor),
            len(self.closed),
            len(self.said),
        }
        if lengths != {len(self.renewal_id)}:
            raise ValueError("columns of a standing have one length")
        if len(np.unique(self.renewal_id)) != len(self.renewal_id):
            raise ValueError("a renewal stands once in a forecast")

    @property
    def said(self) -> Ints:
        """What the forecast comes to, calls included, (n,)."""
        return self.expected_minor if self.called_minor is None else self.called_minor


@dataclass(frozen=True)
class Waterfall:
    """From one forecast to another in minor units: `opening` and all `steps` add up to `closing`, exactly.

    A row per `renewal_id`: `before` and `after` (renewals,) add up to opening and closing, `parts` (renewals, steps) to the
    steps, and before + the row's parts is after.
    """

    opening: int
    steps: Mapping[Step, int]
    closing: int
    renewal_id: Texts
    before: Ints
    parts: Ints
    after: Ints


def called(due_minor: Ints, probability: Floats, renewal_id: Texts) -> Standing:
    """An open standing from probabilities, computed ones or those of categories; money by largest remainder."""
    cents = to_the_cent(due_minor, probability, renewal_id)
    return Standing(renewal_id, due_minor, probability, cents, np.zeros(len(due_minor), dtype=np.bool_))


def waterfall(before: Standing, after: Standing) -> Waterfall:
    """What moved the forecast: renewals that came into it, left it or closed; of open ones amounts, likelihood and calls.

    An amount's change counts at the likelihood it had before; what remains of a computed change is likelihood. What people
    call differs from what is computed: the change of that difference is `called`. A renewal that closes or goes takes its
    call along.
    """
    names = np.union1d(before.renewal_id, after.renewal_id)
    old, new = _aligned(before, names), _aligned(after, names)
    change, computed = new.said - old.said, new.expected - old.expected
    both, closed = old.there & new.there, new.closed & ~old.closed
    settled, open_still = both & closed, both & ~new.closed & ~old.closed
    came, went = ~old.there, ~new.there
    grown = to_the_cent(np.where(open_still, np.maximum(new.due - old.due, 0), 0), old.p, names)
    shrunk = to_the_cent(np.where(open_still, np.maximum(old.due - new.due, 0), 0), old.p, names)
    # What was closed before and is still there can change by a correction alone: that is an amount too.
    amount = np.where(open_still, grown - shrunk, np.where(both & ~settled, computed, 0))
    likelihood = np.where(open_still, computed - amount, 0)
    by_hand = np.where(open_still | came | (both & ~settled), change - computed, 0)
    entered, left = np.where(came, computed, 0), np.where(went, change, 0)
    moved_in, moved_out = np.isin(names, before.elsewhere), np.isin(names, after.elsewhere)
    brought = settled & (new.said > 0)
    columns: dict[Step, Ints] = {
        "entered": np.where(moved_in, 0, entered),
        "moved_in": np.where(moved_in, entered, 0),
        "left": np.where(moved_out, 0, left),
        "moved_out": np.where(moved_out, left, 0),
        "renewed": np.where(brought, change, 0),
        "churned": np.where(settled & ~brought, change, 0),
        "amount_up": np.maximum(amount, 0),
        "amount_down": np.minimum(amount, 0),
        "likelihood_up": np.maximum(likelihood, 0),
        "likelihood_down": np.minimum(likelihood, 0),
        "called": by_hand,
    }
    steps = {step: int(columns[step].sum()) for step in STEPS}
    parts = np.column_stack([columns[step] for step in STEPS])
    return Waterfall(int(before.said.sum()), steps, int(after.said.sum()), names, old.said, parts, new.said)


@dataclass(frozen=True)
class Track:
    """How good the calls of one CSM, category or segment (`key`) were, over `calls` that have closed.

    `bias` = (forecast - actual) / due with its 90 % interval, None for fewer than two calls; `error` = sum |forecast -
    actual| / due, `accuracy` = 1 - error; None where nothing was due. `renewed_share` of the calls with its 90 % interval
    beside `said_share`, the mean probability said; `brier` of those probabilities. `verdict` is about the bias.
    """

    key: str
    calls: int
    due_minor: int
    forecast_minor: int
    actual_minor: int
    bias: float | None
    bias_low: float | None
    bias_high: float | None
    accuracy: float | None
    brier: float
    said_share: float
    renewed_share: float
    low: float
    high: float
    verdict: Verdict


def tracks(
    key: Texts, due_minor: Ints, probability: Floats, forecast_minor: Ints, actual_minor: Ints, renewed: NDArray[np.bool_]
) -> tuple[Track, ...]:  # fmt: skip
    """Bias and accuracy per key of calls whose renewals have closed, columns (calls,); keys in order."""
    names, place = np.unique(key, return_inverse=True)
    order = np.argsort(place, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(place[order])) + 1) if len(order) else []
    came, calls = np.bincount(place, renewed, len(names)), np.bincount(place, minlength=len(names))
    shares = beta.quantile(came + 0.5, calls - came + 0.5, np.array([[0.05], [0.95]])).T.tolist()
    return tuple(
        _track(str(name), due_minor[row], probability[row], forecast_minor[row], actual_minor[row], renewed[row], share)
        for name, row, share in zip(names, rows, shares, strict=True)
    )


def _track(
    name: str, due: Ints, probability: Floats, forecast: Ints, actual: Ints, renewed: NDArray[np.bool_], share: Sequence[float]
) -> Track:  # fmt: skip
    total, renewals = int(due.sum()), int(renewed.sum())
    error = int(np.abs(forecast - actual).sum()) / total if total else None
    bias, margin = _bias(due, forecast - actual)
    low, high = share
    under, over = (None, None) if bias is None or margin is None else (bias - margin, bias + margin)
    return Track(
        name, len(due), total, int(forecast.sum()), int(actual.sum()), bias, under, over, None if error is None else 1 - error,
        float(np.mean((probability - renewed) ** 2)), float(probability.mean()), renewals / len(due), low, high,
        _verdict(len(due), under, over),
    )  # fmt: skip


def _bias(due: Ints, missed: Ints) -> tuple[float | None, float | None]:
    """sum missed / sum due, and the half-width of its 90 % interval: a ratio's, by what remains of each call."""
    total, calls = int(due.sum()), len(due)
    if not total:
        return None, None
    bias = int(missed.sum()) / total
    if calls < 2:
        return bias, None
    rest = missed.astype(np.float64) - bias * due.astype(np.float64)
    return bias, _Z * float(np.sqrt((rest**2).sum() * calls / (calls - 1)) / total)


def _verdict(calls: int, low: float | None, high: float | None) -> Verdict:
    if calls < LEAST_CALLS or low is None or high is None:
        return "too few"
    return "too high" if low > 0 else "too low" if high < 0 else "no bias shown"


@dataclass(frozen=True)
class _Aligned:
    """A standing spread over more renewals; nought where a renewal is not in it."""

    there: NDArray[np.bool_]
    due: Ints
    p: Floats
    expected: Ints
    said: Ints
    closed: NDArray[np.bool_]


def _aligned(standing: Standing, names: Texts) -> _Aligned:
    place = np.searchsorted(names, standing.renewal_id)
    there, closed = np.zeros(len(names), dtype=np.bool_), np.zeros(len(names), dtype=np.bool_)
    due, expected = np.zeros(len(names), dtype=np.int64), np.zeros(len(names), dtype=np.int64)
    said, p = np.zeros(len(names), dtype=np.int64), np.zeros(len(names))
    said[place] = standing.said
    there[place], closed[place], p[place] = True, standing.closed, standing.probability
    due[place], expected[place] = standing.due_minor, standing.expected_minor
    return _Aligned(there, due, p, expected, said, closed)
