"""/v1/lists: saved lists, and what they hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from app.api import schemas
from app.api.conditions import call, expected_version, tagged
from app.api.requests import Request
from app.api.responses import Answer, json, nothing
from app.api.rest import reading
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import (
    ARCHIVED,
    AS_OF,
    COUNT,
    CURSOR,
    FIELDS,
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
from app.api.rest.writes import answered
from app.api.routes import Parameter, Payload, Route
from app.domain import lists as domain
from app.services import lists, reads
from app.services.asks import Ask

PARAM = "param."
TEXT = {"type": "string"}
_CRITERIA = {"type": "object", "properties": {"text": TEXT, "tree": {"type": "object"}}}
_MEMBERS: dict[str, Any] = {
    "name": TEXT,
    "description": {"type": ["string", "null"]},
    "columns": schemas.strings("fields to show, such as `arr`, `segment.tier`, `primary_contact.name`"),
    "sort": schemas.strings("fields in order of weight, `-` for descending"),
    "visibility": {"type": "string", "enum": list(domain.VISIBILITIES)},
    "mine": {"type": "boolean", "description": "only the records of whoever looks at it"},
    "params": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["name", "type", "default"],
            "additionalProperties": False,
            "properties": {
                "name": TEXT,
                "type": {"type": "string", "enum": list(domain.PARAMETER_KINDS)},
                "default": {},
            },
        },
        "description": "what `$name` in the criteria may be given as `param.<name>=`",
    },
}
_SAID: dict[str, Any] = {
    **_MEMBERS,
    "criteria": {**_CRITERIA, "description": "`text` or `tree`", "additionalProperties": False},
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
ENTITY = Parameter("entity", "only the lists of this entity", _ENTITY["entity"])
REASON = Parameter(
    "reason", "why an admin reads somebody else's private list; the audit keeps it",
    {"type": "string", "minLength": 1, "maxLength": lists.REASON},
)  # fmt: skip
PARAMS = Parameter(
    "params",
    "values of the list's parameters: `param.<name>=`",
    {"type": "object", "additionalProperties": {"type": "string"}},
)


async def every(request: Request) -> Answer:
    """A page of lists by name."""
    page = paging(request, "entity")
    after = cast(tuple[str, UUID], page.after) if page.after else None
    found, following = await lists.all_lists(
        request.db, request.principal, request.now, page.told.get("entity"), after, page.limit
    )
    return envelope([lists.body(one) for one in found], request.now, page.limit, page.cursor(following))


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
    await lists.delete(request.db, call(request), list_id, version)
    return nothing()


async def rows(request: Request) -> Answer:
    """A page of what the list holds."""
    return await reading.page(request, await _ask(request, [p.name for p in _ROWS]))


async def count(request: Request) -> Answer:
    """How many it holds."""
    ask = replace(await _ask(request, [p.name for p in _COUNT]), fields="id", include=None, limit=1, count="exact")
    found = await reads.collection(request.db, request.principal, ask, request.now, secret=request.secret)
    value, exact = found.count or (0, True)
    return json({"value": value, "exact": exact})


async def _ask(request: Request, known: Collection[str]) -> Ask:
    told: dict[str, Any] = dict(request.query(known, PARAM))
    params = {name.removeprefix(PARAM): told.pop(name) for name in list(told) if name.startswith(PARAM)}
    return await lists.ask(request.db, request.principal, request.uuid(0), request.now, {**told, "params": params})


_ROWS = (FIELDS, INCLUDE, SORT, LIMIT, CURSOR, COUNT, AS_OF, ON, TZ, FOR_USER, ARCHIVED)
_COUNT = (AS_OF, ON, TZ, FOR_USER, ARCHIVED)
_HELD = schemas.collection({"anyOf": [schemas.ref("Account"), schemas.ref("Contact")]})
COUNTED = {"type": "object", "properties": {"value": {"type": "integer"}, "exact": {"type": "boolean"}}}
ANSWER = Payload(LIST)
TAG = "lists"

ROUTES = (
    Route("GET", "/v1/lists", "lists.read", every, "Lists that the caller can see, by name", TAG,
          parameters=(ENTITY, LIMIT, CURSOR), answer=Payload(schemas.collection(LIST))),
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
    Route("GET", "/v1/lists/{id}/rows", "lists.read", rows, "What a list holds", TAG,
          "The list says criteria, columns and order; `fields` and `sort` take the place of its own.",
          parameters=(ID, *_ROWS, PARAMS), answer=Payload(_HELD)),
    Route("GET", "/v1/lists/{id}/count", "lists.read", count, "How many records a list holds", TAG,
          parameters=(ID, *_COUNT, PARAMS), answer=Payload(COUNTED)),
)  # fmt: skip
