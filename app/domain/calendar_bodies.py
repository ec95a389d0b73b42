"""What a body says of a fiscal calendar: its periods one by one, or a pattern that makes them; read strictly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import islice, pairwise
from types import MappingProxyType
from typing import Any

from app.domain import records, values
from app.domain.calendars import DAY, FiscalCalendar, FiscalPeriod, calendar
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, escape
from app.domain.records import MAX_FAULTS
from app.domain.values import MisfitError

MAX_PERIODS = 700
MAX_YEARS = 50
FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Days and fiscal years that a calendar may know."""
QUARTERS = 4
PERIOD = ("year", "quarter", "period", "start_date", "end_date")
GENERATED = ("pattern", "first_day", "first_year", "years", "long_years")
BODY = ("periods", "generate")

Weeks = Sequence[tuple[int, int]]
"""Of a year's periods the quarter and the number of weeks."""


def _quarterly(*weeks: int) -> Weeks:
    return [(quarter, n) for quarter in range(1, QUARTERS + 1) for n in weeks]


PATTERNS: Mapping[str, Weeks] = MappingProxyType(
    {
        "4-4-5": _quarterly(4, 4, 5),
        "4-5-4": _quarterly(4, 5, 4),
        "5-4-4": _quarterly(5, 4, 4),
        "13x4": [(min(n // 3 + 1, QUARTERS), 4) for n in range(13)],
    }
)
"""The usual years of 52 weeks; `13x4` has 13 periods of four weeks, the last four of them in the last quarter."""


def read(body: object) -> FiscalCalendar:
    """The calendar of `{"periods": [...]}` or `{"generate": {...}}`. Raises Invalid with a fault for each wrong place."""
    told = records.only(body, BODY)
    given = [name for name in BODY if told.get(name) is not None]
    if len(given) != 1:
        raise Invalid(faults=(Fault("Expected either periods or generate.", pointer=""),))
    if given == ["generate"]:
        return calendar(_generated(told["generate"]))
    periods = told["periods"]
    if not isinstance(periods, list) or not 1 <= len(periods) <= MAX_PERIODS:
        raise Invalid(faults=(Fault(f"Expected an array of 1 to {MAX_PERIODS} periods.", pointer="/periods"),))
    rows = _each(periods)
    if faults := tuple(islice(_out_of_order(rows), MAX_FAULTS)):
        raise Invalid(faults=faults)
    return calendar(rows)


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(told: object) -> int:
        if isinstance(told, bool) or not isinstance(told, int) or not low <= told <= high:
            raise MisfitError(f"a whole number from {low} to {high}")
        return told

    return read


def _day(told: object) -> date:
    found = values.day(told)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise MisfitError(f"a date in the years {FIRST_YEAR} to {LAST_YEAR}")
    return found


def _pattern(told: object) -> str:
    if not isinstance(told, str) or told not in PATTERNS:
        raise MisfitError(f"one of {', '.join(PATTERNS)}", nearest(told, PATTERNS) if isinstance(told, str) else None)
    return told


def _years(told: object) -> frozenset[int]:
    if told is None:
        return frozenset()
    if not isinstance(told, list) or len(told) > MAX_YEARS:
        raise MisfitError(f"an array of at most {MAX_YEARS} fiscal years")
    return frozenset(_YEAR(one) for one in told)


_YEAR = _whole(FIRST_YEAR, LAST_YEAR)
READERS: Mapping[str, Callable[[object], Any]] = MappingProxyType(
    {
        "year": _YEAR, "quarter": _whole(1, QUARTERS), "period": _whole(1, MAX_PERIODS), "start_date": _day, "end_date": _day,
        "pattern": _pattern, "first_day": _day, "first_year": _YEAR, "years": _whole(1, MAX_YEARS), "long_years": _years,
    }
)  # fmt: skip


def _members(told: object, pointer: str, known: Sequence[str], faults: list[Fault]) -> dict[str, Any]:
    """The members of an object that has each of the known ones; what is wrong goes to the faults."""
    if not isinstance(told, Mapping):
        faults.append(Fault(f"Expected an object with {', '.join(known)}.", pointer=pointer))
        return {}
    for name in islice((name for name in told if name not in known), MAX_FAULTS):
        where = f"{pointer}/{escape(str(name)[:64])}"
        faults.append(Fault("Expected no member of this name.", pointer=where, suggestion=nearest(str(name), known)))
    given: dict[str, Any] = {}
    for name in known:
        try:
            given[name] = READERS[name](told.get(name))
        except MisfitError as misfit:
            faults.append(misfit.fault(f"{pointer}/{name}"))
    return given


def _each(periods: Sequence[object]) -> list[FiscalPeriod]:
    faults: list[Fault] = []
    rows: list[FiscalPeriod] = []
    for n, told in enumerate(periods):
        given = _members(told, f"/periods/{n}", PERIOD, faults)
        if len(faults) >= MAX_FAULTS:
            break
        if not faults:
            rows.append(FiscalPeriod(**given))
    if faults:
        raise Invalid(faults=tuple(faults[:MAX_FAULTS]))
    return rows


# -- the order of rows ---------------------------------------------------------------------------------------------------


def _out_of_order(rows: Sequence[FiscalPeriod]) -> Iterator[Fault]:
    """What stands against one year after the other, gapless and without overlap, each from its first period on."""
    yield from _begins(rows[0], "/periods/0")
    for n, row in enumerate(rows):
        if row.end_date < row.start_date:
            yield Fault("Expected a last day that is not before the first.", pointer=f"/periods/{n}/end_date")
    for n, (before, row) in enumerate(pairwise(rows), 1):
        at = f"/periods/{n}"
        if row.start_date != before.end_date + DAY:
            yield Fault("Expected the day after the last one of the period before.", pointer=f"{at}/start_date")
        if row.year == before.year + 1:
            yield from _begins(row, at)
        elif row.year != before.year:
            yield Fault("Expected the fiscal year of the period before, or the next one.", pointer=f"{at}/year")
        else:
            if row.period != before.period + 1:
                yield Fault("Expected the number that follows the period before.", pointer=f"{at}/period")
            if row.quarter not in (before.quarter, before.quarter + 1):
                yield Fault("Expected the quarter of the period before, or the next one.", pointer=f"{at}/quarter")


def _begins(row: FiscalPeriod, at: str) -> Iterator[Fault]:
    for name in ("quarter", "period"):
        if getattr(row, name) != 1:
            yield Fault(f"Expected 1: a fiscal year begins with its first {name}.", pointer=f"{at}/{name}")


# -- patterns ------------------------------------------------------------------------------------------------------------


def _generated(told: object) -> Iterator[FiscalPeriod]:
    faults: list[Fault] = []
    given = _members(told, "/generate", GENERATED, faults)
    if faults:
        raise Invalid(faults=tuple(faults[:MAX_FAULTS]))
    years = range(given["first_year"], given["first_year"] + given["years"])
    if not given["long_years"] <= set(years):
        message = "Expected years of 53 weeks among the fiscal years that are made."
        raise Invalid(faults=(Fault(message, pointer="/generate/long_years"),))
    if years[-1] > LAST_YEAR or given["first_day"] + timedelta(weeks=53) * len(years) > date(LAST_YEAR, 12, 31):
        raise Invalid(faults=(Fault(f"Expected a calendar that ends before {LAST_YEAR}.", pointer="/generate/years"),))
    return _patterned(PATTERNS[given["pattern"]], given["first_day"], years, given["long_years"])


def _patterned(
    pattern: Weeks, first_day: date, years: Sequence[int], long_years: frozenset[int]
) -> Iterator[FiscalPeriod]:
    """Year after year; the last period of a long one has a week more."""
    start = first_day
    for year in years:
        for period, (quarter, weeks) in enumerate(pattern, 1):
            more = year in long_years and period == len(pattern)
            following = start + timedelta(weeks=weeks + more)
            yield FiscalPeriod(year, quarter, period, start, following - DAY)
            start = following
