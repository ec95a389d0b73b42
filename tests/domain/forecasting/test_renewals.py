"""The forecast as a whole, few data included."""

import numpy as np
import pytest

from app.domain.forecasting.renewals import Due, Forecast, History, forecast

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
    assert total.due_accounts == len(due.arr_minor)
    assert total.due_arr_minor == due.arr_minor.sum()
    for part in (total, *(group.total for group in found.groups)):
        assert 0 <= part.p05_minor <= part.p50_minor <= part.p95_minor <= part.due_arr_minor
        assert 0 <= part.expected_minor <= part.due_arr_minor
        assert 0 <= part.expected_accounts <= part.due_accounts
    if found.groups:
        assert sum(group.total.expected_minor for group in found.groups) == total.expected_minor
        assert sum(group.total.due_arr_minor for group in found.groups) == total.due_arr_minor
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
    assert total.expected_accounts == pytest.approx(50, abs=2)
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
        Due(due.account_id[:1], due.arr_minor, due.date, due.parent, due.child)
    with pytest.raises(ValueError, match="between 0 and 1"):
        history_of([float("nan")])
    with pytest.raises(ValueError, match="one value per renewal"):
        forecast(due, history_of([]), AS_OF, (np.array(["x"]),))
