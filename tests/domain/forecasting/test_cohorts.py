"""Cohort curves: the published parameters and hold-out errors of Fader and Hardie, and few data."""

import numpy as np
import pytest

from app.domain.forecasting import cohorts
from bench import curves
from bench.published import RETENTION
from tests.domain.forecasting.published import needs


@needs(RETENTION)
@pytest.mark.parametrize("kind", list(curves.PUBLISHED))
def test_the_published_parameters_are_found(kind: str) -> None:
    found = curves.sbg(kind)
    print(f"sBG {kind}: a {found.a:.4f} b {found.b:.4f}")
    assert (found.a, found.b) == pytest.approx(curves.PUBLISHED[kind], abs=0.005)


@needs(RETENTION)
@pytest.mark.parametrize("kind", list(curves.PUBLISHED))
@pytest.mark.parametrize(("years", "most"), [(7, 0.015), (4, 0.02)])
def test_what_comes_after_is_foretold(kind: str, years: int, most: float) -> None:
    found, error = curves.foretold(kind, years)
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
