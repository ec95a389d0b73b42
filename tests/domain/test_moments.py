"""Days and instants as they are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.moments import EXPECTED, last, span
from app.domain.values import MisfitError

BERLIN = ZoneInfo("Europe/Berlin")
TEN = datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "told", ["2026-01-31T10:00:00Z", "2026-01-31T10:00Z", "2026-01-31T11:00:00+01:00", "2026-01-31T11:00+01:00", "2026-01-31T10:00:00.000Z"]
)  # fmt: skip
def test_an_instant_is_itself(told: str) -> None:
    assert span(told, BERLIN) == (TEN, TEN)
    assert last(told, BERLIN) == TEN


def test_a_day_is_all_of_it_in_the_zone() -> None:
    assert span("2026-03-29", BERLIN) == (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))
    assert last("2026-01-31", BERLIN) == datetime(2026, 1, 31, 23, tzinfo=UTC) - timedelta(microseconds=1)


@pytest.mark.parametrize(
    "told",
    [
        "2026-02-30",
        "2026-01-31T10:00:00",
        "2026-1-31",
        "yesterday",
        "",
        "9999-12-31",
        20260131,
        None,
        "2026-01-31T25:00Z",
    ],
)
def test_what_is_neither_is_refused(told: object) -> None:
    with pytest.raises(MisfitError) as refused:
        last(told, BERLIN)
    assert refused.value.expected == EXPECTED
