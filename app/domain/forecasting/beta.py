"""The beta function, its distribution and its quantiles, in numpy alone (scipy is the oracle in the tests)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_SHIFT = 8
_TINY = 1e-300
_MOST_FRACTIONS = 20_000


def gammaln(x: ArrayLike) -> Floats:
    """ln Gamma(x) for x > 0, any shape. Shifted by 8, then Stirling's series: relative error about 1e-15."""
    value = np.asarray(x, dtype=np.float64)
    # Beyond 1e12 the product would overflow at no gain: Stirling is exact there without the shift.
    small = value < 1e12
    # x (x + 1) … (x + 7), in pairs: (x + k) (x + 7 - k) = x (x + 7) + k (7 - k).
    inside = np.where(small, value, 1.0)
    pair = inside * (inside + 7)
    rising = np.where(small, pair * (pair + 6) * (pair + 10) * (pair + 12), 1.0)
    shifted = np.where(small, value + _SHIFT, value)
    inverse = 1.0 / shifted
    square = inverse * inverse
    series = np.full_like(value, _STIRLING[-1])
    for coefficient in reversed(_STIRLING[:-1]):
        series = series * square + coefficient
    stirling = (shifted - 0.5) * np.log(shifted) - shifted + 0.5 * np.log(2 * np.pi) + series * inverse
    return np.asarray(stirling - np.log(rising), dtype=np.float64)


def betaln(a: ArrayLike, b: ArrayLike) -> Floats:
    """ln B(a, b) for a, b > 0, broadcast against each other."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    whole = first + second
    # One call over all three: of small arrays the calls are what costs, not the numbers.
    parts = gammaln(np.concatenate([first.ravel(), second.ravel(), whole.ravel()]))
    one, other, both = np.split(parts, [first.size, first.size + second.size])
    return np.asarray(
        one.reshape(first.shape) + other.reshape(second.shape) - both.reshape(whole.shape), dtype=np.float64
    )


def cdf(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Floats:
    """P(Beta(a, b) <= x), the regularised incomplete beta function; a, b > 0, x clipped to [0, 1]."""
    first, second, at = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (a, b, x)))
    at = np.clip(at, 0.0, 1.0)
    # The continued fraction converges quickly only below the mean; above it the mirror image is used.
    mirrored = at > (first + 1) / (first + second + 2)
    alpha, beta = np.where(mirrored, second, first), np.where(mirrored, first, second)
    inner = np.clip(np.where(mirrored, 1 - at, at), _TINY, 1 - 1e-16)
    front = alpha * np.log(inner) + beta * np.log1p(-inner) - betaln(alpha, beta)
    lower = np.exp(front) * _fraction(alpha, beta, inner) / alpha
    answer = np.where(mirrored, 1 - lower, lower)
    return np.asarray(np.clip(np.where(at <= 0, 0.0, np.where(at >= 1, 1.0, answer)), 0.0, 1.0), dtype=np.float64)


def quantile(a: ArrayLike, b: ArrayLike, q: ArrayLike) -> Floats:
    """The q-quantile of Beta(a, b), to 1e-12 in the value or in its probability: Newton from where a normal would have it, inside a
    bracket that is halved where Newton strays or creeps."""
    first, second, share = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (a, b, q)))
    low, high = np.zeros(share.shape), np.ones(share.shape)
    mean, constant, last = first / (first + second), betaln(first, second), np.full(share.shape, np.inf)
    # Tukey's lambda: within a hundredth of the normal quantile, which is itself only near.
    near = mean + np.sqrt(mean * (1 - mean) / (first + second + 1)) * (share**0.135 - (1 - share) ** 0.135) / 0.1975
    at = np.where((near > 0) & (near < 1), near, mean)
    for _ in range(150):
        error = cdf(first, second, at) - share
        low, high = np.where(error < 0, at, low), np.where(error < 0, high, at)
        if bool(np.all((np.abs(error) < 1e-12) | (high - low < 1e-12))):
            break
        inner = np.clip(at, _TINY, 1 - 1e-16)
        slope = np.exp(np.clip((first - 1) * np.log(inner) + (second - 1) * np.log1p(-inner) - constant, -700, 700))
        newton, middle = at - error / slope, (low + high) / 2
        # Next to 0 and 1 Newton alone would creep.
        at = np.where((newton > low) & (newton < high) & (np.abs(error) < np.abs(last) / 2), newton, middle)
        last = error
    return np.asarray(at, dtype=np.float64)


def _fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    """Lentz's continued fraction of the incomplete beta function (Numerical Recipes 6.4)."""
    c = np.ones(x.shape)
    d = 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, _MOST_FRACTIONS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _away_from_zero(1 + even * d)
        c = _away_from_zero(1 + even / c)
        value = value * d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _away_from_zero(1 + odd * d)
        c = _away_from_zero(1 + odd / c)
        value = value * d * c
        if np.all(np.abs(d * c - 1) < 1e-14):
            break
    return np.asarray(value, dtype=np.float64)


def _away_from_zero(value: Floats) -> Floats:
    return np.asarray(np.where(np.abs(value) < _TINY, _TINY, value), dtype=np.float64)
