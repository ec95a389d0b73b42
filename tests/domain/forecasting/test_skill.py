"""The replay knows only what was known, and the verdict follows."""

import numpy as np
from numpy.typing import NDArray

from app.domain.forecasting import rates
from app.domain.forecasting.skill import Dates, judge, replay

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


def test_segments_that_differ_show_skill() -> None:
    verdict = judge(replay(*months_of(1_000, 12, {"a": 0.95, "b": 0.55})))
    assert verdict.verdict == "skill shown"
    assert verdict.brier_skill is not None
    assert verdict.standard_error is not None
    assert verdict.brier_skill > 0.1 > verdict.standard_error


def test_segments_of_pure_chance_show_none() -> None:
    shown = [judge(replay(*months_of(600, 12, dict.fromkeys("abcdefgh", 0.8), seed))).verdict for seed in range(10)]
    assert shown.count("no skill shown") >= 8


def test_too_little_to_tell_is_said_in_words() -> None:
    verdict = judge(replay(*months_of(20, 12, {"a": 0.9, "b": 0.1})))
    assert verdict.verdict == "no skill shown"
    assert "are needed to tell" in verdict.because
    nothing = judge(replay(*months_of(0, 1, {"a": 0.9})))
    assert nothing.verdict == "no skill shown"
    assert nothing.renewals == 0


def test_what_closed_later_is_not_known_yet() -> None:
    """All outcomes close after the last month: the replay must not predict from any of them."""
    assert len(replay(*months_of(500, 6, {"a": 0.9, "b": 0.1}, lag=400)).month) == 0


def test_all_renewed_leaves_nothing_to_explain() -> None:
    verdict = judge(replay(*months_of(500, 8, {"a": 1.0, "b": 1.0})))
    assert verdict.verdict == "no skill shown"
    assert "ended alike" in verdict.because
