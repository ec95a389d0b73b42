"""/v1/accounts/{id}/renewal-call: what the csm says of the next renewal, beside what was computed."""

from __future__ import annotations

from typing import Any, cast

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import (
    ACCOUNT,
    CURSOR,
    IDEMPOTENCY_KEY,
    IDENTITY,
    IF_MATCH,
    IF_MATCH_IF_THERE,
    IF_NONE_MATCH,
    LIMIT,
)
from app.api.rest.segmented import INSTANT, INSTANT_OR_NONE, TEXT_OR_NONE
from app.api.rest.writes import answered, gone
from app.api.routes import Parameter, Payload, Route
from app.domain.forecasting.ledger import CATEGORIES, DEFAULTS
from app.domain.values import PROSE
from app.services import renewal_calls

TAG = "forecasts"
DAY = {"type": "string", "format": "date"}
NUMBER, NUMBER_OR_NONE = {"type": "number"}, {"type": ["number", "null"]}
DUE_ON = Parameter("due_on", "of several open renewals the one that is meant; the next where it is left out", DAY)
CATEGORY = {
    "type": "string",
    "enum": list(CATEGORIES),
    "description": ", ".join(f"`{name}` stands for {chance:.0%}" for name, chance in DEFAULTS.items()),
}
IDS = {"type": "array", "items": IDENTITY}
CALLED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "version": {"type": "integer"}, "due_on": {**DAY, "description": "of the renewal that is called"}, "due": NUMBER,
        "contract_ids": {**IDS, "description": "the terms that it covers; none where the account has no contracts"},
        "category": schemas.nullable(dict(CATEGORY)), "category_probability": NUMBER_OR_NONE, "probability": NUMBER_OR_NONE,
        "amount": {**NUMBER_OR_NONE, "description": "what it brings if it comes"},
        "expected": {**NUMBER_OR_NONE, "description": "probability times amount"}, "note": TEXT_OR_NONE,
        "is_withdrawn": {"type": "boolean"}, "csm_id": schemas.nullable(dict(IDENTITY)),
        "author_id": schemas.nullable(dict(IDENTITY)), "author": TEXT_OR_NONE, "called_at": INSTANT,
    },
}  # fmt: skip
STANDING = {
    "type": "object",
    "properties": {
        "account_id": IDENTITY, "version": {"type": "integer", "description": "0 where nothing was ever called"},
        "renewal": {
            "type": ["object", "null"], "description": "the next one that nobody has decided",
            "properties": {"due_on": DAY, "due": NUMBER, "contract_ids": IDS, "is_overdue": {"type": "boolean"}},
        },
        "call": schemas.nullable(CALLED),
    },
}  # fmt: skip
ENTRY = {
    "type": "object",
    "properties": {
        **CALLED["properties"],
        "until": {**INSTANT_OR_NONE, "description": "when the next call of the same renewal was made"},
    },
}
BODY = {
    "type": "object", "required": ["category"], "additionalProperties": False,
    "properties": {
        "category": CATEGORY,
        "probability": {"type": ["number", "null"], "minimum": 0, "maximum": 1, "description": "that of the category where it is left out"},
        "amount": {"type": ["number", "null"], "minimum": 0, "description": "what the renewal brings if it comes; what is due where it is left out"},
        "note": {**TEXT_OR_NONE, "maxLength": PROSE},
        "due_on": {"type": ["string", "null"], "format": "date", "description": "of several open renewals the one that is meant; the next where it is left out"},
    },
}  # fmt: skip


async def one(request: Request) -> Answer:
    """The next renewal and what is called of it."""
    due_on = request.query(("due_on",)).get("due_on")
    found = await renewal_calls.get(request.db, request.principal, request.uuid(0), request.now, due_on)
    return tagged(request, *found)


async def history(request: Request) -> Answer:
    """A page of calls."""
    page = paging(request)
    before = cast(int, page.after[0]) if page.after else None
    found, keys, more = await renewal_calls.history(request.db, request.principal, request.uuid(0), before, page.limit)
    return envelope([encoded(row) for row in found], request.now, page.limit, page.cursor(keys[-1] if more else None))


async def put(request: Request) -> Answer:
    """A new call."""
    request.query(())
    version, account = expected_if_any(request), request.uuid(0)
    body = await request.object()
    written = await renewal_calls.put(request.db, call(request, body), account, body, version)
    return answered(written, f"/v1/accounts/{account}/renewal-call")


async def withdraw(request: Request) -> Answer:
    """Nothing: the call is taken back."""
    due_on = request.query(("due_on",)).get("due_on")
    version = expected_version(request)
    await request.nothing()
    told = call(request, due_on)
    return gone(await renewal_calls.withdraw(request.db, told, request.uuid(0), version, due_on))


ROUTES = (
    Route("GET", "/v1/accounts/{id}/renewal-call", renewal_calls.READ, one, "An account's next renewal, as it is called", TAG,
          "The next renewal that nobody has decided, and what the csm or somebody else calls of it.",
          parameters=(ACCOUNT, DUE_ON, IF_NONE_MATCH), headers=("ETag",), answer=Payload(STANDING)),
    Route("GET", "/v1/accounts/{id}/renewal-call/history", renewal_calls.READ, history, "Every call of an account", TAG,
          "The latest first. Calls are added to and never changed: a correction and a withdrawal are entries of their own.",
          parameters=(ACCOUNT, LIMIT, CURSOR), answer=Payload(schemas.collection(ENTRY))),
    Route("PUT", "/v1/accounts/{id}/renewal-call", renewal_calls.CALL, put, "Call an account's next renewal", TAG,
          "Beside the computed forecast, which stays as it is. What was called before is kept. Where a call of this renewal stands, "
          "If-Match names the version that it corrects.",
          parameters=(ACCOUNT, IF_MATCH_IF_THERE, IDEMPOTENCY_KEY), headers=("ETag", "Location"), answer=Payload(STANDING),
          body=Payload(BODY, example={"category": "likely", "note": "The sponsor has said yes."}), problems=("conflict",)),
    Route("DELETE", "/v1/accounts/{id}/renewal-call", renewal_calls.CALL, withdraw, "Take a call back", TAG,
          "Of the next renewal. The call stays in the history.",
          parameters=(ACCOUNT, DUE_ON, IF_MATCH, IDEMPOTENCY_KEY), status=204),
)  # fmt: skip
