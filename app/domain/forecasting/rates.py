"""Two-level empirical-Bayes renewal rates: child segments lean on their parent, parents on the book.

Source: forecasting.md 1.1. Counts are weighted by 2^(-age in months / 6), so a count is worth less as it ages.
Two bases: `logo` (every renewal weighs 1) answers how many, `arr` (every renewal weighs its ARR) how much money.

With no history at all the rate is the stated wide prior: mean .85, worth four renewals for the book as a whole,
and parents and children that differ as Beta draws of precision about 20 around it. Its 90 % interval is about .43 to
1.00. The same priors keep the maximum of the likelihood finite when all renewed, all churned, or there is one segment.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import beta

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Basis = Literal["logo", "arr"]

HALF_LIFE_MONTHS = 6.0
PRIOR_MEAN = 0.85
PRIOR_SIZE = 4.0
PRIOR_PRECISION = 20.0
PRIOR_PRECISION_SPREAD = 1.5
_LOGIT_BOUND = 8.0
_LOG_PRECISION_BOUNDS = (0.0, 12.0)
_DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Segments:
    """Which child belongs to which parent; `parent_of` is (children,), codes into `parents`."""

    parents: tuple[str, ...]
    children: tuple[str, ...]
    parent_of: Ints


@dataclass(frozen=True)
class Counts:
    """Per child segment, (children,): `n` renewals' worth of evidence, `k` of them renewed, `size` how many rows."""

    n: Floats
    k: Floats
    size: Ints


@dataclass(frozen=True)
class Rate:
    """One segment's rate as it is shown. `raw` is None without history; `low` and `high` bound 90 %.

    `n` counts the closed renewals, `effective_n` what they are worth after ageing and, for ARR, after
    unequal amounts (Kish: (sum w a)^2 / sum w a^2). `child` is None for a parent's own rate.
    """

    basis: Basis
    parent: str
    child: str | None
    n: int
    effective_n: float
    raw: float | None
    shrunk: float
    low: float
    high: float
    variance: float


@dataclass(frozen=True)
class Rates:
    """Fitted rates of one basis; arrays are (children,) and (parents,).

    A child's posterior variance is split by who shares it: `own` is its own, `shared` is common to the children
    of one parent, `common` to the whole book. `strength` is c, `precision` is a + b, `book_mean` is a / (a + b).
    """

    basis: Basis
    segments: Segments
    counts: Counts
    mean: Floats
    own: Floats
    shared: Floats
    common: Floats
    parent_mean: Floats
    parent_variance: Floats
    parent_n: Floats
    parent_k: Floats
    book_mean: float
    precision: float
    strength: float

    @property
    def variance(self) -> Floats:
        """Posterior variance of each child's rate, (children,)."""
        return np.asarray(self.own + self.shared + self.common, dtype=np.float64)


def index_segments(parent: NDArray[np.str_], child: NDArray[np.str_]) -> tuple[Segments, Ints]:
    """Number the (parent, child) pairs of the rows, (rows,) each; a child's name may recur under another parent."""
    parents, parent_code = np.unique(np.asarray(parent, dtype=np.str_), return_inverse=True)
    names, name_code = np.unique(np.asarray(child, dtype=np.str_), return_inverse=True)
    pair = parent_code.astype(np.int64) * max(len(names), 1) + name_code
    pairs, code = np.unique(pair, return_inverse=True)
    children = tuple(str(names[index]) for index in pairs % max(len(names), 1))
    segments = Segments(tuple(str(name) for name in parents), children, pairs // max(len(names), 1))
    return segments, code.astype(np.int64)


def age_weights(days: NDArray[np.int64]) -> Floats:
    """2^(-age / 6 months) for ages in days, (rows,); a negative age counts as none."""
    return np.asarray(np.exp2(-np.maximum(days, 0) / _DAYS_PER_MONTH / HALF_LIFE_MONTHS), dtype=np.float64)


def count(code: Ints, children: int, weights: Floats, kept: Floats, size: Floats | None = None) -> Counts:
    """Evidence per child: `code`, `weights`, `kept` (share renewed, 0-1) and `size` (ARR; None for logos) are (rows,).

    With ARR, k / n is the ARR-weighted rate and n the number of equal renewals that would be as informative.
    """
    amount = np.ones(len(code)) if size is None else np.asarray(size, dtype=np.float64)
    rows = np.bincount(code[amount > 0], minlength=children)
    # Relative amounts: squares of minor units are not to cost digits.
    relative = amount / max(float(amount.max(initial=0.0)), 1.0)
    first = np.bincount(code, weights * relative, minlength=children)
    second = np.bincount(code, weights * relative**2, minlength=children)
    held = np.bincount(code, weights * relative * kept, minlength=children)
    n = np.divide(first**2, second, out=np.zeros(children), where=second > 0)
    k = np.divide(held, first, out=np.zeros(children), where=first > 0) * n
    return Counts(n, np.clip(k, 0.0, n), rows.astype(np.int64))


def fit(basis: Basis, segments: Segments, counts: Counts) -> Rates:
    """Fit both levels by maximum marginal likelihood under the weak priors of this module. Never fails, never NaN."""
    parent_of, parents = segments.parent_of, len(segments.parents)
    parent_n: Floats = np.bincount(parent_of, counts.n, minlength=parents).astype(np.float64)
    parent_k: Floats = np.minimum(np.bincount(parent_of, counts.k, minlength=parents).astype(np.float64), parent_n)
    book, precision = _book_prior(parent_k, parent_n)
    parent_mean = _possible((parent_k + precision * book) / (parent_n + precision), parent_n)
    parent_own = parent_mean * (1 - parent_mean) / (parent_n + precision + 1)
    parent_common = (precision / (parent_n + precision)) ** 2 * _book_variance(book, precision, parent_n)
    around = parent_mean[parent_of]
    strength = _strength(counts, around)
    mean = _possible((counts.k + strength * around) / (counts.n + strength), parent_n)
    leaning = (strength / (counts.n + strength)) ** 2
    return Rates(
        basis=basis,
        segments=segments,
        counts=counts,
        mean=mean,
        own=mean * (1 - mean) / (counts.n + strength + 1),
        shared=leaning * parent_own[parent_of],
        common=leaning * parent_common[parent_of],
        parent_mean=parent_mean,
        parent_variance=parent_own + parent_common,
        parent_n=parent_n,
        parent_k=parent_k,
        book_mean=book,
        precision=precision,
        strength=strength,
    )


def describe(rates: Rates) -> tuple[Rate, ...]:
    """Every parent, then every child, with its 90 % interval (a beta distribution of the posterior's two moments)."""
    segments, counts = rates.segments, rates.counts
    parent_size = np.bincount(segments.parent_of, counts.size, minlength=len(segments.parents))
    parents = _shown(rates.parent_k, rates.parent_n, rates.parent_mean, rates.parent_variance, parent_size)
    children = _shown(counts.k, counts.n, rates.mean, rates.variance, counts.size)
    names: list[tuple[str, str | None]] = [(name, None) for name in segments.parents]
    names += [(segments.parents[p], c) for p, c in zip(segments.parent_of, segments.children, strict=True)]
    return tuple(
        Rate(rates.basis, parent, child, size, n, k / n if n > 0 else None, mean, low, high, variance)
        for (parent, child), (k, n, mean, variance, low, high, size) in zip(names, parents + children, strict=True)
    )


def _possible(mean: Floats, n: Floats) -> Floats:
    """No rate nearer to 0 or 1 than half a renewal in all the evidence there is: 8,000 of 8,000 do not mean never."""
    least = 0.5 / (float(n.sum()) + PRIOR_SIZE + 1)
    return np.asarray(np.clip(mean, least, 1 - least), dtype=np.float64)


def _shown(
    k: Floats, n: Floats, mean: Floats, variance: Floats, size: NDArray[np.generic]
) -> list[tuple[float, float, float, float, float, float, int]]:
    worth = np.maximum(mean * (1 - mean) / np.maximum(variance, 1e-18) - 1, 1e-3)
    low, high = beta.quantile(mean * worth, (1 - mean) * worth, np.array([[0.05], [0.95]]))
    floats = (column.tolist() for column in (k, n, mean, variance, low, high))
    return list(zip(*floats, [int(value) for value in size], strict=True))


def _book_prior(k: Floats, n: Floats) -> tuple[float, float]:
    """Mean and precision of the parents' Beta prior: maximum of the marginal likelihood, by zooming on a grid."""
    seen = n > 0
    k, n = k[seen], n[seen]
    if not len(n):
        return PRIOR_MEAN, PRIOR_PRECISION
    across, along = _LOGIT_BOUND, (_LOG_PRECISION_BOUNDS[1] - _LOG_PRECISION_BOUNDS[0]) / 2
    logit, log_precision = 0.0, sum(_LOG_PRECISION_BOUNDS) / 2
    while across > 1e-6:
        logits = np.clip(logit + across * _ZOOM, -_LOGIT_BOUND, _LOGIT_BOUND)
        logs = np.clip(log_precision + along * _ZOOM, *_LOG_PRECISION_BOUNDS)
        score = _book_score(logits[:, None], logs[None, :], k, n)
        best = np.unravel_index(int(np.argmax(score)), score.shape)
        logit, log_precision = float(logits[best[0]]), float(logs[best[1]])
        across, along = across * _SHRINK, along * _SHRINK
    return float(_expit(np.asarray(logit))), float(np.exp(log_precision))


_ZOOM = np.linspace(-1.0, 1.0, 13)
# A step is a sixth of the half-width; three steps stay in view, so a curved ridge cannot slip out.
_SHRINK = 0.5


def _book_score(logit: Floats, log_precision: Floats, k: Floats, n: Floats) -> Floats:
    mean, precision = _expit(logit)[..., None], np.exp(log_precision)[..., None]
    a, b = precision * mean, precision * (1 - mean)
    evidence = np.sum(beta.betaln(k + a, n - k + b) - beta.betaln(a, b), axis=-1)
    prior = PRIOR_SIZE * (PRIOR_MEAN * np.log(mean) + (1 - PRIOR_MEAN) * np.log1p(-mean))[..., 0]
    return np.asarray(evidence + prior + _precision_prior(log_precision), dtype=np.float64)


def _precision_prior(log_precision: Floats) -> Floats:
    distance = (log_precision - np.log(PRIOR_PRECISION)) / PRIOR_PRECISION_SPREAD
    return np.asarray(-0.5 * distance**2, dtype=np.float64)


def _book_variance(book: float, precision: float, n: Floats) -> float:
    """Variance of the book's mean: its prior's information plus one noisy draw per parent with history."""
    spread = book * (1 - book)
    draws = 1 / (spread * (1 / (precision + 1) + 1 / n[n > 0]))
    prior = (PRIOR_SIZE + 1) / (PRIOR_MEAN * (1 - PRIOR_MEAN))
    return float(min(1 / (prior + draws.sum()), spread / 2))


def _strength(counts: Counts, around: Floats) -> float:
    """c, the renewals a parent's rate is worth to its children: maximum of their marginal likelihood."""
    seen = counts.n > 0
    if not seen.any():
        return PRIOR_PRECISION
    k, n, m = counts.k[seen], counts.n[seen], around[seen]
    centre, reach = sum(_LOG_PRECISION_BOUNDS) / 2, (_LOG_PRECISION_BOUNDS[1] - _LOG_PRECISION_BOUNDS[0]) / 2
    while reach > 1e-6:
        logs = np.clip(centre + reach * _ZOOM, *_LOG_PRECISION_BOUNDS)
        c = np.exp(logs)[:, None]
        evidence = np.sum(beta.betaln(k + c * m, n - k + c * (1 - m)) - beta.betaln(c * m, c * (1 - m)), axis=1)
        centre = float(logs[int(np.argmax(evidence + _precision_prior(logs)))])
        reach *= _SHRINK
    return float(np.exp(centre))


def _expit(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-value)), dtype=np.float64)
