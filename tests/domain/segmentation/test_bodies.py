"""Bodies that are wrong: each fault once, where it is, saying what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.errors import Invalid
from app.domain.segmentation.bodies import read

TWO = [{"slug": "a", "name": "A"}, {"slug": "b", "name": "B"}]
KINDS = "Expected one of rules, bands, matrix, score, lanes."
CUTS = 'Expected where it is cut, such as {"by": "absolute", "at": [25000, 100000]} or {"by": "median"}.'
BYS = "Expected one of absolute, percentile, median, natural."
AXIS = "Expected an axis: an object with field and cuts."


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "circles", "spec": {"cuts": {"by": "radius"}}}, [("/kind", KINDS, None)]),
        ({"kind": "ruls"}, [("/kind", KINDS, "rules")]),
        ({"kind": None}, [("/kind", KINDS, None)]),
        ({}, [("/spec", "Expected an object with field and cuts.", None)]),
        ({"spec": {"field": "arr"}}, [("/spec/cuts", CUTS, None)]),
        ({"spec": {"field": "arr", "cuts": None}}, [("/spec/cuts", CUTS, None)]),
        ({"spec": {"field": "arr", "cuts": {}}}, [("/spec/cuts/by", BYS, None)]),
        ({"spec": {"field": "arr", "cuts": {"by": "percent", "at": [1]}}}, [("/spec/cuts/by", BYS, "percentile")]),
        ({"kind": "matrix", "spec": {"x": None}}, [("/spec/x", AXIS, None), ("/spec/y", AXIS, None)]),
        ({"kind": "rules"}, [(f"/segments/{n}/criteria", "Expected criteria, such as arr >= 100000.", None) for n in (0, 1)]),
        ({"spec": {"field": "arr", "cuts": {"by": "median"}}, "segments": None}, [("/segments", "Expected an array of 1 to 50 segments.", None)]),
    ],
)  # fmt: skip
def test_each_fault_is_told_once_and_says_what_was_expected(changes: dict[str, Any], told: list[Any]) -> None:
    with pytest.raises(Invalid) as refused:
        read("tiers", {"name": "Tiers", "kind": "bands", "segments": TWO} | changes)
    assert [(one.pointer, one.message, one.suggestion) for one in refused.value.faults] == told
