"""Books too large for a product: given the common shock they are normal, with skew (forecasting.md 2)."""

import numpy as np

from app.domain.forecasting.book import Book, Floats, factored
from app.domain.forecasting.characteristic import cumulants
from app.domain.forecasting.distribution import Distribution, distribution
from app.domain.forecasting.logistic import expit

MOST_EXACT = 10_000
NODES = 15
_LARGEST_SHARE = 0.05
_FURTHEST = 6.0
_FINE = 301
_POINTS = 2_048
_REACH = 8.0
_PART = 8_192


def shocked(amounts: Floats, eta: Floats, factor: Floats, ratios: Floats | None = None) -> Distribution:
    """Of sum a_i X_i g_i with P(X_i = 1) = expit(eta_i + factor_i z), z standard normal; arguments as `book.factored`.

    Up to 10,000 accounts, or where one of them is a twentieth of the chance, by characteristic functions.
    """
    paid = np.ones((1, 1)) if ratios is None else np.asarray(ratios, dtype=np.float64)
    chance = amounts**2 * cumulants(expit(eta)[None, :], paid)[1][0]
    if len(amounts) <= MOST_EXACT or float(chance.max()) >= _LARGEST_SHARE * float(chance.sum()):
        return distribution(_book(amounts, eta, factor, paid))
    return _mixed(np.asarray(amounts, dtype=np.float64), eta, factor, paid)


def _book(amounts: Floats, eta: Floats, factor: Floats, ratios: Floats) -> Book:
    order = np.argsort(amounts, kind="stable")
    return factored(amounts[order], eta[order], factor[order], ratios if len(ratios) == 1 else ratios[order])


def _mixed(amounts: Floats, eta: Floats, factor: Floats, ratios: Floats) -> Distribution:
    """The mixture over a fine grid of z; mean and variance are found at 15 nodes and joined by cubics."""
    nodes = np.polynomial.hermite_e.hermegauss(NODES)[0]
    given = np.zeros((NODES, 4))
    # In parts that stay in the processor's cache while all nodes go over them.
    for begin in range(0, len(amounts), _PART):
        part = slice(begin, begin + _PART)
        square = amounts[part] * amounts[part]
        powers, own = (amounts[part], square, square * amounts[part]), ratios if len(ratios) == 1 else ratios[part]
        given += [_conditional(powers, eta[part] + z * factor[part], factor[part], own) for z in nodes]
    z = np.linspace(-_FURTHEST, _FURTHEST, _FINE)
    weights = np.exp(-(z**2) / 2)
    weights /= weights.sum()
    centre = _cubic(nodes, given[:, 0], given[:, 3], z)
    variance, third = np.interp(z, nodes, given[:, 1]), np.interp(z, nodes, given[:, 2])
    mean = float(weights @ centre)
    sd = float(np.sqrt(weights @ (variance + (centre - mean) ** 2)))
    # A grid of z shows its gaps where chance is smaller than a gap.
    chance = np.sqrt(np.maximum(variance, np.gradient(centre) ** 2))
    total = float((amounts * ratios.max(axis=1)).sum())
    low, high = max(mean - _REACH * sd, 0.0), min(mean + _REACH * sd, total)
    points = np.linspace(low, high, _POINTS)
    density = np.zeros(_POINTS)
    for middle, width, skew, weight in zip(centre, chance, third / chance**3, weights, strict=True):
        # Beyond it a normal's density is nought; the points are ascending.
        near = slice(*np.searchsorted(points, (middle - _REACH * width, middle + _REACH * width)).tolist())
        x = (points[near] - middle) / width
        square = x * x
        density[near] += weight / width * np.exp(square / -2) * (1 + skew / 6 * x * (square - 3))
    rising = np.cumsum(np.maximum((density[1:] + density[:-1]) / 2, 0.0))
    below = np.concatenate([[0.0], rising / rising[-1]])
    return Distribution(points, below, False, mean, sd, total)


def _conditional(
    powers: tuple[Floats, Floats, Floats], eta: Floats, factor: Floats, ratios: Floats
) -> tuple[float, float, float, float]:
    """Mean, variance, third cumulant, and the slope of the mean in z; `powers` of the amounts, first to third."""
    p = expit(eta)
    if ratios.shape == (1, 1):
        return _of_one_ratio(powers, p, factor, float(ratios[0, 0]))
    first, second, third, _ = cumulants(p[None, :], ratios)
    slope = powers[0] @ (first[0] * (1 - p) * factor)
    return float(powers[0] @ first[0]), float(powers[1] @ second[0]), float(powers[2] @ third[0]), float(slope)


def _of_one_ratio(
    powers: tuple[Floats, Floats, Floats], p: Floats, factor: Floats, ratio: float
) -> tuple[float, float, float, float]:
    """The same where every account that renews pays the same share: each column is gone through once, in place."""
    chance = 1 - p
    chance *= p
    mean, variance = ratio * float(powers[0] @ p), ratio**2 * float(powers[1] @ chance)
    p *= -2
    p += 1
    p *= chance
    third = ratio**3 * float(powers[2] @ p)
    chance *= factor
    return mean, variance, third, ratio * float(powers[0] @ chance)


def _cubic(x: Floats, y: Floats, slope: Floats, at: Floats) -> Floats:
    """The cubics through `y` (nodes,) with `slope` (nodes,) at `x` (nodes,), evaluated at `at`."""
    place = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
    width = x[place + 1] - x[place]
    t = (at - x[place]) / width
    start = y[place] * (1 + 2 * t) * (1 - t) ** 2 + slope[place] * width * t * (1 - t) ** 2
    end = y[place + 1] * t**2 * (3 - 2 * t) - slope[place + 1] * width * t**2 * (1 - t)
    return np.asarray(start + end, dtype=np.float64)
