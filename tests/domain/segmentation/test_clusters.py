"""Clusters told as rules: boxes put together, thresholds that people say, bodies that can be put."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.segmentation.bodies import read as defined
from app.domain.segmentation.clusters import Box, called, definition, merged, ranged, read, readable

ANY = math.inf


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        read({"kind": "cluster", "fields": ["arr", "arr", 3], "count": 1, "more": True})
    assert {fault.pointer for fault in refused.value.faults} == {"/kind", "/fields", "/fields/2", "/count", "/more"}
    assert read({"kind": "clusters", "fields": ["arr"], "count": 2}) == read({"fields": ["arr"], "count": 2})
    assert read({"fields": ["arr"], "count": 2}).name == "Clusters"


def test_thresholds_are_as_people_say_them() -> None:
    assert [readable(at, False) for at in (27_213.4, 0.123456, -1_234.5, 0.0)] == [27_200, 0.123, -1_230, 0]
    assert readable(3.5, True) == 4
    assert readable(100_140.0, False, 4) == 100_100


def test_boxes_side_by_side_are_one() -> None:
    left, right = Box(0, {"a": (-ANY, 5), "b": (1, ANY)}), Box(0, {"a": (5, 9), "b": (1, ANY)})
    other = Box(1, {"a": (9, ANY)})
    assert merged([left, other, right]) == (other, Box(0, {"a": (-ANY, 9), "b": (1, ANY)}))
    assert merged([left, Box(0, {"a": (6, 9), "b": (1, ANY)})]) == (left, Box(0, {"a": (6, 9), "b": (1, ANY)}))


def test_rules_say_who_was_looked_at_and_can_be_put() -> None:
    boxes = [
        Box(0, {"arr": (-ANY, 100.5)}),
        Box(1, {"arr": (100.5, ANY), "health": (-ANY, 50)}),
        Box(0, {"health": (50, ANY)}),
    ]
    wanted = read({"fields": ["arr", "health"], "count": 3, "name": "Groups"})
    body = definition(wanted, boxes, ["Small", "Ailing", "Lost"], ["health"])
    assert [one["criteria"] for one in body["segments"]] == [
        "health IS NOT EMPTY AND (arr < 100.5 OR health >= 50)",
        "arr >= 100.5 AND health < 50",
    ]
    assert (defined("groups", body).name, body["rest"]) == ("Groups", "not-clustered")
    for where, told in (
        ('status = "customer"', 'status = "customer" AND arr >= 100.5 AND health < 50'),
        ("type IS EMPTY AND nps > 3", "type IS EMPTY AND nps > 3 AND arr >= 100.5 AND health < 50"),
        ("type IS EMPTY OR nps > 3", "(type IS EMPTY OR nps > 3) AND arr >= 100.5 AND health < 50"),
        ("ALL", "arr >= 100.5 AND health < 50"),
    ):
        wanted = read({"fields": ["arr", "health"], "count": 3, "where": where})
        assert definition(wanted, boxes, ["Small", "Ailing", "Lost"], [])["segments"][1]["criteria"] == told


def test_on_one_field_names_say_from_where_to_where() -> None:
    boxes = [Box(0, {"arr": (61_000, ANY)}), Box(1, {"arr": (37_800, 61_000)}), Box(2, {"arr": (-ANY, 37_800)})]
    assert ranged("arr", boxes, 3, False) == ["ARR from 61,000", "ARR 37,800 to 61,000", "ARR below 37,800"]
    seats = [
        Box(0, {"custom.seat_count": (4, ANY)}),
        Box(1, {"custom.seat_count": (3, 4)}),
        Box(2, {"custom.seat_count": (-2.0, 3)}),
    ]
    assert ranged("custom.seat_count", seats, 3, True) == ["Seat count from 4", "Seat count 3", "Seat count -2 to 2"]


def test_names_are_true_and_each_is_one() -> None:
    offs = [
        {"arr": 1.2, "health": 0.1},
        {"arr": -0.9, "health": -2.0},
        {"arr": 2.0, "health": 0.2},
        {"arr": 0.0, "health": 0.1},
    ]
    medians = [
        {"arr": 61_000.0, "health": 70.0},
        {"arr": 900.0, "health": 20.0},
        {"arr": 90_500.0, "health": 71.0},
        {"arr": 9_000.0, "health": 70.0},
    ]
    assert called(offs, medians) == ["High ARR", "Low health, low ARR", "Highest ARR", "In the middle"]
    middle = [{"arr": 0.4, "health": 0.1}, {"arr": -0.4, "health": 0.2}, {"arr": -0.4, "health": -0.4}]
    known = [{"arr": 12_000.0, "health": 55.5}, {"arr": 4_000.0, "health": 56.0}, {"arr": 4_000.0, "health": 40.0}]
    assert called(middle, known) == [
        "In the middle: ARR about 12,000", "In the middle: ARR about 4,000, health about 56", "In the middle: ARR about 4,000, health about 40",
    ]  # fmt: skip
    same = called([{"arr": 1.0}] * 3, [{"arr": 5.0}] * 3)
    assert same == ["High ARR 2", "High ARR 3", "High ARR 4"]


@given(st.integers(2, 8), st.integers(1, 4), st.randoms(use_true_random=False))
def test_no_two_clusters_have_one_name(count: int, fields: int, drawn: Random) -> None:
    medians = [{f"f{n}": float(drawn.choice((1, 2, 3))) for n in range(fields)} for _ in range(count)]
    names = called([{field: value - 2.0 for field, value in one.items()} for one in medians], medians)
    assert len(set(names)) == count


def test_what_is_missing_is_told_once() -> None:
    with pytest.raises(Invalid) as refused:
        read({"kind": "clusters"})
    assert [(one.pointer, one.message) for one in refused.value.faults] == [
        ("/fields", "Expected an array of 1 to 8 fields."), ("/count", "Expected how many clusters there are to be, from 2 to 8."),
    ]  # fmt: skip
