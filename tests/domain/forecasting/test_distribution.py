"""The book's distribution against exact convolution, and at the edges."""

import numpy as np
import pytest
from scipy import stats

from app.domain.forecasting import atoms, characteristic
from app.domain.forecasting.book import Uncertainty, independent, mixture, segmented
from app.domain.forecasting.distribution import distribution
from bench import convolution

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
WIDE = Uncertainty(0.85, 0.01, 0.008, 0.015)
NARROW = Uncertainty(0.8, 0.001, 0.0004, 0.0001)


@pytest.mark.parametrize(("accounts", "largest"), convolution.BOOKS)
def test_cosine_series_matches_exact_convolution(accounts: int, largest: int) -> None:
    """Within 0.01 % of the 90 % width, on top of the half unit by which a quantile of whole amounts jumps."""
    assert convolution.error(accounts, largest) <= 1e-4


def test_equal_amounts_are_a_binomial() -> None:
    ours = distribution(independent(np.full(400, 12_345.0), np.full(400, 0.83)))
    assert ours.discrete
    for q in LEVELS:
        assert ours.quantile(q) == 12_345 * stats.binom.ppf(q, 400, 0.83)
    assert ours.reaches(12_345 * 330) == pytest.approx(stats.binom.sf(329, 400, 0.83), abs=1e-12)


def test_twelve_accounts_are_enumerated() -> None:
    rng = np.random.default_rng(3)
    amounts, p = rng.uniform(1, 1e11, 12), rng.uniform(0, 1, 12)
    ours = distribution(independent(amounts, p))
    chosen = (np.arange(4096)[:, None] >> np.arange(12)) & 1
    sums, mass = chosen @ amounts, np.prod(np.where(chosen == 1, p, 1 - p), axis=1)
    order = np.argsort(sums)
    assert ours.points == pytest.approx(sums[order])
    assert ours.below == pytest.approx(np.cumsum(mass[order]), abs=1e-12)


@pytest.mark.parametrize("rate", [WIDE, NARROW])
def test_parameter_uncertainty_has_the_stated_moments(rate: Uncertainty) -> None:
    amounts = np.full(200, 50.0)
    ours = distribution(segmented([[(amounts, rate), (amounts, rate)], [(amounts, rate)]]))
    # Unlike accounts of one cell, siblings, and strangers covary by what they share.
    between = rate.own * 3 + rate.shared * (2**2 + 1) + rate.common * 3**2
    chance = 3 * 200 * (rate.mean * (1 - rate.mean) - rate.own - rate.shared - rate.common)
    assert ours.mean == pytest.approx(600 * 50 * rate.mean, rel=1e-9)
    assert ours.sd == pytest.approx(50 * np.sqrt(200**2 * between + chance), rel=0.04)


def test_quantiles_hold_what_a_simulation_draws() -> None:
    rng = np.random.default_rng(11)
    amounts = [np.round(rng.lognormal(0, 1.2, 80) * 1e4) for _ in range(3)]
    book = segmented([[(amounts[0], WIDE), (amounts[1], NARROW)], [(amounts[2], WIDE)]])
    ours, draws = distribution(book), np.zeros(20_000)
    common = rng.choice(len(book.weights), size=len(draws), p=book.weights)
    for group in book.groups:
        shared = rng.choice(len(group.weights), size=len(draws), p=group.weights)
        for cell in group.cells:
            own = rng.choice(len(cell.weights), size=len(draws), p=cell.weights)
            p = cell.probabilities[common, shared, own]
            draws += (rng.random((len(draws), len(cell.amounts))) < p) @ cell.amounts
    for q in LEVELS:
        assert np.mean(draws <= ours.quantile(q)) == pytest.approx(q, abs=0.015)


def test_cumulants_of_the_small_do_not_move_the_quantiles(monkeypatch: pytest.MonkeyPatch) -> None:
    amounts = np.round(np.random.default_rng(5).lognormal(0, 2.0, 2_000) * 1e5)
    book = segmented([[(amounts[:1_500], NARROW)], [(amounts[1_500:], WIDE)]])
    monkeypatch.setattr(characteristic, "EXACT_PAIRS", 10**9)
    exact = distribution(book)
    monkeypatch.setattr(characteristic, "EXACT_PAIRS", 20_000)
    ours = distribution(book)
    width = exact.quantile(0.95) - exact.quantile(0.05)
    assert max(abs(ours.quantile(q) - exact.quantile(q)) for q in LEVELS) <= 1e-4 * width


def test_a_mixture_of_two_years_lies_between_them() -> None:
    amounts = np.random.default_rng(2).uniform(1e5, 1e6, 500)
    good, bad = np.full(500, 0.9), np.full(500, 0.7)
    both = distribution(mixture(amounts, np.array([bad, good]), np.array([0.5, 0.5])))
    assert both.mean == pytest.approx(0.8 * amounts.sum())
    assert both.quantile(0.25) == pytest.approx(0.7 * amounts.sum(), rel=0.01)
    assert both.quantile(0.75) == pytest.approx(0.9 * amounts.sum(), rel=0.01)


@pytest.mark.parametrize(
    ("amounts", "p", "value"),
    [([], [], 0), ([0, 0], [0.5, 0.5], 0), ([5, 7], [1, 1], 12), ([5, 7], [0, 0], 0), ([1e11] * 3, [1, 1, 0], 2e11)],
)
def test_certain_books_are_a_point(amounts: list[float], p: list[float], value: float) -> None:
    ours = distribution(independent(np.array(amounts, dtype=float), np.array(p, dtype=float)))
    assert ours.sd == 0
    assert [ours.quantile(q) for q in (0, 0.5, 1)] == [value] * 3
    assert ours.reaches(value) == 1
    assert ours.reaches(value + 1) == 0
    assert ours.cdf(value) == 1
    assert ours.cdf(value - 1) == 0


def test_one_account_renews_or_does_not() -> None:
    ours = distribution(segmented([[(np.array([1e11]), Uncertainty(0.85, 0.006, 0.006, 0.0255))]]))
    assert ours.quantile(0.14) == 0
    assert ours.quantile(0.16) == 1e11
    assert ours.reaches(1) == pytest.approx(0.85)


def test_a_billion_beside_a_thousand_small_ones() -> None:
    amounts = np.concatenate([[1e11], np.random.default_rng(4).uniform(1e3, 1e5, 1_000)])
    ours = distribution(independent(amounts, np.full(1_001, 0.8)))
    assert not atoms.reachable(independent(amounts, np.full(1_001, 0.8)))
    assert ours.quantile(0.1) < 5e8
    assert 1e11 - 5e8 < ours.quantile(0.3) <= ours.total
    assert ours.reaches(5e10) == pytest.approx(0.8, abs=1e-4)


def test_a_quantile_is_asked_for_between_nought_and_one() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        distribution(independent(np.ones(1), np.ones(1))).quantile(1.5)
