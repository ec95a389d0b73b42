"""Moments as they are told: a day, which is all of it in a zone, or an instant."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain import values
from app.domain.values import MisfitError

EXPECTED = "a day or an instant, as in 2026-01-31 or 2026-01-31T10:00:00Z"
DAY = timedelta(days=1)


def span(told: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Where a day begins in the zone and where the next one does, or an instant twice; in UTC. Raises MisfitError."""
    try:
        if not values.DAY.fullmatch(told):
            moment = values.instant(told)
            return moment, moment
        day = values.day(told)
        begins, ends = (datetime.combine(one, time(), zone).astimezone(UTC) for one in (day, day + DAY))
    except (MisfitError, OverflowError):
        raise MisfitError(EXPECTED) from None
    return begins, ends
