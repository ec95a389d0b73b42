"""Survival of accounts of unlike age, against lifelines; the fit beyond it; few data."""

import lifelines
import numpy as np
import pytest

from app.domain.forecasting import cohorts
from app.domain.forecasting.lives import Age, Expected, Lives, survival
from app.domain.forecasting.rates import Floats


def lived(accounts: int, seed: int = 3) -> tuple[Floats, Floats, Floats, Floats]:
    """Chances that differ from account to account, ages from none to eight terms: when each left or was last seen."""
    rng = np.random.default_rng(seed)
    leaves, seen = rng.geometric(rng.beta(0.7, 1.8, accounts)), rng.integers(0, 9, accounts)
    gone = leaves <= seen
    lost = np.bincount(leaves[gone] - 1, minlength=60)[:60].astype(np.float64)
    there = np.bincount(seen[~gone], minlength=61)[:61].astype(np.float64)
    return lost, there, np.where(gone, leaves, seen).astype(np.float64), gone.astype(np.float64)


def test_observed_survival_is_that_of_kaplan_and_meier() -> None:
    lost, there, time, gone = lived(3_000)
    found = survival(Lives(lost, there))
    oracle = lifelines.KaplanMeierFitter(alpha=0.1).fit(time + 1e-9, gone)
    wanted = oracle.survival_function_at_times([one.age + 0.5 for one in found.observed]).to_numpy()
    assert [one.rate for one in found.observed] == pytest.approx(wanted, abs=1e-12)
    band = oracle.confidence_interval_survival_function_
    for one in found.observed[1:]:
        low, high = band.loc[: one.age + 0.5].iloc[-1]
        assert (one.low, one.high) == pytest.approx((low, high), abs=0.003)


def test_the_curve_finds_what_was_planted_and_goes_on() -> None:
    lost, there, _, _ = lived(40_000)
    found = survival(Lives(lost, there), ahead=12)
    assert found.curve.model == "BdW"
    assert (found.curve.a, found.curve.b, found.curve.c) == pytest.approx((0.7, 1.8, 1.0), rel=0.1)
    planted = cohorts.fit_sbg(np.array([1.0])).__class__("sBG", 0.7, 1.8, 1.0, 0, np.zeros((2, 2))).survival(20)
    assert [one.rate for one in found.expected] == pytest.approx(planted[: len(found.expected)], abs=0.01)
    assert all(one.low <= one.rate <= one.high for one in found.expected)
    each = [one.retention or 0.0 for one in found.expected[1:]]
    assert each == sorted(each)


def test_the_band_holds_the_truth_as_often_as_it_says() -> None:
    """At the twelfth term, of 20 cohorts of 400 accounts of which eight terms are seen."""
    truth = np.exp(cohorts._log_survival(np.log(np.array([0.7, 1.8, 1.0])), np.arange(13.0)))[12]
    held = 0
    for seed in range(20):
        lost, there, _, _ = lived(400, seed)
        last = survival(Lives(lost, there)).expected[12]
        held += last.low <= truth <= last.high
    assert 15 <= held <= 20


@pytest.mark.parametrize(
    ("lost", "there"),
    [([], []), ([], [5]), ([5], []), ([], [0, 5]), ([0, 0, 0, 0, 5], []), ([10**9], [0, 0, 1]), ([1], [0] * 60 + [1])],
)
@pytest.mark.parametrize("worth", [1.0, 1e-9])
def test_few_or_extreme_lives_stay_finite(lost: list[int], there: list[int], worth: float) -> None:
    gone, left = np.zeros(60), np.zeros(61)
    gone[: len(lost)], left[: len(there)] = lost, there
    found = survival(Lives(gone, left, worth))
    shown: list[Age | Expected] = [*found.observed, *found.expected]
    rows = [(one.rate, one.low, one.high) for one in shown]
    assert np.isfinite(rows).all()
    assert all(0 <= low <= high <= 1 and 0 <= rate <= 1 for rate, low, high in rows)
    assert len(found.expected) == len(found.observed) + 5
    assert found.curve.model == ("BdW" if len(found.observed) > 4 else "sBG")


def test_counts_are_of_one_shape() -> None:
    with pytest.raises(ValueError, match="counted per term"):
        cohorts.fit_lives(np.zeros(3), np.zeros(3))
