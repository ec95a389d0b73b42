"""Laws of a book's distribution and of sub-totals, for any book."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.forecasting.allocation import to_the_cent
from app.domain.forecasting.book import Floats, Uncertainty, independent, segmented
from app.domain.forecasting.distribution import distribution
from app.domain.forecasting.renewals import Due, History, forecast

LEVELS = (0.0, 0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1.0)
AMOUNT = st.one_of(st.just(0), st.integers(1, 1_000), st.integers(0, 10_000_000), st.integers(0, 100_000_000_000))
CHANCE = st.one_of(st.sampled_from([0.0, 1.0, 1e-12]), st.floats(0, 1))
ACCOUNTS = st.lists(st.tuples(AMOUNT, CHANCE), max_size=60)
VARIANCE = st.one_of(st.just(0.0), st.floats(1e-9, 0.08))
RATE = st.builds(Uncertainty, st.floats(1e-6, 1 - 1e-6), VARIANCE, VARIANCE, VARIANCE)
SEGMENTS = st.lists(st.lists(st.tuples(st.lists(AMOUNT, max_size=15), RATE), min_size=1, max_size=3), max_size=3)
few = settings(max_examples=60, deadline=None)


def columns(accounts: list[tuple[int, float]]) -> tuple[Floats, Floats]:
    return np.array([a for a, _ in accounts], dtype=np.float64), np.array([p for _, p in accounts], dtype=np.float64)


@few
@given(ACCOUNTS)
def test_quantiles_rise_within_nought_and_the_total(accounts: list[tuple[int, float]]) -> None:
    amounts, p = columns(accounts)
    ours = distribution(independent(amounts, p))
    found = [ours.quantile(q) for q in LEVELS]
    assert np.isfinite(found).all()
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] <= amounts.sum()
    assert ours.mean == pytest.approx(amounts @ p, rel=1e-9, abs=1e-9)
    for amount in found:
        assert 0 <= ours.cdf(amount) <= 1
        assert 0 <= ours.reaches(amount) <= 1


@few
@given(SEGMENTS)
def test_uncertain_segments_keep_their_mean_and_bounds(segments: list[list[tuple[list[int], Uncertainty]]]) -> None:
    groups = [[(np.array(amounts, dtype=np.float64), rate) for amounts, rate in group] for group in segments]
    ours = distribution(segmented(groups))
    found = [ours.quantile(q) for q in LEVELS]
    assert np.isfinite(found).all()
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] <= ours.total
    assert ours.mean == pytest.approx(sum(a.sum() * r.mean for group in groups for a, r in group), rel=1e-6)


@few
@given(ACCOUNTS, st.randoms(use_true_random=False))
def test_order_does_not_matter(accounts: list[tuple[int, float]], order: Random) -> None:
    mixed = list(accounts)
    order.shuffle(mixed)
    first, second = distribution(independent(*columns(accounts))), distribution(independent(*columns(mixed)))
    scale = max(first.sd, 1.0)
    assert first.mean == pytest.approx(second.mean)
    assert first.sd == pytest.approx(second.sd, abs=1e-6 * first.total)
    if first.discrete:
        return
    for amount in np.linspace(0, first.total, 9):
        assert first.cdf(amount) == pytest.approx(second.cdf(amount), abs=1e-6 + 1e-9 * scale / max(first.total, 1))


@few
@given(st.integers(1, 100_000), st.floats(0.01, 0.99), st.integers(1, 60), ACCOUNTS)
def test_identical_accounts_are_the_same_in_one_segment_or_many(
    amount: int, p: float, count: int, others: list[tuple[int, float]]
) -> None:
    """A segment of n equal accounts is n segments of one, as long as nobody shares a doubt."""
    rate, rest = Uncertainty(p), [(np.array([float(a)]), Uncertainty(q)) for a, q in others]
    together = distribution(segmented([[(np.full(count, float(amount)), rate), *rest]]))
    apart = distribution(segmented([[(np.array([float(amount)]), rate)] * count + rest]))
    assert together.mean == pytest.approx(apart.mean)
    assert together.sd == pytest.approx(apart.sd)
    for share in (0.1, 0.35, 0.6, 0.85):
        at = (np.floor(share * together.total)) + 0.5
        assert together.cdf(at) == pytest.approx(apart.cdf(at), abs=1e-6)


@few
@given(st.lists(st.tuples(AMOUNT, CHANCE, st.integers(0, 4)), max_size=80), st.randoms(use_true_random=False))
def test_expected_amounts_add_up_to_the_cent(rows: list[tuple[int, float, int]], order: Random) -> None:
    def allocate(rows: list[tuple[int, float, int]], names: list[int]) -> dict[int, int]:
        amounts = np.array([row[0] for row in rows], dtype=np.int64)
        shares = np.array([row[1] for row in rows], dtype=np.float64)
        cents = to_the_cent(amounts, shares, np.array([f"{name:04}" for name in names], dtype=np.str_))
        assert ((cents >= 0) & (cents <= amounts)).all()
        assert abs(int(cents.sum()) - float(amounts @ shares)) <= 0.5 + 1e-6 * len(rows) + 1e-15 * float(amounts.sum())
        return dict(zip(names, cents.tolist(), strict=True))

    names = list(range(len(rows)))
    mixed = list(names)
    order.shuffle(mixed)
    assert allocate(rows, names) == allocate([rows[name] for name in mixed], mixed)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(AMOUNT, st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 100)), max_size=40),
    st.lists(st.tuples(AMOUNT, st.floats(0, 1), st.sampled_from("ab"), st.sampled_from("xy")), max_size=40),
)
def test_any_grouping_adds_up(due: list[tuple[int, str, str, int]], past: list[tuple[int, float, str, str]]) -> None:
    day = np.datetime64("2025-01-01")
    renewals = Due(
        np.array([f"{index:04}" for index in range(len(due))], dtype=np.str_),
        np.array([row[0] for row in due], dtype=np.int64),
        day + np.array([row[3] for row in due], dtype=np.int64),
        np.array([row[1] for row in due], dtype=np.str_),
        np.array([row[2] for row in due], dtype=np.str_),
    )
    before = day - 1 - np.arange(len(past)) * 9
    amounts, kept = np.array([row[0] for row in past], dtype=np.int64), np.array([row[1] for row in past])
    parent, child = (np.array([row[place] for row in past], dtype=np.str_) for place in (2, 3))
    history = History(amounts, before, before, kept.astype(np.float64), parent, child)
    months = renewals.date.astype("datetime64[M]").astype(np.str_)
    for keys in ((months,), (renewals.parent, renewals.child), (months, renewals.child)):
        found = forecast(renewals, history, day, keys)
        assert sum(group.total.expected_minor for group in found.groups) == found.total.expected_minor
        assert sum(group.total.due_renewals for group in found.groups) == found.total.due_renewals
        for part in (found.total, *(group.total for group in found.groups)):
            assert 0 <= part.p05_minor <= part.p50_minor <= part.p95_minor <= part.due_arr_minor
