"""Cohort curves against the published parameters and hold-out errors of Fader and Hardie."""

from __future__ import annotations

import csv

import numpy as np

from app.domain.forecasting import cohorts
from app.domain.forecasting.cohorts import Curve
from app.domain.forecasting.rates import Floats
from bench.published import RETENTION

PUBLISHED = {"regular": (0.704, 1.182), "high_end": (0.668, 3.806)}
"""a and b of the sBG on seven years."""
NEAR = 0.005
ERRORS = ((7, 0.015), (4, 0.02))
"""Years fitted on, and the mean relative error that is to be reached."""
_COHORT = 1_000
_LAST = 12


def sbg(kind: str) -> Curve:
    """Fitted on seven years."""
    return cohorts.fit_sbg(_alive(kind)[:8])


def foretold(kind: str, years: int) -> tuple[Curve, float]:
    """Fitted on so many years, and its mean relative error of the share surviving in those held out, up to the twelfth."""
    seen = _alive(kind)
    found = cohorts.fit(seen[: years + 1])
    return found, float(np.abs(found.survival(_LAST) * _COHORT / seen - 1)[years + 1 :].mean())


def _alive(kind: str) -> Floats:
    """Of 1,000 customers, those left after 0 .. 12 years."""
    with RETENTION.open(newline="", encoding="utf-8") as lines:
        return np.array([float(row[kind]) for row in csv.DictReader(lines)]) * _COHORT / 100
