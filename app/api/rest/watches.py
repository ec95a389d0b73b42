"""/v1/lists/{id}/watch and /changes: who enters and leaves a list."""

from __future__ import annotations

from typing import Any

from app.api.conditions import call
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.envelopes import PAGED, paging
from app.api.rest.lists import ANSWER, ID, TAG
from app.api.rest.parameters import CURSOR, IDEMPOTENCY_KEY, IDENTITY, LIMIT
from app.api.rest.writes import answered, gone
from app.api.routes import Parameter, Payload, Route
from app.services import watches
from app.services.watches import Changes

MOMENT = {"type": "string"}
INSTANT = {"type": "string", "format": "date-time"}
_NAME = {"type": ["string", "null"]}
_CHANGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "at": INSTANT, "event": {"type": "string", "enum": list(watches.EVENTS)}, "record_id": IDENTITY,
        "name": {**_NAME, "description": "of the record; null where it is gone"}, "external_id": _NAME,
        "cause": {
            "type": "string", "enum": ["records", "list"],
            "description": "`records` and time changed, or what the `list` asks for",
        },
    },
}  # fmt: skip
CHANGES = {
    "type": "object",
    "properties": {
        "data": {"type": "array", "items": _CHANGE},
        "page": {"$ref": "#/components/schemas/Page"},
        "entered": {"type": "integer", "description": "in the whole span"},
        "left": {"type": "integer"},
        "from": {**INSTANT, "description": "where the span begins"},
        "to": {
            **INSTANT,
            "description": "where it ends, which is no part of it: ask on from here, and nothing is missed",
        },
        "since": {**INSTANT, "description": "since when the list is watched"},
        "checked_at": {**INSTANT, "description": "up to when changes are known"},
        "reason": {**_NAME, "description": "why it cannot be checked any more"},
    },
}
SPAN = (
    Parameter("from", "a day or an instant: changes of then and later; since watching began where it is left out", MOMENT),
    Parameter("to", "a day or an instant: changes of before; up to when they are known where it is left out", MOMENT),
    Parameter("event", "only who entered, or only who left", {"type": "string", "enum": list(watches.EVENTS)}),
)  # fmt: skip


async def watch(request: Request) -> Answer:
    """The list, watched."""
    request.query(())
    await request.nothing()
    return answered(await watches.watch(request.db, call(request), request.uuid(0)))


async def unwatch(request: Request) -> Answer:
    """Nothing: the list is not watched."""
    request.query(())
    await request.nothing()
    return gone(await watches.unwatch(request.db, call(request), request.uuid(0)))


async def changes(request: Request) -> Answer:
    """A page of who entered and left."""
    page = paging(request, *(one.name for one in SPAN))
    told = {name: value for name, value in page.told.items() if name not in PAGED}
    found = await watches.changes(
        request.db, request.principal, request.uuid(0), told.get("from"), told.get("to"), told.get("event"),
        watches.keys(page.after), page.limit,
    )  # fmt: skip
    following = {"next": page.cursor(found.following), "limit": page.limit}
    return Answer(encoded({"data": found.data, "page": following, **shown(found)}))


def shown(found: Changes) -> dict[str, Any]:
    """What is said of a span beside its page."""
    return {
        "entered": found.entered, "left": found.left, "from": found.span.lo, "to": found.span.hi, "since": found.span.since,
        "checked_at": found.checked_at, "reason": found.reason,
    }  # fmt: skip


ROUTES = (
    Route("PUT", "/v1/lists/{id}/watch", "lists.watch", watch, "Watch a list", TAG,
          f"Keeps from now on who enters and leaves it, found out each minute. A watched list is the same for everybody: one "
          f"that is `mine` or names `@me` is refused. A workspace watches at most {watches.MOST} lists.",
          parameters=(ID, IDEMPOTENCY_KEY), headers=("ETag",), answer=ANSWER, problems=("conflict",)),
    Route("DELETE", "/v1/lists/{id}/watch", "lists.write", unwatch, "Stop watching a list", TAG,
          "Who was on it is forgotten: for those who may change the list.",
          parameters=(ID, IDEMPOTENCY_KEY), status=204),
    Route("GET", "/v1/lists/{id}/changes", "lists.read", changes, "Who entered and left a watched list", TAG,
          "The latest first. Who was on it when watching began did not enter. A time before that is refused.",
          parameters=(ID, *SPAN, LIMIT, CURSOR), answer=Payload(CHANGES), problems=("conflict",)),
)  # fmt: skip
