"""How forecasts did on the organisation's own past: scores per model and lag, intervals, money, and a verdict in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import beta, rates, renewals, skill
from app.domain.forecasting.features import Facts
from app.domain.forecasting.rates import Floats, Ints
from app.domain.forecasting.renewals import History
from app.domain.forecasting.skill import LOGISTIC, OVERALL, SEGMENT, Model, Replay, Seen, Skill

LAST_THREE = "last_three_months"
LAGS = (0, 1, 3)
BINS = 10
LEVEL = 0.90
_RECENT_DAYS = 92


@dataclass(frozen=True)
class Bin:
    """Predictions in [low, high): how many, their mean, and the share that renewed with its 90 % interval."""

    low: float
    high: float
    renewals: int
    predicted: float
    renewed: float
    renewed_low: float
    renewed_high: float


@dataclass(frozen=True)
class Score:
    """One model's predictions `lag` months ahead. Figures are None where nothing was replayed or all ended alike.

    `brier_skill` is over the base rate; `money_error` is sum over months |forecast - kept| / sum of what was due.
    """

    model: str
    lag: int
    renewals: int
    months: int
    brier: float | None
    brier_skill: float | None
    log_loss: float | None
    auc: float | None
    money_error: float | None
    calibration: tuple[Bin, ...]


@dataclass(frozen=True)
class Coverage:
    """In how many months the 90 % interval, made `lag` months ahead, held what was kept; `width` is the mean of
    (p95 - p05) / due. None without months."""

    lag: int
    months: int
    held: float | None
    width: float | None


@dataclass(frozen=True)
class Backtest:
    """Scores per lag and model, interval coverage per lag, who is in charge, and each verdict with its reason."""

    scores: tuple[Score, ...]
    coverage: tuple[Coverage, ...]
    in_charge: str
    skill: Skill
    verdicts: Mapping[str, Skill]
    words: str


def backtest(
    history: History, account: Ints | None = None, facts: Sequence[Facts] = (), lags: Sequence[int] = LAGS
) -> Backtest:
    """Replay a history month by month, `lags` months ahead, against base rate, segment rate and last three months.

    With `facts` and each row's `account` (m,) the regression is replayed too. Verdicts are of the first lag.
    """
    segments, code = rates.index_segments(history.parent, history.child)
    scored: list[Score] = []
    covered: list[Coverage] = []
    first: Replay | None = None
    for lag in lags:
        models: dict[str, Model] = {OVERALL: skill.overall, LAST_THREE: _last_three(history)}
        models[SEGMENT] = skill.segment(segments, code)
        if account is not None and facts:
            models[LOGISTIC] = skill.regression(facts, account, history.due, history.closed, lag)
        replayed = skill.replay(models, history.due, history.closed, history.kept > 0, lag)
        first = first or replayed
        scored += [score(name, lag, replayed, history) for name in models]
        covered.append(coverage(history, replayed, lag))
    if first is None:
        raise ValueError("a backtest is made for one lag at least")
    judged = {name: p for name, p in first.predicted.items() if name != LAST_THREE}
    chosen, verdicts = skill.in_charge(Replay(judged, first.row, first.month, first.renewed))
    verdict = skill.judge(first)
    return Backtest(tuple(scored), tuple(covered), chosen, verdict, verdicts, _words(chosen, verdict, verdicts))


def score(name: str, lag: int, replayed: Replay, history: History) -> Score:
    """One model's figures from what it predicted out of time."""
    p, came, months = replayed.predicted[name], replayed.renewed.astype(np.float64), np.unique(replayed.month)
    if not len(p):
        return Score(name, lag, 0, 0, None, None, None, None, None, ())
    brier, base = float(np.mean((p - came) ** 2)), float(np.mean((replayed.predicted[OVERALL] - came) ** 2))
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    loss = -float(np.mean(came * np.log(inside) + (1 - came) * np.log1p(-inside)))
    amounts = history.arr_minor[replayed.row].astype(np.float64)
    _, place = np.unique(replayed.month, return_inverse=True)
    missed = np.bincount(place, amounts * (p - history.kept[replayed.row]))
    error = float(np.abs(missed).sum() / amounts.sum()) if amounts.sum() > 0 else None
    alike = bool(replayed.renewed.all() or not replayed.renewed.any())
    return Score(
        name, lag, len(p), len(months), brier, None if alike else 1 - brier / base, loss, auc(p, replayed.renewed),
        error, calibration(p, replayed.renewed),
    )  # fmt: skip


def auc(p: Floats, renewed: NDArray[np.bool_]) -> float | None:
    """P(a renewal was given more than a loss), ties count half; None where all ended alike."""
    good, bad = int(renewed.sum()), int((~renewed).sum())
    if not good or not bad:
        return None
    _, place, times = np.unique(p, return_inverse=True, return_counts=True)
    rank = np.cumsum(times) - (times - 1) / 2
    return float((rank[place][renewed].sum() - good * (good + 1) / 2) / (good * bad))


def calibration(p: Floats, renewed: NDArray[np.bool_], bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equal width, those without predictions left out."""
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    total, came = np.bincount(place, p, bins), np.bincount(place, renewed, bins)
    low = beta.quantile(came + 0.5, count - came + 0.5, (1 - LEVEL) / 2)
    high = beta.quantile(came + 0.5, count - came + 0.5, (1 + LEVEL) / 2)
    return tuple(
        Bin(
            k / bins, (k + 1) / bins, int(count[k]), float(total[k] / count[k]), float(came[k] / count[k]),
            float(low[k]), float(high[k]),
        )
        for k in np.flatnonzero(count).tolist()
    )  # fmt: skip


def coverage(history: History, replayed: Replay, lag: int) -> Coverage:
    """The forecast's own interval of each replayed month's money, from what was known when it was made."""
    held, width = [], []
    for month in np.unique(replayed.month):
        rows = replayed.row[replayed.month == month]
        due = int(history.arr_minor[rows].sum())
        day = np.datetime64(int(month) - lag, "M").astype("datetime64[D]")
        if due:
            low, high = renewals.interval(history, rows, replayed, day)
            kept = float(history.arr_minor[rows] @ history.kept[rows])
            held.append(low <= kept <= high)
            width.append((high - low) / due)
    if not held:
        return Coverage(lag, 0, None, None)
    return Coverage(lag, len(held), float(np.mean(held)), float(np.mean(width)))


def _last_three(history: History) -> Model:
    """The share renewed of what was due in the last three months, one rate for all; before any, the base rate."""

    def predict(seen: Seen) -> Floats:
        recent = (seen.day - history.due[seen.known]).astype(np.int64) <= _RECENT_DAYS
        if not recent.any():
            return skill.overall(seen)
        rate = (seen.kept[recent].sum() + rates.PRIOR_MEAN) / (recent.sum() + 1)
        return np.full(len(seen.asked), float(rate))

    return predict


def _words(chosen: str, verdict: Skill, verdicts: Mapping[str, Skill]) -> str:
    """The verdict as people read it."""
    said = [f"Segments against one rate for all: {verdict.verdict}. {verdict.because}"]
    for name, found in verdicts.items():
        said.append(f"{name.capitalize()} against the simpler rates: {found.verdict}. {found.because}")
    said.append(f"In charge: {chosen}.")
    return " ".join(said)
