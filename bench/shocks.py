"""Planted months whose renewals move together: how often the intervals hold them that a forecast gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import drift, normals
from app.domain.forecasting.book import independent
from app.domain.forecasting.distribution import Distribution, distribution
from app.domain.forecasting.rates import Floats, Ints

Months = tuple[Floats, NDArray[np.bool_], Ints]

TAU = 0.3
KNOWN = 24
RENEWALS = 800


class Held(NamedTuple):
    """Shares of months held by the 90 % interval: ours, and the one of independent renewals."""

    ours: float
    alone: float


def months_of(shocks: Sequence[float], renewals: int, seed: int = 0) -> Months:
    """Predictions that know nothing of the shocks, what came of them, and the months."""
    rng = np.random.default_rng(seed)
    month = np.repeat(np.arange(len(shocks)), renewals)
    p = rng.beta(8, 2, len(month))
    return p, rng.random(len(month)) < drift.moved(p, np.repeat(shocks, renewals)), month


def held(months: int) -> Held:
    """Months of 800 renewals whose logits move by a normal shock of .3, each after 24 of which the shocks are known."""
    rng, amounts = np.random.default_rng(8), np.random.default_rng(9).lognormal(9, 1, RENEWALS)
    ours, alone = [], []
    for seed in range(months):
        p, renewed, month = months_of(rng.normal(0, TAU, KNOWN + 1).tolist(), RENEWALS, seed)
        past, now = month < KNOWN, month == KNOWN
        known = drift.measure(p[past], renewed[past], month[past])
        eta = np.log(p[now] / (1 - p[now])) + known.drift
        came = float(amounts @ renewed[now])
        ours.append(_holds(normals.shocked(amounts, eta, np.full(RENEWALS, known.tau)), came))
        alone.append(_holds(distribution(independent(amounts, p[now])), came))
    return Held(float(np.mean(ours)), float(np.mean(alone)))


def _holds(book: Distribution, came: float) -> bool:
    return book.quantile(0.05) <= came <= book.quantile(0.95)
