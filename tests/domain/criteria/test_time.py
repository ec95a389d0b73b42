"""Windows at a clock: zones, both clock changes, week starts, fiscal months, month ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.criteria.literals import CALENDARS, UNITS
from app.domain.criteria.nodes import Calendar, Period, Rolling, Unit, Window
from app.domain.criteria.time import resolve, start
from app.domain.errors import Invalid
from app.domain.workspaces import Clock

BERLIN, NEW_YORK, SAO_PAULO, KOLKATA, APIA, CAIRO = (
    ZoneInfo(n)
    for n in ("Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo")
)
CLOCKS = st.builds(
    Clock,
    st.integers(1_100_000_000, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from((BERLIN, NEW_YORK, SAO_PAULO, KOLKATA, APIA, CAIRO)),
    st.integers(1, 7),
    st.integers(1, 12),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def on_dates(window: Window, today: str, week_start: int = 1, fiscal_month: int = 1) -> tuple[str, str]:
    bounds = resolve(window, "date", Clock(utc(today + "T12:00"), ZoneInfo("UTC"), week_start, fiscal_month))
    return str(bounds.lo), str(bounds.hi)


def on_instants(window: Window, as_of: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    bounds = resolve(window, "instant", Clock(utc(as_of), zone))
    assert isinstance(bounds.lo, datetime)
    assert isinstance(bounds.hi, datetime)
    return bounds.lo, bounds.hi


@pytest.mark.parametrize(
    ("window", "today", "lo", "hi"),
    [
        (Rolling("last", 30, "d"), "2026-03-30", "2026-03-01", "2026-03-31"),
        (Rolling("last", 1, "d"), "2026-03-30", "2026-03-30", "2026-03-31"),
        (Rolling("next", 90, "d"), "2026-03-30", "2026-03-30", "2026-06-28"),
        (Rolling("last", 2, "w"), "2026-03-30", "2026-03-17", "2026-03-31"),
        (Rolling("next", 1, "mo"), "2026-01-31", "2026-01-31", "2026-02-28"),
        (Rolling("next", 1, "mo"), "2028-01-31", "2028-01-31", "2028-02-29"),
        (Rolling("last", 1, "mo"), "2026-02-28", "2026-02-01", "2026-03-01"),
        (Rolling("last", 1, "q"), "2026-03-15", "2025-12-16", "2026-03-16"),
        (Rolling("next", 1, "y"), "2028-02-29", "2028-02-29", "2029-02-28"),
        (Period("this", "day"), "2026-03-30", "2026-03-30", "2026-03-31"),
        (Period("previous", "day"), "2026-03-01", "2026-02-28", "2026-03-01"),
        (Period("this", "week"), "2026-11-22", "2026-11-16", "2026-11-23"),
        (Period("next", "month"), "2026-12-31", "2027-01-01", "2027-02-01"),
        (Period("previous", "quarter"), "2026-01-01", "2025-10-01", "2026-01-01"),
        (Period("this", "year"), "2026-11-22", "2026-01-01", "2027-01-01"),
    ],
)
def test_dates(window: Window, today: str, lo: str, hi: str) -> None:
    assert on_dates(window, today) == (lo, hi)


@pytest.mark.parametrize(("week_start", "lo"), [(1, "2026-11-16"), (6, "2026-11-21"), (7, "2026-11-22")])
def test_week_starts(week_start: int, lo: str) -> None:
    assert on_dates(Period("this", "week"), "2026-11-22", week_start)[0] == lo


@pytest.mark.parametrize(
    ("unit", "fiscal_month", "today", "lo", "hi"),
    [
        ("fiscal_year", 4, "2026-03-31", "2025-04-01", "2026-04-01"),
        ("fiscal_year", 4, "2026-04-01", "2026-04-01", "2027-04-01"),
        ("fiscal_quarter", 2, "2026-01-31", "2025-11-01", "2026-02-01"),
        ("fiscal_quarter", 2, "2026-02-01", "2026-02-01", "2026-05-01"),
        ("fiscal_quarter", 12, "2026-11-22", "2026-09-01", "2026-12-01"),
        ("quarter", 2, "2026-01-31", "2026-01-01", "2026-04-01"),
    ],
)
def test_fiscal_calendar(unit: Calendar, fiscal_month: int, today: str, lo: str, hi: str) -> None:
    assert on_dates(Period("this", unit), today, fiscal_month=fiscal_month) == (lo, hi)


@pytest.mark.parametrize(
    ("window", "as_of", "zone", "lo", "hi"),
    [
        # 23 and 25 hours: days of the clock changes in Berlin
        (Period("this", "day"), "2026-03-29T12:00", BERLIN, "2026-03-28T23:00", "2026-03-29T22:00"),
        (Period("this", "day"), "2026-10-25T12:00", BERLIN, "2026-10-24T22:00", "2026-10-25T23:00"),
        # days are absolute spans, months keep the wall clock
        (Rolling("last", 1, "d"), "2026-03-29T12:00", BERLIN, "2026-03-28T12:00", "2026-03-29T12:00"),
        (Rolling("last", 1, "mo"), "2026-04-15T10:00", BERLIN, "2026-03-15T11:00", "2026-04-15T10:00"),
        (Rolling("last", 90, "min"), "2026-03-29T02:00", BERLIN, "2026-03-29T00:30", "2026-03-29T02:00"),
        # 02:30 does not exist on 29 March, and exists twice on 25 October
        (Rolling("last", 1, "mo"), "2026-04-29T00:30", BERLIN, "2026-03-29T01:30", "2026-04-29T00:30"),
        (Rolling("last", 1, "mo"), "2026-11-25T01:30", BERLIN, "2026-10-25T00:30", "2026-11-25T01:30"),
        # midnight does not exist where clocks change at midnight
        (Period("this", "day"), "2018-11-04T12:00", SAO_PAULO, "2018-11-04T03:00", "2018-11-05T02:00"),
        (Period("this", "month"), "2026-11-01T03:00", NEW_YORK, "2026-10-01T04:00", "2026-11-01T04:00"),
        (Period("this", "day"), "2026-06-01T18:29", KOLKATA, "2026-05-31T18:30", "2026-06-01T18:30"),
    ],
)  # fmt: skip
def test_instants(window: Window, as_of: str, zone: ZoneInfo, lo: str, hi: str) -> None:
    assert on_instants(window, as_of, zone) == (utc(lo), utc(hi))


@given(CLOCKS, st.integers(1, 400))
def test_days_are_counted(clock: Clock, n: int) -> None:
    last, following = resolve(Rolling("last", n, "d"), "date", clock), resolve(Rolling("next", n, "d"), "date", clock)
    assert last.hi == clock.today + timedelta(1)
    assert last.lo == clock.today - timedelta(n - 1)
    assert (following.lo, following.hi) == (clock.today, clock.today + timedelta(n))
    assert resolve(Rolling("last", n, "d"), "instant", clock).lo == clock.as_of - n * timedelta(hours=24)


@given(CLOCKS, st.sampled_from(CALENDARS), st.sampled_from(("date", "instant")))
def test_periods_follow_on_each_other(clock: Clock, unit: Calendar, kind: Literal["date", "instant"]) -> None:
    before, this, after = (resolve(Period(w, unit), kind, clock) for w in ("previous", "this", "next"))
    now = clock.today if kind == "date" else clock.as_of
    assert this.lo is not None
    assert this.hi is not None
    assert before.hi == this.lo <= now < this.hi == after.lo


@given(CLOCKS, st.integers(1, 50), st.sampled_from(UNITS))
def test_the_past_holds_no_future(clock: Clock, n: int, unit: Unit) -> None:
    last, following = (
        resolve(Rolling("last", n, unit), "instant", clock),
        resolve(Rolling("next", n, unit), "instant", clock),
    )
    assert last.hi == following.lo == clock.as_of
    assert last.lo is not None
    assert following.hi is not None
    assert last.lo < clock.as_of < following.hi
    if unit not in ("min", "h"):
        dates = resolve(Rolling("last", n, unit), "date", clock)
        assert dates.lo is not None
        assert dates.lo <= clock.today
        assert dates.hi == clock.today + timedelta(1)


def test_a_day_that_never_was() -> None:
    assert start(date(2011, 12, 30), APIA) == start(date(2011, 12, 31), APIA) == utc("2011-12-30T10:00")


@pytest.mark.parametrize("kind", ["date", "instant"])
@pytest.mark.parametrize(
    "window", [Rolling("last", 9_999_999, "y"), Rolling("next", 9_999_999, "w"), Rolling("last", 30_000, "mo")]
)
def test_beyond_all_years(window: Window, kind: Literal["date", "instant"]) -> None:
    with pytest.raises(Invalid, match="years 1 to 9999"):
        resolve(window, kind, Clock(utc("2026-11-22"), BERLIN))


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_the_ends_of_all_years(as_of: str) -> None:
    for unit in CALENDARS:
        for which in ("previous", "this", "next"):
            for zone in (NEW_YORK, KOLKATA):
                try:
                    resolve(Period(which, unit), "instant", Clock(utc(as_of), zone))
                except Invalid as error:
                    assert "9999" in error.detail  # noqa: PT017 - either outcome is right


def test_dates_have_no_hours() -> None:
    with pytest.raises(Invalid, match="no hours"):
        resolve(Rolling("last", 3, "h"), "date", Clock(utc("2026-11-22"), BERLIN))
