"""The workspace's settings, read and changed."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, entered, given, member, operated, output, resolved, told
from app.api.graphql.resources import body
from app.api.graphql.writing import KEY, VERSION, Arguments, Writing, mended
from app.services import workspaces

output("Workspace", [
    member("id", "ID"), member("slug", "str"), member("name", "str"), member("currency", "str", "ISO 4217"),
    member("zone", "str", "IANA time zone"), member("week_start", "int", "ISO: Monday is 1"),
    member("fiscal_month", "int", "Month in which the fiscal year begins, where no calendar says otherwise."),
    member("health_yellow", "float", "Health from here on is yellow."), member("health_green", "float", "Health from here on is green."),
    member("arr_per_csm", "Money", "ARR that one CSM looks after."),
    member("hours_per_csm", "float", "Hours a month that one CSM has for accounts."),
    member("fiscal_calendar", "Optional[FiscalCalendarReach]", "Null where no calendar of its own is set."), member("version", "int"),
])  # fmt: skip
entered("UpdateWorkspaceInput", [
    given("name", "Optional[str]"), given("currency", "Optional[str]"), given("zone", "Optional[str]"),
    given("week_start", "Optional[int]"), given("fiscal_month", "Optional[int]"), given("health_yellow", "Optional[float]"),
    given("health_green", "Optional[float]"), given("arr_per_csm", "Optional[Money]"),
    given("hours_per_csm", "Optional[float]"),
    given("keep_amounts", "Optional[bool]", "True: amounts that are stored keep their numbers under another currency."),
], "What is named is set; all else stays as it is.")  # fmt: skip
output("WorkspacePayload", [resolved("workspace", "Workspace", lambda source, *_: body(source.body))])


def _get(_: Any, info: Any, _said: Arguments) -> Any:
    return body(workspaces.get(info.context.principal))


def _update(_: Any, info: Any, said: Arguments) -> Writing:
    caller, version = info.context, said["expected_version"]
    call = caller.call(info, said)
    return mended(workspaces.change(caller.db, call, told(said["input"]), version))


QUERIES = [
    operated("workspace.read", "workspace", "Workspace", _get, description="The settings that answers depend on.")
]
MUTATIONS = [
    operated(
        "workspace.write", "update_workspace", "Optional[WorkspacePayload]", _update, VERSION, argument("input", "UpdateWorkspaceInput"), KEY,
        description="What follows, such as health bands, is right for every account before it answers.",
    ),
]  # fmt: skip
