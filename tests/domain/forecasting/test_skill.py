"""The replay knows only what was known, and the verdict follows."""

import numpy as np
import pytest
from numpy.typing import NDArray

from app.domain.forecasting import rates, skill
from app.domain.forecasting.features import Dates, Facts, categories
from app.domain.forecasting.skill import LOGISTIC, OVERALL, SEGMENT, Replay, in_charge, judge, replay

Columns = tuple[rates.Segments, rates.Ints, Dates, Dates, NDArray[np.bool_]]


def months_of(renewals: int, months: int, rate: dict[str, float], seed: int = 0, lag: int = 0) -> Columns:
    """Renewals spread over months from 2024-01, segment by segment at its rate; closed `lag` days after due."""
    rng = np.random.default_rng(seed)
    names = np.array(list(rate))
    segment = names[rng.integers(0, len(names), renewals)]
    due = np.datetime64("2024-01-01") + rng.integers(0, months * 30, renewals)
    renewed = rng.random(renewals) < np.array([rate[name] for name in segment])
    segments, code = rates.index_segments(segment, segment)
    return segments, code, due, due + lag, renewed


def replayed(
    segments: rates.Segments, code: rates.Ints, due: Dates, closed: Dates, renewed: NDArray[np.bool_]
) -> Replay:
    return replay({OVERALL: skill.overall, SEGMENT: skill.segment(segments, code)}, due, closed, renewed)


def test_segments_that_differ_show_skill() -> None:
    verdict = judge(replayed(*months_of(1_000, 12, {"a": 0.95, "b": 0.55})))
    assert verdict.verdict == "skill shown"
    assert verdict.brier_skill is not None
    assert verdict.standard_error is not None
    assert verdict.brier_skill > 0.1 > verdict.standard_error


def test_segments_of_pure_chance_show_none() -> None:
    shown = [judge(replayed(*months_of(600, 12, dict.fromkeys("abcdefgh", 0.8), seed))).verdict for seed in range(10)]
    assert shown.count("no skill shown") >= 8


@pytest.mark.parametrize("months", [5, 12, 24])
def test_one_segment_tells_nothing_apart(months: int) -> None:
    """Coins of 80 %: whatever came, the one rate of the one segment is the one rate of all."""
    for seed in range(4):
        found = replayed(*months_of(40 * months, months, {"": 0.8}, seed))
        assert (found.predicted[SEGMENT] == found.predicted[OVERALL]).all()
        verdict = judge(found)
        assert (verdict.verdict, verdict.brier_skill) == ("no skill shown", None)
        assert ("the same chance" if months > 5 else "are needed to tell") in verdict.because


def test_products_of_pure_chance_are_rarely_taken_for_skill() -> None:
    """Five of them: fewer than the sixth of all histories that lie above their mean by a standard error."""
    products = dict.fromkeys("abcde", 0.8)
    shown = [judge(replayed(*months_of(240, 8, products, seed))).verdict for seed in range(30)]
    print(f"false skill in {shown.count('skill shown')} of {len(shown)}")
    assert shown.count("skill shown") <= 5


def guessed(renewals: int, months: int, gain: float, seed: int = 0) -> Replay:
    """A model that knows some of what comes, `gain` of the distance to it, against .8 for all."""
    rng = np.random.default_rng(seed)
    renewed, month = rng.random(renewals) < 0.8, np.arange(renewals) % months
    base = np.full(renewals, 0.8)
    return Replay({OVERALL: base, SEGMENT: base + gain * (renewed - base)}, np.arange(renewals), month, renewed)


@pytest.mark.parametrize(("renewals", "months"), [(39, 3), (400, 5), (99, 9)])
def test_few_months_or_renewals_show_nothing_however_good(renewals: int, months: int) -> None:
    verdict = judge(guessed(renewals, months, 0.5))
    assert verdict.verdict == "no skill shown"
    assert f"Only {renewals} renewals in {months} months" in verdict.because
    assert judge(guessed(100, 6, 0.5)).verdict == "skill shown"


def test_a_skill_of_nothing_is_none_however_sure() -> None:
    """Brier skill .002 and standard error .000, of months that went alike."""
    verdict = judge(guessed(6_000, 12, 0.001))
    assert verdict.brier_skill is not None
    assert verdict.standard_error is not None
    assert 0.001 < verdict.brier_skill < 0.004
    assert verdict.standard_error < 0.0005
    assert verdict.verdict == "no skill shown"
    assert verdict.because.endswith("by 0.005 at least.")


def test_of_few_months_more_standard_errors_are_asked_for() -> None:
    """As Student's t has it; one month that holds nearly all renewals counts for little more than one."""
    for free, quantile in ((3, 1.1969), (5, 1.1105), (10, 1.0526), (20, 1.0257)):
        assert skill.errors_needed(np.full(free + 1, 50)) == pytest.approx(quantile, abs=0.004)
    assert skill.errors_needed(np.array([900, 20, 20, 20, 20, 20])) > 1.5


def test_too_little_to_tell_is_said_in_words() -> None:
    verdict = judge(replayed(*months_of(20, 12, {"a": 0.9, "b": 0.1})))
    assert verdict.verdict == "no skill shown"
    assert "are needed to tell" in verdict.because
    nothing = judge(replayed(*months_of(0, 1, {"a": 0.9})))
    assert nothing.verdict == "no skill shown"
    assert nothing.renewals == 0


def test_what_closed_later_is_not_known_yet() -> None:
    """All outcomes close after the last month: the replay must not predict from any of them."""
    assert len(replayed(*months_of(500, 6, {"a": 0.9, "b": 0.1}, lag=400)).month) == 0


def test_all_renewed_leaves_nothing_to_explain() -> None:
    verdict = judge(replayed(*months_of(500, 8, {"a": 1.0, "b": 1.0})))
    assert verdict.verdict == "no skill shown"
    assert "ended alike" in verdict.because


def with_facts(facts: tuple[Facts, ...], columns: Columns, lag: int = 0) -> Replay:
    """The regression replayed beside the rates; every row of the history is an account of its own."""
    segments, code, due, closed, renewed = columns
    models = {OVERALL: skill.overall, SEGMENT: skill.segment(segments, code)}
    account = np.arange(len(due))
    models[LOGISTIC] = skill.regression(facts, account, due, closed, lag)
    return replay(models, due, closed, renewed, lag)


def driven(known_before: int, seed: int = 3) -> tuple[tuple[Facts, ...], Columns]:
    """Renewals that follow a health score, which is written down `known_before` days before they were due."""
    rng = np.random.default_rng(seed)
    health, due = rng.normal(0, 1, 1_200), np.datetime64("2024-01-01") + rng.integers(0, 360, 1_200)
    renewed = rng.random(1_200) < 1 / (1 + np.exp(-1.5 - 1.5 * health))
    segments, code = rates.index_segments(np.full(1_200, "a"), np.full(1_200, "x"))
    fact = Facts("health", np.arange(1_200), due - known_before, health)
    return (fact,), (segments, code, due, due, renewed)


def test_what_was_known_in_time_takes_charge() -> None:
    model, verdicts = in_charge(with_facts(*driven(known_before=60)))
    assert model == LOGISTIC
    assert verdicts[LOGISTIC].verdict == "skill shown"


def test_what_was_known_too_late_for_the_lag_does_not() -> None:
    model, verdicts = in_charge(with_facts(*driven(known_before=60), lag=3))
    assert model == SEGMENT
    assert "the same chance: nothing told one from another" in verdicts[LOGISTIC].because


@pytest.mark.parametrize("early", [0, 100])
def test_a_leaking_column_is_of_no_use(early: int) -> None:
    """The outcome itself, written down when it closed, early closers included, and again without a day."""
    _, (segments, code, due, closed, renewed) = driven(known_before=60)
    closed = closed - np.where(np.arange(len(closed)) % 3 == 0, early, 0)
    account, outcome = np.arange(len(due)), renewed.astype(np.float64)
    leaks = (
        Facts("outcome", account, closed, outcome),
        Facts("undated", account, np.full(len(due), np.datetime64("NaT", "D")), outcome),
        *categories("status", account, closed, np.where(renewed, "renewed", "lost")),
    )
    found = with_facts(leaks, (segments, code, due, closed, renewed))
    assert in_charge(found)[0] == SEGMENT
    spread = [np.ptp(found.predicted[LOGISTIC][found.month == month]) for month in np.unique(found.month)]
    assert max(spread) < 1e-12


def test_beating_worthless_segments_proves_nothing() -> None:
    """Segments of pure chance lose to one rate for all; a regression on noise that loses less is not in charge."""
    rng = np.random.default_rng(5)
    renewed, month = rng.random(1_000) < 0.8, np.repeat(np.arange(10), 100)
    base = np.full(1_000, 0.8)
    predicted = {
        OVERALL: base,
        SEGMENT: base + rng.choice([-0.15, 0.15], 1_000),
        LOGISTIC: base + rng.choice([-0.05, 0.05], 1_000),
    }
    found = Replay(predicted, np.arange(1_000), month, renewed)
    assert judge(found, LOGISTIC, SEGMENT).verdict == "skill shown"
    model, verdicts = in_charge(found)
    assert model == SEGMENT
    assert "one rate for all" in verdicts[LOGISTIC].because


def test_models_are_judged_as_far_ahead_as_half_of_the_renewals_are_due() -> None:
    days = np.array(["2026-11-30", "2027-01-15", "2027-05-01", "2027-09-01"], dtype="datetime64[D]")
    as_of = np.datetime64("2026-11-22")
    assert skill.ahead(days, as_of) == 4  # the months between are 0, 2, 6 and 10
    assert skill.ahead(days[:1], as_of) == 0
    assert skill.ahead(days[:0], as_of) == 0
    assert skill.ahead(days - 400, as_of) == 0
