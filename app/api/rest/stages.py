"""/v1/stages: an organisation's own, in order; accounts moved between them, their history and time in stage."""

from __future__ import annotations

from typing import Any, cast

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new
from app.api.requests import Request
from app.api.responses import Answer, encoded, json
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import (
    ACCOUNT,
    CURSOR,
    ENTITY_TAG,
    IDEMPOTENCY_KEY,
    IDENTITY,
    IF_MATCH,
    IF_MATCH_IF_THERE,
    IF_NEW,
    LIMIT,
    SLUG,
    path,
)  # fmt: skip
from app.api.rest.writes import answered, bare, gone
from app.api.routes import Parameter, Payload, Route
from app.domain.catalogue import STAGES
from app.domain.lifecycle import CAUSES
from app.domain.values import LINE, PROSE
from app.services import lifecycle, moves, stages

TAG = "lifecycle"
WRITE = "stages.write"
RECORD = schemas.ref(schemas.title(STAGES))
COUNT = {"type": "integer"}
DAYS = {"type": ["number", "null"]}
TEXT = {"type": "string"}
INSTANT = {"type": "string", "format": "date-time"}
POSITION = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1,
            "description": "from 1; those behind it move, and beyond the last it is the last"}  # fmt: skip
RULED_DAYS = {"type": ["integer", "null"], "minimum": 1, "maximum": lifecycle.MOST_DAYS}
SAID: dict[str, Any] = {
    "slug": SLUG, "name": {"type": "string", "minLength": 1, "maxLength": LINE}, "position": POSITION,
    "external_id": {"type": ["string", "null"], "minLength": 1, "maxLength": LINE},
    "entry": {"type": ["string", "object", "null"],
              "description": "criteria: accounts that begin to meet them move here, forward only; a move by hand stands until what they say changes"},
    "expected_days": {**RULED_DAYS, "description": "accounts that stay longer are stuck"},
    "leaves_after_days": {**RULED_DAYS, "description": "accounts then move on to the next stage by themselves"},
}  # fmt: skip
NEW = {"type": "object", "properties": SAID, "additionalProperties": False, "required": ["slug", "name"]}
CHANGE = {
    "type": "object", "properties": {name: said for name, said in SAID.items() if name != "slug"}, "additionalProperties": False,
}  # fmt: skip
ORDER = {
    "type": "object", "required": ["stages"], "additionalProperties": False,
    "properties": {"stages": {"type": "array", "items": SLUG, "maxItems": stages.MOST}},
}  # fmt: skip
PLACED = {
    "type": "object",
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"id": IDENTITY, "slug": SLUG, "name": TEXT, "position": COUNT, "version": COUNT},
            },
        }
    },
}
SUMMED = {
    "type": "object",
    "properties": {
        "slug": SLUG, "name": TEXT, "position": COUNT, "accounts": COUNT, "arr": {"type": "number"},
        "days_median": {**DAYS, "description": "that accounts have been in it by now"}, "days_p90": DAYS,
        "left": {**COUNT, "description": "moves out of it, ever"},
        "days_completed": {**DAYS, "description": "that those stayed on average who left it"},
        "next": schemas.nullable(dict(SLUG)), "advanced": {**COUNT, "description": "moves out of it to the next stage"},
        "conversion": {**DAYS, "description": "the share of moves out of it that led to the next stage"},
        "state": {"type": "string", "enum": ["ok", "broken"], "description": "broken: its entry criteria mean nothing any more"},
        "detail": {"type": ["string", "null"], "description": "why it is broken"},
    },
}  # fmt: skip
SUMMARY = {
    "type": "object",
    "properties": {
        "data": {"type": "array", "items": SUMMED},
        "without": {"type": "object", "properties": {"accounts": COUNT, "arr": {"type": "number"}}},
        "on": {"type": "string", "format": "date"},
    },
}
MOVE = {
    "type": "object", "required": ["stage"], "additionalProperties": False,
    "properties": {
        "stage": {**schemas.nullable(dict(SLUG)), "description": "null: out of all stages"},
        "note": {"type": ["string", "null"], "maxLength": PROSE},
    },
}  # fmt: skip
STANDING = {
    "type": "object",
    "properties": {
        "stage": schemas.nullable(dict(SLUG)), "stage_since": {"type": ["string", "null"], "format": "date"},
        "days": {"type": ["integer", "null"]},
    },
}  # fmt: skip
ENTRY = {
    "type": "object",
    "properties": {
        "stage": schemas.nullable(dict(SLUG)), "from_at": INSTANT, "to_at": schemas.nullable(dict(INSTANT)), "days": {"type": "number"},
        "note": {"type": ["string", "null"]}, "cause": {"type": "string", "enum": list(CAUSES), "description": "by hand, by entry criteria, or because the stage had lasted"}, "actor_id": schemas.nullable(dict(IDENTITY)), "actor_name": {"type": ["string", "null"]},
    },
}  # fmt: skip
STUCK = {
    "type": "object",
    "properties": {
        "id": IDENTITY, "external_id": {"type": ["string", "null"]}, "name": TEXT, "arr": {"type": "number"}, "csm_id": schemas.nullable(dict(IDENTITY)),
        "stage": SLUG, "stage_since": {"type": "string", "format": "date"}, "days": COUNT, "expected_days": COUNT,
        "over": {**COUNT, "description": "days beyond what is expected"},
        "leaves_on": {"type": ["string", "null"], "format": "date", "description": "when the stage will have lasted"},
    },
}  # fmt: skip
STAGE = Parameter("stage", "only the accounts in this stage", SLUG, example="onboarding")
KEY = path("slug", "of the stage", SLUG, "onboarding")
MOVE_TO = Parameter("move_to", "the stage that accounts in this one move to; without it they keep it from going", SLUG)
IF_MATCH_IF_TOLD = Parameter(
    "If-Match", "the ETag of the account: 412 where it was changed since; left out, the move does not look at the version",
    ENTITY_TAG, "header", example='"3-0123456789abcdef"',
)  # fmt: skip


async def create(request: Request) -> Answer:
    """A new stage."""
    request.query(())
    body = await request.object()
    written = await stages.create(request.db, call(request, body), body)
    return answered(written, f"/v1/stages/{body['slug']}")


async def change(request: Request) -> Answer:
    """The stage as changed."""
    request.query(())
    version = expected_version(request)
    body = await request.object()
    return answered(await stages.change(request.db, call(request, body), "slug", request.values[0], body, version))


async def upsert(request: Request) -> Answer:
    """The stage of a slug, made or changed."""
    request.query(())
    slug, version = request.values[0], expected_if_any(request)
    body = await request.object()
    with only_new(request):
        written = await stages.upsert(request.db, call(request, body), slug, body, version)
    return answered(written, f"/v1/stages/{slug}")


async def delete(request: Request) -> Answer:
    """Nothing: the stage is gone."""
    move_to, version = request.query(("move_to",)).get("move_to"), expected_version(request)
    await request.nothing()
    return gone(await stages.delete(request.db, call(request, move_to), "slug", request.values[0], version, move_to))


async def arrange(request: Request) -> Answer:
    """All stages in their new order."""
    request.query(())
    body = await request.object()
    return bare(await stages.arrange(request.db, call(request, body), body))


async def summary(request: Request) -> Answer:
    """Accounts, money and days per stage."""
    request.query(())
    return json(await moves.summary(request.db, request.principal, request.now))


async def stuck(request: Request) -> Answer:
    """A page of accounts that stay longer than expected."""
    page = paging(request, "stage")
    after = cast(Any, page.after)
    found, keys, more = await lifecycle.stuck(
        request.db, request.principal, page.told.get("stage"), request.now, after, page.limit
    )
    return envelope([encoded(one) for one in found], request.now, page.limit, page.cursor(keys[-1] if more else None))


async def move(request: Request) -> Answer:
    """The account where it stands now."""
    request.query(())
    account_id, version = request.uuid(0), expected_if_any(request)
    body = await request.object()
    return answered(await moves.move(request.db, call(request, body), account_id, body, version))


async def standing(request: Request) -> Answer:
    """Where the account stands."""
    request.query(())
    return json(await moves.standing(request.db, request.principal, request.uuid(0), request.now))


async def history(request: Request) -> Answer:
    """A page of the stages that the account went through."""
    page = paging(request)
    after = cast(Any, page.after)
    found, keys, more = await moves.history(
        request.db, request.principal, request.uuid(0), request.now, after, page.limit
    )
    return envelope([encoded(one) for one in found], request.now, page.limit, page.cursor(keys[-1] if more else None))


ROUTES = (
    Route("POST", "/v1/stages", WRITE, create, "Make a stage", TAG,
          "It comes last where no position is told; otherwise those behind it move on.",
          parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=Payload(RECORD),
          body=Payload(NEW, example={"slug": "renewal", "name": "Renewal"}), problems=("conflict",)),
    Route("PUT", "/v1/stages/order", WRITE, arrange, "Put all stages in order", TAG,
          "The body names every stage once, so that nobody reorders stages that they do not know of: no `If-Match` is needed.",
          parameters=(IDEMPOTENCY_KEY,), answer=Payload(PLACED),
          body=Payload(ORDER, example={"stages": ["trial", "onboarding", "adoption", "established", "advocate"]})),
    Route("GET", "/v1/stages/summary", "records.read", summary, "Accounts, ARR and time per stage", TAG,
          "What is now leaves archived accounts out; what was counts every move. Days of those in a stage are whole days, "
          "at the median and the 90th percentile; those of completed stays are an average of exact time.",
          answer=Payload(SUMMARY)),
    Route("GET", "/v1/stages/stuck", "records.read", stuck, "Accounts that are stuck in a stage", TAG,
          "Those that stand in it for longer than its `expected_days`, the longest beyond it first; churned and archived accounts "
          "are left out.", parameters=(STAGE, LIMIT, CURSOR), answer=Payload(schemas.collection(STUCK))),
    Route("PATCH", "/v1/stages/{slug}", WRITE, change, "Change a stage", TAG,
          "Its name, its position, which moves the others, or how accounts move by themselves: those that move by that have done "
          "so before this answers. The slug stays.",
          parameters=(KEY, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD),
          body=Payload(CHANGE, example={"position": 2}), problems=("conflict",)),
    Route("PUT", "/v1/stages/{slug}", WRITE, upsert, "Make or change the stage of a slug", TAG,
          "201 where it was made. A change needs `If-Match` and leaves members alone that are not given.",
          parameters=(KEY, IF_MATCH_IF_THERE, IF_NEW, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD),
          body=Payload(CHANGE, example={"name": "Onboarding"}), problems=("conflict",)),
    Route("DELETE", "/v1/stages/{slug}", WRITE, delete, "Delete a stage", TAG,
          "Accounts that stand in it move to the stage `move_to` in the same transaction; without it, and where lists or "
          "segmentations name the stage, it is refused with 409, and `errors` says what depends on it. History keeps the slug.",
          parameters=(KEY, MOVE_TO, IF_MATCH, IDEMPOTENCY_KEY), status=204, problems=("conflict", "invalid")),
    Route("POST", "/v1/accounts/{id}/stage", "accounts.stage", move, "Move an account to a stage", TAG,
          "The same as changing its `stage`, with a note. An account that stands there already stays as it is.",
          parameters=(ACCOUNT, IF_MATCH_IF_TOLD, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(schemas.ref("Account")),
          body=Payload(MOVE, example={"stage": "onboarding", "note": "Contract signed."}), problems=("conflict", "version-stale")),
    Route("GET", "/v1/accounts/{id}/stage", "records.read", standing, "The stage of an account", TAG,
          "With the day since which it stands there, and the whole days since then.",
          parameters=(ACCOUNT,), answer=Payload(STANDING)),
    Route("GET", "/v1/accounts/{id}/stages", "records.read", history, "The stages that an account went through", TAG,
          "The latest first: `to` is null where it stands there still, `stage` where it stood in none. One ends when the next begins.",
          parameters=(ACCOUNT, LIMIT, CURSOR), answer=Payload(schemas.collection(ENTRY))),
)  # fmt: skip
