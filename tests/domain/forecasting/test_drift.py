"""Common shocks: found where they were planted, few data harmless, and intervals that hold."""

import numpy as np
import pytest
from scipy import optimize

from app.domain.forecasting import drift
from app.domain.forecasting.logistic import expit
from bench import shocks
from bench.shocks import months_of


def test_shocks_of_large_months_are_found() -> None:
    planted = [0.3, -0.4, 0.1, -0.2, 0.5, -0.6, -0.5, -0.7]
    found = drift.measure(*months_of(planted, 20_000))
    assert found.shocks == pytest.approx(planted, abs=0.07)
    assert found.drift == pytest.approx(np.mean(planted[-3:]) / 2, abs=0.03)
    missed = np.array([d - sum(planted[max(m - 3, 0) : m]) / max(2 * min(m, 3), 1) for m, d in enumerate(planted)])
    usual = 4 * min(1, 0.10**2 / np.mean(missed**2)) ** (8 / 12)
    plain = np.sqrt((usual * 0.10**2 + sum(missed**2)) / (usual + 8))
    assert found.tau == pytest.approx(plain * (1 + 0.93 * 8 / (usual + 8) ** 2), abs=0.04)


def test_a_month_solves_its_own_equation() -> None:
    p, renewed, month = months_of([-0.5], 500)
    found = drift.measure(p, renewed, month).shocks[0]
    wanted = optimize.brentq(lambda d: float((drift.moved(p, d) - renewed).sum()) + d / 0.25, -9, 9)
    assert found == pytest.approx(wanted, abs=1e-9)


def test_chance_alone_is_no_drift() -> None:
    found = drift.measure(*months_of([0.0] * 24, 400))
    assert abs(found.drift) < 0.1
    # Noise above its standard error counts, noise below it does not: chance alone leaves a little.
    assert found.tau < 0.14


@pytest.mark.parametrize(("renewals", "all_renewed"), [(0, True), (1, True), (1, False), (5_000, True), (5_000, False)])
def test_few_or_extreme_months_stay_finite(renewals: int, all_renewed: bool) -> None:
    p, renewed = np.full(renewals, 0.85), np.full(renewals, all_renewed)
    found = drift.measure(p, renewed, np.zeros(renewals, dtype=np.int64))
    assert np.isfinite([found.drift, found.tau, *found.shocks]).all()
    if renewals < 2:
        assert found.tau == pytest.approx(0.10, abs=0.005)
        assert abs(found.drift) < 0.12


def test_lanes_move_on_their_own_from_where_the_scenario_starts() -> None:
    p, _, month = months_of([0.0] * 6, 3_000)
    lane = np.where(np.arange(len(p)) % 3 == 0, "severe", "medium")
    moved = np.where((lane == "severe") & (month >= 3), -0.6, 0.0)
    renewed = np.random.default_rng(1).random(len(p)) < drift.moved(p, moved)
    common = drift.measure(p, renewed, month)
    severe, low, medium = (
        {s.lane: s for s in drift.lane_shifts(p, renewed, month, lane, common, {"low": 0.0})}[n]
        for n in ("severe", "low", "medium")
    )
    assert severe.shift < -0.2 < 0 < medium.shift
    assert severe.variance < low.variance == pytest.approx(common.tau**2)
    assert low.renewals == 0
    nothing = drift.lane_shifts(p[:0], renewed[:0], month[:0], lane[:0], drift.Drift(), drift.STARTING_SHIFTS)
    assert {s.lane: s.shift for s in nothing} == pytest.approx({"severe": -1.2, "medium": -0.6, "low": 0.0})


def test_a_shock_of_three_months_leans_on_the_usual_one() -> None:
    """However far they were off, the usual shock counts for four months beside them, as forecasting.md 2 has it."""
    few, more = (drift.measure(*months_of([0.7, -0.7] * half, 20_000)) for half in (1, 4))
    three = drift.measure(*months_of([0.7, -0.7, 0.7], 20_000))
    missed = [0.7, -0.7 - 0.35, 0.7]
    written = np.sqrt((4 * 0.10**2 + sum(np.square(missed))) / (4 + 3))
    assert three.tau == pytest.approx(written * (1 + 0.93 * 3 / 7**2), abs=0.03)
    assert few.tau < three.tau < more.tau


def test_small_months_tell_the_shock_that_was_planted() -> None:
    """24 months of 100 renewals, whose shocks are known to a quarter of a logit: chance and the prior take nothing away."""
    rng = np.random.default_rng(3)
    found = [drift.measure(*months_of(rng.normal(0, 0.5, 24).tolist(), 100, seed)).tau for seed in range(60)]
    print(f"planted .5, found {np.mean(found):.3f}")
    assert 0.48 <= np.mean(found) <= 0.58


def test_intervals_hold_where_independent_ones_do_not() -> None:
    held = shocks.held(120)
    print(f"held {held.ours:.3f} with a common shock, {held.alone:.3f} without")
    assert held.ours >= 0.89
    assert held.alone <= 0.62


def test_the_common_factor_has_the_variance_of_the_sum() -> None:
    rng = np.random.default_rng(4)
    design, eta, amounts = (
        np.column_stack([np.ones(50), rng.normal(0, 1, (50, 3))]),
        rng.normal(1, 1, 50),
        rng.uniform(1, 9, 50),
    )
    root = rng.normal(0, 0.1, (4, 4))
    covariance = root @ root.T
    factor = drift.common_factor(design, covariance, amounts, eta, 0.3)
    p = expit(eta)
    weight = amounts * p * (1 - p)
    wanted = weight @ design @ covariance @ design.T @ weight + (0.3 * weight.sum()) ** 2
    assert (weight @ factor) ** 2 == pytest.approx(wanted)
    assert not drift.common_factor(design, np.zeros((4, 4)), np.zeros(50), eta, 0.0).any()
