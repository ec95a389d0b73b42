"""/v1/me: who asks, and the lists that they begin with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.api.conditions import call, tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded, json
from app.api.rest.parameters import IDEMPOTENCY_KEY, IF_NONE_MATCH, path
from app.api.rest.workspace import WORKSPACE
from app.api.routes import Payload, Route
from app.domain.errors import Fault, Invalid
from app.domain.lists import ENTITIES
from app.domain.records import only
from app.domain.roles import ROLES
from app.domain.values import MisfitError, identity
from app.services import defaults, me

DEFAULTS: dict[str, Any] = {
    "type": "object",
    "description": "list id by entity",
    "properties": {name: {"type": ["string", "null"], "format": "uuid"} for name in ENTITIES},
}
_EFFECTIVE: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {
        "list_id": {"type": "string", "format": "uuid"},
        "source": {"type": "string", "enum": ["me", "workspace"], "description": "whose choice it is"},
    },
}
ME = {
    "type": "object",
    "properties": {
        "user_id": {"type": ["string", "null"], "format": "uuid"},
        "name": {"type": ["string", "null"]},
        "email": {"type": ["string", "null"]},
        "team": {"type": ["string", "null"], "description": "its slug"},
        "role": {
            "type": "string",
            "enum": list(ROLES),
            "description": "what the credential may do: no more than the user's own role",
        },
        "scopes": {"type": "array", "items": {"type": "string"}},
        "workspace": WORKSPACE,
        "defaults": {**DEFAULTS, "description": "list id by entity: what the caller has chosen to begin with"},
        "effective_defaults": {
            "type": "object",
            "description": "what the caller begins with: the own choice, else the workspace's",
            "properties": dict.fromkeys(ENTITIES, _EFFECTIVE),
        },
    },
}


async def get(request: Request) -> Answer:
    """The caller."""
    request.query(())
    return tagged(request, encoded(await me.get(request.db, request.principal)), None)


async def set_default(request: Request) -> Answer:
    """The caller's defaults after the change."""
    request.query(())
    body, list_id = await chosen(request)
    await defaults.choose(request.db, call(request, body), request.values[0], list_id)
    return json(await _defaults(request))


async def chosen(request: Request) -> tuple[Mapping[str, object], UUID | None]:
    """The body that names a list, or none, and the list."""
    body = only(await request.object(), ("list_id",))
    if "list_id" not in body:
        raise Invalid(faults=(Fault("Expected list_id: the id of a list, or null for none.", pointer="/list_id"),))
    try:
        return body, None if body["list_id"] is None else identity(body["list_id"])
    except MisfitError as misfit:
        raise Invalid(faults=(Fault(f"Expected {misfit.expected}.", pointer="/list_id"),)) from None


async def _defaults(request: Request) -> dict[str, object]:
    return {**dict.fromkeys(ENTITIES), **await defaults.own(request.db, request.principal)}


CHOICE = {
    "type": "object", "required": ["list_id"], "additionalProperties": False,
    "properties": {"list_id": {"type": ["string", "null"], "format": "uuid"}},
}  # fmt: skip
ROUTES = (
    Route("GET", "/v1/me", "me.read", get, "Who am I", "workspace",
          parameters=(IF_NONE_MATCH,), headers=("ETag",), answer=Payload(ME)),
    Route("PUT", "/v1/me/defaults/{entity}", "me.defaults.write", set_default, "Choose the list to begin with", "workspace",
          "It says the same however often it is sent, and belongs to the caller alone: no version is asked for.",
          parameters=(path("entity", "what the list is of", {"type": "string", "enum": list(ENTITIES)}), IDEMPOTENCY_KEY),
          answer=Payload(DEFAULTS),
          body=Payload(CHOICE)),
)  # fmt: skip
