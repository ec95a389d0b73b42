"""/v1/scenarios: kept side by side, edited, and switched."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest.parameters import IDEMPOTENCY_KEY, IF_MATCH, IF_MATCH_IF_THERE, IF_NEW, SLUG, path
from app.api.rest.writes import answered, gone
from app.api.routes import Payload, Route
from app.domain.catalogue import SCENARIOS
from app.domain.records import LINE
from app.domain.scenarios import FURTHEST, IMPACTS
from app.services import scenarios

TAG = "lifecycle"
WRITE = "scenarios.write"
RECORD = schemas.ref(schemas.title(SCENARIOS))
SAID: dict[str, Any] = {
    "slug": SLUG,
    "name": {"type": "string", "minLength": 1, "maxLength": LINE},
    "external_id": {"type": ["string", "null"], "maxLength": LINE},
    "impacts": {
        "type": "object", "additionalProperties": {"type": ["string", "null"], "enum": [*IMPACTS, None]},
        "description": "by the slug of an industry; null takes it out, industries that are not named stay as they are",
    },
    "lanes": {
        "type": "object", "additionalProperties": False,
        "properties": {name: {"type": "number", "minimum": -FURTHEST, "maximum": FURTHEST} for name in IMPACTS},
        "description": "the shift of the renewal logit per impact; one that is not named stays as it is",
    },
    "is_active": {"type": "boolean", "description": "true switches to it; one is active always"},
}  # fmt: skip
NEW = {"type": "object", "properties": SAID, "additionalProperties": False, "required": ["slug", "name"]}
CHANGE = {
    "type": "object", "properties": {name: said for name, said in SAID.items() if name != "slug"}, "additionalProperties": False,
}  # fmt: skip
KEY = path("slug", "of the scenario", SLUG, "downturn")


async def create(request: Request) -> Answer:
    """A new scenario."""
    request.query(())
    body = await request.object()
    written = await scenarios.create(request.db, call(request, body), body)
    return answered(written, f"/v1/scenarios/{body['slug']}")


async def change(request: Request) -> Answer:
    """The scenario as changed."""
    request.query(())
    version = expected_version(request)
    body = await request.object()
    return answered(await scenarios.change(request.db, call(request, body), "slug", request.values[0], body, version))


async def upsert(request: Request) -> Answer:
    """The scenario of a slug, made or changed."""
    request.query(())
    slug, version = request.values[0], expected_if_any(request)
    body = await request.object()
    with only_new(request):
        written = await scenarios.upsert(request.db, call(request, body), slug, body, version)
    return answered(written, f"/v1/scenarios/{slug}")


async def delete(request: Request) -> Answer:
    """Nothing: the scenario is gone."""
    request.query(())
    version = expected_version(request)
    await request.nothing()
    return gone(await scenarios.delete(request.db, call(request), "slug", request.values[0], version))


SETTLED = "Where it is the active one, every account has its impact before this answers."
ROUTES = (
    Route("POST", "/v1/scenarios", WRITE, create, "Make a scenario", TAG,
          f"The first one is active. Lanes are as they usually begin where none are told. {SETTLED}",
          parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=Payload(RECORD),
          body=Payload(NEW, example={"slug": "downturn", "name": "Downturn", "lanes": {"severe": -1.5}}), problems=("conflict",)),
    Route("PATCH", "/v1/scenarios/{slug}", WRITE, change, "Change a scenario, or switch to it", TAG,
          f"Changes the members that are given, and of `impacts` and `lanes` those that they name. {SETTLED}",
          parameters=(KEY, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD),
          body=Payload(CHANGE, example={"is_active": True}), problems=("conflict",)),
    Route("PUT", "/v1/scenarios/{slug}", WRITE, upsert, "Make or change the scenario of a slug", TAG,
          f"201 where it was made. A change needs `If-Match` and leaves members alone that are not given. {SETTLED}",
          parameters=(KEY, IF_MATCH_IF_THERE, IF_NEW, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD),
          body=Payload(CHANGE, example={"name": "Downturn"}), problems=("conflict",)),
    Route("DELETE", "/v1/scenarios/{slug}", WRITE, delete, "Delete a scenario", TAG,
          "The active one only where it is the last: switch to another one first.",
          parameters=(KEY, IF_MATCH, IDEMPOTENCY_KEY), status=204, problems=("conflict",)),
)  # fmt: skip
