"""Moments as they are told: a day, which is all of it in a zone, or an instant."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain import values
from app.domain.criteria.time import start
from app.domain.values import MisfitError

EXPECTED = "a day or an instant, as in 2026-01-31 or 2026-01-31T10:00:00Z"
DAY = timedelta(days=1)
LEAST = timedelta(microseconds=1)
BRIEF = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(Z|[+-]\d{2}:\d{2})", re.ASCII)
"""An instant without its seconds."""


def span(told: object, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Where a day begins in the zone and where the next one does, or an instant twice; in UTC. Raises MisfitError."""
    try:
        if not isinstance(told, str) or not values.DAY.fullmatch(told):
            brief = BRIEF.fullmatch(told) if isinstance(told, str) else None
            moment = values.instant(f"{brief[1]}:00{brief[2]}" if brief else told)
            return moment, moment
        day = values.day(told)
        return start(day, zone), start(day + DAY, zone)
    except (MisfitError, OverflowError):
        raise MisfitError(EXPECTED) from None


def last(told: object, zone: ZoneInfo) -> datetime:
    """An instant, or the last microsecond of a day in the zone, so that all of the day lies behind it; in UTC. Raises
    MisfitError."""
    since, until = span(told, zone)
    return until - LEAST if since < until else since
