"""/v1/users: made, changed, deactivated, deleted; what they look after is handed over. They are read in `directory`."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest import reading
from app.api.rest.directory import TAG
from app.api.rest.parameters import IDEMPOTENCY_KEY, IDENTITY, IF_MATCH, IF_MATCH_IF_THERE, IF_NEW, path
from app.api.rest.writes import answered, bare, gone
from app.api.routes import Payload, Route
from app.domain.catalogue import USERS
from app.domain.values import LINE
from app.services import hand_overs, users

WRITE = "users.write"
RECORD = schemas.ref(schemas.title(USERS))
NEW = schemas.entered(USERS, partial=False)
CHANGE = schemas.entered(USERS, partial=True)
EXAMPLE = {"external_id": "hr-17", "name": "Ada Byron", "email": "ada@example.com", "role": "csm"}
ID = path("id", "of the user", IDENTITY)
EXTERNAL_ID = path("external_id", "of the user, percent-encoded", {"type": "string", "minLength": 1}, "hr-17")
_WHAT: dict[str, Any] = {
    "type": ["array", "null"], "items": {"type": "string", "enum": list(hand_overs.WHAT)}, "minItems": 1,
    "description": "all of it where it is left out: accounts as their csm, open opportunities and lists as their owner",
}  # fmt: skip
HAND_OVER = {
    "type": "object", "additionalProperties": False,
    "properties": {
        "to": {"type": "string", "minLength": 1, "maxLength": LINE, "description": "an active admin, manager or csm by id, external id or e-mail"},
        "to_id": {**IDENTITY, "description": "the same by id, instead of `to`"},
        "what": _WHAT,
    },
    "oneOf": [{"required": ["to"]}, {"required": ["to_id"]}],
}  # fmt: skip
_COUNTS: dict[str, Any] = {name: {"type": "integer", "minimum": 0} for name in hand_overs.WHAT}
HANDED_OVER = {"type": "object", "properties": {"user_id": IDENTITY, "to_id": IDENTITY, **_COUNTS}}


async def create(request: Request) -> Answer:
    """A new user."""
    request.query(())
    body = await request.object()
    written = await users.create(request.db, call(request, body), body)
    return answered(written, f"/v1/users/{written.id}")


async def change(request: Request) -> Answer:
    """The user as changed."""
    request.query(())
    version = expected_version(request)
    body = await request.object()
    return answered(await users.change(request.db, call(request, body), "id", request.values[0], body, version))


async def upsert(request: Request) -> Answer:
    """The user of an external id, made or changed."""
    request.query(())
    version = expected_if_any(request)
    body = await request.object()
    with only_new(request):
        written = await users.upsert(request.db, call(request, body), request.values[0], body, version)
    return answered(written, f"/v1/users/{written.id}")


async def delete(request: Request) -> Answer:
    """Nothing: the user is gone."""
    request.query(())
    version = expected_version(request)
    await request.nothing()
    return gone(await users.delete(request.db, call(request), "id", request.values[0], version))


async def hand_over(request: Request) -> Answer:
    """How much was handed over."""
    request.query(())
    user_id = request.uuid(0)
    body = await request.object()
    written = await hand_overs.hand_over(request.db, call(request, body), user_id, body)
    return bare(written)


ROUTES = (
    reading.one_route("users", "/v1/users/external/{external_id}", "external_id", EXTERNAL_ID, TAG),
    Route("POST", "/v1/users", WRITE, create, "Make a user", TAG,
          "Active unless told otherwise. No two users of a workspace share an e-mail address, in whatever case.",
          parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=Payload(RECORD),
          body=Payload(NEW, example=EXAMPLE), problems=("conflict",)),
    Route("PATCH", "/v1/users/{id}", WRITE, change, "Change or deactivate a user", TAG,
          "`is_active: false` deactivates: the user's keys end within a second everywhere, and what they own stays theirs until "
          "it is handed over. A weaker role weakens their keys as soon. The last active admin stays one.",
          parameters=(ID, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD),
          body=Payload(CHANGE, example={"role": "manager"}), problems=("conflict",)),
    Route("PUT", "/v1/users/external/{external_id}", WRITE, upsert, "Make or change the user of an external id", TAG,
          "201 where it was made. A change needs `If-Match` and leaves members alone that are not given.",
          parameters=(EXTERNAL_ID, IF_MATCH_IF_THERE, IF_NEW, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(RECORD),
          body=Payload(CHANGE, example={name: value for name, value in EXAMPLE.items() if name != "external_id"}), problems=("conflict",)),
    Route("DELETE", "/v1/users/{id}", WRITE, delete, "Delete a user who left no trace", TAG,
          "Refused with 409 where anything depends on the user or history names them; `errors` says what does. Deactivate instead.",
          parameters=(ID, IF_MATCH, IDEMPOTENCY_KEY), status=204, problems=("conflict",)),
    Route("POST", "/v1/users/{id}/hand-over", WRITE, hand_over, "Hand over what a user looks after", TAG,
          "All of it in one transaction, with the history of each account. Lists keep their visibility; archived accounts go along.",
          parameters=(ID, IDEMPOTENCY_KEY), answer=Payload(HANDED_OVER),
          body=Payload(HAND_OVER, example={"to": "ada@example.com"})),
)  # fmt: skip
