"""Whole minor units that add up."""

import numpy as np

from app.domain.forecasting.allocation import to_the_cent


def test_the_largest_remainders_get_the_missing_cents() -> None:
    amounts, shares = np.array([10, 10, 10]), np.array([0.51, 0.56, 0.53])
    assert to_the_cent(amounts, shares, np.array(["a", "b", "c"])).tolist() == [5, 6, 5]


def test_equal_remainders_go_by_name() -> None:
    amounts, shares = np.array([1, 1, 1, 1]), np.full(4, 0.5)
    assert to_the_cent(amounts, shares, np.array(["d", "b", "a", "c"])).tolist() == [0, 1, 1, 0]


def test_a_billion_keeps_its_cents_and_nothing_exceeds_its_amount() -> None:
    amounts = np.array([100_000_000_001, 0, 3])
    assert to_the_cent(amounts, np.ones(3), np.array(["a", "b", "c"])).tolist() == amounts.tolist()
    assert to_the_cent(amounts, np.zeros(3), np.array(["a", "b", "c"])).tolist() == [0, 0, 0]
    assert to_the_cent(amounts[:0], np.zeros(0), np.array([], dtype=np.str_)).tolist() == []
