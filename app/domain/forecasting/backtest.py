"""How forecasts did on the organisation's own past: scores per model and lag, intervals, money, and a verdict in words."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import beta, chances, rates, renewals, skill
from app.domain.forecasting.chances import Rated
from app.domain.forecasting.features import Facts
from app.domain.forecasting.rates import Floats, Ints
from app.domain.forecasting.renewals import History
from app.domain.forecasting.skill import LOGISTIC, OVERALL, SEGMENT, Model, Replay, Seen, Skill

Texts = NDArray[np.str_]
Months = tuple[int, int]
"""[first, last) as numbers of months since 1970."""

LAST_THREE = "last_three_months"
BASES = (OVERALL, SEGMENT, LAST_THREE)
LAGS = (0, 1, 3)
BINS = 10
LEVEL = 0.90
LEAST_BOOK = 5
"""Renewals of one book in one month below which no interval is made of it."""
MOST_BOOKS = 60
"""Books' months that are tried at one lag, evenly drawn where there are more."""
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

    `brier_skill` is 1 - Brier / Brier of each of the three bases by name; `money_error` is sum over months
    |forecast - kept| / sum of what was due. `verdict` is over one rate for all, None for that rate itself.
    """

    model: str
    lag: int
    renewals: int
    months: int
    brier: float | None
    brier_skill: Mapping[str, float | None]
    log_loss: float | None
    auc: float | None
    money_error: float | None
    verdict: Skill | None
    calibration: tuple[Bin, ...]


@dataclass(frozen=True)
class Coverage:
    """How many of the 90 % intervals made `lag` months ahead held what was kept, of whole months or of each book's months.

    `held` is a share with its 90 % interval, `width` the mean of (p95 - p05) / due; None where none was made.
    """

    lag: int
    of: Literal["months", "books"]
    intervals: int
    held: float | None
    low: float | None
    high: float | None
    width: float | None


@dataclass(frozen=True)
class Tried:
    """One lag's replay and what came of it."""

    replayed: Replay
    scores: tuple[Score, ...]
    coverage: tuple[Coverage, ...]


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
    history: History, account: Ints | None = None, facts: Sequence[Facts] = (), lags: Sequence[int] = LAGS,
    within: Months | None = None, book: Texts | None = None,
) -> Backtest:  # fmt: skip
    """Replay a history month by month, `lags` months ahead, against base rate, segment rate and last three months.

    With `facts` and each row's `account` (m,) the regression is replayed too; with each row's `book` (m,) intervals of
    books are tried. Only renewals due in `within` are scored. Verdicts are of the first lag.
    """
    if not lags:
        raise ValueError("a backtest is made for one lag at least")
    found = chances.rated(history)
    return judged([skill.finished(trying(found, lag, account, facts, within, book)) for lag in lags])


def trying(
    rated: Rated, lag: int, account: Ints | None = None, facts: Sequence[Facts] = (), within: Months | None = None,
    book: Texts | None = None,
) -> Generator[None, None, Tried]:  # fmt: skip
    """One lag of a backtest, month by month; several share what is `rated`."""
    history = rated.history
    models: dict[str, Model] = {OVERALL: skill.overall, LAST_THREE: _last_three(history), SEGMENT: rated.predict}
    if account is not None and facts:
        models[LOGISTIC] = skill.regression(facts, account, history.due, history.closed, lag)
    whole = yield from skill.replaying(models, history.due, history.closed, history.kept > 0, lag)
    replayed = _inside(whole, within)
    scores = tuple(score(name, lag, replayed, history) for name in models)
    covered = yield from _covered(rated, whole, replayed, lag, book)
    return Tried(replayed, scores, covered)


def judged(lags: Sequence[Tried]) -> Backtest:
    """All lags together, the verdicts by the first."""
    first = lags[0].replayed
    others = {name: p for name, p in first.predicted.items() if name != LAST_THREE}
    chosen, verdicts = skill.in_charge(Replay(others, first.row, first.month, first.renewed))
    verdict = skill.judge(first)
    scores = tuple(found for one in lags for found in one.scores)
    coverage = tuple(found for one in lags for found in one.coverage)
    recent = skill.judge(lags[0].replayed, chosen, LAST_THREE)
    return Backtest(scores, coverage, chosen, verdict, verdicts, _words(chosen, verdict, verdicts, recent, coverage))


def score(name: str, lag: int, replayed: Replay, history: History) -> Score:
    """One model's figures from what it predicted out of time."""
    p, came, months = replayed.predicted[name], replayed.renewed.astype(np.float64), np.unique(replayed.month)
    verdict = None if name == OVERALL else skill.judge(replayed, name, OVERALL)
    if not len(p):
        return Score(name, lag, 0, 0, None, dict.fromkeys(BASES), None, None, None, verdict, ())
    brier = float(np.mean((p - came) ** 2))
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    loss = -float(np.mean(came * np.log(inside) + (1 - came) * np.log1p(-inside)))
    amounts = history.arr_minor[replayed.row].astype(np.float64)
    _, place = np.unique(replayed.month, return_inverse=True)
    missed = np.bincount(place, amounts * (p - history.kept[replayed.row]))
    error = float(np.abs(missed).sum() / amounts.sum()) if amounts.sum() > 0 else None
    alike = bool(replayed.renewed.all() or not replayed.renewed.any())
    bases = {base: float(np.mean((replayed.predicted[base] - came) ** 2)) for base in BASES}
    gained = {base: None if alike or theirs <= 0 else 1 - brier / theirs for base, theirs in bases.items()}
    return Score(
        name, lag, len(p), len(months), brier, gained, loss, auc(p, replayed.renewed), error, verdict,
        calibration(p, replayed.renewed),
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


def _inside(replayed: Replay, within: Months | None) -> Replay:
    """What was due in these months."""
    if within is None:
        return replayed
    kept = (replayed.month >= within[0]) & (replayed.month < within[1])
    predicted = {name: p[kept] for name, p in replayed.predicted.items()}
    return Replay(predicted, replayed.row[kept], replayed.month[kept], replayed.renewed[kept])


def _covered(
    rated: Rated, whole: Replay, replayed: Replay, lag: int, book: Texts | None
) -> Generator[None, None, tuple[Coverage, ...]]:
    """The forecast's own intervals of each replayed month's money, and of each book's part, from what was known then."""
    history = rated.history
    months: list[tuple[int, Ints]] = [
        (m, replayed.row[replayed.month == m]) for m in np.unique(replayed.month).tolist()
    ]
    books = [] if book is None else _books(months, book)
    of: dict[Literal["months", "books"], list[tuple[int, Ints]]] = {"months": months, "books": books}
    found: dict[str, list[tuple[bool, float]]] = {"months": [], "books": []}
    for month, _ in months:
        day = np.datetime64(month - lag, "M").astype("datetime64[D]")
        asked = [
            (name, rows)
            for name, parts in of.items()
            for at, rows in parts
            if at == month and history.arr_minor[rows].any()
        ]
        bounds = renewals.intervals(rated, [rows for _, rows in asked], whole, day)
        for (name, rows), (low, high) in zip(asked, bounds, strict=True):
            kept = float(history.arr_minor[rows] @ history.kept[rows])
            found[name].append((low <= kept <= high, (high - low) / int(history.arr_minor[rows].sum())))
        yield
    return tuple(_coverage(lag, name, found[name]) for name in of if name == "months" or book is not None)


def _books(months: Sequence[tuple[int, Ints]], book: Texts) -> list[tuple[int, Ints]]:
    """Each book's renewals of each month, of those that are not too small; evenly drawn where there are very many."""
    found: list[tuple[int, Ints]] = []
    for month, rows in months:
        names, place = np.unique(book[rows], return_inverse=True)
        parts = (rows[place == at] for at in range(len(names)))
        found += [(month, part) for part in parts if len(part) >= LEAST_BOOK]
    if not found:
        return []
    drawn = np.unique(np.linspace(0, len(found) - 1, min(len(found), MOST_BOOKS)).astype(np.int64))
    return [found[at] for at in drawn.tolist()]


def _coverage(lag: int, of: Literal["months", "books"], found: Sequence[tuple[bool, float]]) -> Coverage:
    if not found:
        return Coverage(lag, of, 0, None, None, None, None)
    held = sum(inside for inside, _ in found)
    at = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = beta.quantile(held + 0.5, len(found) - held + 0.5, at).tolist()
    return Coverage(lag, of, len(found), held / len(found), low, high, float(np.mean([width for _, width in found])))


def _last_three(history: History) -> Model:
    """The share renewed of what was due in the last three months, one rate for all; before any, the base rate."""

    def predict(seen: Seen) -> Floats:
        recent = (seen.day - history.due[seen.known]).astype(np.int64) <= _RECENT_DAYS
        if not recent.any():
            return skill.overall(seen)
        rate = (seen.kept[recent].sum() + rates.PRIOR_MEAN) / (recent.sum() + 1)
        return np.full(len(seen.asked), float(rate))

    return predict


def _words(
    chosen: str, verdict: Skill, verdicts: Mapping[str, Skill], recent: Skill, coverage: Sequence[Coverage]
) -> str:
    """The verdict as people read it."""
    said = [f"Segments against one rate for all: {verdict.verdict}. {verdict.because}"]
    for name, found in verdicts.items():
        said.append(f"{name.capitalize()} against the simpler rates: {found.verdict}. {found.because}")
    said.append(f"In charge: {chosen}.")
    said.append(f"Against the share of the last three months: {recent.verdict}. {recent.because}")
    said += [narrow for one in coverage if (narrow := too_narrow(one))]
    return " ".join(said)


def too_narrow(of: Coverage) -> str | None:
    """In words, where fewer of the ranges held than their level can be by chance; None where it can."""
    if of.high is None or of.held is None or of.high >= LEVEL:
        return None
    when = "of the same month" if of.lag == 0 else "a month ahead" if of.lag == 1 else f"{of.lag} months ahead"
    whose = "months" if of.of == "months" else "months of single books"
    held = round(of.held * of.intervals)
    return f"Its {LEVEL:.0%} ranges {when} held {held} of {of.intervals} {whose}: read them as too narrow."
