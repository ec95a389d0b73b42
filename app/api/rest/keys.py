"""/v1/api-keys: made and shown once, listed without their tokens, rotated with an overlap, ended at once."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from app.api import schemas
from app.api.conditions import call, tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import CURSOR, IDEMPOTENCY_KEY, IDENTITY, IF_NONE_MATCH, LIMIT, path
from app.api.rest.writes import answered
from app.api.routes import Payload, Route
from app.domain.keys import MOST_OVERLAP_HOURS, OVERLAP_HOURS
from app.domain.roles import ROLES, SCOPES
from app.services import keys

_INSTANT = {"type": ["string", "null"], "format": "date-time"}
KEY = {
    "type": "object",
    "properties": {
        "id": IDENTITY,
        "name": {"type": "string", "minLength": 1},
        "role": {"type": "string", "enum": list(ROLES)},
        "user_id": {"type": ["string", "null"], "format": "uuid"},
        "scopes": {"type": "array", "items": {"type": "string", "enum": list(SCOPES)}},
        "hint": {"type": ["string", "null"], "description": "how its newest token begins, to tell keys apart"},
        "created_at": {"type": "string", "format": "date-time"},
        "expires_at": _INSTANT,
        "last_used_at": {**_INSTANT, "description": "exact to about a minute; null where it was never used"},
        "rotated_at": _INSTANT,
        "overlap_until": {**_INSTANT, "description": "when the last token of before a rotation ends or ended"},
        "revoked_at": _INSTANT,
        "token": {"type": ["string", "null"], "description": "shown in the first answer to POST alone"},
    },
}
NEW = {
    "type": "object",
    "required": ["name", "role"],
    "additionalProperties": False,
    "properties": {name: KEY["properties"][name] for name in ("name", "role", "user_id", "scopes", "expires_at")},  # type: ignore[index]  # the literal above
}
ROTATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "overlap_hours": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": MOST_OVERLAP_HOURS,
            "default": OVERLAP_HOURS,
            "description": "how long the token of before lives on, never longer than it would have; 0 ends every earlier one",
        },
        "expires_at": {**_INSTANT, "description": "when the key itself ends; as before where it is left out"},
    },
}
ID = path("id", "of the key", IDENTITY)


async def every(request: Request) -> Answer:
    """A page of keys."""
    page = paging(request)
    after = cast(UUID, page.after[0]) if page.after else None
    found, following = await keys.all_keys(request.db, request.principal, after, page.limit)
    cursor = page.cursor((following,) if following else None)
    return envelope([encoded(key) for key in found], request.now, page.limit, cursor)


async def one(request: Request) -> Answer:
    """One key."""
    request.query(())
    return tagged(request, await keys.get(request.db, request.principal, request.uuid(0)), None)


async def create(request: Request) -> Answer:
    """A new key."""
    request.query(())
    body = await request.object()
    written = await keys.create(request.db, call(request, body), body)
    return answered(written, f"/v1/api-keys/{written.id}")


async def rotate(request: Request) -> Answer:
    """The key with its new token."""
    request.query(())
    body = await request.object() if request.unread else {}
    return answered(await keys.rotate(request.db, call(request, body), request.uuid(0), body))


async def revoke(request: Request) -> Answer:
    """The key as it ended."""
    request.query(())
    await request.nothing()
    return answered(await keys.revoke(request.db, call(request), request.uuid(0)))


ROUTES = (
    Route("GET", "/v1/api-keys", "keys.read", every, "API keys", "workspace",
          parameters=(LIMIT, CURSOR), answer=Payload(schemas.collection(KEY))),
    Route("POST", "/v1/api-keys", "keys.write", create, "Make an API key", "workspace",
          "The answer holds the `token`, and no other answer does.",
          parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=Payload(KEY),
          body=Payload(NEW, example={"name": "nightly export", "role": "service", "scopes": ["read"]})),
    Route("GET", "/v1/api-keys/{id}", "keys.read", one, "An API key, without its token", "workspace",
          parameters=(ID, IF_NONE_MATCH), headers=("ETag",), answer=Payload(KEY)),
    Route("POST", "/v1/api-keys/{id}/rotate", "keys.write", rotate, "Give an API key a new token", "workspace",
          "The answer holds the `token`, and no other answer does. The token of before lives on for `overlap_hours`, so that "
          "whoever uses it can change over.",
          parameters=(ID, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(KEY), problems=("conflict",),
          body=Payload(ROTATION, example={"overlap_hours": 24}, required=False)),
    Route("DELETE", "/v1/api-keys/{id}", "keys.write", revoke, "End an API key", "workspace",
          "With all its tokens: here at once, in other processes within a second. It is never refused because something "
          "changed in between, so there is no version to name.",
          parameters=(ID, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(KEY)),
)  # fmt: skip
