"""What the renewals due in a period will bring: a pure function from columns to a forecast (forecasting.md 1 and 2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import drift, features, logistic, normals, rates, skill
from app.domain.forecasting.allocation import to_the_cent
from app.domain.forecasting.book import Book, Floats, Uncertainty, segmented
from app.domain.forecasting.distribution import Distribution, distribution
from app.domain.forecasting.drift import Drift
from app.domain.forecasting.features import Dates, Facts
from app.domain.forecasting.rates import Ints, Rate, Rates, Segments
from app.domain.forecasting.skill import LOGISTIC, OVERALL, SEGMENT, Model, Replay, Skill

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
class Known:
    """What was known of accounts, for the regression: facts, and the account of each renewal due (n,) and closed (m,)."""

    facts: tuple[Facts, ...]
    due_account: Ints
    past_account: Ints


@dataclass(frozen=True)
class Reasons:
    """Why each renewal due has its logit, (n, inputs): with `base` a row adds up to `logit` (n,). By `names` (inputs,)."""

    names: tuple[str, ...]
    base: float
    parts: Floats
    logit: Floats


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

    The groups' expected amounts add up to the total's to the cent, whatever the keys. `skill` is the segment rate's over
    one rate for all; `model` is in charge, `challenged` the regression's verdict over the segment rate, where it ran,
    and `reasons` are there where it is in charge. `drift` has moved every chance. `expected_minor` (n,) is per renewal.
    """

    as_of: np.datetime64
    total: Total
    target_minor: int | None
    target_probability: float | None
    skill: Skill
    groups: tuple[GroupTotal, ...]
    rates: tuple[Rate, ...]
    model: str
    challenged: Skill | None
    reasons: Reasons | None
    drift: Drift
    expected_minor: Ints


@dataclass(frozen=True)
class _Fitted:
    segments: Segments
    logo: Rates
    arr: Rates


@dataclass(frozen=True)
class _Chances:
    """P(renewal) by logos and by money per renewal due, (n,), and the distribution of the money of some of its rows."""

    logo: Floats
    money: Floats
    spread: Callable[[Ints], Distribution]
    reasons: Reasons | None = None


def forecast(
    due: Due,
    history: History,
    as_of: np.datetime64,
    keys: Sequence[Texts] = (),
    target_minor: int | None = None,
    known: Known | None = None,
) -> Forecast:
    """Forecast `due` from what had closed before `as_of` (a day). `keys` are text columns (n,) to group by.

    Money follows the ARR-weighted rates, counts the logo rates. With `known` the regression is replayed, and takes
    over where it shows skill over the segment rate. Raises ValueError for a key of another length.
    """
    if any(len(key) != len(due.arr_minor) for key in keys):
        raise ValueError("a key has one value per renewal due")
    day = as_of.astype("datetime64[D]")
    rows = np.flatnonzero(history.closed < day)
    past = _known(history, rows)
    parents, children = np.concatenate([past.parent, due.parent]), np.concatenate([past.child, due.child])
    segments, code = rates.index_segments(parents, children)
    then, now = code[: len(past.due)], code[len(past.due) :]
    fitted = _fit(segments, then, past, day)
    models: dict[str, Model] = {OVERALL: skill.overall, SEGMENT: skill.segment(segments, then)}
    if known is not None:
        models[LOGISTIC] = skill.regression(known.facts, known.past_account[rows], past.due, past.closed)
    replayed = skill.replay(models, past.due, past.closed, past.kept > 0)
    model, verdicts = skill.in_charge(replayed)
    moved = _drift(replayed, model, past, day)
    if known is not None and model == LOGISTIC:
        chances = _regressed(due, past, known, rows, fitted, now, moved, day)
    else:
        chances = _by_segment(fitted, now, due.arr_minor, moved)
    cents = to_the_cent(due.arr_minor, chances.money, due.account_id)
    total, spread = _total(chances, np.arange(len(now)), due.arr_minor, cents)
    return Forecast(
        as_of=day,
        total=total,
        target_minor=target_minor,
        target_probability=None if target_minor is None else spread.reaches(float(target_minor)),
        skill=skill.judge(replayed),
        groups=_groups(chances, due, cents, keys),
        rates=rates.describe(fitted.logo) + rates.describe(fitted.arr),
        model=model,
        challenged=verdicts.get(LOGISTIC),
        reasons=chances.reasons,
        drift=moved,
        expected_minor=cents,
    )


def interval(history: History, rows: Ints, replayed: Replay, as_of: np.datetime64) -> tuple[float, float]:
    """p05 and p95 of the money kept of the history's `rows`, by segment rates as they were known on `as_of` (a day).

    `replayed` of the whole history; of it, too, only what had closed by then is used.
    """
    day = as_of.astype("datetime64[D]")
    segments, code = rates.index_segments(history.parent, history.child)
    known = np.flatnonzero(history.closed < day)
    past = _known(history, known)
    weights = rates.age_weights((day - past.due).astype(np.int64))
    money = _moved(_arr_rates(segments, code[known], past, weights), _drift(replayed, SEGMENT, history, day))
    spread = distribution(_book(segments, money, code[rows], history.arr_minor[rows]))
    return spread.quantile(0.05), spread.quantile(0.95)


def _drift(replayed: Replay, model: str, past: History, day: np.datetime64) -> Drift:
    """From the months that were over by the day, of the renewals that had closed by then."""
    over = (past.closed[replayed.row] < day) & (replayed.month < day.astype("datetime64[M]").astype(np.int64))
    return drift.measure(replayed.predicted[model][over], replayed.renewed[over], replayed.month[over])


def _by_segment(fitted: _Fitted, code: Ints, arr_minor: Ints, moved: Drift) -> _Chances:
    money = _moved(fitted.arr, moved)

    def spread(rows: Ints) -> Distribution:
        return distribution(_book(fitted.segments, money, code[rows], arr_minor[rows]))

    means = np.array([rate.mean for rate in money])
    return _Chances(drift.moved(fitted.logo.mean, moved.drift)[code], means[code], spread)


def _moved(fitted: Rates, moved: Drift) -> tuple[Uncertainty, ...]:
    """Each child's rate after the drift; the common shock adds to what the whole book shares."""
    mean = drift.moved(fitted.mean, moved.drift)
    slope = mean * (1 - mean)
    steeper = (slope / (fitted.mean * (1 - fitted.mean))) ** 2
    own, shared = fitted.own * steeper, fitted.shared * steeper
    common = fitted.common * steeper + (slope * moved.tau) ** 2
    columns = (mean.tolist(), own.tolist(), shared.tolist(), common.tolist())
    return tuple(Uncertainty(*row) for row in zip(*columns, strict=True))


def _regressed(
    due: Due, past: History, known: Known, rows: Ints, fitted: _Fitted, code: Ints, moved: Drift, day: np.datetime64
) -> _Chances:
    """Chances by the regression. Money differs from logos as it does in the account's segment."""
    asked_on = np.minimum(skill.asked_on(past.due, 0), past.closed)
    inputs = features.as_of(known.facts, known.past_account[rows], asked_on)
    weights = rates.age_weights((day - past.due).astype(np.int64))
    model = logistic.fit(inputs, (past.kept > 0).astype(np.float64), weights)
    now = features.as_of(known.facts, known.due_account, np.full(len(code), day))
    told = model.logit(now)
    logo = told + moved.drift
    money = logo + (logistic.logit(fitted.arr.mean) - logistic.logit(fitted.logo.mean))[code]
    design, amounts = model.design(now), due.arr_minor.astype(np.float64)

    def spread(chosen: Ints) -> Distribution:
        factor = drift.common_factor(design[chosen], model.covariance, amounts[chosen], money[chosen], moved.tau)
        return normals.shocked(amounts[chosen], money[chosen], factor)

    names = tuple(fact.name for fact in known.facts)
    reasons = Reasons(names, model.intercept, model.reasons(now), told)
    return _Chances(logistic.expit(logo), logistic.expit(money), spread, reasons)


def _known(history: History, rows: Ints) -> History:
    """What had closed by then, so that a forecast made in the past sees no more than was there."""
    return History(
        history.arr_minor[rows],
        history.due[rows],
        history.closed[rows],
        history.kept[rows],
        history.parent[rows],
        history.child[rows],
    )


def _fit(segments: Segments, code: Ints, past: History, day: np.datetime64) -> _Fitted:
    weights = rates.age_weights((day - past.due).astype(np.int64))
    children = len(segments.children)
    logo = rates.count(code, children, weights, (past.kept > 0).astype(np.float64))
    return _Fitted(segments, rates.fit("logo", segments, logo), _arr_rates(segments, code, past, weights))


def _arr_rates(segments: Segments, code: Ints, past: History, weights: Floats) -> Rates:
    amounts = past.arr_minor.astype(np.float64)
    return rates.fit("arr", segments, rates.count(code, len(segments.children), weights, past.kept, amounts))


def _total(chances: _Chances, rows: Ints, arr_minor: Ints, cents: Ints) -> tuple[Total, Distribution]:
    """Of the renewals in `rows`; `arr_minor` and `cents` are of all of them, (n,)."""
    spread = chances.spread(rows)
    arr = int(arr_minor[rows].sum())
    p05, p50, p95 = (min(max(round(spread.quantile(q)), 0), arr) for q in (0.05, 0.5, 0.95))
    renewals = float(chances.logo[rows].sum())
    return Total(len(rows), arr, renewals, int(cents[rows].sum()), p05, p50, p95), spread


def _book(segments: Segments, money: Sequence[Uncertainty], code: Ints, arr_minor: Ints) -> Book:
    """The accounts by segment, each segment with its ARR rate and who shares that rate's uncertainty."""
    order = np.argsort(code, kind="stable")
    present, first = np.unique(code[order], return_index=True)
    amounts = np.split(arr_minor[order].astype(np.float64), first[1:])
    grouped: dict[int, list[tuple[Floats, Uncertainty]]] = {}
    for child, part in zip(present.tolist(), amounts, strict=False):
        grouped.setdefault(int(segments.parent_of[child]), []).append((np.sort(part), money[child]))
    return segmented(list(grouped.values()))


def _groups(chances: _Chances, due: Due, cents: Ints, keys: Sequence[Texts]) -> tuple[GroupTotal, ...]:
    if not keys or not len(cents):
        return ()
    place = np.zeros(len(cents), dtype=np.int64)
    for key in keys:
        names, index = np.unique(key, return_inverse=True)
        # Renumbered at every step: the product of many keys' sizes would not fit into 64 bits.
        place = np.unique(place * len(names) + index, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(place, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    return tuple(
        GroupTotal(tuple(str(key[row[0]]) for key in keys), _total(chances, row, due.arr_minor, cents)[0])
        for row in rows
    )


def _check(columns: tuple[NDArray[np.generic], ...], arr_minor: Ints) -> None:
    if len({len(column) for column in columns}) != 1:
        raise ValueError("columns of renewals have one length")
    if bool((arr_minor < 0).any()):
        raise ValueError("an ARR that is due is not negative")
