"""A workspace's own fiscal calendar: periods as rows, gapless and in order, and what they make of months to years."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

FiscalUnit = Literal["fiscal_month", "fiscal_quarter", "fiscal_year"]
DAY = timedelta(days=1)


class BeyondCalendarError(Exception):
    """The calendar's rows do not reach so far."""


@dataclass(frozen=True, slots=True)
class FiscalPeriod:
    """The `period`-th of its fiscal year, counted from 1, within a `quarter` of it. Both days belong to it."""

    year: int
    quarter: int
    period: int
    start_date: date
    end_date: date


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """`starts`: by unit the first day of each, in order, and after them the day on which the calendar is over."""

    periods: tuple[FiscalPeriod, ...]
    starts: Mapping[FiscalUnit, tuple[date, ...]]

    @property
    def first(self) -> date:
        """The first day that it knows."""
        return self.periods[0].start_date

    @property
    def last(self) -> date:
        """The last day that it knows."""
        return self.periods[-1].end_date

    def span(self, unit: FiscalUnit, day: date, n: int) -> tuple[date, date]:
        """The first day of the unit that lies `n` after the one of the day, and of the one after it.

        Raises BeyondCalendarError where the rows do not reach so far.
        """
        starts = self.starts[unit]
        at = bisect_right(starts, day) - 1
        if not (0 <= at < len(starts) - 1 and 0 <= at + n < len(starts) - 1):
            raise BeyondCalendarError
        return starts[at + n], starts[at + n + 1]


def calendar(periods: Iterable[FiscalPeriod]) -> FiscalCalendar:
    """The calendar of at least one period; they follow each other day by day, year by year."""
    rows = tuple(periods)
    over = rows[-1].end_date + DAY
    quarters = (next(of).start_date for _, of in groupby(rows, lambda row: (row.year, row.quarter)))
    years = (next(of).start_date for _, of in groupby(rows, lambda row: row.year))
    return FiscalCalendar(
        rows,
        {
            "fiscal_month": (*(row.start_date for row in rows), over),
            "fiscal_quarter": (*quarters, over),
            "fiscal_year": (*years, over),
        },
    )
