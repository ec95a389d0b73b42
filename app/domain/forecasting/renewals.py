"""What the renewals due in a period will bring: a pure function from columns to a forecast (forecasting.md 1 and 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import rates
from app.domain.forecasting.allocation import to_the_cent
from app.domain.forecasting.book import Book, Floats, Uncertainty, segmented
from app.domain.forecasting.distribution import Distribution, distribution
from app.domain.forecasting.rates import Ints, Rate, Rates, Segments
from app.domain.forecasting.skill import Dates, Skill, judge, replay

Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Due:
    """Renewals to come, columns (n,): ids, ARR in minor units (int64, >= 0), due dates (datetime64[D]), segments.

    `parent` and `child` name the account's segment on two levels; an empty text is a segment like any other.
    Raises ValueError where columns differ in length or an amount is negative.
    """

    account_id: Texts
    arr_minor: Ints
    date: Dates
    parent: Texts
    child: Texts

    def __post_init__(self) -> None:
        _check((self.account_id, self.arr_minor, self.date, self.parent, self.child), self.arr_minor)


@dataclass(frozen=True)
class History:
    """Closed renewals, columns (m,): ARR that was due in minor units, due and closing dates, the share of it kept.

    `kept` is 0 for churned, 1 for renewed or expanded, between for contracted; NaN and what lies outside is refused.
    A renewal counts from the day it closed on, and ages from the day it was due.
    """

    arr_minor: Ints
    due: Dates
    closed: Dates
    kept: Floats
    parent: Texts
    child: Texts

    def __post_init__(self) -> None:
        _check((self.arr_minor, self.due, self.closed, self.kept, self.parent, self.child), self.arr_minor)
        if not bool(((self.kept >= 0) & (self.kept <= 1)).all()):
            raise ValueError("the share kept lies between 0 and 1")


@dataclass(frozen=True)
class Total:
    """A book's forecast in minor units. `expected_accounts` is the expected number of renewals, by logo rates."""

    due_accounts: int
    due_arr_minor: int
    expected_accounts: float
    expected_minor: int
    p05_minor: int
    p50_minor: int
    p95_minor: int


@dataclass(frozen=True)
class GroupTotal:
    """The part of a forecast whose accounts share `key`, one text per grouping asked for."""

    key: tuple[str, ...]
    total: Total


@dataclass(frozen=True)
class Forecast:
    """Total, chance to reach the target, groups in order of their keys, the rates that made it, and their verdict.

    The groups' expected amounts add up to the total's to the cent, whatever the keys.
    """

    as_of: np.datetime64
    total: Total
    target_minor: int | None
    target_probability: float | None
    skill: Skill
    groups: tuple[GroupTotal, ...]
    rates: tuple[Rate, ...]


@dataclass(frozen=True)
class _Fitted:
    segments: Segments
    logo: Rates
    arr: Rates


def forecast(
    due: Due, history: History, as_of: np.datetime64, keys: Sequence[Texts] = (), target_minor: int | None = None
) -> Forecast:
    """Forecast `due` from what had closed before `as_of` (a day). `keys` are text columns (n,) to group by.

    Money follows the ARR-weighted rates, counts the logo rates. Raises ValueError for a key of another length.
    """
    if any(len(key) != len(due.arr_minor) for key in keys):
        raise ValueError("a key has one value per renewal due")
    day = as_of.astype("datetime64[D]")
    past = _known(history, day)
    parents, children = np.concatenate([past.parent, due.parent]), np.concatenate([past.child, due.child])
    segments, code = rates.index_segments(parents, children)
    then, now = code[: len(past.due)], code[len(past.due) :]
    fitted = _fit(segments, then, past, day)
    cents = to_the_cent(due.arr_minor, fitted.arr.mean[now], due.account_id)
    total, spread = _total(fitted, now, due.arr_minor, cents)
    return Forecast(
        as_of=day,
        total=total,
        target_minor=target_minor,
        target_probability=None if target_minor is None else spread.reaches(float(target_minor)),
        skill=judge(replay(segments, then, past.due, past.closed, past.kept > 0)),
        groups=_groups(fitted, now, due, cents, keys),
        rates=rates.describe(fitted.logo) + rates.describe(fitted.arr),
    )


def _known(history: History, day: np.datetime64) -> History:
    """What had closed before the day, so that a forecast made in the past sees no more than was there."""
    known = history.closed < day
    return History(
        history.arr_minor[known],
        history.due[known],
        history.closed[known],
        history.kept[known],
        history.parent[known],
        history.child[known],
    )


def _fit(segments: Segments, code: Ints, past: History, day: np.datetime64) -> _Fitted:
    weights = rates.age_weights((day - past.due).astype(np.int64))
    children = len(segments.children)
    logo = rates.count(code, children, weights, (past.kept > 0).astype(np.float64))
    arr = rates.count(code, children, weights, past.kept, past.arr_minor.astype(np.float64))
    return _Fitted(segments, rates.fit("logo", segments, logo), rates.fit("arr", segments, arr))


def _total(fitted: _Fitted, code: Ints, arr_minor: Ints, cents: Ints) -> tuple[Total, Distribution]:
    spread = distribution(_book(fitted, code, arr_minor))
    arr = int(arr_minor.sum())
    p05, p50, p95 = (min(max(round(spread.quantile(q)), 0), arr) for q in (0.05, 0.5, 0.95))
    renewals = float(fitted.logo.mean[code].sum())
    return Total(len(code), arr, renewals, int(cents.sum()), p05, p50, p95), spread


def _book(fitted: _Fitted, code: Ints, arr_minor: Ints) -> Book:
    """The accounts by segment, each segment with its ARR rate and who shares that rate's uncertainty."""
    order = np.argsort(code, kind="stable")
    present, first = np.unique(code[order], return_index=True)
    amounts = np.split(arr_minor[order].astype(np.float64), first[1:])
    grouped: dict[int, list[tuple[Floats, Uncertainty]]] = {}
    money = fitted.arr
    for child, part in zip(present.tolist(), amounts, strict=False):
        rate = Uncertainty(*(float(column[child]) for column in (money.mean, money.own, money.shared, money.common)))
        grouped.setdefault(int(fitted.segments.parent_of[child]), []).append((np.sort(part), rate))
    return segmented(list(grouped.values()))


def _groups(fitted: _Fitted, code: Ints, due: Due, cents: Ints, keys: Sequence[Texts]) -> tuple[GroupTotal, ...]:
    if not keys or not len(code):
        return ()
    place = np.zeros(len(code), dtype=np.int64)
    for key in keys:
        names, index = np.unique(key, return_inverse=True)
        # Renumbered at every step: the product of many keys' sizes would not fit into 64 bits.
        place = np.unique(place * len(names) + index, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(place, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    return tuple(
        GroupTotal(
            tuple(str(key[row[0]]) for key in keys), _total(fitted, code[row], due.arr_minor[row], cents[row])[0]
        )
        for row in rows
    )


def _check(columns: tuple[NDArray[np.generic], ...], arr_minor: Ints) -> None:
    if len({len(column) for column in columns}) != 1:
        raise ValueError("columns of renewals have one length")
    if bool((arr_minor < 0).any()):
        raise ValueError("an ARR that is due is not negative")
