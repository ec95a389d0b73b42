"""Facts as of a day: the last one known before it, and nothing else."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.forecasting.features import Facts, as_of, categories

FIRST = np.datetime64("2024-01-01")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 99)), max_size=12),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 10)), max_size=6),
)
def test_the_last_value_known_before_the_day(told: list[tuple[int, int, int]], asked: list[tuple[int, int]]) -> None:
    account, day, value = (np.array([row[k] for row in told], dtype=np.int64) for k in range(3))
    found = as_of(
        [Facts("x", account, FIRST + day, value.astype(np.float64))],
        np.array([a for a, _ in asked], dtype=np.int64),
        FIRST + np.array([d for _, d in asked], dtype=np.int64),
    )
    for (who, when), cell in zip(asked, found[:, 0], strict=True):
        known = [row for row in told if row[0] == who and row[1] < when]
        last = {row[2] for row in known if row[1] == max(d for _, d, _ in known)}
        assert cell in last if known else np.isnan(cell)


def test_a_fact_without_a_day_is_never_known() -> None:
    undated = Facts("x", np.zeros(1, dtype=np.int64), np.array(["NaT"], dtype="datetime64[D]"), np.ones(1))
    assert np.isnan(
        as_of([undated], np.zeros(1, dtype=np.int64), np.array(["9999-01-01"], dtype="datetime64[D]"))
    ).all()


def test_a_text_is_one_fact_per_value() -> None:
    account, known = np.arange(3), np.full(3, FIRST)
    plan = categories("plan", account, known, np.array(["pro", "free", "pro"]))
    assert [fact.name for fact in plan] == ["plan = pro", "plan = free"]
    assert as_of(plan, account, known + 1).tolist() == [[1, 0], [0, 1], [1, 0]]
