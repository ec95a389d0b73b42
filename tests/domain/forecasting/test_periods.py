"""What may be asked of retention: days, series, groups, and what is refused by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from app.domain.errors import Invalid
from app.domain.forecasting import periods
from app.domain.workspaces import SegmentationName
from tests.laws.trees import WORKSPACE

TODAY = date(2026, 11, 22)
TIER = SegmentationName(UUID(int=7), "tier", ("high", "low"))
OURS = replace(WORKSPACE, segmentations={"tier": TIER})


def read(start: str | None = None, end: str | None = None, group_by: str | None = None) -> periods.Asked:
    return periods.read(start, end, group_by, None, OURS, TODAY)


def test_the_last_twelve_months_where_nothing_is_said() -> None:
    assert (read().start, read().end, read().steps) == (date(2025, 11, 22), TODAY, ((date(2025, 11, 22), TODAY),))
    assert read(start="2026-10-01").end == TODAY
    assert read(start="2024-10-01").end == date(2025, 10, 1)
    assert read(end="2024-02-29").start == date(2023, 2, 28)


def test_a_series_is_cut_by_the_calendar_and_begins_with_its_first_day() -> None:
    asked = read("2025-11-15", "2026-03-02", "month,segment.tier,csm")
    assert asked.groups == (("segment.tier", TIER), ("csm", "csm"))
    assert [periods.label(start, "month") for start, _ in asked.steps] == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
        "2026-03",
    ]
    assert (asked.steps[0], asked.steps[-1]) == (
        (date(2025, 11, 15), date(2025, 12, 1)),
        (date(2026, 3, 1), date(2026, 3, 2)),
    )
    assert [periods.label(start, "quarter") for start, _ in read("2025-11-15", "2026-05-02", "quarter").steps] == [
        "2025-Q4",
        "2026-Q1",
        "2026-Q2",
    ]
    assert [periods.label(start, "year") for start, _ in read("2025-11-15", "2026-05-02", "year").steps] == [
        "2025",
        "2026",
    ]


@pytest.mark.parametrize(
    ("said", "parameter", "suggestion"),
    [
        ({"start": "2026-13-01"}, "from", None), ({"end": "2026-11-23"}, "to", None), ({"start": "2026-11-22"}, "to", None),
        ({"start": "2010-01-01", "end": "2026-01-01"}, "to", None), ({"group_by": "month,quarter"}, "group_by", None),
        ({"group_by": "mouth"}, "group_by", "month"), ({"group_by": "segment.teir"}, "group_by", "segment.tier"),
        ({"group_by": "csm,csm"}, "group_by", None), ({"group_by": "csm,lane,product,month"}, "group_by", None),
    ],
)  # fmt: skip
def test_what_means_nothing_is_named(said: dict[str, str], parameter: str, suggestion: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        read(**said)
    assert (refused.value.faults[0].parameter, refused.value.faults[0].suggestion) == (parameter, suggestion)
