"""Has the segment rate earned its place? A replay month by month, knowing only what was known then (forecasting.md 1.4)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import rates
from app.domain.forecasting.book import Floats
from app.domain.forecasting.rates import Ints, Segments

Dates = NDArray[np.datetime64]

LEAST_MONTHS = 3
LEAST_RENEWALS = 30


@dataclass(frozen=True)
class Skill:
    """The segment rate against the global rate, out of time.

    `brier_skill` is 1 - Brier(segment) / Brier(global), `standard_error` its error over months; None where too little
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
class Replay:
    """Out-of-time errors: squared errors of segment and global rate per renewal, (rows,), each row's month and outcome."""

    segment: Floats
    overall: Floats
    month: Ints
    renewed: NDArray[np.bool_]


def replay(segments: Segments, code: Ints, due: Dates, closed: Dates, renewed: NDArray[np.bool_]) -> Replay:
    """Predict each month's renewals from what had closed before it began; all columns (rows,), dates in days.

    Months for which nothing was known are left out. A renewal that closed before its month began is not predicted.
    """
    months = due.astype("datetime64[M]").astype(np.int64)
    errors: list[tuple[Floats, Floats, Ints, NDArray[np.bool_]]] = []
    for month in np.unique(months):
        start = np.datetime64(int(month), "M").astype("datetime64[D]")
        known, asked = closed < start, (months == month) & (closed >= start)
        if not known.any() or not asked.any():
            continue
        weights = rates.age_weights((start - due[known]).astype(np.int64))
        kept = renewed[known].astype(np.float64)
        fitted = rates.fit("logo", segments, rates.count(code[known], len(segments.children), weights, kept))
        overall = (kept @ weights + rates.PRIOR_MEAN) / (weights.sum() + 1)
        came = renewed[asked].astype(np.float64)
        errors.append(((fitted.mean[code[asked]] - came) ** 2, (overall - came) ** 2, months[asked], renewed[asked]))
    if not errors:
        return Replay(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_))
    segment, whole, month, outcome = zip(*errors, strict=True)
    return Replay(np.concatenate(segment), np.concatenate(whole), np.concatenate(month), np.concatenate(outcome))


def judge(replayed: Replay) -> Skill:
    """The verdict: skill is shown when the Brier skill is above zero by a standard error, clustered by month."""
    months, renewals = len(np.unique(replayed.month)), len(replayed.month)
    if months < LEAST_MONTHS or renewals < LEAST_RENEWALS:
        because = (
            f"Only {renewals} renewals in {months} months could be replayed; "
            f"{LEAST_RENEWALS} in {LEAST_MONTHS} months are needed to tell."
        )
        return Skill("no skill shown", because, None, None, None, None, months, renewals)
    brier, base = float(replayed.segment.mean()), float(replayed.overall.mean())
    if replayed.renewed.all() or not replayed.renewed.any():
        because = f"All {renewals} replayed renewals ended alike: there was nothing to tell apart."
        return Skill("no skill shown", because, brier, base, None, None, months, renewals)
    gain = 1 - brier / base
    _, place = np.unique(replayed.month, return_inverse=True)
    surprise = np.bincount(place, replayed.overall - replayed.segment - gain * replayed.overall)
    error = float(np.sqrt((surprise**2).sum() * months / (months - 1)) / replayed.overall.sum())
    figures = f"Brier skill {gain:.3f}, standard error {error:.3f}, over {renewals} renewals in {months} months"
    if gain > error:
        return Skill("skill shown", f"{figures}.", brier, base, gain, error, months, renewals)
    because = f"{figures}: segments did not predict better than one rate for all by a standard error."
    return Skill("no skill shown", because, brier, base, gain, error, months, renewals)
