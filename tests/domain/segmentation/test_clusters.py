"""Clusters told as rules: boxes put together, thresholds that people say, bodies that can be put."""

from __future__ import annotations

import math

import pytest

from app.domain.errors import Invalid
from app.domain.segmentation.bodies import read as defined
from app.domain.segmentation.clusters import Box, agreement, called, definition, merged, read, readable

ANY = math.inf


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        read({"kind": "cluster", "fields": ["arr", "arr", 3], "count": 1, "more": True})
    assert {fault.pointer for fault in refused.value.faults} == {"/kind", "/fields", "/fields/2", "/count", "/more"}
    assert read({"kind": "clusters", "fields": ["arr"], "count": 2}).name == "Clusters"


def test_thresholds_are_as_people_say_them() -> None:
    assert [readable(at, False) for at in (27_213.4, 0.123456, -1_234.5, 0.0)] == [27_200, 0.123, -1_230, 0]
    assert readable(3.5, True) == 4


def test_boxes_side_by_side_are_one() -> None:
    left, right = Box(0, {"a": (-ANY, 5), "b": (1, ANY)}), Box(0, {"a": (5, 9), "b": (1, ANY)})
    other = Box(1, {"a": (9, ANY)})
    assert merged([left, other, right]) == (other, Box(0, {"a": (-ANY, 9), "b": (1, ANY)}))
    assert merged([left, Box(0, {"a": (6, 9), "b": (1, ANY)})]) == (left, Box(0, {"a": (6, 9), "b": (1, ANY)}))


def test_rules_place_accounts_as_they_say_and_can_be_put() -> None:
    boxes = [
        Box(0, {"arr": (-ANY, 100.5)}),
        Box(1, {"arr": (100.5, ANY), "health": (-ANY, 50)}),
        Box(0, {"health": (50, ANY)}),
    ]
    rows = [{"arr": 50.0, "health": 10.0}, {"arr": 200.0, "health": 10.0}, {"arr": 200.0, "health": 60.0}]
    assert agreement(boxes, rows, [0, 1, 0]) == 1.0
    assert agreement(boxes, rows, [0, 1, 1]) == pytest.approx(2 / 3)
    wanted = read({"kind": "clusters", "fields": ["arr", "health"], "count": 3, "name": "Groups"})
    names = called([{"arr": 1.2, "health": 0.1}, {"arr": -0.9, "health": -2.0}, {"arr": 0.0, "health": 0.1}])
    assert names == ["High ARR", "Low health, low ARR", "In the middle"]
    body = definition(wanted, boxes, names)
    assert [one["criteria"] for one in body["segments"]] == [
        "arr < 100.5 OR health >= 50",
        "arr >= 100.5 AND health < 50",
    ]
    assert defined("groups", body).name == "Groups"
    assert called([{"arr": 1.0}, {"arr": 0.9}]) == ["High ARR", "High ARR 2"]


def test_what_is_missing_is_told_once() -> None:
    with pytest.raises(Invalid) as refused:
        read({"kind": "clusters"})
    assert [(one.pointer, one.message) for one in refused.value.faults] == [
        ("/fields", "Expected an array of 1 to 8 fields."), ("/count", "Expected how many clusters there are to be, from 2 to 8."),
    ]  # fmt: skip
