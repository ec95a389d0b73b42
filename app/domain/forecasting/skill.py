"""Has a model earned its place? A replay month by month, knowing only what was known then (forecasting.md 1.4)."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import features, logistic, rates
from app.domain.forecasting.book import Floats
from app.domain.forecasting.features import Dates, Facts
from app.domain.forecasting.inputs import pairs
from app.domain.forecasting.rates import Ints, Segments

Bools = NDArray[np.bool_]
T = TypeVar("T")

LEAST_MONTHS = 3
LEAST_RENEWALS = 30
OVERALL, SEGMENT, LOGISTIC = "overall", "segment", "logistic"
_WORDS = {
    OVERALL: "one rate for all", SEGMENT: "segments", LOGISTIC: "the regression",
    "last_three_months": "the share of the last three months",
}  # fmt: skip


@dataclass(frozen=True)
class Skill:
    """A model against a simpler one, out of time.

    `brier_skill` is 1 - Brier(model) / Brier(base), `standard_error` its error over months; None where too little
    could be replayed. `because` says in a sentence why the verdict is what it is.
    """

    verdict: Literal["skill shown", "no skill shown"]
    because: str
    brier: float | None
    base_brier: float | None
    brier_skill: float | None
    standard_error: float | None
    months: int
    renewals: int


@dataclass(frozen=True)
class Seen:
    """What a model may see of the history on a `day`: rows closed before, whether they renewed, their weights; rows asked.

    `known` and `asked` number the history's rows; `kept` and `weights` are (known,). Outcomes of others are not here.
    """

    day: np.datetime64
    known: Ints
    kept: Floats
    weights: Floats
    asked: Ints


Model = Callable[[Seen], Floats]
"""P(renewal) of the rows asked, (asked,)."""


@dataclass(frozen=True)
class Replay:
    """Out-of-time predictions, (rows,) each: per model, the row of the history, its due month, and whether it renewed."""

    predicted: Mapping[str, Floats]
    row: Ints
    month: Ints
    renewed: Bools


def overall(seen: Seen) -> Floats:
    """One rate for all."""
    rate = (seen.kept @ seen.weights + rates.PRIOR_MEAN) / (seen.weights.sum() + 1)
    return np.full(len(seen.asked), float(rate))


def segment(segments: Segments, code: Ints) -> Model:
    """The two-level segment rate; `code` (rows,) names the child of each row of the history."""

    def predict(seen: Seen) -> Floats:
        counts = rates.count(code[seen.known], len(segments.children), seen.weights, seen.kept)
        return np.asarray(rates.fit("logo", segments, counts).mean[code[seen.asked]], dtype=np.float64)

    return predict


def regression(facts: Sequence[Facts], account: Ints, due: Dates, closed: Dates, lag: int = 0) -> Model:
    """The ridge logistic regression; every row is learnt from as it was known when it would have been predicted.

    A renewal that closed before that is learnt from as it was known when it closed.
    """
    inputs = features.as_of(facts, account, np.minimum(asked_on(due, lag), closed))
    together = pairs([fact.name for fact in facts])
    before: list[logistic.Logistic] = []

    def predict(seen: Seen) -> Floats:
        # Of what is known now the month before knew nearly all.
        start = before.pop() if before else None
        before.append(logistic.fit(inputs[seen.known], seen.kept, seen.weights, start=start, pairs=together))
        return before[0].predict(inputs[seen.asked])

    return predict


def ahead(due: Dates, as_of: np.datetime64) -> int:
    """How many months ahead half of the renewals are due: as far ahead models are to be learnt, and to be judged."""
    months = (due.astype("datetime64[M]") - as_of.astype("datetime64[M]")).astype(np.int64)
    return max(int(np.median(months)), 0) if len(months) else 0


def asked_on(due: Dates, lag: int) -> Dates:
    """The day a renewal due on `due` is predicted, `lag` months ahead: the first of a month."""
    return np.asarray((due.astype("datetime64[M]") - lag).astype("datetime64[D]"))


def replay(models: Mapping[str, Model], due: Dates, closed: Dates, renewed: Bools, lag: int = 0) -> Replay:
    """Predict each month's renewals from what had closed `lag` months before it began; columns (rows,), dates in days.

    Months for which nothing was known are left out. A renewal that closed before it was asked for is not predicted.
    """
    return finished(replaying(models, due, closed, renewed, lag))


def finished(work: Generator[None, None, T]) -> T:
    """What work that can be interrupted gives when it is not."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: T = end.value
            return found


def replaying(
    models: Mapping[str, Model], due: Dates, closed: Dates, renewed: Bools, lag: int
) -> Generator[None, None, Replay]:
    """The same, month by month."""
    months = due.astype("datetime64[M]").astype(np.int64)
    found: dict[str, list[Floats]] = {name: [] for name in models}
    rows: list[Ints] = [np.zeros(0, dtype=np.int64)]
    for month in np.unique(months):
        day = np.datetime64(int(month) - lag, "M").astype("datetime64[D]")
        known, asked = np.flatnonzero(closed < day), np.flatnonzero((months == month) & (closed >= day))
        if not len(known) or not len(asked):
            continue
        weights = rates.age_weights((day - due[known]).astype(np.int64))
        seen = Seen(day, known, renewed[known].astype(np.float64), weights, asked)
        for name, model in models.items():
            found[name].append(model(seen))
        rows.append(asked)
        yield
    row = np.concatenate(rows)
    predicted = {name: np.concatenate([np.zeros(0), *parts]) for name, parts in found.items()}
    return Replay(predicted, row, months[row], renewed[row])


def judge(replayed: Replay, model: str = SEGMENT, base: str = OVERALL) -> Skill:
    """The verdict: skill is shown when the Brier skill is above zero by a standard error, clustered by month."""
    months, renewals = len(np.unique(replayed.month)), len(replayed.month)
    if months < LEAST_MONTHS or renewals < LEAST_RENEWALS:
        because = (
            f"Only {renewals} renewals in {months} months could be replayed; "
            f"{LEAST_RENEWALS} in {LEAST_MONTHS} months are needed to tell."
        )
        return Skill("no skill shown", because, None, None, None, None, months, renewals)
    came = replayed.renewed.astype(np.float64)
    ours, theirs = (replayed.predicted[model] - came) ** 2, (replayed.predicted[base] - came) ** 2
    brier, plain = float(ours.mean()), float(theirs.mean())
    if replayed.renewed.all() or not replayed.renewed.any():
        because = f"All {renewals} replayed renewals ended alike: there was nothing to tell apart."
        return Skill("no skill shown", because, brier, plain, None, None, months, renewals)
    gain = 1 - brier / plain
    _, place = np.unique(replayed.month, return_inverse=True)
    surprise = np.bincount(place, theirs - ours - gain * theirs)
    error = float(np.sqrt((surprise**2).sum() * months / (months - 1)) / theirs.sum())
    figures = f"Brier skill {gain:.3f}, standard error {error:.3f}, over {renewals} renewals in {months} months"
    if gain > error:
        return Skill("skill shown", f"{figures}.", brier, plain, gain, error, months, renewals)
    did_not = f"{_WORDS.get(model, model)} did not predict better than {_WORDS.get(base, base)} by a standard error"
    return Skill("no skill shown", f"{figures}: {did_not}.", brier, plain, gain, error, months, renewals)


def in_charge(replayed: Replay) -> tuple[str, Mapping[str, Skill]]:
    """Which model is to be used, and each other model's verdict.

    The segment rate stays unless another shows skill over it; of several the one with the lower Brier score. Where the
    segments themselves are worse than one rate for all, beating them proves nothing: that rate has to be beaten too.
    """
    verdicts: dict[str, Skill] = {}
    for name in replayed.predicted:
        if name not in (SEGMENT, OVERALL):
            over_segments = judge(replayed, name, SEGMENT)
            shown = over_segments.verdict == "skill shown"
            over_all = judge(replayed, name, OVERALL)
            verdicts[name] = over_all if shown and over_all.verdict == "no skill shown" else over_segments
    proven = [(skill.brier, name) for name, skill in verdicts.items() if skill.verdict == "skill shown"]
    return min(proven)[1] if proven else SEGMENT, verdicts
