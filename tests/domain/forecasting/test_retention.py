"""Retention: every figure over its own denominator, and contributions that add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.forecasting import retention
from app.domain.forecasting.rates import Ints
from app.domain.forecasting.retention import Figure

MONEY = st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), max_size=30)


def columns(rows: list[tuple[int, int]]) -> tuple[Ints, Ints]:
    return np.array([a for a, _ in rows], dtype=np.int64), np.array([b for _, b in rows], dtype=np.int64)


def test_each_figure_has_its_own_denominator() -> None:
    """Kept, contracted, expanded, lost, new: 100 + 100 + 100 + 100 at the start."""
    start, end = columns([(100, 100), (100, 60), (100, 150), (100, 0), (0, 500)])
    found = retention.retained(start, end)
    assert (found.grr.value, found.nrr.value, found.logo_churn.value) == (0.65, 0.775, 0.25)
    assert (found.left_out_accounts, found.left_out_minor) == (1, 500)
    gross, net = retention.renewed(*columns([(100, 60), (100, 150)]))
    assert (gross.value, net.value) == (0.8, 1.05)
    assert gross.cohort != found.grr.cohort


@given(MONEY)
def test_contributions_add_up(rows: list[tuple[int, int]]) -> None:
    start, end = columns(rows)
    found = retention.retained(start, end)
    figures: tuple[Figure, ...] = (found.grr, found.nrr, found.logo_churn, *retention.renewed(start, end))
    for figure in figures:
        assert sum(figure.contributions.tolist()) == figure.numerator
        assert (figure.value is None) == (figure.denominator == 0)
        assert (figure.contributions[start == 0] == 0).all()
    assert found.grr.numerator <= min(found.grr.denominator, found.nrr.numerator)


def test_a_forecast_leans_on_the_last_three_months() -> None:
    assert retention.corrected(0.9, np.array([0.5, 0.9, 0.9, 0.9]), np.array([0.1, 0.8, 0.8, 0.8])) == pytest.approx(
        0.8
    )
    assert retention.corrected(0.9, np.zeros(0), np.zeros(0)) == 0.9
    assert retention.corrected(0.9, np.zeros(3), np.zeros(3)) == 0.9
    start = np.array([100, 300])
    assert retention.expected(start, np.array([1.0, 0.5]), np.array([0.8, 1.2])) == pytest.approx((80 + 180) / 400)
    assert retention.expected(start * 0, np.ones(2), np.ones(2)) is None


def test_the_corrected_forecast_beats_the_last_three_months() -> None:
    """Books whose mix moves from month to month while the level drifts: the mean error in points, one month ahead."""
    rng, months = np.random.default_rng(6), 60
    level = 1 + 0.02 * np.sin(np.arange(months) / 9)
    said = 0.92 + rng.normal(0, 0.012, months)
    came = said * level + rng.normal(0, 0.008, months)
    ours = [retention.corrected(said[m], said[:m], came[:m]) - came[m] for m in range(3, months)]
    plain = [came[m - 3 : m].mean() - came[m] for m in range(3, months)]
    print(f"mean error {100 * np.abs(ours).mean():.2f} points, last three months {100 * np.abs(plain).mean():.2f}")
    assert np.abs(ours).mean() < 0.9 * np.abs(plain).mean()


def test_money_is_not_negative() -> None:
    with pytest.raises(ValueError, match="not negative"):
        retention.retained(*columns([(1, -1)]))
    with pytest.raises(ValueError, match="one length"):
        retention.renewed(np.ones(1, dtype=np.int64), np.ones(2, dtype=np.int64))
