"""The public files that figures are held against, and how predictions are scored on them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from app.domain.forecasting.rates import Floats

SHARED = Path(os.environ.get("STRATA_SHARED_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "data")))
TELCO = SHARED / "telco" / "telco_customer_churn.csv"
RETENTION = SHARED / "fader_hardie" / "customer_retention.csv"
SUBSCRIPTIONS = SHARED / "ravenstack" / "ravenstack_subscriptions.csv"


class Scores(NamedTuple):
    """The columns of the table in forecasting.md 1."""

    brier: float
    auc: float
    log_loss: float
    calibration_error: float
    slope: float


def split(kept: Floats, seed: int) -> NDArray[np.bool_]:
    """True for the 70 % to learn from, stratified by outcome."""
    rng, learn = np.random.default_rng(seed), np.zeros(len(kept), dtype=np.bool_)
    for outcome in (0.0, 1.0):
        rows = rng.permutation(np.flatnonzero(kept == outcome))
        learn[rows[: round(0.7 * len(rows))]] = True
    return learn


def scores(p: Floats, kept: Floats) -> Scores:
    """Scored apart from the product's own code: ten bins of equal width, slope of the outcome on the logit."""
    ranks = stats.rankdata(p)
    renewed, left = int(kept.sum()), int((1 - kept).sum())
    auc = (ranks[kept > 0].sum() - renewed * (renewed + 1) / 2) / (renewed * left)
    loss = -np.mean(np.where(kept > 0, np.log(p), np.log1p(-p)))
    place = np.minimum((p * 10).astype(np.int64), 9)
    error = np.abs(np.bincount(place, p - kept)).sum() / len(p)
    eta = np.log(p) - np.log1p(-p)
    line = optimize.minimize(
        lambda at: float(np.mean(np.logaddexp(0, at[0] + at[1] * eta) - kept * (at[0] + at[1] * eta))),
        np.array([0, 1.0]),
    )
    return Scores(float(np.mean((p - kept) ** 2)), float(auc), float(loss), float(error), float(line.x[1]))
