"""The waterfall adds up to the cent, and calls are held against what happened."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.forecasting import ledger
from app.domain.forecasting.ledger import CATEGORIES, DEFAULTS, STEPS, Standing, called, tracks, waterfall


def standing(seed: int, size: int) -> Standing:
    """Some of 40 renewals, some closed, some called by hand, some elsewhere, at random."""
    rng = np.random.default_rng(seed)
    names = rng.permutation(np.array([f"r{k}" for k in range(40)]))
    there, elsewhere = names[:size], names[size:]
    due = rng.integers(0, 10 ** rng.integers(1, 13), size)
    opened = called(due, rng.random(size), there)
    closed = rng.random(size) < 0.4
    brought = np.where(rng.random(size) < 0.5, 0, (due * 1.2).astype(np.int64))
    expected = np.where(closed, brought, opened.expected_minor)
    by_hand = np.where(closed | (rng.random(size) < 0.7), expected, (due * rng.random(size)).astype(np.int64))
    return Standing(there, due, opened.probability, expected, closed, by_hand, elsewhere[::2])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 40), st.integers(0, 40))
def test_the_waterfall_adds_up(seed: int, first: int, second: int) -> None:
    before, after = standing(seed, first), standing(seed + 1, second)
    found = waterfall(before, after)
    assert found.opening == before.said.sum() == found.before.sum()
    assert found.closing == after.said.sum() == found.after.sum()
    assert found.opening + sum(found.steps.values()) == found.closing
    assert tuple(found.steps) == STEPS
    assert found.parts.sum(axis=0).tolist() == list(found.steps.values())
    assert (found.before + found.parts.sum(axis=1) == found.after).all()
    group = np.random.default_rng(seed).integers(0, 3, len(found.renewal_id))
    for which in range(3):
        rows = group == which
        assert found.before[rows].sum() + found.parts[rows].sum() == found.after[rows].sum()
    signs = {"amount_up": 1, "likelihood_up": 1, "amount_down": -1, "likelihood_down": -1}
    for step, sign in signs.items():
        assert (sign * found.parts[:, STEPS.index(step)] >= 0).all()
    if set(before.renewal_id) == set(after.renewal_id):
        assert found.steps["entered"] == found.steps["left"] == found.steps["moved_in"] == found.steps["moved_out"] == 0


def test_each_step_says_what_moved() -> None:
    before = called(np.full(6, 100), np.array([0.8, 0.8, 0.8, 0.8, 0.8, 0.5]), np.array(list("abcdef")))
    names, due = np.array(list("abcdfg")), np.array([100, 100, 200, 100, 100, 70])
    after = Standing(
        names, due, np.array([1, 0, 0.8, 0.7, 0.9, 1.0]), np.array([110, 0, 160, 70, 90, 70]),
        np.array([True, True, False, False, False, False]), np.array([110, 0, 160, 50, 90, 65]),
    )  # fmt: skip
    steps = {step: money for step, money in waterfall(before, after).steps.items() if money}
    wanted = {"entered": 70, "left": -80, "renewed": 30, "churned": -80, "amount_up": 80, "likelihood_up": 40}
    assert steps == wanted | {"likelihood_down": -10, "called": -25}
    back = {step: money for step, money in waterfall(after, before).steps.items() if money}
    assert back["called"] == 20
    assert (back["amount_up"], back["amount_down"]) == (80, -80 - 30)  # what closed and is open again, too


def test_what_was_known_moves_instead_of_entering() -> None:
    one, two = (called(np.array([100]), np.array([0.5]), np.array([name])) for name in "ab")
    moved = waterfall(replace(one, elsewhere=two.renewal_id), replace(two, elsewhere=one.renewal_id)).steps
    assert {step: money for step, money in moved.items() if money} == {"moved_in": 50, "moved_out": -50}


def test_categories_have_falling_defaults() -> None:
    said = [DEFAULTS[category] for category in CATEGORIES]
    assert said == sorted(said, reverse=True)
    assert 0 < said[-1] < said[0] < 1


def test_bias_and_accuracy_per_key() -> None:
    key = np.array(["mo", "al", "mo"])
    due, said, came = np.array([100, 50, 300]), np.array([90, 50, 270]), np.array([100, 0, 0])
    al, mo = tracks(key, due, np.array([0.9, 1.0, 0.9]), said, came, came > 0)
    assert (al.key, al.calls, al.bias, al.bias_low, al.accuracy) == ("al", 1, 1.0, None, 0.0)
    assert mo.bias == pytest.approx((360 - 100) / 400)
    assert mo.accuracy == pytest.approx(1 - (10 + 270) / 400)
    assert mo.brier == pytest.approx((0.01 + 0.81) / 2)
    assert mo.renewed_share == 0.5
    assert 0 < mo.low < 0.5 < mo.high < 1
    assert mo.verdict == al.verdict == "too few"
    nothing = tracks(key[:1], due[:1] * 0, np.ones(1), said[:1] * 0, came[:1] * 0, came[:1] < 0)[0]
    assert (nothing.bias, nothing.accuracy, nothing.verdict) == (None, None, "too few")
    assert tracks(key[:0], due[:0], np.zeros(0), said[:0], came[:0], came[:0] > 0) == ()


@pytest.mark.parametrize(("chance", "verdict"), [(0.9, "too high"), (0.6, "no bias shown"), (0.3, "too low")])
def test_a_bias_is_told_from_chance(chance: float, verdict: str) -> None:
    """The interval holds the bias of calls that are off by as much as they are, in about nine worlds of ten."""
    rng = np.random.default_rng(7)
    world, due = np.repeat(np.arange(200), 300), np.round(rng.lognormal(9, 1, 60_000)).astype(np.int64)
    renewed, said = rng.random(60_000) < 0.6, np.full(60_000, chance)
    found = tracks(np.char.mod("%d", world), due, said, (due * said).astype(np.int64), due * renewed, renewed)
    held = sum(one.bias_low <= chance - 0.6 <= one.bias_high for one in found if one.bias_low and one.bias_high)
    assert 170 <= held <= 192
    assert sum(one.verdict == verdict for one in found) >= 165


def test_a_renewal_stands_once() -> None:
    with pytest.raises(ValueError, match="stands once"):
        called(np.ones(2, dtype=np.int64), np.ones(2), np.array(["a", "a"]))
    with pytest.raises(ValueError, match="one length"):
        ledger.Standing(
            np.array(["a"]),
            np.ones(2, dtype=np.int64),
            np.ones(1),
            np.ones(1, dtype=np.int64),
            np.ones(1, dtype=np.bool_),
        )
