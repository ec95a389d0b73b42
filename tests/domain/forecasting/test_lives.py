"""Survival of accounts of unlike age, against lifelines; the fit beyond it; few data."""

import lifelines
import numpy as np
import pytest

from app.domain.forecasting import cohorts
from app.domain.forecasting.lives import TOLERANCE, Age, Expected, Lives, survival


def lived(accounts: int, seed: int = 3) -> Lives:
    """Chances that differ from account to account, ages from none to nine terms: when each left or was last seen."""
    rng = np.random.default_rng(seed)
    leaves, until = rng.geometric(rng.beta(0.7, 1.8, accounts)), rng.uniform(0, 9, accounts)
    gone = leaves <= until
    return Lives(np.where(gone, leaves, until), gone, np.ones(accounts))


def test_observed_survival_is_that_of_kaplan_and_meier() -> None:
    held_to_the_oracle(lived(3_000))


def test_terms_of_unlike_length_are_that_of_kaplan_and_meier_too() -> None:
    """Half of them may leave at every half term, and accounts are of any age: who is young and stays counts."""
    rng = np.random.default_rng(8)
    length = rng.choice([0.5, 1.0, 2.0], 2_000)
    leaves, until = length * rng.geometric(0.2, 2_000), rng.uniform(0, 4, 2_000)
    gone = leaves <= until
    held_to_the_oracle(Lives(np.where(gone, leaves, until), gone, np.ones(2_000)))


def held_to_the_oracle(lives: Lives) -> None:
    found = survival(lives)
    oracle = lifelines.KaplanMeierFitter(alpha=0.1).fit(lives.seen, lives.lost)
    ages = [one.age + TOLERANCE if one.age else 0.0 for one in found.observed]
    assert [one.rate for one in found.observed] == pytest.approx(
        oracle.survival_function_at_times(ages).to_numpy(), abs=1e-12
    )
    band = oracle.confidence_interval_survival_function_
    assert sum(one.whole for one in found.observed) > 3
    for one, age in zip(found.observed[1:], ages[1:], strict=True):
        if one.whole:
            low, high = band.loc[:age].iloc[-1]
            assert (one.low, one.high) == pytest.approx((low, high), abs=0.02)


def test_the_young_that_stayed_count_like_the_young_that_left() -> None:
    """Fifty-two accounts of which nobody is a term old, two of them lost: not all of those that were looked at."""
    seen = np.append(np.linspace(0.4, 0.8, 50), [0.45, 0.5])
    found = survival(Lives(seen, np.arange(52) >= 50, np.ones(52)))
    start, first = found.observed
    assert (start.at_risk, first.at_risk, first.lost, first.whole) == (52, 52, 2, False)
    assert first.rate == pytest.approx(0.956, abs=0.005)
    assert found.curve.terms == 0


def test_the_fit_is_not_of_the_lost_alone() -> None:
    """Half terms of which a tenth leaves at each: seen until any age the curve says .81 a term."""
    rng = np.random.default_rng(4)
    leaves, until = 0.5 * rng.geometric(0.1, 20_000), rng.uniform(0, 3, 20_000)
    gone = leaves <= until
    found = survival(Lives(np.where(gone, leaves, until), gone, np.ones(20_000)))
    assert [one.rate for one in found.expected[:3]] == pytest.approx([1.0, 0.81, 0.66], abs=0.02)


def test_the_curve_finds_what_was_planted_and_goes_on() -> None:
    found = survival(lived(40_000), ahead=12)
    assert found.curve.model == "BdW"
    assert (found.curve.a, found.curve.b, found.curve.c) == pytest.approx((0.7, 1.8, 1.0), rel=0.1)
    planted = cohorts.fit_sbg(np.array([1.0])).__class__("sBG", 0.7, 1.8, 1.0, 0, np.zeros((2, 2))).survival(30)
    assert [one.rate for one in found.expected] == pytest.approx(planted[: len(found.expected)], abs=0.01)
    assert all(one.low <= one.rate <= one.high for one in found.expected)
    each = [one.retention or 0.0 for one in found.expected[1:]]
    assert each == sorted(each)


def test_the_band_holds_the_truth_as_often_as_it_says() -> None:
    """At the twelfth term, of 20 cohorts of 400 accounts of which nine terms are seen."""
    truth = np.exp(cohorts._log_survival(np.log(np.array([0.7, 1.8, 1.0])), np.arange(13.0)))[12]
    held = 0
    for seed in range(20):
        last = survival(lived(400, seed)).expected[12]
        held += last.low <= truth <= last.high
    assert 15 <= held <= 20


@pytest.mark.parametrize(
    ("lost", "there"),
    [([], []), ([], [5]), ([5], []), ([], [0, 5]), ([0, 0, 0, 0, 5], []), ([10**9], [0, 0, 1]), ([1], [0] * 60 + [1])],
)
@pytest.mark.parametrize("worth", [1.0, 1e-9])
def test_few_or_extreme_lives_stay_finite(lost: list[int], there: list[int], worth: float) -> None:
    seen = np.array([*range(1, len(lost) + 1), *range(len(there))], dtype=np.float64)
    found = survival(Lives(seen, np.arange(len(seen)) < len(lost), np.array([*lost, *there], dtype=np.float64), worth))
    shown: list[Age | Expected] = [*found.observed, *found.expected]
    rows = [(one.rate, one.low, one.high) for one in shown]
    assert np.isfinite(rows).all()
    assert all(0 <= low <= high <= 1 and 0 <= rate <= 1 for rate, low, high in rows)
    assert len(found.expected) == len(found.observed) + 5
    assert found.curve.model == ("BdW" if len(found.observed) > 4 else "sBG")


def test_counts_are_of_one_shape() -> None:
    with pytest.raises(ValueError, match="counted per term"):
        cohorts.fit_lives(np.zeros(3), np.zeros(4))
