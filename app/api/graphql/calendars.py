"""The fiscal calendar of a workspace, as rows."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, entered, given, member, operated, output, resolved, told
from app.api.graphql.resources import body
from app.api.graphql.writing import KEY, VERSION, Arguments, Writing, mended
from app.domain.calendar_bodies import PATTERNS
from app.services import calendars

NAMES_OF_PATTERNS = {f"weeks_{name.replace('-', '_')}": name for name in PATTERNS}
"""Patterns as names of GraphQL can be."""
choices(
    "CalendarPattern", tuple(NAMES_OF_PATTERNS), "Weeks of each period of a quarter; 13x4: 13 periods of four weeks."
)
output("FiscalPeriod", [
    member("year", "int", "The fiscal year."), member("quarter", "int"), member("period", "int", "Its number within the year."),
    member("start_date", "Date", "Its first day."), member("end_date", "Date", "Its last day."),
])  # fmt: skip
output("FiscalCalendar", [
    member("periods", "list[FiscalPeriod]", "None where no calendar is set."),
    member("from", "Optional[Date]", "The first day that it knows."), member("to", "Optional[Date]", "The last day that it knows."),
    member("version", "int", "The workspace's."),
])  # fmt: skip
output("FiscalCalendarReach", [member("from", "Date"), member("to", "Date")], "From which day to which it reaches.")
output("FiscalCalendarPayload", [resolved("calendar", "FiscalCalendar", lambda source, *_: body(source.body))])
entered("FiscalPeriodInput", [
    given("year", "int"), given("quarter", "int"), given("period", "int"), given("start_date", "Date"), given("end_date", "Date"),
])  # fmt: skip
entered("GenerateCalendarInput", [
    given("pattern", "CalendarPattern"), given("first_day", "Date", "On which the first fiscal year begins."),
    given("first_year", "int", "What that fiscal year is called."), given("years", "int", "How many are made."),
    given("long_years", "Optional[list[int]]", "Those of 53 weeks: their last period has one more."),
])  # fmt: skip
entered("FiscalCalendarInput", [
    given("periods", "Optional[list[FiscalPeriodInput]]", "Every period, in order."),
    given("generate", "Optional[GenerateCalendarInput]", "Makes the rows of 4-4-5 years and the like."),
], one_of=True)  # fmt: skip


def _get(_: Any, info: Any, _said: Arguments) -> Any:
    return body(calendars.get(info.context.principal))


def _put(_: Any, info: Any, said: Arguments) -> Writing:
    caller, wanted = info.context, told(said["input"])
    if (pattern := (wanted.get("generate") or {}).get("pattern")) is not None:
        wanted["generate"]["pattern"] = NAMES_OF_PATTERNS[pattern]
    wanted["with_dependents"] = said.get("with_dependents")
    return mended(calendars.put(caller.db, caller.call(info, said), wanted, said["expected_version"]))


def _delete(_: Any, info: Any, said: Arguments) -> Writing:
    caller = info.context
    return mended(calendars.delete(caller.db, caller.call(info, said), said["expected_version"]))


QUERIES = [
    operated(
        "workspace.read", "workspace_calendar", "FiscalCalendar", _get,
        description="Its periods as they were set. Without any, fiscal years begin with the workspace's `fiscalMonth`.",
    )
]  # fmt: skip
MUTATIONS = [
    operated(
        "workspace.write", "put_workspace_calendar", "Optional[FiscalCalendarPayload]", _put, VERSION,
        argument("input", "FiscalCalendarInput"),
        argument(
            "with_dependents", "Optional[bool]", None,
            "Also where lists, segmentations, entry criteria or measures name what it does not reach: they mean nothing then.",
        ),
        KEY,
        description="Replaces all periods; segments follow before it answers. Refused where something would mean nothing then; `errors` says what. The version is the workspace's.",
    ),
    operated(
        "workspace.write", "delete_workspace_calendar", "Optional[FiscalCalendarPayload]", _delete, VERSION, KEY,
        description="Fiscal years begin with the workspace's `fiscalMonth` again. The version is the workspace's.",
    ),
]  # fmt: skip
