"""/v1/workspace/defaults: the lists that people begin with who have chosen nothing."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from app.api.conditions import call
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.me import CHOICE, DEFAULTS, chosen
from app.api.rest.parameters import IDEMPOTENCY_KEY, path
from app.api.routes import Payload, Route
from app.domain.lists import ENTITIES
from app.services import defaults


async def get(request: Request) -> Answer:
    """The workspace's choices."""
    request.query(())
    return _answer(await defaults.shared(request.db, request.principal))


async def choose(request: Request) -> Answer:
    """The workspace's choices after the change."""
    request.query(())
    body, list_id = await chosen(request)
    found = await defaults.choose_shared(request.db, call(request, body), request.values[0], list_id)
    return _answer(found)


def _answer(found: Mapping[str, UUID]) -> Answer:
    return json({name: found.get(name) for name in ENTITIES})


ROUTES = (
    Route("GET", "/v1/workspace/defaults", "workspace.read", get, "Lists that people begin with", "workspace",
          "Whoever has chosen nothing begins with these; `/v1/me` says what the caller begins with.",
          answer=Payload(DEFAULTS)),
    Route("PUT", "/v1/workspace/defaults/{entity}", "workspace.write", choose, "Choose the list that people begin with", "workspace",
          "A public list, or null for none. It says the same however often it is sent: no version is asked for.",
          parameters=(path("entity", "what the list is of", {"type": "string", "enum": list(ENTITIES)}), IDEMPOTENCY_KEY),
          answer=Payload(DEFAULTS), body=Payload(CHOICE)),
)  # fmt: skip
