"""Backtests: the scores against an oracle, RavenStack without skill, few data, and 60,000 renewals."""

import csv
from time import process_time

import numpy as np
import pytest
from scipy import stats

from app.domain.forecasting.backtest import LAGS, Backtest, Coverage, auc, backtest, calibration, too_narrow
from app.domain.forecasting.features import Facts
from app.domain.forecasting.renewals import History
from bench.published import SUBSCRIPTIONS
from tests.domain.forecasting.published import needs

FIRST = np.datetime64("2023-01-01")


def past(renewals: int, months: int, spread: float, shock: float = 0.0, seed: int = 2) -> History:
    """Renewals over months in 4 x 3 segments whose logits differ by `spread`, and move together by `shock`."""
    rng = np.random.default_rng(seed)
    day = rng.integers(0, months * 30, renewals)
    segment = rng.integers(0, 12, renewals)
    eta = 1.4 + rng.normal(0, spread, 12)[segment] + rng.normal(0, shock, months)[day // 30]
    kept = np.where(rng.random(renewals) < 1 / (1 + np.exp(-eta)), np.where(rng.random(renewals) < 0.1, 0.7, 1.0), 0.0)
    parent, child = np.char.mod("p%d", segment // 3), np.char.mod("c%d", segment % 3)
    arr = np.round(rng.lognormal(9, 1, renewals) * 100).astype(np.int64)
    return History(arr, FIRST + day, FIRST + day + rng.integers(0, 20, renewals), kept, parent, child)


def sound(found: Backtest) -> None:
    """What holds of every backtest: no figure is NaN, shares are shares, and the verdict is in words."""
    for score in found.scores:
        figures = [score.brier, *score.brier_skill.values(), score.log_loss, score.auc, score.money_error]
        assert np.isfinite([figure for figure in figures if figure is not None]).all()
        assert sum(part.renewals for part in score.calibration) == score.renewals
    for cover in found.coverage:
        assert cover.held is None or 0 <= cover.held <= 1
    assert found.words


def test_auc_and_calibration_match_an_oracle() -> None:
    rng = np.random.default_rng(0)
    p = np.round(rng.random(300), 1)
    renewed = rng.random(300) < p
    wanted = stats.mannwhitneyu(p[renewed], p[~renewed]).statistic / (renewed.sum() * (~renewed).sum())
    assert auc(p, renewed) == pytest.approx(wanted)
    assert auc(p, np.ones(300, dtype=np.bool_)) is None
    last = calibration(np.array([0.91, 1.0, 0.1]), np.array([True, False, False]))[-1]
    assert (last.renewals, last.renewed) == (2, 0.5)
    assert last.predicted == pytest.approx(0.955)
    assert last.renewed_low < 0.5 < last.renewed_high


def test_segments_that_differ_beat_every_base() -> None:
    found = backtest(past(2_000, 10, 1.2))  # three months ahead, six of them can be replayed
    sound(found)
    assert found.skill.verdict == "skill shown"
    for lag in LAGS:
        at = {score.model: score for score in found.scores if score.lag == lag}
        assert at["segment"].brier is not None
        assert at["overall"].brier is not None
        assert at["last_three_months"].brier is not None
        assert at["segment"].brier < min(at["overall"].brier, at["last_three_months"].brier)
        assert at["overall"].brier_skill["overall"] == at["segment"].brier_skill["segment"] == 0
        assert at["overall"].verdict is None
        assert at["segment"].verdict is not None
        assert at["segment"].verdict.verdict == "skill shown"


def test_intervals_hold_in_months_that_move_together() -> None:
    found = backtest(past(12_000, 30, 0.6, shock=0.3), lags=(0,))
    cover = found.coverage[0]
    print(f"{cover.held} of {cover.intervals} months held, mean width {cover.width}")
    assert cover.held is not None
    assert cover.held >= 0.85


def test_ranges_that_held_too_few_months_are_told_as_too_narrow() -> None:
    """Clearly: what chance alone may do to ranges that are as wide as they should be is not blamed on them."""
    ill = Coverage(3, "months", 24, 0.54, 0.38, 0.69, 0.3)
    assert too_narrow(ill) == "Its 90% ranges 3 months ahead held 13 of 24 months: read them as too narrow."
    assert too_narrow(Coverage(0, "books", 60, 0.87, 0.78, 0.92, 0.3)) is None
    assert too_narrow(Coverage(0, "months", 0, None, None, None, None)) is None
    history = past(2_000, 12, 0.6, seed=4)
    moved = np.where(history.due >= FIRST + 240, 0.0, history.kept)  # all at once nobody renews any more
    found = backtest(
        History(history.arr_minor, history.due, history.closed, moved, history.parent, history.child), lags=(1,)
    )
    assert "read them as too narrow" in found.words


def test_books_have_intervals_of_their_own() -> None:
    history = past(6_000, 14, 0.6, shock=0.2)
    book = np.random.default_rng(5).integers(0, 8, len(history.due)).astype(np.str_)
    first, last = (
        int(np.datetime64(month).astype("datetime64[M]").astype(np.int64)) for month in ("2023-07", "2024-02")
    )
    found = backtest(history, lags=(0,), within=(first, last), book=book)
    months, books = found.coverage
    assert (months.of, months.intervals, books.of) == ("months", 7, "books")
    assert 40 <= books.intervals <= 56
    assert books.held is not None
    assert months.width is not None
    assert books.width is not None
    assert books.held > 0.8
    assert books.width > months.width
    assert {score.months for score in found.scores} == {7}


@needs(SUBSCRIPTIONS)
def test_ravenstack_shows_no_skill() -> None:
    """Each subscription of 2023 is due a year after its start; plan, billing and seats are known from its start."""
    with SUBSCRIPTIONS.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["start_date"] < "2024-01-01"]
    start = np.array([row["start_date"] for row in rows], dtype="datetime64[D]")
    end = np.array([row["end_date"] or "NaT" for row in rows], dtype="datetime64[D]")
    year = start + 365
    kept = (np.isnat(end) | (end > year)).astype(np.float64)
    arr = np.array([int(row["arr_amount"]) * 100 for row in rows])
    plan, billing = np.array([row["plan_tier"] for row in rows]), np.array([row["billing_frequency"] for row in rows])
    account = np.arange(len(rows))
    facts = tuple(
        Facts(name, account, start, told.astype(np.float64))
        for name, told in (
            ("seats", np.array([row["seats"] for row in rows])),
            ("pro", plan == "Pro"),
            ("annual", billing == "annual"),
        )
    )
    found = backtest(History(arr, year, year, kept, plan, billing), account, facts, lags=(0,))
    sound(found)
    print(found.words)
    assert len(rows) > 500
    assert found.in_charge == "segment"
    assert found.skill.verdict == found.verdicts["logistic"].verdict == "no skill shown"
    assert found.words.count("no skill shown") == 3  # nor over the share of the last three months


@pytest.mark.parametrize("renewals", [0, 1, 2, 40])
@pytest.mark.parametrize("outcome", [None, 0.0, 1.0])
@pytest.mark.parametrize("arr", [None, 0, 100_000_000_000])
def test_few_or_extreme_histories_are_answered(renewals: int, outcome: float | None, arr: int | None) -> None:
    was = past(renewals, 6, 0.5)
    history = History(
        was.arr_minor if arr is None else np.full(renewals, arr), was.due, was.closed,
        was.kept if outcome is None else np.full(renewals, outcome), was.parent, was.child,
    )  # fmt: skip
    known = Facts("x", np.arange(renewals), was.due - 40, was.kept)
    sound(backtest(history, np.arange(renewals), (known,), lags=(0, 1)))


def test_sixty_thousand_renewals_over_25_months() -> None:
    history, began = past(60_000, 25, 0.8, shock=0.2), process_time()
    known = tuple(
        Facts(f"x{k}", np.arange(60_000), history.due - 40, np.random.default_rng(k).normal(0, 1, 60_000))
        for k in range(5)
    )
    found = backtest(history, np.arange(60_000), known, lags=(0,))
    print(f"{process_time() - began:.1f} s; {found.coverage[0]}; {found.words}")
    sound(found)
    assert found.scores[0].renewals > 50_000
