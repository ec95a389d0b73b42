"""Windows and spans of time resolved at a clock, into half-open bounds."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, assert_never
from zoneinfo import ZoneInfo

from app.domain.calendars import BeyondCalendarError
from app.domain.criteria.meant import Bounds
from app.domain.criteria.nodes import At, Calendar, Duration, Period, Rolling, Unit, Window
from app.domain.criteria.suggest import invalid
from app.domain.workspaces import Clock

Axis = Literal["date", "instant"]

_SECONDS: dict[Unit, int] = {"min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DAYS: dict[Unit, int] = {"d": 1, "w": 7}
_MONTHS: dict[Unit, int] = {"mo": 1, "q": 3, "y": 12}
_PERIOD_MONTHS: dict[Calendar, int] = {
    "month": 1, "quarter": 3, "year": 12, "fiscal_month": 1, "fiscal_quarter": 3, "fiscal_year": 12,
}  # fmt: skip


def resolve(window: Window, kind: Axis, clock: Clock) -> Bounds:
    """Half-open bounds: dates for the kind `date`, instants in UTC for `instant`.

    `last` ends now, on dates with today included; `next` begins now, on dates with today. Raises Invalid for hours
    on dates, and beyond the years 1 to 9999 or the days that the fiscal calendar knows.
    """
    try:
        match window:
            case Period():
                lo, hi = period(window.which, window.unit, clock)
                return Bounds(lo, hi) if kind == "date" else Bounds(start(lo, clock.zone), start(hi, clock.zone))
            case Rolling(direction, n, unit):
                if kind == "instant":
                    edge = _moved(clock.as_of, n if direction == "next" else -n, unit, clock.zone)
                    return Bounds(edge, clock.as_of) if direction == "last" else Bounds(clock.as_of, edge)
                if direction == "next":
                    return Bounds(clock.today, _stepped(clock.today, n, unit, window.at))
                tomorrow = clock.today + timedelta(1)
                return Bounds(_stepped(tomorrow, -n, unit, window.at), tomorrow)
            case _:
                assert_never(window)
    except BeyondCalendarError:
        assert clock.calendar is not None
        reach = f"from {clock.calendar.first} to {clock.calendar.last}"
        raise invalid(window.at, f"Expected periods of the fiscal calendar, which reaches {reach}.") from None
    except (OverflowError, ValueError):
        raise _beyond(window.at) from None


def point(span: Duration, direction: Literal["ago", "from_now"], kind: Axis, clock: Clock, at: At) -> date | datetime:
    """`ago(30d)`: the date or instant (in UTC) that far from now. Raises as `resolve` does."""
    n = -span.n if direction == "ago" else span.n
    try:
        if kind == "date":
            return _stepped(clock.today, n, span.unit, at)
        return _moved(clock.as_of, n, span.unit, clock.zone)
    except (OverflowError, ValueError):
        raise _beyond(at) from None


def period(which: Literal["this", "previous", "next"], unit: Calendar, clock: Clock) -> tuple[date, date]:
    """The first day of the period, and of the one after it. Raises BeyondCalendarError."""
    today, n = clock.today, {"previous": -1, "this": 0, "next": 1}[which]
    if unit == "day":
        return today + timedelta(n), today + timedelta(n + 1)
    if unit == "week":
        first = today - timedelta((today.isoweekday() - clock.week_start) % 7)
        return first + timedelta(7 * n), first + timedelta(7 * (n + 1))
    size, opening = _PERIOD_MONTHS[unit], 1
    if unit == "fiscal_month" or unit == "fiscal_quarter" or unit == "fiscal_year":
        if clock.calendar is not None:
            return clock.calendar.span(unit, today, n)
        opening = clock.fiscal_month
    first = months(today.replace(day=1), -((today.month - opening) % size))
    return months(first, size * n), months(first, size * (n + 1))


def start(day: date, zone: ZoneInfo) -> datetime:
    """The instant in UTC at which the day begins in the zone: midnight, or the clock change that skips it."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def months(day: date, n: int) -> date:
    """The same day `n` months on, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _stepped(day: date, n: int, unit: Unit, at: At) -> date:
    if unit in _DAYS:
        return day + timedelta(n * _DAYS[unit])
    if unit in _MONTHS:
        return months(day, n * _MONTHS[unit])
    raise invalid(at, "A date has no hours: use d, w, mo, q or y.")


def _moved(instant: datetime, n: int, unit: Unit, zone: ZoneInfo) -> datetime:
    """Spans of up to weeks are absolute; months and longer keep the wall clock of the zone."""
    if unit in _SECONDS:
        return instant + timedelta(seconds=n * _SECONDS[unit])
    wall = instant.astimezone(zone)
    moved = datetime.combine(months(wall.date(), n * _MONTHS[unit]), wall.time(), zone)
    return moved.astimezone(UTC)


def _beyond(at: At) -> Exception:
    return invalid(at, "This reaches beyond the years 1 to 9999.")
