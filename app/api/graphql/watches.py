"""Watched lists: begun, ended, and who entered and left."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, member, operated, output, resolved
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import single, uuid
from app.api.graphql.selections import mended as pointed
from app.api.graphql.writing import ID, KEY, Arguments, mended
from app.domain.errors import StrataError
from app.services import watches

choices("ListEvent", watches.EVENTS)
choices("ListCause", ("records", "list"))
output("ListChange", [
    member("at", "DateTime"), member("event", "ListEvent"), member("record_id", "ID"),
    member("name", "Optional[str]", "Of the record; null where it is gone."), member("external_id", "Optional[str]"),
    member("cause", "ListCause", "`records` and time changed, or what the `list` asks for."),
])  # fmt: skip
connect("ListChange")
output("ListChanges", [
    member("changes", "ListChangeConnection", "The latest first."), member("entered", "int", "In the whole span."), member("left", "int"),
    member("from", "DateTime"), member("to", "DateTime", "Not part of it: ask on from here, and nothing is missed."), member("since", "DateTime", "Since when the list is watched."),
    member("checked_at", "DateTime", "Up to when changes are known."), member("reason", "Optional[str]", "Why it cannot be checked any more."),
], "Who entered and left a watched list between two moments.")  # fmt: skip


async def _changes(source: Any, info: Any, said: Arguments) -> Any:
    single(info, "list(id)")
    caller, page = info.context, paging(info, {**said, "list": str(source["id"])})
    event = said.get("event")
    try:
        found = await watches.changes(
            caller.db, caller.principal, source["id"], said.get("from_"), said.get("to"), event and event.value,
            watches.keys(page.after), page.limit,
        )  # fmt: skip
    except StrataError as error:
        raise pointed(error, None) from None
    places = [watches.place(one) for one in found.data]
    return {
        "changes": page.connection(found.data, places, found.following is not None), "entered": found.entered,
        "left": found.left, "from": found.span.lo, "to": found.span.hi, "since": found.span.since,
        "checked_at": found.checked_at, "reason": found.reason,
    }  # fmt: skip


FIELDS = [
    resolved(
        "changes", "Optional[ListChanges]", _changes, argument("from", "Optional[str]", None, "A day or an instant; since watching began where it is left out."),
        argument("to", "Optional[str]", None, "A day or an instant, not part of the span; up to when changes are known where it is left out."),
        argument("event", "Optional[ListEvent]", None), *PAGING,
        description="Who entered and left, of a list that is watched.",
    ),
]  # fmt: skip


async def _watch(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return await mended(watches.watch(caller.db, caller.call(info, said), uuid(said["id"])))


async def _unwatch(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return await mended(watches.unwatch(caller.db, caller.call(info, said), uuid(said["id"])))


MUTATIONS = [
    operated(
        "lists.watch", "watch_list", "Optional[ListPayload]", _watch, ID, KEY,
        description="Keeps from now on who enters and leaves the list, which has to be the same for everybody.",
    ),
    operated(
        "lists.write", "unwatch_list", "Optional[ListPayload]", _unwatch, ID, KEY, description="Forgets who was on it, too.",
    ),
]  # fmt: skip
