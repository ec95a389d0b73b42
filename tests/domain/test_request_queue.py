"""Where a request's lane comes from, and that every word of the reasons is true of the numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.request_queue import Lane, Stake, Weighed, lane, reasons
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


STAKE = Stake(Decimal("1250.50"), "EUR", is_named=True)


def test_reasons_come_in_the_order_in_which_they_decide() -> None:
    stake = Stake(Decimal(9000), "JPY", is_named=False)
    told = list(reasons(Lane(True, "medium", "Travel"), [Weighed(ENGAGED, 12.5)], stake, days=1))
    assert [(one["by"], one["value"]) for one in told] == [
        ("lane", "severe"), ("engagement_score", 12.5), ("money", 9000), ("asked_at", 1),
    ]  # fmt: skip
    assert [one["says"] for one in told] == [
        "The active scenario is medium for Travel; more considerations lower than lift it, a lane worse: severe.",
        "12.5 is less than 30: it lowers.",
        "The account's ARR, 9,000 JPY: the request names no sum.",
        "Asked 1 day ago.",
    ]


@pytest.mark.parametrize(
    ("of", "value", "said"),
    [
        (Lane(False, None, None), 1, "No scenario is active, so no account has a lane: activate one."),
        (Lane(True, None, None), 1, "The account has no industry: no scenario says anything of it."),
        (Lane(True, None, "Travel"), 1, "The active scenario says nothing of Travel."),
        (Lane(True, "severe", "Travel"), 1,
         "The active scenario is severe for Travel; more considerations lower than lift it, but there is no worse lane."),
        (Lane(True, "low", "Travel"), 99,
         "The active scenario is low for Travel; more considerations lift than lower it, but there is no better lane."),
        (Lane(True, "medium", "Travel"), 99, "The active scenario is medium for Travel; more considerations lift than lower it, a lane better: low."),
        (Lane(True, "low", "Travel"), 45, "The active scenario is low for Travel."),
    ],
)  # fmt: skip
def test_what_a_lane_follows_from_is_said(of: Lane, value: float, said: str) -> None:
    assert next(iter(reasons(of, [Weighed(ENGAGED, value)], STAKE, days=2)))["says"] == said


@pytest.mark.parametrize(
    ("of", "value", "said"),
    [
        (ENGAGED, 60, "60 is at least 60: it lifts."), (ENGAGED, 45.0, "45 is less than 60 and at least 30: it moves nothing."),
        (ENGAGED, None, "It is not known, and moves nothing."),
        (Consideration("arr", Decimal(1000), None), Decimal("12.30"), "12.3 is less than 1,000: it moves nothing."),
        (Consideration("arr", None, Decimal(1000)), Decimal("120000.00"), "120,000 is at least 1,000: it moves nothing."),
    ],
)  # fmt: skip
def test_a_consideration_says_its_value_and_its_bound(
    of: Consideration, value: Decimal | float | None, said: str
) -> None:
    assert list(reasons(Lane(True, "low", "Travel"), [Weighed(of, value)], STAKE, days=2))[1]["says"] == said


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "Asked today."), (1, "Asked 1 day ago."), (1200, "Asked 1,200 days ago."), (-1, "Dated 1 day ahead.")],
)
def test_money_and_age_are_said(days: int, said: str) -> None:
    *_, money, asked = reasons(Lane(True, "low", "Travel"), [], STAKE, days)
    assert (money["says"], asked["says"]) == ("The request names 1,250.50 EUR.", said)
