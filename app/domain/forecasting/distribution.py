"""The distribution of the renewed money R = sum a_i X_i: exact where it is discrete, a cosine series elsewhere.

Source: forecasting.md 2; Fang and Oosterlee, "A novel pricing method based on Fourier-cosine series expansions" (2008).
"""

from dataclasses import dataclass

import numpy as np

from app.domain.forecasting import atoms, characteristic
from app.domain.forecasting.book import Book, Floats

TERMS = 256
_MOST_TERMS = 2_048
_STEP = 32
_SMALL = 20_000
_WIDEST = 256
_MOST_WORK = 30_000_000
_REACH = 10.0
_NEGLIGIBLE = 1e-9
_UNSETTLED = 1e-4
# Of few terms the quantiles are to be read to 0.01 % of the width; the last of many are damped to next to nothing.
_GRID_PER_TERM = 32
_GRID_PER_ROUGH_TERM = 8


@dataclass(frozen=True)
class Distribution:
    """Of R, money. `points` ascending and `below` = P(R <= point), both (points,); between them a step if `discrete`,
    a line otherwise. `mean` and `sd` are exact; every quantile lies in [0, total]."""

    points: Floats
    below: Floats
    discrete: bool
    mean: float
    sd: float
    total: float

    def quantile(self, q: float) -> float:
        """The smallest r with P(R <= r) >= q, money. Raises ValueError unless 0 <= q <= 1."""
        if not 0 <= q <= 1:
            raise ValueError("a quantile is asked for between 0 and 1")
        if self.discrete:
            # Sums of floats may end a hair below a level they reach.
            place = int(np.searchsorted(self.below, q - 1e-12, side="left"))
            return float(self.points[min(place, len(self.points) - 1)])
        place = int(np.searchsorted(self.below, q, side="left"))
        if place == 0 or place == len(self.points):
            return float(self.points[min(place, len(self.points) - 1)])
        low, high = self.below[place - 1], self.below[place]
        share = (q - low) / (high - low)
        return float(self.points[place - 1] + share * (self.points[place] - self.points[place - 1]))

    def cdf(self, amount: float) -> float:
        """P(R <= amount); 0 below nought, 1 from the total on."""
        if amount >= self.total or amount < 0:
            return float(amount >= 0)
        if self.discrete:
            place = int(np.searchsorted(self.points, amount, side="right"))
            return float(self.below[place - 1]) if place else 0.0
        return float(np.interp(amount, self.points, self.below, left=0.0, right=1.0))

    def reaches(self, target: float) -> float:
        """P(R >= target): certain at or below nought, impossible above the total."""
        if target <= 0:
            return 1.0
        if target > self.total:
            return 0.0
        if not self.discrete:
            return 1.0 - float(np.interp(target, self.points, self.below, left=0.0, right=1.0))
        place = int(np.searchsorted(self.points, target, side="left"))
        return 1.0 - (float(self.below[place - 1]) if place else 0.0)


def distribution(book: Book) -> Distribution:
    """The distribution of what `book` renews; an empty, worthless or certain book is a single point. Never NaN."""
    total = float(sum(float((cell.amounts * cell.ratios.max(axis=1)).sum()) for cell in book.cells))
    mean, sd = characteristic.moments(book)
    mean = min(mean, total)
    if sd <= 1e-12 * total or total == 0:
        return Distribution(np.array([mean]), np.ones(1), True, mean, 0.0, total)
    if atoms.reachable(book):
        listed = atoms.enumerate_sums(book)
        below = np.minimum(np.maximum.accumulate(np.cumsum(listed.probabilities)), 1.0)
        below[-1] = 1.0
        return Distribution(np.minimum(listed.values, total), below, True, mean, sd, total)
    points, below = _series(book, mean, sd, total)
    return Distribution(points, below, False, mean, sd, total)


def _series(book: Book, mean: float, sd: float, total: float) -> tuple[Floats, Floats]:
    """Points and cumulative probabilities by the cosine series over mean +- 10 sd, cut to what can happen."""
    low, high = max(mean - _REACH * sd, 0.0), min(mean + _REACH * sd, total)
    # A margin, so that mass at nought or at the total does not sit on the edge of the period.
    low, high = low - 0.02 * (high - low), high + 0.02 * (high - low)
    width = high - low
    coefficients = _coefficients(book, low, width)
    per_term = _GRID_PER_TERM if len(coefficients) <= TERMS else _GRID_PER_ROUGH_TERM
    intervals = 1 << int(np.ceil(np.log2(max(len(coefficients), TERMS // 2) * per_term)))
    waves = np.zeros(2 * intervals)
    waves[1 : len(coefficients)] = 2 / np.pi * coefficients[1:] / np.arange(1, len(coefficients))
    sines = -np.fft.rfft(waves).imag
    share = np.arange(intervals + 1) / intervals
    points = low + width * share
    below = np.maximum.accumulate(np.clip(share + sines, 0.0, 1.0))
    inside = (points > 0) & (points < total)
    points = np.concatenate([[0.0], points[inside], [total]])
    below = np.concatenate([[0.0], below[inside], [1.0]])
    return points, below


def _coefficients(book: Book, low: float, width: float) -> Floats:
    """Re phi(k pi / width) exp(-i k pi low / width), (terms,): as many terms as the book needs, 256 unless it is rough."""
    threshold = characteristic.exact_threshold(book)
    # A rough book (few accounts, one of them huge) gets more terms, as far as the time allows.
    most = min(max(_MOST_WORK // max(characteristic.pairs(book), 1), TERMS), _MOST_TERMS)
    taken: list[Floats] = []
    size, start = np.inf, 0
    # Of a small book the calls are what costs: it takes more terms at a time, and ever more.
    small, waves = characteristic.pairs(book) < _SMALL, characteristic.waves(book, threshold)
    while start < most:
        step = min(max(start, 2 * _STEP), _WIDEST) if small else _STEP
        frequencies: Floats = np.arange(start, start + step).astype(np.float64) * (np.pi / width)
        values = characteristic.characteristic(waves, frequencies)
        size = float(np.abs(values[-_STEP:]).max())
        taken.append((values * np.exp(-1j * frequencies * low)).real)
        start += step
        if size < _NEGLIGIBLE or (start >= TERMS and size < _UNSETTLED):
            break
    coefficients = np.concatenate(taken)
    if size > _UNSETTLED:
        # Jumps make a cut series ring, and a rising distribution then overshoots for good.
        coefficients = coefficients * _jackson(len(coefficients))
    return np.asarray(coefficients, dtype=np.float64)


def _jackson(terms: int) -> Floats:
    """Jackson's damping, (terms,): the kernel that stays positive with the least blur, about width / terms."""
    step = np.pi / (terms + 1)
    k = np.arange(terms)
    damping = ((terms - k + 1) * np.cos(k * step) + np.sin(k * step) / np.tan(step)) / (terms + 1)
    return np.asarray(damping, dtype=np.float64)
