"""Retention of the months to come: what is due times what renews of it, corrected by the last months that are known.

Source: forecasting.md 3: p(x) E[g|x], times actual / forecast of the last three known months. A month's book stays as
it is but for what is due in it; what happens between renewals comes in by the correction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import rates
from app.domain.forecasting.features import Dates
from app.domain.forecasting.rates import Floats, Ints, Segments

Kind = Literal["grr", "nrr"]
KINDS: tuple[Kind, ...] = ("grr", "nrr")
LAST = 3
LEAST_TESTED = 6
_LARGEST = 3.0
_FIVE_PERCENT = 1.645


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
    """One month's forecast: `plain` is p(x) E[g|x], `value` corrected, `low` and `high` hold it in 90 % of months like those
    replayed (None where too few could be). `due_minor` of `start_minor` is up for renewal."""

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
    same months; None where fewer than six could be replayed."""

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
    return tuple(_figure(kind, renewals, past, book_minor, months, [of[kind][code] for of in kept]) for kind in KINDS)


def corrected(forecast: float, known_forecasts: Floats, known_actuals: Floats) -> float:
    """A month's forecast times actual / forecast of the last three known months, (months,), oldest first.

    As it is where no month is known or the known ones forecast nothing.
    """
    actual, before = float(known_actuals[-LAST:].sum()), float(known_forecasts[-LAST:].sum())
    return forecast * actual / before if before > 0 else forecast


def _figure(kind: Kind, renewals: Renewals, past: Past, book: int, months: Dates, kept: list[Floats]) -> Outlook:
    """`kept` (rows,): what each renewal keeps of what is due, as known on the first day of each past month and of this one."""
    came = past.stayed_minor if kind == "grr" else past.ended_minor
    pairs = [
        (_plain(kind, renewals, m, m, int(start), share), end / start)
        for m, start, end, share in zip(past.month, past.start_minor.tolist(), came.tolist(), kept, strict=False)
        if start
    ]
    then, known = np.array([p for p, _ in pairs]), np.array([c for _, c in pairs])
    ours = np.array([_within(kind, corrected(then[m], then[:m], known[:m])) for m in range(LAST, len(then))])
    theirs = np.array([known[m - LAST : m].mean() for m in range(LAST, len(then))])
    missed = ours - known[LAST:]
    if len(missed) < LEAST_TESTED:
        band, tested = None, Tested(len(missed), None, None)
    else:
        band = _FIVE_PERCENT * float(np.sqrt(np.mean(missed**2)))
        tested = Tested(len(missed), *(100 * float(np.abs(e).mean()) for e in (missed, theirs - known[LAST:])))
    made = []
    for month in months:
        due = int(renewals.due_minor[_in(renewals, month)].sum())
        plain = _plain(kind, renewals, month, months[0], book, kept[-1]) if book else None
        value = None if plain is None else _within(kind, corrected(plain, then, known))
        low, high = (
            (None, None)
            if value is None or band is None
            else (_within(kind, value - band), _within(kind, value + band))
        )
        made.append(Month(month, book, due, plain, value, low, high))
    return Outlook(kind, tuple(made), tested)


def _within(kind: Kind, value: float) -> float:
    return min(max(value, 0.0), 1.0) if kind == "grr" else max(value, 0.0)


def _in(renewals: Renewals, month: np.datetime64) -> NDArray[np.bool_]:
    return np.asarray(renewals.day.astype("datetime64[M]") == month.astype("datetime64[M]"), dtype=np.bool_)


def _plain(
    kind: Kind, renewals: Renewals, month: np.datetime64, today: np.datetime64, start: int, kept: Floats
) -> float:
    """The month's book but for what is due in it: of that what is known on the day, and else p(x) E[g|x]."""
    known, asked = renewals.known < today, _in(renewals, month)
    due, paid = renewals.due_minor.astype(np.float64), renewals.paid_minor.astype(np.float64)
    paid = np.minimum(paid, due) if kind == "grr" else paid
    lost = np.where(known, due - paid, due * (1 - kept))
    return 1 - float(lost[asked].sum()) / start


def _kept(renewals: Renewals, segments: Segments, code: Ints, today: np.datetime64) -> dict[Kind, Floats]:
    """p(x) E[g|x] by child segment, (children,), as known on a day: the two-level ARR rate times the share that who renews pays."""
    rows = np.flatnonzero((renewals.known < today) & (renewals.due_minor > 0))
    mine, due = code[rows], renewals.due_minor[rows].astype(np.float64)
    ratio = np.minimum(renewals.paid_minor[rows] / np.maximum(due, 1.0), _LARGEST)
    weights = rates.age_weights((today - renewals.day[rows]).astype(np.int64))
    counts = rates.count(mine, len(segments.children), weights, (ratio > 0).astype(np.float64), due)
    p = rates.fit("arr", segments, counts).mean
    amount = np.where(ratio > 0, weights * due, 0.0)
    return {
        kind: p * _share(mine, amount, np.minimum(ratio, 1.0) if kind == "grr" else ratio, len(p)) for kind in KINDS
    }


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
