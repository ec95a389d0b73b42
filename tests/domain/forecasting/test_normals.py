"""Large books under a common shock, and what renewing accounts pay, against characteristic functions and draws."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats

from app.domain.forecasting import atoms, normals
from app.domain.forecasting.book import Book, Cell, Floats, Group, factored
from app.domain.forecasting.distribution import distribution

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
RATIOS = np.array([[0.0, 0.6, 1.0, 1.0, 1.4]])


def large(accounts: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(accounts)
    return np.round(rng.lognormal(9, 1.0, accounts), 2), rng.normal(1.5, 0.7, accounts)


def cell_book(amounts: Floats, p: float, ratios: Floats) -> Book:
    cell = Cell(amounts, np.full((1, 1, 1, 1), p), np.ones(1), 0.0, ratios)
    return Book((Group((cell,), np.ones(1)),), np.ones(1))


def direct(amounts: Floats, eta: Floats, factor: float) -> Callable[[float, float], float]:
    """P(R <= r) - q of (r, q), a thousand nodes each with its own moments and no interpolation."""
    z = np.linspace(-7, 7, 1_001)
    weights, moments = stats.norm.pdf(z) / stats.norm.pdf(z).sum(), []
    for node in z:
        p = 1 / (1 + np.exp(-eta - factor * node))
        chance = p * (1 - p)
        moments.append((amounts @ p, amounts**2 @ chance, amounts**3 @ (chance * (1 - 2 * p))))
    centre, variance, third = np.array(moments).T
    width = np.sqrt(variance)

    def gap(r: float, q: float) -> float:
        x = (r - centre) / width
        return float(weights @ (stats.norm.cdf(x) - third / width**3 / 6 * (x**2 - 1) * stats.norm.pdf(x))) - q

    return gap


@pytest.mark.parametrize("factor", [0.02, 0.15, 0.4])
def test_conditional_normals_match_the_series(factor: float) -> None:
    """Within .001 % of the width of the same mixture summed directly, and of the series as far as its nodes reach."""
    amounts, eta = large(12_000)
    ours = normals.shocked(amounts, eta, np.full(12_000, factor))
    width = ours.quantile(0.95) - ours.quantile(0.05)
    found = np.array([ours.quantile(q) for q in LEVELS])
    gap = direct(amounts, eta, factor)
    off = np.abs(found - [optimize.brentq(gap, 0, ours.total, args=(q,)) for q in LEVELS]).max() / width
    series = distribution(factored(amounts, eta, np.full(12_000, factor)))
    apart = np.abs(found - [series.quantile(q) for q in LEVELS]).max() / width
    print(f"factor {factor}: {100 * off:.5f} % of the width, {100 * apart:.4f} % from the series")
    assert off <= 1e-5
    assert apart <= 2e-4
    assert ours.mean == pytest.approx(series.mean, rel=1e-5)
    assert ours.sd == pytest.approx(series.sd, rel=1e-4)


def test_a_giant_among_many_is_not_normal() -> None:
    amounts = large(12_000)[0]
    amounts[0] = 10 * amounts.sum()
    ours = normals.shocked(amounts, np.full(12_000, np.log(4)), np.full(12_000, 0.1))
    assert ours.quantile(0.1) < 0.2 * ours.total
    assert ours.quantile(0.5) > 0.9 * ours.total


@pytest.mark.parametrize("amounts", [[], [0.0], [0.0] * 12_000, [1e11], [1e11, 0.0]])
def test_nothing_or_a_billion_is_finite(amounts: list[float]) -> None:
    ours = normals.shocked(np.array(amounts), np.full(len(amounts), 2.0), np.full(len(amounts), 0.3))
    assert np.isfinite([ours.mean, ours.sd, *(ours.quantile(q) for q in LEVELS)]).all()
    assert 0 <= ours.quantile(0.05) <= ours.quantile(0.95) <= sum(amounts)


def test_one_ratio_is_a_smaller_amount() -> None:
    amounts = large(500)[0]
    half, halved = (
        distribution(cell_book(amounts, 0.8, np.array([[0.5]]))),
        distribution(cell_book(amounts / 2, 0.8, np.ones((1, 1)))),
    )
    assert [half.quantile(q) for q in LEVELS] == pytest.approx([halved.quantile(q) for q in LEVELS], rel=1e-9)


@pytest.mark.parametrize("accounts", [3, 300, 40_000])
def test_contraction_and_expansion_hold_what_a_simulation_draws(accounts: int) -> None:
    """Listed for three accounts, by the product for 300, by cumulants where the product would be too long."""
    amounts, rng = large(accounts)[0], np.random.default_rng(7)
    book = cell_book(amounts, 0.8, RATIOS)
    ours = distribution(book)
    assert atoms.reachable(book) == (accounts == 3)
    assert ours.mean == pytest.approx(0.8 * 0.8 * amounts.sum())
    rounds = min(20_000, 20_000_000 // accounts)
    drawn = np.zeros(rounds)
    for turn in range(0, rounds, 500):
        # 0.8 renew and pay one of five ratios alike: nought with .2 + .16, and so on.
        paid = rng.choice([0.0, 0.6, 1.0, 1.4], (min(500, rounds - turn), accounts), p=[0.36, 0.16, 0.32, 0.16])
        drawn[turn : turn + len(paid)] = paid @ amounts
    assert ours.sd == pytest.approx(drawn.std(), rel=0.1)
    for q in (0.25, 0.5, 0.75):
        assert np.mean(drawn <= ours.quantile(q)) >= q - 0.05
        assert np.mean(drawn < ours.quantile(q)) <= q + 0.05


def test_ratios_of_their_own_per_account() -> None:
    amounts = large(40)[0]
    own = np.column_stack([np.linspace(0.5, 1, 40), np.linspace(1, 1.5, 40)])
    ours = distribution(factored(amounts, np.full(40, 2.0), np.full(40, 0.2), own))
    assert ours.mean == pytest.approx(
        float(distribution(factored(amounts * own.mean(axis=1), np.full(40, 2.0), np.full(40, 0.2))).mean), rel=1e-6
    )
    assert ours.quantile(1.0) <= ours.total == pytest.approx(float(amounts @ own[:, 1]))
