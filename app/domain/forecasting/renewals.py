"""What the renewals due in a period will bring: a pure function from columns to a forecast (forecasting.md 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from app.domain.forecasting import chances, drift, rates, skill, totals
from app.domain.forecasting.book import Floats
from app.domain.forecasting.chances import Chances, Rated, Reasons
from app.domain.forecasting.columns import Due, History, Known, Texts
from app.domain.forecasting.drift import Drift, LaneShift
from app.domain.forecasting.moves import Assumed, moves
from app.domain.forecasting.rates import Ints, Rate
from app.domain.forecasting.skill import LOGISTIC, OVERALL, SEGMENT, Model, Replay, Skill
from app.domain.forecasting.totals import GroupTotal, Key, Total

__all__ = ["Assumed", "Due", "Forecast", "GroupTotal", "History", "Known", "Reasons", "Total", "forecast", "intervals"]


@dataclass(frozen=True)
class Forecast:
    """Total, chance to reach the target, groups in order of their keys, the rates that made it, and their verdict.

    The groups' expected amounts add up to the total's to the cent, whatever the keys. `skill` is the segment rate's over
    one rate for all; `model` is in charge, `challenged` the regression's verdict over the segment rate, where it ran.
    Both were judged on predictions `ahead` months before renewals were due, as half of those of the forecast are.
    `drift` and the measured `lanes` have moved every chance. Per renewal, (n,): `probability` by logos, as it is counted,
    `reasons` that add up to its logit, and what leads to money: `money_probability` times `kept_share` of what is due is
    expected to be kept, times `paid_share` with what is bought more. The amounts are rounded so that they add up;
    `p05_minor` and `p95_minor` are of each renewal by itself.
    """

    as_of: np.datetime64
    total: Total
    groups: tuple[GroupTotal, ...]
    skill: Skill
    rates: tuple[Rate, ...]
    model: str
    challenged: Skill | None
    reasons: Reasons
    drift: Drift
    lanes: tuple[LaneShift, ...]
    ahead: int
    probability: Floats
    money_probability: Floats
    kept_share: Floats
    paid_share: Floats
    expected_minor: Ints
    net_minor: Ints
    p05_minor: Ints
    p95_minor: Ints

    @property
    def target_minor(self) -> int | None:
        """What the total is to reach."""
        return self.total.target_minor

    @property
    def target_probability(self) -> float | None:
        """The chance that it does."""
        return self.total.target_probability


@dataclass(frozen=True)
class Learnt:
    """What a history says on a day: all that a forecast needs but the renewals due. `rows` are those closed before, `ahead`
    is how many months before they were due they were predicted."""

    day: np.datetime64
    past: History
    rows: Ints
    replayed: Replay
    model: str
    challenged: Skill | None
    drift: Drift
    lanes: tuple[LaneShift, ...]
    ahead: int


def forecast(
    due: Due,
    history: History,
    as_of: np.datetime64,
    keys: Sequence[Texts] = (),
    target_minor: int | None = None,
    known: Known | None = None,
    assumed: Assumed | None = None,
    targets: Mapping[Key, int] = MappingProxyType({}),
) -> Forecast:
    """Forecast `due` from what had closed before `as_of` (a day). `keys` are text columns (n,) to group by.

    Money follows the ARR-weighted rates, counts the logo rates. With `known` the regression is replayed, and takes
    over where it shows skill over the segment rate. Where `lane` is known of both, each lane has its own shift.
    `targets` are of groups by their keys. Raises ValueError for a key of another length.
    """
    if any(len(key) != len(due.arr_minor) for key in keys):
        raise ValueError("a key has one value per renewal due")
    return stated(
        due, learnt(history, as_of, known, skill.ahead(due.date, as_of)), keys, target_minor, known, assumed, targets
    )


def learnt(history: History, as_of: np.datetime64, known: Known | None = None, ahead: int = 0) -> Learnt:
    """Replays what had closed before `as_of`, `ahead` months ahead: the model in charge, drift, and the shifts of lanes."""
    day = as_of.astype("datetime64[D]")
    rows = np.flatnonzero(history.closed < day)
    past = history.chosen(rows)
    segments, code = rates.index_segments(past.parent, past.child)
    models: dict[str, Model] = {OVERALL: skill.overall, SEGMENT: skill.segment(segments, code)}
    if known is not None:
        models[LOGISTIC] = skill.regression(known.facts, known.past_account[rows], past.due, past.closed, ahead)
    replayed = skill.replay(models, past.due, past.closed, past.kept > 0, ahead)
    model, verdicts = skill.in_charge(replayed)
    over = _over(replayed, past, day)
    moved = drift.measure(replayed.predicted[model][over], replayed.renewed[over], replayed.month[over])
    lanes: tuple[LaneShift, ...] = ()
    if past.lane is not None:
        told = (
            replayed.predicted[model][over],
            replayed.renewed[over],
            replayed.month[over],
            past.lane[replayed.row[over]],
        )
        lanes = tuple(one for one in drift.lane_shifts(*told, moved) if one.lane)
    return Learnt(day, past, rows, replayed, model, verdicts.get(LOGISTIC), moved, lanes, ahead)


def stated(
    due: Due,
    from_: Learnt,
    keys: Sequence[Texts] = (),
    target_minor: int | None = None,
    known: Known | None = None,
    assumed: Assumed | None = None,
    targets: Mapping[Key, int] = MappingProxyType({}),
) -> Forecast:
    """The forecast of `due` from what was learnt: several, under what is assumed of each, need to learn but once."""
    found, fitted = _chances(due, from_, known, assumed)
    summed = totals.totals(found, due)
    return Forecast(
        as_of=from_.day,
        total=summed.of(np.arange(len(due.arr_minor)), target_minor),
        groups=totals.groups(summed, keys, targets),
        skill=skill.judge(from_.replayed),
        rates=rates.describe(fitted.logo) + rates.describe(fitted.arr),
        model=from_.model,
        challenged=from_.challenged,
        reasons=found.reasons,
        drift=from_.drift,
        lanes=from_.lanes,
        ahead=from_.ahead,
        probability=found.logo,
        money_probability=found.money,
        kept_share=found.paying(summed.gross),
        paid_share=found.paying(found.paid),
        expected_minor=summed.kept,
        net_minor=summed.net,
        p05_minor=totals.alone(summed, 0.05),
        p95_minor=totals.alone(summed, 0.95),
    )


def intervals(
    rated: Rated, books: Sequence[Ints], replayed: Replay, as_of: np.datetime64
) -> tuple[tuple[float, float], ...]:
    """p05 and p95 of the money kept of each of `books`, rows of the history, by segment rates as known on `as_of` (a day).

    `replayed` of the whole history; of it, too, only what had closed by then is used.
    """
    day, history = as_of.astype("datetime64[D]"), rated.history
    over = _over(replayed, history, day)
    moved = drift.measure(replayed.predicted[SEGMENT][over], replayed.renewed[over], replayed.month[over])
    bounds = []
    for rows in books:
        unshifted = moves(len(rows), moved, (), None, None)
        found = chances.by_segment(rated.on(day), rated.code[rows], history.arr_minor[rows], unshifted)
        spread = found.spread(np.arange(len(rows)), np.minimum(found.paid, 1.0))
        bounds.append((spread.quantile(0.05), spread.quantile(0.95)))
    return tuple(bounds)


def _chances(due: Due, from_: Learnt, known: Known | None, assumed: Assumed | None) -> tuple[Chances, chances.Fitted]:
    past, count = from_.past, len(due.arr_minor)
    parents, children = np.concatenate([past.parent, due.parent]), np.concatenate([past.child, due.child])
    segments, code = rates.index_segments(parents, children)
    then, now = code[: len(past.due)], code[len(past.due) :]
    fitted = chances.fit(segments, then, past, from_.day)
    moved = moves(count, from_.drift, from_.lanes, due.lane, assumed)
    if known is not None and from_.model == LOGISTIC:
        return chances.by_regression(due, past, known, from_.rows, fitted, now, moved, (from_.day, from_.ahead)), fitted
    return chances.by_segment(fitted, now, due.arr_minor, moved), fitted


def _over(replayed: Replay, past: History, day: np.datetime64) -> Ints:
    """The rows of a replay whose months were over by the day, of the renewals that had closed by then."""
    before = (past.closed[replayed.row] < day) & (replayed.month < day.astype("datetime64[M]").astype(np.int64))
    return np.flatnonzero(before)
