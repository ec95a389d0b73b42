"""The chance of every renewal, why it is what it is, and the distribution of what some of them bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.domain.forecasting import drift, features, logistic, normals, rates, skill
from app.domain.forecasting.book import Book, Floats, Uncertainty, segmented
from app.domain.forecasting.columns import Due, History, Known
from app.domain.forecasting.distribution import Distribution, distribution
from app.domain.forecasting.inputs import pairs
from app.domain.forecasting.moves import NAMES, Moves
from app.domain.forecasting.paid import ratios
from app.domain.forecasting.rates import Ints, Rates, Segments
from app.domain.forecasting.skill import Seen


@dataclass(frozen=True)
class Reasons:
    """Why each renewal due has its chance, (n, inputs): with `base` a row adds up to `logit` (n,), of the chance by logos. By
    `names` (inputs,)."""

    names: tuple[str, ...]
    base: float
    parts: Floats
    logit: Floats


@dataclass(frozen=True)
class Fitted:
    """Segment rates of a history by logos and by money, and what each parent's accounts pay where they renew.

    `paid` is (parents, quantiles), shares of what was due, above 1 where they buy more.
    """

    segments: Segments
    logo: Rates
    arr: Rates
    paid: Floats


@dataclass(frozen=True)
class Chances:
    """P(renewal) by logos and by money per renewal due, (n,), and what is paid where it comes: `paid[kind]`.

    `spread` gives the distribution of the money of some rows, for shares paid in the shape of `paid`.
    """

    logo: Floats
    money: Floats
    paid: Floats
    kind: Ints
    spread: Callable[[Ints, Floats], Distribution]
    reasons: Reasons

    def share(self, paid: Floats) -> Floats:
        """The expected share of what is due, (n,), where an account that renews pays `paid[kind]`."""
        return np.asarray(self.money * self.paying(paid), dtype=np.float64)

    def paying(self, paid: Floats) -> Floats:
        """The mean share of what is due, (n,), that an account pays if it renews."""
        return np.asarray(paid.mean(axis=1)[self.kind], dtype=np.float64)


def fit(segments: Segments, code: Ints, past: History, day: np.datetime64) -> Fitted:
    """From closed renewals, whose child segment is `code` (m,), as they weigh on the day."""
    weights = rates.age_weights((day - past.due).astype(np.int64))
    came, children = (past.kept > 0).astype(np.float64), len(segments.children)
    amounts = past.arr_minor.astype(np.float64)
    logo = rates.fit("logo", segments, rates.count(code, children, weights, came))
    arr = rates.fit("arr", segments, rates.count(code, children, weights, came, amounts))
    renewed = np.flatnonzero((past.kept > 0) & (past.arr_minor > 0))
    paid = (past.kept if past.paid is None else past.paid)[renewed]
    worth = (weights * amounts / max(float(amounts.max(initial=0.0)), 1.0))[renewed]
    found = ratios(paid, worth, segments.parent_of[code[renewed]], len(segments.parents))
    return Fitted(segments, logo, arr, found)


@dataclass(frozen=True)
class Rated:
    """A history and what its segments are found to be on days gone by; `code` (m,) is each row's child segment."""

    history: History
    segments: Segments
    code: Ints
    found: dict[np.datetime64, Fitted] = field(default_factory=dict)

    def on(self, day: np.datetime64) -> Fitted:
        """From what had closed before the day. Kept: several lags ask for the same days."""
        if day not in self.found:
            known = np.flatnonzero(self.history.closed < day)
            self.found[day] = fit(self.segments, self.code[known], self.history.chosen(known), day)
        return self.found[day]

    def predict(self, seen: Seen) -> Floats:
        """The segment rate as a model of a replay of the history."""
        return np.asarray(self.on(seen.day).logo.mean[self.code[seen.asked]], dtype=np.float64)


def rated(history: History) -> Rated:
    """A history of which nothing is found yet."""
    return Rated(history, *rates.index_segments(history.parent, history.child))


def by_segment(fitted: Fitted, code: Ints, arr_minor: Ints, moved: Moves) -> Chances:
    """By the segment rates; `code` (n,) is each renewal's child segment."""
    parent = fitted.segments.parent_of[code]
    paid, kind = _paid(fitted, parent, moved)
    unit, first = _numbered(code, moved.shift, np.nan_to_num(moved.chance, nan=-1.0), moved.variance, kind)
    money = _uncertain(fitted.arr, code[first], moved, first)
    means = np.array([rate.mean for rate in money])[unit] if money else np.zeros(0)
    logo = _said(moved, drift.moved(fitted.logo.mean[code], moved.shift))

    def spread(rows: Ints, shares: Floats) -> Distribution:
        return distribution(_book(parent[first], money, kind[first], shares, unit[rows], arr_minor[rows]))

    base = float(logistic.logit(np.array(fitted.logo.book_mean)))
    above, own = logistic.logit(fitted.logo.parent_mean[parent]), logistic.logit(fitted.logo.mean[code])
    return Chances(
        logo, means, paid, kind, spread, _reasons(("parent", "child"), base, [above - base, own - above], moved)
    )


def by_regression(
    due: Due, past: History, known: Known, rows: Ints, fitted: Fitted, code: Ints, moved: Moves,
    when: tuple[np.datetime64, int],
) -> Chances:  # fmt: skip
    """By the regression over what was known; `rows` are those of `past` among all closed ones, `when` is the day, and how
    many months ahead it is learnt. Money differs from logos as it does in the account's segment."""
    day, ahead = when
    asked_on = np.minimum(skill.asked_on(past.due, ahead), past.closed)
    inputs = features.as_of(known.facts, known.past_account[rows], asked_on)
    weights = rates.age_weights((day - past.due).astype(np.int64))
    names = tuple(fact.name for fact in known.facts)
    model = logistic.fit(inputs, (past.kept > 0).astype(np.float64), weights, pairs=pairs(names))
    now = features.as_of(known.facts, known.due_account, np.full(len(code), day))
    apart = (logistic.logit(fitted.arr.mean) - logistic.logit(fitted.logo.mean))[code]
    told = model.logit(now) + moved.shift
    logo, money = _said(moved, logistic.expit(told)), _said(moved, logistic.expit(told + apart))
    eta, free = logistic.logit(money), np.isnan(moved.chance)
    paid, kind = _paid(fitted, fitted.segments.parent_of[code], moved)
    # Who is said to leave has no part in what can come.
    amounts: Floats = due.arr_minor.astype(np.float64) * (money > 0)
    design = model.design(now)

    def spread(chosen: Ints, shares: Floats) -> Distribution:
        mine, open_ = amounts[chosen], free[chosen]
        worth = mine * shares.mean(axis=1)[kind[chosen]] * open_
        tau = float(np.sqrt(np.average(moved.variance[chosen], weights=mine))) if mine.sum() > 0 else 0.0
        factor = drift.common_factor(design[chosen], model.covariance, worth, eta[chosen], tau) * open_
        return normals.shocked(mine, eta[chosen], factor, shares[kind[chosen]] if len(shares) > 1 else shares)

    reasons = _reasons(names, model.intercept, [*model.reasons(now).T], moved)
    return Chances(logo, money, paid, kind, spread, reasons)


def _paid(fitted: Fitted, parent: Ints, moved: Moves) -> tuple[Floats, Ints]:
    """What is paid by kind, and each renewal's kind: its parent's shares times the factor that is assumed."""
    table = fitted.paid
    if table.shape[1] == 1:
        parent = np.zeros_like(parent)
    kind, first = _numbered(parent, moved.factor)
    return table[parent[first]] * moved.factor[first, None], kind


def _numbered(*columns: Floats | Ints) -> tuple[Ints, Ints]:
    """Which rows are alike in all columns, numbered from nought, and the first row of each number."""
    place = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        names, index = np.unique(column, return_inverse=True)
        # Renumbered at every step: the product of many columns' sizes would not fit into 64 bits.
        place = np.unique(place * len(names) + index, return_inverse=True)[1].astype(np.int64)
    return place, np.unique(place, return_index=True)[1].astype(np.int64)


def _said(moved: Moves, chance: Floats) -> Floats:
    return np.asarray(np.where(np.isnan(moved.chance), chance, moved.chance), dtype=np.float64)


def _uncertain(fitted: Rates, child: Ints, moved: Moves, row: Ints) -> tuple[Uncertainty, ...]:
    """The rate of each unit of renewals that are moved alike; what moves them all adds to what the whole book shares."""
    before = fitted.mean[child]
    mean = drift.moved(before, moved.shift[row])
    slope = mean * (1 - mean)
    steeper = (slope / (before * (1 - before))) ** 2
    own, shared = fitted.own[child] * steeper, fitted.shared[child] * steeper
    # Units of one child share its doubt; as siblings they do, as cells of their own they would not.
    parted = np.bincount(child, minlength=len(fitted.mean))[child] > 1
    shared, own = np.where(parted, shared + own, shared), np.where(parted, 0.0, own)
    common = fitted.common[child] * steeper + slope**2 * moved.variance[row]
    free = np.isnan(moved.chance[row])
    mean = _said(Moves(moved.parts[row], moved.variance[row], moved.chance[row], moved.factor[row]), mean)
    columns = (mean.tolist(), *((column * free).tolist() for column in (own, shared, common)))
    return tuple(Uncertainty(*one) for one in zip(*columns, strict=True))


def _book(parent: Ints, money: Sequence[Uncertainty], kind: Ints, shares: Floats, unit: Ints, arr_minor: Ints) -> Book:
    """The accounts by unit, each with its rate, what is paid, and who shares that rate's uncertainty."""
    order = np.argsort(unit, kind="stable")
    present, first = np.unique(unit[order], return_index=True)
    amounts = np.split(arr_minor[order].astype(np.float64), first[1:])
    grouped: dict[int, list[tuple[Floats, Uncertainty]]] = {}
    paid: dict[int, list[Floats]] = {}
    for one, part in zip(present.tolist(), amounts, strict=False):
        grouped.setdefault(int(parent[one]), []).append((np.sort(part), money[one]))
        paid.setdefault(int(parent[one]), []).append(shares[kind[one]][None, :])
    return segmented(list(grouped.values()), list(paid.values()))


def _reasons(names: tuple[str, ...], base: float, told: Sequence[Floats], moved: Moves) -> Reasons:
    """What is told and what moves it. Where a chance is said instead, what is assumed takes it there."""
    parts = np.column_stack([*told, moved.parts])
    said = ~np.isnan(moved.chance)
    parts[said, -1] += logistic.logit(moved.chance[said]) - base - parts[said].sum(axis=1)
    return Reasons((*names, *NAMES), base, parts, np.asarray(base + parts.sum(axis=1), dtype=np.float64))
