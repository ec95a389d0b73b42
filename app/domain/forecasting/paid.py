"""What an account that renews pays, as shares of what was due: contraction and expansion as a few quantiles."""

from __future__ import annotations

import numpy as np

from app.domain.forecasting.book import Floats
from app.domain.forecasting.rates import PRIOR_PRECISION, PRIOR_SIZE, Ints

QUANTILES = 5
MOST_PAID = 10.0
"""What is paid beyond this is another contract, and would drown every other renewal of its segment."""
_FINE = 50


def ratios(paid: Floats, weights: Floats, parent: Ints, parents: int) -> Floats:
    """(parents, quantiles): each the mean of its fifth, so that their mean is the weighted mean of what was paid.

    `paid` (rows,) of renewals that came, `weights` (rows,) by age and money, `parent` (rows,) numbers their segment. All
    lean on the renewal that pays what was due, worth four renewals; a segment leans on all, worth twenty. One column
    where nobody paid anything else.
    """
    paid = np.minimum(paid, MOST_PAID)
    usual = float(weights.mean()) if len(weights) and weights.sum() > 0 else 1.0
    everyone = _fractions(np.append(paid, 1.0), np.append(weights, PRIOR_SIZE * usual), _FINE)
    leaning = np.full(_FINE, PRIOR_PRECISION * usual / _FINE)
    order = np.argsort(parent, kind="stable")
    ends = np.searchsorted(parent[order], np.arange(parents + 1))
    found = np.ones((parents, QUANTILES))
    for segment in range(parents):
        mine = order[ends[segment] : ends[segment + 1]]
        values, shares = np.concatenate([paid[mine], everyone]), np.concatenate([weights[mine], leaning])
        found[segment] = _fractions(values, shares, QUANTILES)
    return np.ones((parents, 1)) if bool(np.allclose(found, 1.0, rtol=0, atol=1e-12)) else found


def _fractions(values: Floats, weights: Floats, count: int) -> Floats:
    """The means of `count` equal parts of the weight, in order of the values."""
    order = np.argsort(values, kind="stable")
    reached = np.concatenate([[0.0], np.cumsum(weights[order])])
    summed = np.concatenate([[0.0], np.cumsum(weights[order] * values[order])])
    edges = np.linspace(0.0, reached[-1], count + 1)
    return np.asarray(np.diff(np.interp(edges, reached, summed)) * count / reached[-1], dtype=np.float64)
