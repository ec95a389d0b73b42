"""The period of a forecast, to the ends of the calendar."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.errors import Invalid, Unreadable
from app.domain.forecasting.asked import period, read

TODAY = date(2026, 11, 22)


def test_a_period_is_a_year_from_today() -> None:
    assert period(None, None, TODAY) == (TODAY, date(2027, 11, 22))
    assert period(None, date(2020, 1, 1), TODAY) == (date(2019, 12, 31), date(2020, 1, 1))


def test_a_year_is_one_of_the_calendar() -> None:
    """It ends the day before the same day of the next year, leap years included."""
    for start, end in (
        (date(2020, 1, 1), date(2021, 1, 1)), (date(2019, 6, 1), date(2020, 6, 1)), (date(2020, 2, 29), date(2021, 3, 1)),
    ):  # fmt: skip
        assert period(start, None, TODAY) == (start, end)


def test_ten_years_are_the_most_and_the_latest_end_is_told() -> None:
    assert period(date(2026, 1, 1), date(2036, 1, 1), TODAY) == (date(2026, 1, 1), date(2036, 1, 1))
    with pytest.raises(Invalid) as refused:
        period(date(2026, 1, 1), date(2036, 1, 2), TODAY)
    assert "`to` is 2036-01-01 at the latest" in refused.value.faults[0].message


@pytest.mark.parametrize(
    ("start", "end", "blamed"),
    [(date.max, None, "from"), (None, date.min, "to"), (date.max, date.max, "to"), (date.min, date.max, "to")],
)
def test_what_the_calendar_does_not_hold_is_refused(start: date | None, end: date | None, blamed: str) -> None:
    """Where it was told: what was left out is not to blame."""
    with pytest.raises(Invalid) as refused:
        period(start, end, TODAY)
    assert refused.value.faults[0].pointer == f"/{blamed}"
    with pytest.raises(Invalid) as refused:
        period(start, end, TODAY, ("due_from", "due_to"))
    assert [(one.pointer, one.parameter) for one in refused.value.faults] == [(None, f"due_{blamed}")]


def test_the_last_day_can_be_asked_for() -> None:
    assert period(date(9999, 12, 30), None, TODAY) == (date(9999, 12, 30), date.max)


def test_all_that_is_wrong_with_a_request_is_told_at_once() -> None:
    body = {
        "from": "soon", "target": "x", "group_by": "month", "targets": [], "where": "arr >", "bogus": 1, "lanes": {"severe": 1},
    }  # fmt: skip
    with pytest.raises(Unreadable) as caught:
        read(body, 2)
    told = [fault.pointer for fault in caught.value.faults]
    assert told == ["/bogus", "/group_by", "/from", "/where", "/target", "/lanes"]
