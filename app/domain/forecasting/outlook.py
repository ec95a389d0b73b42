"""Retention of the months to come: what is due times what renews of it, corrected by the last months that are known.

Source: forecasting.md 3: p(x) E[g|x], times actual / forecast of the last three known months. A month's book stays as
it is but for what is due in it; what happens between renewals comes in by the correction. Months with nothing due are no
evidence: neither of skill nor for the correction. The interval is that of what is due (each renewal's own chance, and how
little is known of it) and of the past error beyond that, which grows with the months ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import beta, rates
from app.domain.forecasting.features import Dates
from app.domain.forecasting.rates import Floats, Ints, Segments

Kind = Literal["grr", "nrr"]
KINDS: tuple[Kind, ...] = ("grr", "nrr")
LAST = 3
LEAST_TESTED = 6
_LARGEST = 3.0
_FIVE_PERCENT = 1.645
_PRIOR_MISS = 0.02
"""Of the book: what a forecast is held to miss by between renewals, as if that had been seen in LAST months."""
_PRIOR_SPREAD = 0.1
"""Of what is paid after a renewal, as a share of what was due, as if seen in rates.PRIOR_SIZE renewals."""


@dataclass(frozen=True)
class Renewals:
    """Renewals of the past and to come, columns (rows,): what was due and what went on, minor units; the day that it was due
    and the day from which on its end is known (later than today: not yet); segments on two levels."""

    due_minor: Ints
    paid_minor: Ints
    day: Dates
    known: Dates
    parent: NDArray[np.str_]
    child: NDArray[np.str_]


@dataclass(frozen=True)
class Past:
    """Months that are over, (months,), oldest first: the first day, money in force on it, and of that what was left a month later,
    at most what it was and in all."""

    month: Dates
    start_minor: Ints
    stayed_minor: Ints
    ended_minor: Ints


@dataclass(frozen=True)
class Month:
    """One month's forecast: `plain` is p(x) E[g|x], `value` corrected, `low` and `high` hold what comes in 90 % of months.
    `due_minor` of `start_minor` is up for renewal."""

    month: np.datetime64
    start_minor: int
    due_minor: int
    plain: float | None
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Tested:
    """Mean absolute error, in points, of forecasts a month ahead, and of the mean of the last three months instead, over the
    same months, those that had something due; None where fewer than six could be replayed."""

    months: int
    error: float | None
    last_three: float | None


@dataclass(frozen=True)
class Outlook:
    """Of one figure: the months to come, and how such forecasts did."""

    kind: Kind
    months: tuple[Month, ...]
    tested: Tested


def outlook(renewals: Renewals, past: Past, book_minor: int, months: Dates) -> tuple[Outlook, ...]:
    """Forecasts of `months` (first days, this one first) for each of KINDS; `book_minor` is in force on the first of them.

    Months further ahead stand on the same book: what they lose before is not known. Without money there is no figure.
    """
    segments, code = rates.index_segments(renewals.parent, renewals.child)
    days = np.append(past.month, months[:1])
    kept = [_kept(renewals, segments, code, day) for day in days]
    return tuple(_figure(kind, renewals, past, book_minor, months, [of[kind] for of in kept], code) for kind in KINDS)


def corrected(forecast: float, known_forecasts: Floats, known_actuals: Floats) -> float:
    """A month's forecast times actual / forecast of the last three known months, (months,), oldest first.

    As it is where fewer are known, or the known ones forecast nothing.
    """
    actual, before = float(known_actuals[-LAST:].sum()), float(known_forecasts[-LAST:].sum())
    return forecast * actual / before if before > 0 and len(known_actuals) >= LAST else forecast


@dataclass(frozen=True)
class _Kept:
    """Of what is due, by child (children,): the share that is kept, the variance of a single renewal's, and of what is not known
    of the share: the child's own, and that which all have in common."""

    mean: Floats
    single: Floats
    own: Floats
    common: Floats


@dataclass(frozen=True)
class _Plain:
    """A month's figure before it is corrected, its variance, and the least and the most that it can be."""

    value: float
    variance: float
    least: float
    most: float


def _figure(
    kind: Kind, renewals: Renewals, past: Past, book: int, months: Dates, kept: list[_Kept], code: Ints
) -> Outlook:
    """`kept`: as known on the first day of each past month and of this one; `code` (rows,): the child of each renewal."""
    came = past.stayed_minor if kind == "grr" else past.ended_minor
    told = [
        (_plain(kind, renewals, code, m, m, int(start), share), end / start)
        for m, start, end, share in zip(past.month, past.start_minor.tolist(), came.tolist(), kept, strict=False)
        if start and renewals.due_minor[_in(renewals, m)].any()
    ]
    then, known = np.array([one.value for one, _ in told]), np.array([c for _, c in told])
    ours = np.array([_within(kind, corrected(then[m], then[:m], known[:m])) for m in range(LAST, len(then))])
    theirs = np.array([known[m - LAST : m].mean() for m in range(LAST, len(then))])
    missed = ours - known[LAST:]
    errors = tuple(100 * float(np.abs(e).mean()) for e in (missed, theirs - known[LAST:]) if len(e) >= LEAST_TESTED)
    tested = Tested(len(missed), *(errors or (None, None)))
    beyond = _beyond(missed, np.array([one.variance for one, _ in told[LAST:]]))
    made = []
    for ahead, month in enumerate(months, 1):
        due = int(renewals.due_minor[_in(renewals, month)].sum())
        if not book:
            made.append(Month(month, book, due, None, None, None, None))
            continue
        plain = _plain(kind, renewals, code, month, months[0], book, kept[-1])
        value = _within(kind, corrected(plain.value, then, known) if due else plain.value)
        below, above = _sides(plain, _FIVE_PERCENT * float(np.sqrt(ahead * beyond)))
        low, high = _within(kind, value - below), _within(kind, value + above)
        made.append(Month(month, book, due, plain.value, value, low, high))
    return Outlook(kind, tuple(made), tested)


def _beyond(missed: Floats, variance: Floats) -> float:
    """The variance of past errors, (months,), beyond what the renewals' own chances explain, with what is held without any."""
    seen = float((missed**2 - variance).sum()) + LAST * _PRIOR_MISS**2
    return max(seen, LAST * _PRIOR_MISS**2 / 4) / (len(missed) + LAST)


def _sides(plain: _Plain, miss: float) -> tuple[float, float]:
    """How far down and up: a beta distribution of the month's two moments, and the past error, as squares add up."""
    wide, below, above = plain.most - plain.least, 0.0, 0.0
    if wide > 0 and plain.variance > 0:
        share = float(np.clip((plain.value - plain.least) / wide, 1e-6, 1 - 1e-6))
        worth = max(share * (1 - share) * wide**2 / plain.variance - 1, 1e-2)
        low, high = beta.quantile(share * worth, (1 - share) * worth, np.array([0.05, 0.95])).tolist()
        below, above = max(share - low, 0.0) * wide, max(high - share, 0.0) * wide
    return float(np.hypot(below, miss)), float(np.hypot(above, miss))


def _within(kind: Kind, value: float) -> float:
    return min(max(value, 0.0), 1.0) if kind == "grr" else max(value, 0.0)


def _in(renewals: Renewals, month: np.datetime64) -> NDArray[np.bool_]:
    return np.asarray(renewals.day.astype("datetime64[M]") == month.astype("datetime64[M]"), dtype=np.bool_)


def _plain(
    kind: Kind, renewals: Renewals, code: Ints, month: np.datetime64, today: np.datetime64, start: int, kept: _Kept
) -> _Plain:
    """The month's book but for what is due in it: of that what is known on the day, and else p(x) E[g|x]."""
    asked = np.flatnonzero(_in(renewals, month))
    child, known = code[asked], renewals.known[asked] < today
    due, paid = renewals.due_minor[asked] / start, renewals.paid_minor[asked] / start
    paid = np.minimum(paid, due) if kind == "grr" else paid
    open_due = np.where(known, 0.0, due)
    over = 1 - float(due.sum()) + float(paid[known].sum())
    value = over + float(open_due @ kept.mean[child])
    held = np.bincount(child, open_due, len(kept.mean))
    shared = float(held @ np.sqrt(kept.common)) ** 2
    variance = float(open_due**2 @ kept.single[child]) + float(held**2 @ kept.own) + shared
    most = over + float(open_due.sum()) * (1.0 if kind == "grr" else _LARGEST)
    return _Plain(value, variance, over, most)


def _kept(renewals: Renewals, segments: Segments, code: Ints, today: np.datetime64) -> dict[Kind, _Kept]:
    """p(x) E[g|x] as known on a day: the two-level ARR rate times the share that who renews pays, with its doubt."""
    rows = np.flatnonzero((renewals.known < today) & (renewals.due_minor > 0))
    mine, due = code[rows], renewals.due_minor[rows].astype(np.float64)
    ratio = np.minimum(renewals.paid_minor[rows] / np.maximum(due, 1.0), _LARGEST)
    weights = rates.age_weights((today - renewals.day[rows]).astype(np.int64))
    counts = rates.count(mine, len(segments.children), weights, (ratio > 0).astype(np.float64), due)
    fitted = rates.fit("arr", segments, counts)
    p, amount = fitted.mean, np.where(ratio > 0, weights * due, 0.0)
    found: dict[Kind, _Kept] = {}
    for kind in KINDS:
        paid = np.minimum(ratio, 1.0) if kind == "grr" else ratio
        share = _share(mine, amount, paid, len(p))
        single = p * (_spread(amount, paid) + share**2) - (p * share) ** 2
        found[kind] = _Kept(p * share, single, fitted.own * share**2, (fitted.shared + fitted.common) * share**2)
    return found


def _spread(amount: Floats, ratio: Floats) -> float:
    """Variance of `ratio` (rows,) among who renews, weighted by `amount`; the stated one without any."""
    whole = float(amount.sum())
    if whole <= 0:
        return _PRIOR_SPREAD**2
    lean = rates.PRIOR_SIZE * whole / int((amount > 0).sum())
    mean = float(amount @ ratio) / whole
    return (float(amount @ (ratio - mean) ** 2) + lean * _PRIOR_SPREAD**2) / (whole + lean)


def _share(code: Ints, amount: Floats, ratio: Floats, children: int) -> Floats:
    """Mean `ratio` by child, weighted by `amount` (rows,), shrunk to the book's as rates are; the book's to one."""
    usual = float(amount.sum()) / max(int((amount > 0).sum()), 1)
    if usual <= 0:
        return np.ones(children)
    lean = rates.PRIOR_SIZE * usual
    book = (float(amount @ ratio) + lean) / (float(amount.sum()) + lean)
    lean = rates.PRIOR_PRECISION * usual
    held, total = np.bincount(code, amount * ratio, children), np.bincount(code, amount, children)
    return np.asarray((held + lean * book) / (total + lean), dtype=np.float64)
