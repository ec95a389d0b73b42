"""Where a request's lane comes from, and that every word of the reasons is true of the numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.request_queue import Weighed, lane, reasons
from app.domain.segmentation.lanes import Consideration

ENGAGED = Consideration("engagement_score", Decimal(60), Decimal(30))


@pytest.mark.parametrize(
    ("impact", "points", "found"),
    [
        ("severe", 0, "severe"), ("severe", 2, "medium"), ("severe", -3, "severe"), ("medium", 1, "low"),
        ("medium", -1, "severe"), ("low", 1, "low"), ("low", -1, "medium"), (None, 3, None),
    ],
)  # fmt: skip
def test_considerations_move_an_account_by_one_lane(impact: str | None, points: int, found: str | None) -> None:
    assert lane(impact, points) == found


@pytest.mark.parametrize(
    ("value", "direction", "points"),
    [(60, "lifts", 1), (59.9, "neither", 0), (30, "neither", 0), (29.9, "lowers", -1), (None, "unknown", 0)],
)
def test_a_consideration_lifts_from_a_value_on_and_lowers_below_another(
    value: float | None, direction: str, points: int
) -> None:
    weighed = Weighed(ENGAGED, value)
    assert (weighed.direction, weighed.points) == (direction, points)


def test_reasons_come_in_the_order_in_which_they_decide() -> None:
    told = list(reasons("medium", "travel", [Weighed(ENGAGED, 12)], sum_named=False, days=1))
    assert [(one["by"], one.get("value")) for one in told] == [
        ("lane", "severe"), ("engagement_score", 12), ("money", None), ("asked_at", 1),
    ]  # fmt: skip
    assert [one["says"] for one in told] == [
        "The active scenario is medium for travel; more considerations lower than lift it.",
        "Less than 30 lowers.",
        "The account's ARR: the request names no sum.",
        "Asked 1 day ago.",
    ]


def test_what_has_no_lane_says_why() -> None:
    def said(impact: str | None, industry: str | None, value: float) -> str:
        first = next(iter(reasons(impact, industry, [Weighed(ENGAGED, value)], sum_named=True, days=2)))
        return str(first["says"])

    assert said(None, None, 1) == "The account has no industry: no scenario says anything of it."
    assert said(None, "travel", 1) == "The active scenario says nothing of travel."
    assert said("severe", "travel", 1) == "The active scenario is severe for travel; there is no worse lane."
    assert said("low", "travel", 99) == "The active scenario is low for travel; there is no better lane."
    assert said("low", "travel", 45) == "The active scenario is low for travel."
