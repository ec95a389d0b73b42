"""Laws of axes: values rise, are round, lie within the scale and are told apart; no text lies on another or outside."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pictures.axes import LINE, Tick, across, money, number, upward
from app.domain.pictures.scales import Measure, Scale, fitted, plain
from app.domain.pictures.svg import SMALL, WIDTH, width

AMOUNTS = st.one_of(
    st.integers(-10, 100).map(float),
    st.sampled_from([0.0, 0.01, 5e4, 5e4, 1e9, -2e6]),
    st.floats(-1e9, 1e9).map(lambda value: round(value, 2)),
)
MANY = st.lists(AMOUNTS, max_size=12)
CUTS = st.lists(AMOUNTS, max_size=9, unique=True).map(lambda cuts: tuple(sorted(cuts)))


def scale_of(values: list[float], cuts: tuple[float, ...], *, is_money: bool, high: bool) -> Scale:
    ends = (330.0, 60.0) if high else (78.0, 456.0)
    return fitted(Measure("ARR", is_money, cuts), values, *ends, 40.0)


def rises(ticks: list[Tick], scale: Scale) -> None:
    values = [tick.value for tick in ticks]
    assert values == sorted(set(values))
    assert all(math.isfinite(number) for tick in ticks for number in (tick.value, tick.at, tick.place))
    assert all(
        scale.low * (1 - 1e-9) - 1e-9 <= value <= scale.high * (1 + 1e-9) + 1e-9 for value in values if value >= 0
    )
    assert len({tick.text for tick in ticks}) == len(ticks)


@given(MANY, CUTS, st.booleans())
def test_what_stands_below_a_plot_is_told_apart_and_has_room(
    values: list[float], cuts: tuple[float, ...], is_money: bool
) -> None:
    scale = scale_of(values, cuts, is_money=is_money, high=False)
    ticks = across(scale, money("USD") if is_money else number, cuts)
    rises(ticks, scale)
    halves = [width(tick.text, SMALL, bold=tick.cut) / 2 for tick in ticks]
    spans = [(tick.place - half, tick.place + half) for tick, half in zip(ticks, halves, strict=True)]
    assert all(low >= 0 and high <= WIDTH for low, high in spans)
    assert all(before < after for (_, before), (after, _) in pairwise(spans))
    assert not cuts or any(tick.cut for tick in ticks)


@given(MANY, CUTS, st.booleans())
def test_what_stands_beside_a_plot_is_told_apart_and_has_room(
    values: list[float], cuts: tuple[float, ...], is_money: bool
) -> None:
    scale = scale_of(values, cuts, is_money=is_money, high=True)
    ticks = upward(scale, money("EUR") if is_money else number, cuts)
    rises(ticks, scale)
    assert all(low.place - high.place >= LINE - 1e-6 for low, high in pairwise(ticks))


@given(st.lists(AMOUNTS, min_size=1, max_size=12), st.booleans())
def test_steps_are_round_and_alike(values: list[float], is_money: bool) -> None:
    scale = plain(Measure("ARR", is_money, ()), values, 60.0, 460.0)
    ticks = [tick.value for tick in across(scale, number) if tick.value != scale.low or scale.edge is None]
    assert ticks
    steps = ticks if scale.log else [after - before for before, after in pairwise(ticks)]
    for step in steps:
        digits = f"{abs(step):.6e}".partition("e")[0]
        assert float(digits) in (1.0, 2.0, 5.0), ticks
    assert scale.log or all(step == pytest.approx(steps[0], rel=1e-3) for step in steps)


@pytest.mark.parametrize("drawn", [across, upward])
def test_counts_have_no_parts(drawn: Callable[..., list[Tick]]) -> None:
    assert [tick.text for tick in drawn(Scale(0.0, 2.0, 300.0, 100.0, log=False), number, whole=True)] == [
        "0",
        "1",
        "2",
    ]


def test_cuts_come_before_round_values_and_stand_alone_where_there_is_nothing() -> None:
    scale = Scale(0.0, 100.0, 60.0, 460.0, log=False)
    assert [tick.text for tick in across(scale, number, (52.0,)) if tick.cut] == ["52"]
    assert "50" not in [tick.text for tick in across(scale, number, (52.0,))]
    assert [tick.text for tick in across(scale, number, (52.0,), bare=True)] == ["52"]


def test_what_lies_at_the_edge_is_said() -> None:
    measure = Measure("ARR", True, ())
    nothing = across(plain(measure, [0.0, 10.0, 1e3, 1e5], 60, 460), money("USD"))
    little = across(plain(measure, [1e-3, 1e3, 1e5, 1e6], 60, 460), money("USD"))
    assert (nothing[0].text, little[0].text) == ("$0", "<$1")
    assert all(not tick.text.startswith("<") for tick in across(plain(measure, [1.0, 1e6], 60, 460), money("USD")))
