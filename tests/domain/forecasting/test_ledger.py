"""The waterfall adds up to the cent, and calls are held against what happened."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.forecasting import ledger
from app.domain.forecasting.ledger import CATEGORIES, DEFAULTS, STEPS, Standing, called, tracks, waterfall


def standing(seed: int, size: int) -> Standing:
    """Some of 40 renewals, some closed, at random."""
    rng = np.random.default_rng(seed)
    names = rng.permutation(np.array([f"r{k}" for k in range(40)]))[:size]
    due = rng.integers(0, 10 ** rng.integers(1, 13), size)
    opened = called(due, rng.random(size), names)
    closed = rng.random(size) < 0.4
    brought = np.where(rng.random(size) < 0.5, 0, (due * 1.2).astype(np.int64))
    return Standing(names, due, opened.probability, np.where(closed, brought, opened.expected_minor), closed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 40), st.integers(0, 40))
def test_the_waterfall_adds_up(seed: int, first: int, second: int) -> None:
    before, after = standing(seed, first), standing(seed + 1, second)
    found = waterfall(before, after)
    assert found.opening == before.expected_minor.sum()
    assert found.closing == after.expected_minor.sum()
    assert found.opening + sum(found.steps.values()) == found.closing
    assert tuple(found.steps) == STEPS
    assert found.parts.sum(axis=0).tolist() == list(found.steps.values())
    if set(before.renewal_id) == set(after.renewal_id):
        assert found.steps["entered"] == found.steps["left"] == 0


def test_each_step_says_what_moved() -> None:
    before = called(np.full(6, 100), np.array([0.8, 0.8, 0.8, 0.8, 0.8, 0.5]), np.array(list("abcdef")))
    names, due = np.array(list("abcdfg")), np.array([100, 100, 200, 100, 100, 70])
    after = Standing(
        names, due, np.array([1, 0, 0.8, 0.8, 0.9, 1.0]), np.array([110, 0, 160, 80, 90, 70]),
        np.array([True, True, False, False, False, False]),
    )  # fmt: skip
    steps = waterfall(before, after).steps
    assert steps == {"entered": 70, "left": -80, "renewed": 30, "churned": -80, "amount": 80, "likelihood": 40}


def test_categories_have_falling_defaults() -> None:
    said = [DEFAULTS[category] for category in CATEGORIES]
    assert said == sorted(said, reverse=True)
    assert 0 < said[-1] < said[0] < 1


def test_bias_and_accuracy_per_key() -> None:
    key = np.array(["mo", "al", "mo"])
    due, said, came = np.array([100, 50, 300]), np.array([90, 50, 270]), np.array([100, 0, 0])
    al, mo = tracks(key, due, np.array([0.9, 1.0, 0.9]), said, came)
    assert (al.key, al.calls, al.bias, al.accuracy) == ("al", 1, 1.0, 0.0)
    assert mo.bias == pytest.approx((360 - 100) / 400)
    assert mo.accuracy == pytest.approx(1 - (10 + 270) / 400)
    assert mo.renewed_share == 0.5
    assert 0 < mo.low < 0.5 < mo.high < 1
    nothing = tracks(key[:1], due[:1] * 0, np.ones(1), said[:1] * 0, came[:1] * 0)[0]
    assert (nothing.bias, nothing.accuracy) == (None, None)
    assert tracks(key[:0], due[:0], np.zeros(0), said[:0], came[:0]) == ()


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
