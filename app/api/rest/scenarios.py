"""/v1/scenarios: kept side by side, edited, and switched."""

from __future__ import annotations

from typing import Any, cast

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new
from app.api.requests import Request
from app.api.responses import Answer, encoded, json
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import (
    ARCHIVED,
    AS_OF,
    CURSOR,
    FILTER,
    FOR_USER,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_MATCH_IF_THERE,
    IF_NEW,
    LIMIT,
    SLUG,
    TZ,
    path,
)
from app.api.rest.writes import answered, gone
from app.api.routes import Parameter, Payload, Route
from app.domain.catalogue import SCENARIOS
from app.domain.scenarios import FURTHEST, IMPACTS
from app.domain.values import LINE
from app.services import scenario_comparison, scenario_versions, scenarios
from app.services.asks import Ask

TAG = "lifecycle"
READ, WRITE = "records.read", "scenarios.write"
RECORD = schemas.ref(schemas.title(SCENARIOS))
SAID: dict[str, Any] = {
    "slug": SLUG,
    "name": {"type": "string", "minLength": 1, "maxLength": LINE},
    "external_id": {"type": ["string", "null"], "minLength": 1, "maxLength": LINE},
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


async def versions(request: Request) -> Answer:
    """A page of versions."""
    page = paging(request)
    before = cast(Any, page.after)
    found, keys, more = await scenario_versions.every(
        request.db, request.principal, request.values[0], before[0] if before else None, page.limit
    )
    return envelope([encoded(one) for one in found], request.now, page.limit, page.cursor(keys[-1] if more else None))


async def rollback(request: Request) -> Answer:
    """The scenario as it is now."""
    request.query(())
    version = expected_version(request)
    body = await request.object()
    return answered(
        await scenario_versions.rollback(request.db, call(request, body), "slug", request.values[0], body, version)
    )


async def compare(request: Request) -> Answer:
    """Scenarios side by side."""
    told = request.query([one.name for one in ASKED])
    wanted = told["scenarios"].split(",") if "scenarios" in told else None
    narrowed: dict[str, Any] = {name: value for name, value in told.items() if name != "scenarios"}
    ask = Ask("accounts", **narrowed)
    return json(await scenario_comparison.compare(request.db, request.principal, wanted, ask, request.now))


_NONE = "null: no industry, or one that the scenario says nothing of"
_IMPACT = {"type": ["string", "null"], "enum": [*IMPACTS, None], "description": _NONE}
_HELD = {"accounts": {"type": "integer"}, "arr": {"type": "number", "description": "in major units"}}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def _several(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


COMPARED = _object(
    as_of={"type": "string", "format": "date-time"}, active={"type": ["string", "null"]}, **_HELD,
    scenarios=_several(_object(
        slug=SLUG, name={"type": "string"}, is_active={"type": "boolean"}, version={"type": "integer"},
        impacts=_several(_object(impact=_IMPACT, **_HELD)),
        moves={**_several(_object(**{"from": _IMPACT, "to": _IMPACT}, **_HELD)),
               "description": "who would have another impact if it took the place of the active one"},
    )),
    industries=_several(_object(
        slug=SLUG, name={"type": "string"}, **_HELD,
        impacts={"type": "object", "additionalProperties": _IMPACT, "description": "by scenario"},
    )),
    without_impact={**_several(SLUG), "description": "industries that some of the scenarios say nothing of"},
    without_industry=_object(**_HELD, filter={"type": "string", "description": "finds them among accounts"}),
)  # fmt: skip
VERSION = _object(
    version={"type": "integer"}, name={"type": "string"}, impacts=SAID["impacts"], lanes=SAID["lanes"],
    is_active={"type": "boolean"}, author_id=schemas.nullable({"type": "string", "format": "uuid"}),
    author={"type": ["string", "null"]}, created_at={"type": "string", "format": "date-time"},
)  # fmt: skip
ROLLBACK = {
    "type": "object", "required": ["version"], "additionalProperties": False,
    "properties": {"version": {"type": "integer", "minimum": 1}},
}  # fmt: skip
ASKED = (
    Parameter("scenarios", "slugs, with commas between; all where it is left out", {"type": "string"}, example="downturn"),
    FILTER, AS_OF, TZ, FOR_USER, ARCHIVED,
)  # fmt: skip
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
    Route("GET", "/v1/scenarios/compare", READ, compare, "Scenarios side by side", TAG,
          "Accounts and ARR of each impact under each scenario, who would move if it took the place of the active one, and the accounts "
          "that have no industry, which no scenario can say anything of.",
          parameters=ASKED, answer=Payload(COMPARED)),
    Route("GET", "/v1/scenarios/{slug}/versions", READ, versions, "The versions of a scenario", TAG,
          "The latest first, each as it was, by whom and when.",
          parameters=(KEY, LIMIT, CURSOR), answer=Payload(schemas.collection(VERSION))),
    Route("POST", "/v1/scenarios/{slug}/rollback", WRITE, rollback, "Bring an earlier version of a scenario back", TAG,
          f"Its name, impacts and lanes, as the next version; which scenario is active stays as it is. {SETTLED}",
          parameters=(KEY, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD),
          body=Payload(ROLLBACK, example={"version": 1}), problems=("not-found",)),
)  # fmt: skip
