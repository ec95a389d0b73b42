"""Impacts and lanes as they are told, put into what stands."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.scenarios import LANES, impacts, lanes

INDUSTRIES = ("banking", "retail")


@pytest.mark.parametrize(
    ("told", "standing", "left"),
    [
        ({}, {"retail": "low"}, {"retail": "low"}),
        ({"retail": "severe"}, {"retail": "low"}, {"retail": "severe"}),
        ({"retail": None}, {"retail": "low"}, {}),
        ({"banking": None}, {}, {}),
        ({"retail": "low", "banking": "low"}, {}, {"banking": "low", "retail": "low"}),
        ({"banking": "low"}, {"gone": "severe"}, {"banking": "low", "gone": "severe"}),
    ],
)
def test_impacts_are_put_in_and_taken_out(told: dict[str, Any], standing: dict[str, str], left: dict[str, str]) -> None:
    assert impacts(told, standing, INDUSTRIES) == (left, [])


@pytest.mark.parametrize("shift", [-10, 10, 0, 0.125, -1.2])
def test_lanes_take_numbers_within_bounds(shift: float) -> None:
    assert lanes({"medium": shift}, LANES) == ({**LANES, "medium": shift}, [])


@pytest.mark.parametrize("shift", [-10.01, 11, "1", None, True, float("nan"), float("inf"), 2**70])
def test_lanes_take_nothing_else(shift: object) -> None:
    _, faults = lanes({"medium": shift}, LANES)
    assert [fault.pointer for fault in faults] == ["/lanes/medium"]


def test_what_is_wrong_is_told_a_bounded_number_of_times() -> None:
    _, faults = impacts({f"i{n}": "low" for n in range(200)}, {}, INDUSTRIES)
    assert len(faults) == 50
