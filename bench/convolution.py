"""The cosine series against the exact distribution of whole dollars, convolved account by account."""

from __future__ import annotations

import numpy as np

from app.domain.forecasting.book import independent
from app.domain.forecasting.distribution import distribution
from app.domain.forecasting.rates import Floats

BOOKS = ((60, 40_000), (300, 20_000), (1_500, 2_000))
"""Accounts of a book, and the largest amount in it."""
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def error(accounts: int, largest: int) -> float:
    """The largest error of a quantile, as a share of the 90 % interval's width.

    A quantile of whole amounts jumps by one; the series runs through the middle of each jump. Raises ValueError where
    the book is listed and not a series.
    """
    rng = np.random.default_rng(accounts)
    amounts = np.ceil(np.clip(rng.lognormal(0, 1, accounts) / 8, 0, 1) * largest)
    probabilities = rng.beta(8, 2, accounts)
    ours, exact = distribution(independent(amounts, probabilities)), _convolution(amounts, probabilities)
    if ours.discrete:
        raise ValueError("this book is listed: there is no series to compare")
    wanted = np.array([np.searchsorted(exact, q) for q in LEVELS])
    before = np.array([exact[r - 1] for r in wanted])
    middle = wanted - 0.5 + (np.array(LEVELS) - before) / (exact[wanted] - before)
    found = np.array([ours.quantile(q) for q in LEVELS])
    return float(np.abs(found - middle).max() / (wanted[-1] - wanted[0]))


def _convolution(amounts: Floats, probabilities: Floats) -> Floats:
    """P(R <= r) for whole amounts, r = 0 .. total, without any series."""
    mass = np.zeros(int(amounts.sum()) + 1)
    mass[0], top = 1.0, 0
    for amount, p in zip(amounts.astype(int), probabilities, strict=True):
        moved = mass[: top + 1] * p
        mass[: top + 1] *= 1 - p
        mass[amount : amount + top + 1] += moved
        top += amount
    return np.cumsum(mass)
