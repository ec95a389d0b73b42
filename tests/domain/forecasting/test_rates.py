"""Two-level rates: the maximum of the likelihood, honest widths, and never a NaN with few data."""

import numpy as np
import pytest
from scipy import optimize, special

from app.domain.forecasting import rates


def fitted(rows: list[tuple[str, str, int, int]], basis: rates.Basis = "logo") -> rates.Rates:
    """Rates of (parent, child, renewals, renewed)."""
    parent = np.array([row[0] for row in rows], dtype=np.str_)
    child = np.array([row[1] for row in rows], dtype=np.str_)
    segments, code = rates.index_segments(parent, child)
    n, k = np.zeros(len(rows)), np.zeros(len(rows))
    n[code], k[code] = [row[2] for row in rows], [row[3] for row in rows]
    return rates.fit(basis, segments, rates.Counts(n, k, n.astype(np.int64)))


def test_the_book_prior_is_the_maximum_of_the_penalised_likelihood() -> None:
    k, n = np.array([30.0, 80.0, 55.0, 9.0]), np.array([60.0, 90.0, 70.0, 10.0])

    def loss(at: rates.Floats) -> float:
        mean, precision = special.expit(at[0]), np.exp(at[1])
        a, b = mean * precision, (1 - mean) * precision
        prior = rates.PRIOR_SIZE * (rates.PRIOR_MEAN * np.log(mean) + (1 - rates.PRIOR_MEAN) * np.log(1 - mean))
        prior -= 0.5 * ((at[1] - np.log(rates.PRIOR_PRECISION)) / rates.PRIOR_PRECISION_SPREAD) ** 2
        return -float(np.sum(special.betaln(k + a, n - k + b) - special.betaln(a, b)) + prior)

    best = optimize.minimize(loss, np.array([1.0, 2.0]), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    rows = [(str(index), "", int(n[index]), int(k[index])) for index in range(4)]
    ours = fitted(rows)
    assert ours.book_mean == pytest.approx(special.expit(best.x[0]), abs=1e-5)
    assert ours.precision == pytest.approx(np.exp(best.x[1]), rel=1e-4)


def test_a_child_leans_on_its_parent_by_strength() -> None:
    ours = fitted([("a", "x", 100, 90), ("a", "y", 2, 0), ("b", "x", 50, 20)])
    parent = ours.parent_mean[ours.segments.parent_of]
    assert ours.mean == pytest.approx((ours.counts.k + ours.strength * parent) / (ours.counts.n + ours.strength))
    assert 0 < ours.mean[1] < parent[1]
    assert ours.variance[1] > ours.variance[0]


@pytest.mark.parametrize(
    "rows",
    [
        [("a", "x", 0, 0)],
        [("a", "x", 1, 1)],
        [("a", "x", 1, 0)],
        [("a", "x", 5_000, 5_000), ("b", "x", 3_000, 3_000)],
        [("a", "x", 5_000, 0), ("b", "x", 3_000, 0)],
        [("a", "x", 10_000_000, 8_500_000)],
        [(str(i), str(j), 10, 9) for i in range(20) for j in range(5)],
        [("a", "x", 10, 10), ("a", "y", 0, 0), ("b", "z", 0, 0)],
    ],
)
def test_few_or_extreme_data_give_a_finite_answer(rows: list[tuple[str, str, int, int]]) -> None:
    ours = fitted(rows)
    assert np.isfinite(np.concatenate([ours.mean, ours.variance, ours.parent_mean, ours.parent_variance])).all()
    assert ((ours.mean > 0) & (ours.mean < 1) & (ours.variance > 0)).all()
    assert (ours.variance < ours.mean * (1 - ours.mean)).all()
    for shown in rates.describe(ours):
        assert 0 <= shown.low < shown.high <= 1
        assert (shown.raw is None) == (shown.n == 0)


def test_no_history_says_so_by_its_width() -> None:
    shown = rates.describe(fitted([("a", "x", 0, 0)]))[1]
    assert shown.shrunk == pytest.approx(0.85)
    assert 0.35 < shown.low < 0.55
    assert shown.high > 0.99


def test_more_history_narrows_and_age_widens() -> None:
    def width(n: int) -> float:
        shown = rates.describe(fitted([("a", "x", n, round(0.8 * n)), ("b", "x", n, round(0.7 * n))]))[-1]
        return shown.high - shown.low

    assert width(10) > width(100) > width(1000)
    assert rates.age_weights(np.array([0, 183, -5])) == pytest.approx([1.0, 0.5, 1.0], abs=2e-3)


def test_equal_amounts_make_arr_and_logo_counts_the_same() -> None:
    code, kept = np.array([0, 0, 1, 1, 1]), np.array([1.0, 0.0, 1.0, 1.0, 0.5])
    weights = np.array([1.0, 0.5, 1.0, 0.25, 1.0])
    logo = rates.count(code, 2, weights, kept)
    money = rates.count(code, 2, weights, kept, np.full(5, 1e11))
    assert money.n == pytest.approx(logo.n)
    assert money.k == pytest.approx(logo.k)


def test_one_giant_among_dwarfs_is_worth_about_one_renewal() -> None:
    size = np.array([1e11] + [100.0] * 99)
    money = rates.count(np.zeros(100, dtype=np.int64), 1, np.ones(100), np.ones(100), size)
    assert money.n[0] == pytest.approx(1.0, abs=1e-6)
    assert money.size[0] == 100
    nothing = rates.count(np.zeros(3, dtype=np.int64), 1, np.ones(3), np.ones(3), np.zeros(3))
    assert nothing.n[0] == 0
    assert nothing.k[0] == 0
    assert nothing.size[0] == 0


def test_a_childs_name_may_recur_under_another_parent() -> None:
    segments, code = rates.index_segments(np.array(["b", "a", "b"]), np.array(["x", "x", "x"]))
    assert segments.children == ("x", "x")
    assert segments.parents == ("a", "b")
    assert code.tolist() == [1, 0, 1]
    assert segments.parent_of.tolist() == [0, 1]
