"""A workspace: the settings that answers depend on, and what it has named itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.calendars import FiscalCalendar
from app.domain.catalogue import Field
from app.domain.scores import DEFAULT, Scores


@dataclass(frozen=True, slots=True)
class SegmentationName:
    """What criteria and selections need to know of a segmentation."""

    id: UUID
    slug: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StageRule:
    """How accounts move by themselves: into a stage once they meet its `entry` criteria, out of it after so many days."""

    slug: str
    entry: str | None = None
    leaves_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """`minor_digits`: decimal digits of the currency's minor unit (2 for USD, 0 for JPY). `week_start`: ISO, Monday is 1.

    `fiscal_month`: the month in which the fiscal year begins. `facts_day`: the day that kept usage windows are right for.
    `epoch` changes whenever anything here does: plans made under another epoch are not used again.
    """

    id: UUID
    slug: str
    name: str
    currency: str
    minor_digits: int
    zone: ZoneInfo
    week_start: int
    fiscal_month: int
    health_yellow: float
    health_green: float
    arr_per_csm: int
    facts_day: date
    version: int = 1
    hours_per_csm: float = 120.0
    """Hours a month that one CSM has for accounts."""
    segmentations: Mapping[str, SegmentationName] = field(default_factory=dict)
    attributes: Mapping[tuple[str, str], Field] = field(default_factory=dict)
    """Own attributes by (entity, slug)."""
    retired: frozenset[tuple[str, str]] = frozenset()
    """Those of (entity, slug) that were retired: they can be brought back, and mean nothing until then."""
    stages: tuple[str, ...] = ()
    """The slugs of the lifecycle stages, in order."""
    rules: tuple[StageRule, ...] = ()
    """Every stage in order with its rule, where any stage has one; else none."""
    scores: Scores = DEFAULT
    """What its scores are made of."""
    scores_version: int = 1
    calendar: FiscalCalendar | None = None
    """Its own fiscal periods; fiscal years begin with `fiscal_month` where there are none."""
    epoch: str = ""

    def major(self, minor: int) -> Decimal:
        """An amount in minor units as its major ones, exactly."""
        return Decimal(minor).scaleb(-self.minor_digits)


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment that windows are resolved at, and the zone, week and fiscal year that they are cut by.

    `as_of` is an instant in UTC. Segments always use the workspace's zone, a query may be told another. `fiscal_month`
    says nothing where there is a calendar.
    """

    as_of: datetime
    zone: ZoneInfo
    week_start: int = 1
    fiscal_month: int = 1
    calendar: FiscalCalendar | None = None

    @property
    def today(self) -> date:
        """The day in the zone."""
        return self.as_of.astimezone(self.zone).date()


def clock(workspace: Workspace, as_of: datetime, zone: ZoneInfo | None = None) -> Clock:
    """The workspace's clock at an instant, in its own zone unless told another."""
    return Clock(as_of, zone or workspace.zone, workspace.week_start, workspace.fiscal_month, workspace.calendar)


@dataclass(frozen=True, slots=True)
class Person:
    """Who `@me` and `@my_team` are: a user, and everybody of the user's team (the user too)."""

    id: UUID
    team: tuple[UUID, ...]
