"""What is paid on renewal: quantiles that keep the mean, few data, and what drowns nobody."""

import numpy as np
import pytest

from app.domain.forecasting.paid import MOST_PAID, QUANTILES, ratios


def test_without_renewals_an_account_pays_what_was_due() -> None:
    none = np.zeros(0)
    assert ratios(none, none, np.zeros(0, dtype=np.int64), 3).tolist() == [[1.0]] * 3


def test_their_mean_is_the_weighted_mean_and_they_rise() -> None:
    rng = np.random.default_rng(3)
    paid, weights = rng.uniform(0.5, 1.5, 50_000), rng.uniform(0, 1, 50_000)
    [found] = ratios(paid, weights, np.zeros(50_000, dtype=np.int64), 1)
    assert len(found) == QUANTILES
    assert (np.diff(found) > 0).all()
    assert found.mean() == pytest.approx((paid @ weights) / weights.sum(), abs=1e-3)


def test_a_thin_segment_leans_on_all() -> None:
    paid, parent = np.array([1.5] * 500 + [0.5]), np.array([0] * 500 + [1])
    table = ratios(paid, np.ones(501), parent, 3)
    assert table[0].mean() == pytest.approx(1.5, abs=0.01)
    assert 1.4 < table[1].mean() < table[2].mean() < 1.5


def test_one_renewal_hardly_counts_and_a_huge_one_is_cut() -> None:
    [found] = ratios(np.array([1e9]), np.ones(1), np.zeros(1, dtype=np.int64), 1)
    assert 1 < found.mean() < 1 + MOST_PAID / 3


def test_worthless_renewals_are_no_nan() -> None:
    [found] = ratios(np.array([0.5, 2.0]), np.zeros(2), np.zeros(2, dtype=np.int64), 1)
    assert found.tolist() == [1.0]
