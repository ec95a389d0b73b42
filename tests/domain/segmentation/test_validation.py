"""Validation against scipy, scikit-learn and lifelines, and verdicts that need every proof."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

import pytest
from lifelines.statistics import multivariate_logrank_test
from sklearn.metrics import adjusted_rand_score, brier_score_loss

from app.domain.segmentation.validation import (
    Cut,
    Outcomes,
    Skill,
    adjusted_rand,
    correlation,
    information,
    log_rank,
    money,
    separated,
    skill,
    stability,
)
from app.domain.segmentation.verdicts import Evidence, verdict
from app.domain.statistics import Ranked

HELD = Evidence("churned", {}, 3, 0.3, 1e-6, 0.4, Skill(0.05, 0.01, 2.0), 0.9)


@pytest.mark.parametrize(("seed", "segments"), [(1, 2), (2, 3), (3, 5)])
def test_log_rank_is_that_of_lifelines(seed: int, segments: int) -> None:
    drawn, until = random.Random(seed), 180
    rows = [(f"s{n % segments}", min(until, 1 + int(drawn.expovariate((1 + n % segments) / 400)))) for n in range(400)]
    lost = [(name, day) for name, day in rows if day < until]
    counts = {name: sum(one == name for one, _ in rows) for name in dict.fromkeys(name for name, _ in rows)}
    found = log_rank(counts, [(name, day, 1) for name, day in lost])
    names, days = zip(*rows, strict=True)
    meant = multivariate_logrank_test(days, names, [day < until for day in days])
    assert found is not None
    assert (found.statistic, found.p) == pytest.approx((meant.test_statistic, meant.p_value), rel=1e-6)


def test_nobody_lost_or_nobody_to_compare_has_no_log_rank() -> None:
    assert log_rank({"a": 40, "b": 40}, []) is None
    assert log_rank({"a": 40, "b": 0}, [("a", 3, 1)]) is None


@pytest.mark.parametrize("seed", range(4))
def test_the_adjusted_rand_index_is_that_of_scikit_learn(seed: int) -> None:
    drawn = random.Random(seed)
    one = [drawn.randint(0, 3) for _ in range(200)]
    other = [value if drawn.random() < seed / 4 else drawn.randint(0, 2) for value in one]
    assert adjusted_rand(one, other) == pytest.approx(adjusted_rand_score(one, other))
    assert adjusted_rand([1, 1, 1], [2, 2, 2]) == 1.0


def test_cuts_over_many_hold_and_cuts_over_few_do_not() -> None:
    drawn = random.Random(5)
    many, few = [drawn.gauss(0, 1) for _ in range(3_000)], [float(n) for n in range(12)]
    shares = (0.3, 0.6, 0.9)
    held, loose = (stability([Cut(values, [True] * len(values), shares)], 1) for values in (many, few))
    assert held is not None
    assert loose is not None
    assert held > 0.85 > 0.6 > loose
    assert stability([Cut(few, [True] * 12, shares)], 1) == loose
    assert stability([], 1) is None


def test_skill_is_the_share_of_the_brier_score_that_segments_take_away() -> None:
    before = {"a": Outcomes(100, 40), "b": Outcomes(200, 10)}
    after = {"a": Outcomes(80, 30), "b": Outcomes(120, 12)}
    found = skill(before, after)
    every = 50 / 300
    rates = {"a": (40 + every) / 101, "b": (10 + every) / 201}
    came = [1] * 30 + [0] * 50 + [1] * 12 + [0] * 108
    said = [rates["a"]] * 80 + [rates["b"]] * 120
    meant = 1 - brier_score_loss(came, said) / brier_score_loss(came, [every] * 200)
    assert found is not None
    assert found.skill == pytest.approx(meant)
    assert found.lift == pytest.approx((30 / 80) / (42 / 200))
    assert 0 < found.standard_error < found.skill
    assert skill({}, after) is None
    assert skill(before, {"a": Outcomes(0, 0)}) is None


def test_equal_rates_lift_nothing() -> None:
    same = {"a": Outcomes(100, 10), "b": Outcomes(100, 10)}
    found = skill(same, {"a": Outcomes(50, 9), "b": Outcomes(150, 3)})
    assert found is not None
    assert found.lift == pytest.approx(1.0)
    assert found.skill == pytest.approx(0.0, abs=1e-12)


def test_the_information_value_is_as_defined() -> None:
    found = information({"a": Outcomes(100, 60), "b": Outcomes(100, 20)})
    parts = [((h + 0.5) / 81, (n - h + 0.5) / 121) for h, n in ((60, 100), (20, 100))]
    assert found == pytest.approx(sum((g - b) * math.log(g / b) for g, b in parts))
    assert information({"a": Outcomes(9, 0), "b": Outcomes(9, 0)}) is None


def test_no_outcome_and_no_money_have_no_effect() -> None:
    nobody = {"a": Outcomes(50, 0), "b": Outcomes(50, 0)}
    assert separated(nobody) is None
    assert money(nobody) is None
    assert money({"a": Outcomes(5, 1, Ranked(5, 15.0)), "b": Outcomes(5, 1, Ranked(5, 40.0))}) is not None


def test_a_correlation_of_few_is_not_told() -> None:
    assert correlation(0.9, 9) is None
    found = correlation(1.0, 40)
    assert found is not None
    assert found[0] == 1.0
    assert 0.99 < found[1] <= found[2] <= 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"q": 0.0504}, "q 0.0504 is above 0.05."),
        ({"q": 0.05000001}, "q 0.05000001 is above 0.05."),
        ({"q": 0.288}, "q 0.29 is above 0.05."),
        ({"steady": 0.7496}, "agree by 0.7496, below 0.75."),
        ({"size": 0.09996}, "below what is called small, 0.1: 0.09996."),
        ({"information": 0.01999}, "information value 0.01999 tells next to nothing: it is below 0.02."),
        ({"skill": Skill(-0.0004, 0.02, 1.2)}, "did worse after it than one rate for all: skill -0.0004."),
        ({"skill": Skill(0.0, 0.02, 1.2)}, "did no better after it than one rate for all: skill 0.000."),
        ({"grows": True, "growth": (0.1, -0.004, 0.3)}, "is 0.10 (-0.004 to 0.30)."),
    ],
)
def test_a_number_that_rounds_to_its_limit_is_told_so_that_the_sentence_is_true(
    change: dict[str, Any], said: str
) -> None:
    assert said in " ".join(verdict(replace(HELD, **change))[1])


def test_a_verdict_holds_only_with_every_proof() -> None:
    assert verdict(HELD)[0] == "holds"
    for change, said in (
        ({"q": 0.2}, "not shown"), ({"size": None}, "not shown"), ({"skill": Skill(-0.01, 0.02, 1.2)}, "not shown"),
        ({"skill": None}, "weak"), ({"skill": Skill(0.01, 0.02, 1.2)}, "weak"), ({"size": 0.05}, "weak"), ({"steady": 0.6}, "weak"),
        ({"information": 0.01}, "weak"), ({"skill": Skill(0.05, 0.01, 0.9)}, "weak"), ({"segments": 1}, "refused"),
        ({"small": {"Key": 12}}, "refused"), ({"grows": True}, "weak"), ({"grows": True, "growth": (0.1, -0.1, 0.3)}, "weak"),
        ({"outcome": "nrr", "coupled": True}, "weak"),
    ):  # fmt: skip
        found, reasons = verdict(replace(HELD, **change))
        assert (found, bool(reasons)) == (said, True), change
    assert verdict(replace(HELD, grows=True, growth=(0.27, 0.1, 0.4)))[0] == "holds"
    assert "Key (12)" in verdict(replace(HELD, small={"Key": 12}))[1][0]
