"""Tests, effect sizes and intervals against scipy's, and against what is known of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from scipy import stats

from app.domain.statistics import (
    Ranked,
    benjamini_hochberg,
    chi2_above,
    cliff,
    cramer,
    gap,
    kruskal_wallis,
    noncentral_below,
    noncentrality,
    wilson,
)


def grouped(groups: list[list[float]]) -> tuple[list[Ranked], float]:
    """Rank sums and ties as the database gives them."""
    every = [value for group in groups for value in group]
    ranks = iter(stats.rankdata(every))
    ranked = [Ranked(len(group), float(sum(next(ranks) for _ in group))) for group in groups]
    return ranked, float(sum(n**3 - n for n in Counter(every).values()))


@pytest.mark.parametrize("seed", range(5))
def test_kruskal_wallis_is_that_of_scipy(seed: int) -> None:
    drawn = random.Random(seed)
    groups = [
        [float(drawn.randint(0, 12) + n) for _ in range(drawn.randint(5, 60))] for n in range(drawn.randint(2, 5))
    ]
    ranked, ties = grouped(groups)
    found, meant = kruskal_wallis(ranked, ties), stats.kruskal(*groups)
    assert found is not None
    assert (found.statistic, found.p) == pytest.approx((meant.statistic, meant.pvalue), rel=1e-9)
    assert found.low <= found.size <= found.high
    assert found.size == pytest.approx(meant.statistic / (sum(map(len, groups)) - 1))


def test_nothing_is_told_of_one_group_or_one_value() -> None:
    assert kruskal_wallis([Ranked(9, 45.0)], 0.0) is None
    assert kruskal_wallis(*grouped([[1.0] * 6, [1.0] * 7])) is None
    assert cramer([[3, 4]]) is None
    assert cramer([[3, 0], [5, 0]]) is None
    assert cramer([]) is None
    assert cliff(Ranked(0, 0.0), 4) is None


@pytest.mark.parametrize("table", [[[10, 20], [30, 5]], [[7, 9], [8, 8], [30, 29]], [[5, 4, 40], [9, 12, 8]]])
def test_cramer_is_that_of_scipy(table: list[list[int]]) -> None:
    found, meant = cramer(table), stats.chi2_contingency(table, correction=False)
    assert found is not None
    assert (found.statistic, found.p) == pytest.approx((meant.statistic, meant.pvalue), rel=1e-9)
    assert found.size == pytest.approx(stats.contingency.association(table, method="cramer"))
    assert found.low <= found.size <= found.high


@pytest.mark.parametrize("seed", range(4))
def test_cliff_is_the_share_of_pairs_above_less_those_below(seed: int) -> None:
    drawn = random.Random(seed)
    one, other = ([float(drawn.randint(0, 9)) + shift for _ in range(40)] for shift in (seed, 0))
    ranked, _ = grouped([one, other])
    found = cliff(ranked[0], len(other))
    pairs = [(x > y) - (x < y) for x in one for y in other]
    assert found is not None
    assert found[0] == pytest.approx(sum(pairs) / len(pairs))
    assert -1 <= found[1] <= found[0] <= found[2] <= 1


def test_the_interval_of_cliff_holds_what_is_so_about_as_often_as_it_says() -> None:
    drawn, held = random.Random(7), 0
    truth = 2 * stats.norm.cdf(0.6 / 2**0.5) - 1
    for _ in range(300):
        ranked, _ = grouped([[drawn.gauss(0.6, 1) for _ in range(25)], [drawn.gauss(0, 1) for _ in range(60)]])
        found = cliff(ranked[0], 60)
        assert found is not None
        held += found[1] <= truth <= found[2]
    assert 0.91 <= held / 300 <= 0.99


def test_distributions_are_those_of_scipy() -> None:
    for x, freedom in ((0.3, 1), (5.0, 3), (80.0, 4), (900.0, 7)):
        assert chi2_above(x, freedom) == pytest.approx(stats.chi2.sf(x, freedom), rel=1e-9)
        for shift in (0.0, 4.0, 39.0):
            assert noncentral_below(x, freedom, shift) == pytest.approx(stats.ncx2.cdf(x, freedom, shift), abs=1e-8)
        for far in (41.0, 300.0, 5_000.0):
            at = far + freedom + x**0.5 * 5
            assert noncentral_below(at, freedom, far) == pytest.approx(stats.ncx2.cdf(at, freedom, far), abs=5e-4)


def test_the_interval_of_noncentrality_ends_where_it_should() -> None:
    low, high = noncentrality(25.0, 3)
    assert (stats.ncx2.cdf(25.0, 3, low), stats.ncx2.cdf(25.0, 3, high)) == pytest.approx((0.975, 0.025), abs=5e-4)
    assert noncentrality(0.5, 3)[0] == 0.0


def test_wilson_is_that_of_scipy() -> None:
    for hits, n in ((0, 12), (3, 40), (40, 40), (511, 1_000)):
        meant = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert wilson(hits, n) == pytest.approx((meant.low, meant.high))
    assert wilson(0, 0) == (0.0, 1.0)


def test_benjamini_hochberg_is_that_of_scipy() -> None:
    drawn = random.Random(3)
    ps = [drawn.random() ** 3 for _ in range(25)]
    assert benjamini_hochberg(ps) == pytest.approx(list(stats.false_discovery_control(ps)))
    assert benjamini_hochberg([]) == []


def test_a_gap_between_shares_is_as_published() -> None:
    """Newcombe 1998, table II, example (a): 56/70 less 48/80."""
    found = gap(56, 70, 48, 80)
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-4)
    assert gap(0, 0, 1, 2) is None
