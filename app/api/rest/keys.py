"""/v1/api-keys: made and shown once, listed without their tokens, ended at once."""

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
from app.domain.roles import ROLES, SCOPES
from app.services import keys

_INSTANT = {"type": ["string", "null"], "format": "date-time"}
KEY = {
    "type": "object",
    "properties": {
        "id": IDENTITY,
        "name": {"type": "string"},
        "role": {"type": "string", "enum": list(ROLES)},
        "user_id": {"type": ["string", "null"], "format": "uuid"},
        "scopes": {"type": "array", "items": {"type": "string", "enum": list(SCOPES)}},
        "created_at": {"type": "string", "format": "date-time"},
        "expires_at": _INSTANT,
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
    Route("DELETE", "/v1/api-keys/{id}", "keys.write", revoke, "End an API key", "workspace",
          "Here at once, in other processes within a second. Keys do not change, so there is no version to name.",
          parameters=(ID, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(KEY)),
)  # fmt: skip
