"""Fiscal calendars read from bodies: rows as they are, patterns made into rows, and what cannot be one."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from app.domain.calendar_bodies import MAX_PERIODS, PATTERNS, read
from app.domain.calendars import BeyondCalendarError, FiscalCalendar
from app.domain.errors import Invalid

MADE = {"pattern": "4-4-5", "first_day": "2026-02-01", "first_year": 2026, "years": 3}


def generated(**more: Any) -> FiscalCalendar:
    return read({"generate": {**MADE, **more}})


def rows(*told: tuple[int, int, int, str, str]) -> list[dict[str, Any]]:
    return [dict(zip(("year", "quarter", "period", "start_date", "end_date"), one, strict=True)) for one in told]


TWO = ((2026, 1, 1, "2026-02-01", "2026-02-28"), (2026, 1, 2, "2026-03-01", "2026-04-04"))


def weeks(of: FiscalCalendar, year: int) -> list[int]:
    return [((row.end_date - row.start_date).days + 1) // 7 for row in of.periods if row.year == year]


def test_a_pattern_makes_years_of_weeks() -> None:
    of = generated(long_years=[2027])
    assert weeks(of, 2026) == [4, 4, 5] * 4
    assert weeks(of, 2027) == [*[4, 4, 5] * 3, 4, 4, 6]
    assert [row.quarter for row in of.periods[:12]] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert (of.first, of.last) == (date(2026, 2, 1), date(2026, 2, 1) + timedelta(weeks=52 + 53 + 52, days=-1))
    assert generated(long_years=None) == generated(long_years=[]) == generated()
    assert weeks(generated(pattern="4-5-4"), 2026) == [4, 5, 4] * 4
    assert weeks(generated(pattern="5-4-4"), 2026) == [5, 4, 4] * 4


def test_thirteen_periods() -> None:
    of = generated(pattern="13x4", long_years=[2026])
    assert weeks(of, 2026) == [*[4] * 12, 5]
    assert Counter(row.quarter for row in of.periods if row.year == 2027) == {1: 3, 2: 3, 3: 3, 4: 4}


def test_what_is_made_reads_as_rows() -> None:
    for pattern in PATTERNS:
        of = generated(pattern=pattern, years=50, long_years=[2030, 2036])
        told = [{name: _said(getattr(row, name)) for name in row.__slots__} for row in of.periods]
        assert len(told) <= MAX_PERIODS
        assert read({"periods": told}) == of


def _said(value: object) -> object:
    return str(value) if isinstance(value, date) else value


def test_periods_of_any_length_are_a_calendar() -> None:
    """Thirteen months a year, a year that is cut short, quarters of one period."""
    of = read(
        {"periods": rows(*TWO, (2027, 1, 1, "2026-04-05", "2026-04-05"), (2027, 2, 2, "2026-04-06", "2027-01-01"))}
    )
    spans = [of.span(unit, date(2026, 4, 5), 0) for unit in ("fiscal_month", "fiscal_quarter", "fiscal_year")]
    assert [str(hi) for _, hi in spans] == ["2026-04-06", "2026-04-06", "2027-01-02"]
    assert of.span("fiscal_year", date(2027, 1, 1), -1) == (date(2026, 2, 1), date(2026, 4, 5))


@pytest.mark.parametrize(("day", "n"), [("2026-01-31", 0), ("2026-04-05", 0), ("2026-02-01", -1), ("2026-04-04", 1)])
def test_beyond_the_rows_there_is_no_period(day: str, n: int) -> None:
    with pytest.raises(BeyondCalendarError):
        read({"periods": rows(*TWO)}).span("fiscal_month", date.fromisoformat(day), n)


@pytest.mark.parametrize(
    ("second", "pointers"),
    [
        ((2026, 1, 2, "2026-03-02", "2026-04-04"), ["start_date"]),  # a gap
        ((2026, 1, 2, "2026-02-28", "2026-04-04"), ["start_date"]),  # an overlap
        ((2026, 1, 2, "2026-01-01", "2026-01-31"), ["start_date"]),  # out of order
        ((2026, 1, 2, "2026-03-01", "2026-02-27"), ["end_date"]),
        ((2026, 1, 3, "2026-03-01", "2026-04-04"), ["period"]), ((2026, 1, 1, "2026-03-01", "2026-04-04"), ["period"]),
        ((2026, 3, 2, "2026-03-01", "2026-04-04"), ["quarter"]), ((2028, 1, 1, "2026-03-01", "2026-04-04"), ["year"]),
        ((2025, 1, 1, "2026-03-01", "2026-04-04"), ["year"]),
        ((2027, 2, 3, "2026-03-01", "2026-04-04"), ["quarter", "period"]),  # a year from its middle on
        ((2026, 0, 0, "x", "2026-02-30"), ["quarter", "period", "start_date", "end_date"]),
        ((True, "1", 2.5, None, 5), ["year", "quarter", "period", "start_date", "end_date"]),
        ((2026, 5, 701, "1899-12-31", "2200-01-01"), ["quarter", "period", "start_date", "end_date"]),
    ],
)  # fmt: skip
def test_rows_that_are_no_calendar(second: Any, pointers: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        read({"periods": rows(TWO[0], second)})
    assert [fault.pointer for fault in caught.value.faults] == [f"/periods/1/{name}" for name in pointers]


def test_a_year_begins_with_its_first_period() -> None:
    with pytest.raises(Invalid) as caught:
        read({"periods": rows((2026, 2, 4, "2026-02-01", "2026-02-28"))})
    assert [fault.pointer for fault in caught.value.faults] == ["/periods/0/quarter", "/periods/0/period"]


@pytest.mark.parametrize(
    ("body", "pointer", "suggestion"),
    [
        ({}, "", None), ({"periods": rows(*TWO), "generate": MADE}, "", None), ({"periods": []}, "/periods", None),
        ({"periods": {}}, "/periods", None), ({"periods": rows(TWO[0]) * 701}, "/periods", None), ({"periods": [5]}, "/periods/0", None),
        ({"period": rows(*TWO)}, "/period", "periods"), ({"generate": []}, "/generate", None),
        ({"periods": [{**rows(TWO[0])[0], "quater": 1}]}, "/periods/0/quater", "quarter"),
        ({"generate": {**MADE, "pattern": "13x5"}}, "/generate/pattern", "13x4"), ({"generate": {**MADE, "years": 51}}, "/generate/years", None),
        ({"generate": {**MADE, "long_years": [2029]}}, "/generate/long_years", None),
        ({"generate": {**MADE, "long_years": [None]}}, "/generate/long_years", None),
        ({"generate": {**MADE, "first_day": "2199-01-01"}}, "/generate/years", None),
        ({"generate": {**MADE, "first_year": 2198}}, "/generate/years", None),
        ({"generate": {**MADE, "first_day": None}}, "/generate/first_day", None),
        ({"generate": {**MADE, "year": 1}}, "/generate/year", "years"),
    ],
)  # fmt: skip
def test_a_body_is_read_strictly(body: Any, pointer: str, suggestion: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        read(body)
    assert [(fault.pointer, fault.suggestion) for fault in caught.value.faults] == [(pointer, suggestion)]


def test_no_more_faults_than_one_reads() -> None:
    with pytest.raises(Invalid) as caught:
        read({"periods": [{str(n): 1 for n in range(1000)}] * 700})
    assert len(caught.value.faults) <= 100
