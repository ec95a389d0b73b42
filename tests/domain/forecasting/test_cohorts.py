"""Cohort curves: the published parameters and hold-out errors of Fader and Hardie, and few data."""

import csv

import numpy as np
import pytest

from app.domain.forecasting import cohorts
from app.domain.forecasting.rates import Floats
from tests.domain.forecasting.published import RETENTION, needs

PUBLISHED = {"regular": (0.704, 1.182), "high_end": (0.668, 3.806)}
COHORT = 1_000


def alive(kind: str) -> Floats:
    """Of 1,000 customers, those left after 0 .. 12 years."""
    with RETENTION.open(newline="", encoding="utf-8") as lines:
        return np.array([float(row[kind]) for row in csv.DictReader(lines)]) * COHORT / 100


@needs(RETENTION)
@pytest.mark.parametrize("kind", list(PUBLISHED))
def test_the_published_parameters_are_found(kind: str) -> None:
    found = cohorts.fit_sbg(alive(kind)[:8])
    print(f"sBG {kind}: a {found.a:.4f} b {found.b:.4f}")
    assert (found.a, found.b) == pytest.approx(PUBLISHED[kind], abs=0.005)


@needs(RETENTION)
@pytest.mark.parametrize("kind", list(PUBLISHED))
@pytest.mark.parametrize(("years", "most"), [(7, 0.015), (4, 0.02)])
def test_what_comes_after_is_foretold(kind: str, years: int, most: float) -> None:
    """Mean relative error of the share surviving in the years held out, up to the twelfth."""
    seen = alive(kind)
    found = cohorts.fit(seen[: years + 1])
    error = float(np.abs(found.survival(12) * COHORT / seen - 1)[years + 1 :].mean())
    print(f"{found.model} {kind} on {years} years: {100 * error:.2f} %")
    assert found.model == "BdW"
    assert error <= most


@pytest.mark.parametrize(
    "left", [[10], [0], [0, 0], [10, 10], [10, 0], [9, 9, 9, 9, 9, 9], [5, 0, 0, 0, 0, 0], [1e9, 1e8, 1e8]]
)
def test_few_or_extreme_cohorts_stay_finite(left: list[float]) -> None:
    found = cohorts.fit(np.array(left, dtype=np.float64))
    survival, retention = found.survival(20), found.retention(20)
    assert np.isfinite(survival).all()
    assert survival[0] == 1
    assert (np.diff(survival) <= 0).all()
    assert ((retention >= 0) & (retention <= 1)).all()
    assert found.model == ("BdW" if len(left) > 4 else "sBG")


def test_nothing_known_is_the_stated_prior_and_no_constant_rate() -> None:
    retention = cohorts.fit(np.array([10.0])).retention(5)
    assert retention[0] == pytest.approx(0.85)
    assert (np.diff(retention) > 0).all()


def test_one_loss_or_none_leaves_doubt() -> None:
    assert 0.9 < cohorts.fit(np.array([10.0, 10.0])).survival(1)[1] < 1


def test_a_cohort_never_grows() -> None:
    with pytest.raises(ValueError, match="never rise"):
        cohorts.fit(np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="never rise"):
        cohorts.fit(np.zeros(0))
