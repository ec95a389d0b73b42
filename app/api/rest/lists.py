"""/v1/lists: saved lists, and what they hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, cast

from app.api import schemas
from app.api.conditions import call, expected_version, tagged
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest import reading
from app.api.rest.envelopes import PAGED, envelope, paging
from app.api.rest.parameters import (
    ARCHIVED,
    AS_OF,
    COUNT,
    CURSOR,
    FIELDS,
    FILTER,
    FOR_USER,
    IDEMPOTENCY_KEY,
    IDENTITY,
    IF_MATCH,
    IF_NONE_MATCH,
    INCLUDE,
    LIMIT,
    ON,
    SORT,
    TZ,
    path,
)  # fmt: skip
from app.api.rest.writes import answered, gone
from app.api.routes import Parameter, Payload, Route
from app.domain import list_bodies
from app.domain import lists as domain
from app.domain.errors import Fault, Invalid
from app.domain.questions import COUNT_CAP
from app.services import favourites, list_rows, lists, reads, transfers
from app.services.asks import Ask

PARAM = "param."
INSTANT = {"type": ["string", "null"], "format": "date-time"}
TEXT = {"type": "string"}
_CRITERIA = {"type": "object", "properties": {"text": TEXT, "tree": {"type": "object"}}}
_MEMBERS: dict[str, Any] = {
    "name": {**TEXT, "minLength": 1, "maxLength": list_bodies.NAME_LENGTH},
    "description": {"type": ["string", "null"]},
    "folder": {"type": ["string", "null"], "maxLength": list_bodies.FOLDER_LENGTH, "description": "where it is kept"},
    "columns": schemas.strings("fields to show, such as `arr`, `segment.tier`, `primary_contact.name`"),
    "sort": schemas.strings("fields in order of weight, `-` for descending"),
    "visibility": {"type": "string", "enum": list(domain.VISIBILITIES)},
    "mine": {"type": "boolean", "description": "only the records of whoever looks at it"},
    "params": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["name", "type"],
            "additionalProperties": False,
            "properties": {
                "name": {**TEXT, "pattern": "^[a-z][a-z0-9_]{0,62}$"},
                "type": {"type": "string", "enum": list(domain.PARAMETER_KINDS)},
                "default": {"description": "a value of this type; left out or null, whoever asks the list says one"},
            },
        },
        "description": "what `$name` in the criteria may be given as `param.<name>=`",
    },
}
_SAID: dict[str, Any] = {
    **_MEMBERS,
    "criteria": schemas.CRITERIA,
}
LIST = {
    "type": "object",
    "properties": {
        "id": IDENTITY,
        "entity": {"type": "string", "enum": list(domain.ENTITIES)},
        **{name: schemas.nullable(schema) for name, schema in _MEMBERS.items()},
        "criteria": schemas.nullable(_CRITERIA),
        "owner_id": IDENTITY,
        "state": {"type": ["string", "null"], "enum": ["ok", "broken", None]},
        "reason": {"type": ["string", "null"], "description": "why it is broken"},
        "size": {"type": ["integer", "null"]},
        "favourite": {"type": "boolean", "description": "whether it is one of the caller's"},
        "watched_since": {**INSTANT, "description": "since when it is kept who enters and leaves it"},
        "used_at": {**INSTANT, "description": "when somebody last asked what it holds, to about a minute"},
        "version": {"type": "integer"},
        "created_at": {"type": "string", "format": "date-time"},
        "updated_at": {"type": "string", "format": "date-time"},
    },
}
_ENTITY = {"entity": {"type": "string", "enum": list(domain.ENTITIES)}}
NEW: dict[str, Any] = {
    "type": "object", "required": ["entity", "name", "criteria"], "additionalProperties": False,
    "properties": {**_ENTITY, **_SAID},
}  # fmt: skip
CHANGE = {
    "type": "object", "additionalProperties": False,
    "properties": {**_ENTITY, **_SAID, "owner_id": {**IDENTITY, "description": "hands the list over"}},
}  # fmt: skip
EXAMPLE = {
    "entity": "accounts", "name": "Renewals at risk", "criteria": {"text": "renewal_date IN next(90d) AND health < 50"},
    "columns": ["name", "arr", "renewal_date", "csm.name"], "sort": ["-arr"], "mine": True,
}  # fmt: skip
ID = path("id", "of the list", IDENTITY)
SEARCHES = (
    Parameter("entity", "only the lists of this entity", _ENTITY["entity"]),
    Parameter("folder", "only the lists in this folder", TEXT),
    Parameter("owner", "only the lists of this user: id, external id or e-mail", TEXT),
    Parameter("favourite", "`true`: only the caller's favourites", {"type": "string", "enum": ["true"]}),
    Parameter("search", "text in the name, or in the description of a list that the caller sees whole", TEXT),
    Parameter(
        "sort", "what lists are sorted by, `-` for descending; empty values come last",
        {"type": "string", "enum": [sign + name for name in lists.SORTS for sign in ("", "-")], "default": "name"},
    ),
)  # fmt: skip
ENTITY = Parameter("entity", "only the lists of this entity", _ENTITY["entity"])
REASON = Parameter(
    "reason", "why an admin reads somebody else's private list; the audit keeps it",
    {"type": "string", "minLength": 1, "maxLength": lists.REASON},
)  # fmt: skip
PARAMS = Parameter(
    "params",
    "values of the list's parameters: `param.<name>=`",
    {
        "type": "object",
        "patternProperties": {r"^param\.[a-z][a-z0-9_]{0,62}$": {**TEXT, "minLength": 1}},
        "additionalProperties": False,
    },
)


async def every(request: Request) -> Answer:
    """A page of lists."""
    page = paging(request, *(one.name for one in SEARCHES))
    told: dict[str, Any] = {name: value for name, value in page.told.items() if name not in PAGED}
    if told.get("favourite", "true") != "true":
        raise Invalid(faults=(Fault("Expected true.", parameter="favourite", suggestion="true"),))
    search = lists.Search(**{**told, "favourite": "favourite" in told})
    after = cast(lists.After, page.after) if page.after else None
    found, following = await lists.all_lists(request.db, request.principal, request.now, search, after, page.limit)
    return envelope([lists.body(one) for one in found], request.now, page.limit, page.cursor(following))


async def folders(request: Request) -> Answer:
    """The folders of the lists that the caller sees."""
    told = request.query(("entity",))
    return json({"data": await lists.folders(request.db, request.principal, told.get("entity"))})


async def dependents(request: Request) -> Answer:
    """What would miss the list."""
    request.query(())
    return json({"data": await lists.dependents(request.db, request.principal, request.uuid(0))})


async def transfer(request: Request) -> Answer:
    """The list as it is another's."""
    request.query(())
    list_id = request.uuid(0)
    body = await request.object()
    return answered(await transfers.transfer(request.db, call(request, body), list_id, body))


async def mark(request: Request) -> Answer:
    """The list, one of the caller's favourites."""
    request.query(())
    await request.nothing()
    return answered(await favourites.mark(request.db, call(request), request.uuid(0), favourite=True))


async def unmark(request: Request) -> Answer:
    """Nothing: the list is no favourite."""
    request.query(())
    await request.nothing()
    return gone(await favourites.mark(request.db, call(request), request.uuid(0), favourite=False))


async def one(request: Request) -> Answer:
    """A list."""
    reason = request.query(("reason",)).get("reason")
    found = await lists.read(request.db, call(request), request.uuid(0), reason)
    return tagged(request, lists.body(found), found.list.version)


async def templates(request: Request) -> Answer:
    """The ready-made lists."""
    request.query(())
    return json({"data": lists.templates(request.principal)})


async def create(request: Request) -> Answer:
    """A new list."""
    request.query(())
    body = await request.object()
    written = await lists.create(request.db, call(request, body), body)
    return answered(written, f"/v1/lists/{written.id}")


async def copy(request: Request) -> Answer:
    """A list of the caller's own."""
    request.query(())
    list_id = request.uuid(0)
    body = await request.object() if request.unread else {}
    written = await lists.copy(request.db, call(request, body), list_id, body)
    return answered(written, f"/v1/lists/{written.id}")


async def change(request: Request) -> Answer:
    """The list as changed."""
    request.query(())
    list_id, version = request.uuid(0), expected_version(request)
    body = await request.object()
    return answered(await lists.change(request.db, call(request, body), list_id, body, version))


async def delete(request: Request) -> Answer:
    """Nothing: the list is gone."""
    request.query(())
    list_id, version = request.uuid(0), expected_version(request)
    await request.nothing()
    return gone(await lists.delete(request.db, call(request), list_id, version))


async def rows(request: Request) -> Answer:
    """A page of what the list holds."""
    return await reading.page(request, await asked(request, [p.name for p in _ROWS], addressed=True))


async def count(request: Request) -> Answer:
    """How many it holds."""
    ask = await asked(request, [p.name for p in _COUNT])
    if ask.count == "none":
        raise Invalid(faults=(Fault("Expected exact or capped.", parameter="count", suggestion="exact"),))
    ask = replace(ask, fields="id", include=None, sort=None, limit=1, count=ask.count or "exact")
    found = await reads.collection(request.db, request.principal, ask, request.now, secret=request.secret)
    value, exact = found.count or (0, True)
    return json({"value": value, "exact": exact, **({"notes": found.notes} if found.notes else {})})


async def asked(
    request: Request, known: Collection[str], apart: Collection[str] = (), *, addressed: bool = False
) -> Ask:
    """What the query string asks of the list that the address names, but for what is said `apart`. `addressed`: with id and
    version before the list's own columns."""
    told: dict[str, Any] = {name: one for name, one in request.query(known, PARAM).items() if name not in apart}
    params = {name.removeprefix(PARAM): told.pop(name) for name in list(told) if name.startswith(PARAM)}
    told["params"] = params
    return await list_rows.ask(request.db, request.principal, request.uuid(0), request.now, told, addressed=addressed)


NARROW = Parameter("filter", "criteria as text, which hold besides the list's own", FILTER.schema)
SEARCH = Parameter("search", "text in what records are called by: name, domain or e-mail, external id", TEXT)
WITHIN = (NARROW, SEARCH, AS_OF, ON, TZ, FOR_USER, ARCHIVED)
"""What narrows and moves whatever a list holds."""
CAPPED = Parameter(
    "count", f"how far to count: to the end, or up to {COUNT_CAP:,}",
    {"type": "string", "enum": ["exact", "capped"], "default": "exact"},
)  # fmt: skip
_ROWS = (FIELDS, INCLUDE, SORT, LIMIT, CURSOR, COUNT, *WITHIN)
_COUNT = (CAPPED, *WITHIN)
_HELD = schemas.collection({"anyOf": [schemas.ref("Account"), schemas.ref("Contact")]})
COUNTED = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "exact": {"type": "boolean"}, "notes": schemas.NOTES},
}
ANSWER = Payload(LIST)
HEIR = {
    "type": "object", "additionalProperties": False,
    "properties": {"to": {**TEXT, "description": "id, external id or e-mail"}, "to_id": IDENTITY},
}  # fmt: skip


def _data(properties: dict[str, Any]) -> dict[str, Any]:
    item = {"type": "object", "properties": properties}
    return {"type": "object", "properties": {"data": {"type": "array", "items": item}}}


TAG = "lists"

ROUTES = (
    Route("GET", "/v1/lists", "lists.read", every, "Lists that the caller can see", TAG,
          "By name unless told otherwise. Of what others keep private an admin finds the names alone.",
          parameters=(*SEARCHES, LIMIT, CURSOR), answer=Payload(schemas.collection(LIST))),
    Route("GET", "/v1/lists/folders", "lists.read", folders, "Folders with how many lists each has", TAG,
          "Counts the lists that the caller sees whole; `folder` is null for those in none.",
          parameters=(ENTITY,), answer=Payload(_data({"folder": {"type": ["string", "null"]}, "lists": {"type": "integer"}}))),
    Route("POST", "/v1/lists", "lists.create", create, "Save a list", TAG,
          parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=ANSWER,
          body=Payload(NEW, example=EXAMPLE)),
    Route("GET", "/v1/lists/templates", "lists.read", templates, "Lists that come ready-made", TAG,
          "Each is the body that makes it, with its `slug` beside.",
          answer=Payload({"type": "object", "properties": {"data": {"type": "array", "items": {"type": "object"}}}})),
    Route("GET", "/v1/lists/{id}", "lists.read", one, "A list", TAG,
          "Looked at anew: `state` is `broken` where something that it names is gone. Of somebody else's private list an "
          "admin sees name and size; with a `reason` all of it, and the audit keeps who read it and why.",
          parameters=(ID, REASON, IF_NONE_MATCH), headers=("ETag",), answer=ANSWER),
    Route("PATCH", "/v1/lists/{id}", "lists.write", change, "Change a list", TAG,
          parameters=(ID, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=ANSWER,
          body=Payload(CHANGE, example={"visibility": "public"}), problems=("conflict",)),
    Route("DELETE", "/v1/lists/{id}", "lists.write", delete, "Remove a list", TAG,
          parameters=(ID, IF_MATCH, IDEMPOTENCY_KEY), status=204),
    Route("POST", "/v1/lists/{id}/copy", "lists.create", copy, "Copy a list", TAG,
          "A private list of the caller's own; the body may say members differently.",
          parameters=(ID, IDEMPOTENCY_KEY), status=201, headers=("ETag", "Location"), answer=ANSWER,
          body=Payload({"type": "object", "properties": NEW["properties"], "additionalProperties": False},
                       required=False, example={"name": "My renewals"})),
    Route("POST", "/v1/lists/{id}/transfer", "lists.transfer", transfer, "Hand a list over", TAG,
          "Its owner's and an admin's to do. A private list is then gone for everybody but its new owner.",
          parameters=(ID, IDEMPOTENCY_KEY), headers=("ETag",), answer=ANSWER, body=Payload(HEIR, example={"to": "ann@example.com"})),
    Route("PUT", "/v1/lists/{id}/favourite", "lists.favourite", mark, "Make a list a favourite", TAG,
          "The caller's own: no version is asked for.", parameters=(ID, IDEMPOTENCY_KEY), headers=("ETag",), answer=ANSWER),
    Route("DELETE", "/v1/lists/{id}/favourite", "lists.favourite", unmark, "Take a list from the favourites", TAG,
          parameters=(ID, IDEMPOTENCY_KEY), status=204),
    Route("GET", "/v1/lists/{id}/dependents", "lists.read", dependents, "What would miss a list", TAG,
          "People and the workspace that begin with it, lists and segmentations that name it, as far as the caller sees them.",
          parameters=(ID,), answer=Payload(_data({"what": TEXT, "count": {"type": "integer"}, "examples": schemas.strings("the first names")}))),
    Route("GET", "/v1/lists/{id}/rows", "lists.read", rows, "What a list holds", TAG,
          "The list says criteria, columns and order; its rows begin with `id` and `version`. `fields` and `sort` take the place of its own, `filter` and `search` narrow it.",
          parameters=(ID, *_ROWS, PARAMS), answer=Payload(_HELD)),
    Route("GET", "/v1/lists/{id}/count", "lists.read", count, "How many records a list holds", TAG,
          parameters=(ID, *_COUNT, PARAMS), answer=Payload(COUNTED)),
)  # fmt: skip
