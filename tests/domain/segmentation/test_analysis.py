"""Differences between segments: words that need an effect, and numbers that need accounts."""

from __future__ import annotations

from collections import Counter

from scipy import stats

from app.domain.segmentation.analysis import MEASURES, Measure, Seen, Taken, compared

ARR = next(one for one in MEASURES if one.name == "arr")
ESCALATED = next(one for one in MEASURES if one.name == "escalated")


def taken(of: Measure, values: dict[str, list[float]]) -> Taken:
    """A measure as the database folds it."""
    every = [value for group in values.values() for value in group]
    ranks = iter(stats.rankdata(every))
    seen = {
        name: Seen(
            len(group), sum(v > 0 for v in group), sum(group) / len(group), 0, 0, 0, sum(next(ranks) for _ in group)
        )
        for name, group in values.items()
    }
    return Taken(of, seen, float(sum(n**3 - n for n in Counter(every).values())))


def test_what_differs_has_a_word_and_a_sign_per_segment() -> None:
    values = {"big": [float(n) for n in range(60, 100)], "small": [float(n) for n in range(40)]}
    (found,) = compared([taken(ARR, values)], {"big": 40, "small": 40})
    assert (found.word, found.because) == ("large", None)
    assert [(one.segment, one.delta and one.delta[0], one.word) for one in found.stands] == [
        ("big", 1.0, "large"), ("small", -1.0, "large"),
    ]  # fmt: skip


def test_what_may_be_chance_has_no_word() -> None:
    same = {"a": [float(n % 7) for n in range(40)], "b": [float((n + 3) % 7) for n in range(40)]}
    (found,) = compared([taken(ARR, same)], {"a": 40, "b": 40})
    assert found.effect is not None
    assert (found.word, {one.word for one in found.stands}) == ("none", {"none"})


def test_the_more_is_tried_the_less_is_found() -> None:
    near = {"a": [float(n) for n in range(20)], "b": [float(n) + 4.5 for n in range(20)]}
    same = {"a": [float(n % 7) for n in range(40)], "b": [float((n + 3) % 7) for n in range(40)]}
    accounts = {"a": 40, "b": 40}
    alone, among = (
        compared([taken(ARR, near)], accounts)[0],
        compared([taken(ARR, near), *[taken(ARR, same)] * 9], accounts)[0],
    )
    assert (alone.word, among.word) == ("medium", "none")
    assert alone.effect == among.effect


def test_few_accounts_and_equal_values_say_why_nothing_is_told() -> None:
    few, equal = taken(ARR, {"a": [1.0] * 4, "b": [2.0] * 40}), taken(ARR, {"a": [1.0] * 40, "b": [1.0] * 40})
    nobody = taken(ESCALATED, {"a": [0.0] * 40, "b": [0.0] * 40})
    found = compared([few, equal, nobody, Taken(ARR, {})], {"a": 40, "b": 40})
    assert [one.because for one in found] == [
        "Fewer than two segments have 5 accounts with a value.", "All accounts have the same value.",
        "It is so of all accounts, or of none.", "Fewer than two segments have 5 accounts with a value.",
    ]  # fmt: skip
    assert all(one.effect is None and one.q is None for one in found)
    assert compared([], {}) == ()


def test_a_share_is_of_all_accounts_of_the_segment() -> None:
    seen = {"a": [1.0] * 30 + [0.0] * 10, "b": [1.0] * 2 + [0.0] * 38}
    (found,) = compared([taken(ESCALATED, seen)], {"a": 50, "b": 40, "empty": 0})
    assert [one.share and round(one.share[0], 3) for one in found.stands] == [0.6, 0.05, None]
    assert [one.delta and round(one.delta[0], 3) for one in found.stands] == [0.55, -0.55, None]
    assert found.word == "large"
