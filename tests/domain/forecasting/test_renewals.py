"""The forecast as a whole, few data included."""

import numpy as np
import pytest

from app.domain.forecasting import moves
from app.domain.forecasting.features import Facts
from app.domain.forecasting.logistic import expit, logit
from app.domain.forecasting.renewals import Assumed, Due, Forecast, History, Known, forecast

AS_OF = np.datetime64("2025-01-01")


def due_of(amounts: list[int], child: str = "x", start: str = "2025-01-10") -> Due:
    count = len(amounts)
    ids = np.array([f"account-{index:05}" for index in range(count)], dtype=np.str_)
    dates = np.datetime64(start) + np.arange(count) % 90
    return Due(ids, np.array(amounts, dtype=np.int64), dates, np.full(count, "a"), np.full(count, child))


def history_of(kept: list[float], amount: int = 1_000_00, child: str = "x") -> History:
    count = len(kept)
    days = np.datetime64("2024-12-01") - np.arange(count) % 365
    shares = np.array(kept, dtype=np.float64)
    return History(np.full(count, amount), days, days, shares, np.full(count, "a"), np.full(count, child))


def sound(found: Forecast, due: Due) -> None:
    """What holds of every forecast."""
    total = found.total
    assert total.due_renewals == len(due.arr_minor)
    assert total.due_arr_minor == due.arr_minor.sum()
    for part in (total, *(group.total for group in found.groups)):
        assert 0 <= part.p05_minor <= part.p50_minor <= part.p95_minor <= part.due_arr_minor
        assert 0 <= part.expected_minor <= part.due_arr_minor
        assert 0 <= part.expected_renewals <= part.due_renewals
    if found.groups:
        assert sum(group.total.expected_minor for group in found.groups) == total.expected_minor
        assert sum(group.total.due_arr_minor for group in found.groups) == total.due_arr_minor
    assert found.expected_minor.sum() == total.expected_minor
    assert found.reasons.base + found.reasons.parts.sum(axis=1) == pytest.approx(found.reasons.logit)
    assert expit(found.reasons.logit) == pytest.approx(found.probability, abs=1e-9)
    assert (found.net_minor >= found.expected_minor).all()
    if found.target_probability is not None:
        assert 0 <= found.target_probability <= 1


@pytest.mark.parametrize("amounts", [[], [0], [0, 0], [100_000_000_000], [1, 100_000_000_000], [5_000_00] * 40])
@pytest.mark.parametrize("kept", [[], [1.0], [0.0], [1.0] * 300, [0.0] * 300, [0.5] * 10])
def test_few_or_extreme_data_give_an_honest_answer(amounts: list[int], kept: list[float]) -> None:
    due = due_of(amounts)
    months = due.date.astype("datetime64[M]").astype(np.str_)
    found = forecast(due, history_of(kept), AS_OF, (months,), target_minor=1_000_00)
    sound(found, due)
    assert found.skill.verdict == "no skill shown"
    assert found.skill.because


def test_no_history_is_wide() -> None:
    total = forecast(due_of([1_000_00] * 200), history_of([]), AS_OF).total
    assert total.expected_minor == pytest.approx(0.85 * 200 * 1_000_00, rel=1e-6)
    assert total.p95_minor - total.p05_minor > 0.35 * total.due_arr_minor


def test_history_after_the_day_is_not_seen() -> None:
    due, past = due_of([1_000_00] * 50), history_of([1.0, 1.0, 0.0] * 50)
    later = History(past.arr_minor, past.due, past.closed + 4_000, past.kept, past.parent, past.child)
    assert forecast(due, later, AS_OF).total == forecast(due, history_of([]), AS_OF).total


def test_money_follows_arr_rates_and_counts_follow_logos() -> None:
    """Large accounts renew, small ones leave: logo rates would call the money lost."""
    kept = np.array([1.0, 0.0] * 200)
    amounts = np.where(kept > 0, 900_00, 100_00)
    days = np.full(400, np.datetime64("2024-12-31"))
    past = History(amounts, days, days, kept, np.full(400, "a"), np.full(400, "x"))
    total = forecast(due_of([500_00] * 100), past, AS_OF).total
    assert total.expected_renewals == pytest.approx(50, abs=2)
    assert total.expected_minor == pytest.approx(0.9 * 100 * 500_00, rel=0.02)


def test_groups_are_ordered_by_keys_and_add_up() -> None:
    due = due_of([333_33 + index for index in range(100)])
    months = due.date.astype("datetime64[M]").astype(np.str_)
    owner = np.array([f"csm-{index % 3}" for index in range(100)])
    found = forecast(due, history_of([1.0, 1.0, 1.0, 0.0] * 30), AS_OF, (months, owner))
    sound(found, due)
    keys = [group.key for group in found.groups]
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys)) == 12
    alone = forecast(due, history_of([1.0, 1.0, 1.0, 0.0] * 30), AS_OF, (months,))
    assert alone.total == found.total


def test_a_segment_never_seen_has_its_parents_rate_and_more_doubt() -> None:
    past = history_of([1.0, 0.0] * 100)
    known, unknown = (forecast(due_of([1_000_00] * 50, child), past, AS_OF).total for child in ("x", "new"))
    assert unknown.expected_minor == pytest.approx(known.expected_minor, rel=0.1)
    assert unknown.p95_minor - unknown.p05_minor > known.p95_minor - known.p05_minor


def test_what_a_caller_may_not_pass() -> None:
    due = due_of([1, 2])
    with pytest.raises(ValueError, match="not negative"):
        due_of([-1])
    with pytest.raises(ValueError, match="one length"):
        Due(due.renewal_id[:1], due.arr_minor, due.date, due.parent, due.child)
    with pytest.raises(ValueError, match="between 0 and 1"):
        history_of([float("nan")])
    with pytest.raises(ValueError, match="one value per renewal"):
        forecast(due, history_of([]), AS_OF, (np.array(["x"]),))


def healthy(renewals: int, strength: float) -> tuple[Due, History, Known]:
    """A history that follows a score by `strength`, known 50 days before, and 60 renewals due of low and high scores."""
    rng = np.random.default_rng(renewals)
    days = np.datetime64("2024-12-28") - rng.integers(0, 500, renewals)
    score = rng.normal(0, 1, renewals)
    kept = (rng.random(renewals) < 1 / (1 + np.exp(-1.2 - strength * score))).astype(np.float64)
    arr = rng.integers(1, 10**7, renewals)
    past = History(arr, days, days, kept, np.full(renewals, "a"), np.char.mod("c%d", np.arange(renewals) % 3))
    due = due_of([1_000_00 + index for index in range(60)], "c1")
    facts = Facts(
        "score", np.arange(renewals + 60), np.concatenate([days - 50, np.full(60, AS_OF - 5)]),
        np.concatenate([score, np.where(np.arange(60) < 30, -2.0, 2.0)]),
    )  # fmt: skip
    return due, past, Known((facts,), np.arange(renewals, renewals + 60), np.arange(renewals))


def test_the_regression_takes_over_where_it_shows_skill() -> None:
    due, past, known = healthy(900, 1.5)
    half = np.where(np.arange(60) < 30, "low", "high")
    found = forecast(due, past, AS_OF, (half,), target_minor=1_000_00, known=known)
    sound(found, due)
    assert (found.model, found.reasons.names) == ("logistic", ("score", *moves.NAMES))
    high, low = (group.total for group in found.groups)
    assert low.expected_minor < 0.4 * low.due_arr_minor < 0.8 * high.due_arr_minor < high.expected_minor
    assert found.challenged is not None
    assert found.challenged.verdict == "skill shown"


def test_the_segment_rate_stays_where_the_regression_shows_none() -> None:
    due, past, known = healthy(900, 0.0)
    found = forecast(due, past, AS_OF, known=known)
    assert found.challenged is not None
    assert (found.model, found.challenged.verdict) == ("segment", "no skill shown")
    assert found.reasons.names == ("parent", "child", *moves.NAMES)
    assert found.total == forecast(due, past, AS_OF).total


@pytest.mark.parametrize("renewals", [0, 1, 30])
def test_few_renewals_leave_the_regression_out(renewals: int) -> None:
    due, past, known = healthy(renewals, 5.0)
    found = forecast(due, past, AS_OF, known=known)
    sound(found, due)
    assert found.model == "segment"


def test_a_bad_quarter_moves_the_forecast_and_widens_it() -> None:
    """The same share renewed in all, evenly or with the losses in the last three months."""
    days = np.repeat(np.datetime64("2023-12-15") + 30 * np.arange(12), 200)
    turn = np.arange(2_400)
    even = (turn % 10 < 8).astype(np.float64)
    late = np.where(turn < 1_800, turn % 10 < 9, turn % 10 < 5).astype(np.float64)
    totals = {}
    for name, kept in (("even", even), ("late", late)):
        past = History(np.full(2_400, 100_00), days, days, kept, np.full(2_400, "a"), np.full(2_400, "x"))
        found = forecast(due_of([1_000_00] * 300), past, AS_OF)
        totals[name] = found.total, found.drift
    (steady, none), (moved, down) = totals["even"], totals["late"]
    assert abs(none.drift) < 0.02
    assert down.drift < -0.1
    assert down.tau > none.tau
    assert moved.expected_minor < steady.expected_minor
    assert moved.p95_minor - moved.p05_minor > 1.2 * (steady.p95_minor - steady.p05_minor)


def assumed(count: int, **columns: float) -> Assumed:
    """The same of `count` renewals."""
    told = {"scenario": 0.0, "shift": 0.0, "chance": np.nan, "factor": 1.0, **columns}
    return Assumed(**{name: np.full(count, value) for name, value in told.items()})


@pytest.mark.parametrize("strength", [0.0, 1.5])
def test_what_is_assumed_moves_every_chance_by_as_much(strength: float) -> None:
    due, past, known = healthy(900, strength)
    before = forecast(due, past, AS_OF, known=known)
    after = forecast(due, past, AS_OF, known=known, assumed=assumed(60, scenario=-1.2, shift=0.2))
    sound(after, due)
    assert logit(after.probability) - logit(before.probability) == pytest.approx(np.full(60, -1.0), abs=1e-6)
    assert after.total.expected_renewals < before.total.expected_renewals
    said = forecast(due, past, AS_OF, known=known, assumed=assumed(60, chance=0.25, shift=3.0))
    sound(said, due)
    assert said.total.expected_minor == pytest.approx(0.25 * said.total.due_arr_minor, abs=1)
    sure = forecast(due, past, AS_OF, known=known, assumed=assumed(60, chance=1.0, factor=1.1)).total
    assert (sure.p05_minor, sure.p95_minor) == (sure.due_arr_minor, sure.due_arr_minor)
    assert sure.net.expected_minor == pytest.approx(1.1 * sure.due_arr_minor, abs=60)


def test_what_is_assumed_of_some_leaves_the_others() -> None:
    due, past = due_of([1_000_00] * 40), history_of([1.0, 1.0, 1.0, 0.0] * 30)
    half = np.arange(40) < 20
    told = Assumed(np.zeros(40), np.where(half, -2.0, 0.0), np.full(40, np.nan), np.ones(40))
    before, after = forecast(due, past, AS_OF), forecast(due, past, AS_OF, assumed=told)
    assert after.probability[~half] == pytest.approx(before.probability[~half])
    assert (after.probability[half] < before.probability[half]).all()


def test_expansion_is_in_the_net_alone_and_contraction_in_both() -> None:
    kept = np.array([1.0] * 60 + [0.5] * 30 + [0.0] * 10)
    paid = np.where(np.arange(100) < 30, 1.4, kept)
    days = np.full(100, np.datetime64("2024-12-20"))
    past = History(np.full(100, 100_00), days, days, kept, np.full(100, "a"), np.full(100, "x"), None, paid)
    total = forecast(due_of([100_00] * 200), past, AS_OF).total
    # Kept: 60 whole and 30 halves of 90 that came, and the prior's twenty renewals behind each.
    assert total.expected_minor / total.due_arr_minor == pytest.approx(0.9 * 75 / 90, abs=0.05)
    assert total.net.expected_minor / total.due_arr_minor == pytest.approx(0.9 * (75 + 12) / 90, abs=0.05)
    assert total.p50_minor < total.net.p50_minor
    assert total.net.p95_minor <= 1.4 * total.due_arr_minor


def test_groups_have_targets_of_their_own() -> None:
    due = due_of([1_000_00] * 60)
    months = due.date.astype("datetime64[M]").astype(np.str_)
    found = forecast(due, history_of([1.0, 0.0] * 60), AS_OF, (months,), targets={("2025-02",): 1, ("2025-03",): 10**9})
    assert {group.key[0]: group.total.target_probability for group in found.groups} == {
        "2025-01": None, "2025-02": pytest.approx(1, abs=0.01), "2025-03": 0,
    }  # fmt: skip


def test_a_lane_has_its_own_shift() -> None:
    """The lanes part in the last three months alone, in one segment: rates cannot know it."""
    days = np.repeat(np.datetime64("2023-12-15") + 30 * np.arange(12), 400)
    turn, lane = np.arange(4_800), np.where(np.arange(4_800) % 2, "severe", "low")
    kept = np.where((turn >= 3_600) & (lane == "severe"), turn // 2 % 10 < 5, turn // 2 % 10 < 9).astype(np.float64)
    past = History(np.full(4_800, 100_00), days, days, kept, np.full(4_800, "a"), np.full(4_800, "x"), lane)
    due = due_of([1_000_00] * 40)
    lanes = np.where(np.arange(40) < 20, "severe", "low")
    due = Due(due.renewal_id, due.arr_minor, due.date, due.parent, due.child, lanes)
    found = forecast(due, past, AS_OF)
    sound(found, due)
    shifts = {one.lane: one.shift for one in found.lanes}
    assert shifts["severe"] < -0.3 < 0.3 < shifts["low"]
    assert found.probability[:20].mean() < 0.75 < found.probability[20:].mean()


@pytest.mark.parametrize(("renewals", "months"), [(40, 3), (200, 4), (400, 5)])
def test_noise_of_few_months_leads_nothing(renewals: int, months: int) -> None:
    """Inputs that say nothing, coins of 80 %: the rates stay in charge, and ranges are not wider than a bad month's."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        days = AS_OF - rng.integers(1, months * 30, renewals)
        kept, whose = (rng.random(renewals) < 0.8).astype(np.float64), np.arange(renewals + 100)
        arr = rng.integers(1_000_00, 5_000_00, renewals)
        past = History(arr, days, days, kept, np.full(renewals, "a"), np.full(renewals, "x"))
        told = np.concatenate([days - 400, np.full(100, AS_OF - 10)])
        facts = tuple(Facts(f"x{k}", whose, told, rng.normal(0, 1, renewals + 100)) for k in range(6))
        due = due_of([3_000_00] * 100)
        found = forecast(due, past, AS_OF, known=Known(facts, whose[renewals:], whose[:renewals]))
        assert (found.model, found.skill.verdict) == ("segment", "no skill shown")
        assert found.drift.tau < 0.6
        assert (found.total.p95_minor - found.total.p05_minor) < 0.45 * found.total.due_arr_minor
