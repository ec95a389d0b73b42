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

LEAST_MONTHS = 6
LEAST_RENEWALS = 100
LEAST_GAIN = 0.005
"""Brier skill below which nobody's decision would be another one: it is none, however sure it is."""
_ALIKE = 1e-6
"""Chances that differ by less are the same."""
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
    """One rate for all: what segments are held against, found as theirs are where there is one segment.

    Found in another way the two would differ where nothing is told apart, and the difference be taken for skill.
    """
    counts = rates.count(np.zeros(len(seen.known), dtype=np.int64), 1, seen.weights, seen.kept)
    return np.full(len(seen.asked), float(rates.fit("logo", _ONE, counts).mean[0]))


_ONE = Segments(("",), ("",), np.zeros(1, dtype=np.int64))


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
    """The verdict: skill is shown when the Brier skill is above zero by a standard error, clustered by month.

    Of few months the error is itself uncertain: as many of them are needed as Student's t has where the normal has one.
    Who gives all renewals of a month one chance has no skill: it tells none from another.
    """
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
    name, other = _WORDS.get(model, model), _WORDS.get(base, base)
    if not _told_apart(replayed, model):
        because = f"{name[0].upper()}{name[1:]} gave all {renewals} renewals of their months the same chance: nothing told one from another."
        return Skill("no skill shown", because, brier, plain, None, None, months, renewals)
    gain = 1 - brier / plain
    _, place = np.unique(replayed.month, return_inverse=True)
    surprise = np.bincount(place, theirs - ours - gain * theirs)
    error = float(np.sqrt((surprise**2).sum() * months / (months - 1)) / theirs.sum())
    figures = f"Brier skill {gain:.3f}, standard error {error:.3f}, over {renewals} renewals in {months} months"
    if gain > error * errors_needed(np.bincount(place)) and gain >= LEAST_GAIN:
        return Skill("skill shown", f"{figures}.", brier, plain, gain, error, months, renewals)
    enough = f"by {LEAST_GAIN} at least" if error < gain < LEAST_GAIN else "by a standard error"
    did_not = f"{name} did not predict better than {other} {enough}"
    return Skill("no skill shown", f"{figures}: {did_not}.", brier, plain, gain, error, months, renewals)


def _told_apart(replayed: Replay, model: str) -> bool:
    """Whether any month's renewals were given chances that differ."""
    _, place = np.unique(replayed.month, return_inverse=True)
    p = replayed.predicted[model]
    low, high = np.full(place.max() + 1, np.inf), np.full(place.max() + 1, -np.inf)
    np.minimum.at(low, place, p)
    np.maximum.at(high, place, p)
    return bool((high - low > _ALIKE).any())


def errors_needed(renewals: Ints) -> float:
    """How many standard errors of these months, each with its renewals, are one of many: t's quantile where z is one.

    Months count by Kish, (sum n)^2 / sum n^2; the quantile is Cornish and Fisher's expansion, to .01 from three on.
    """
    free = max(float(renewals.sum()) ** 2 / float((renewals.astype(np.float64) ** 2).sum()) - 1, 1.0)
    return 1 + 0.5 / free + 0.25 / free**2


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
