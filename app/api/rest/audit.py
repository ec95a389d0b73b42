"""/v1/audit: what was done and refused, by whom, with what changed."""

from __future__ import annotations

from typing import cast

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest.envelopes import PAGED, envelope, paging
from app.api.rest.parameters import CURSOR, IDENTITY, LIMIT, MOMENT
from app.api.routes import Parameter, Payload, Route
from app.domain.audit import DOORS, NOUNS, OPERATIONS, OUTCOMES
from app.domain.roles import ROLES
from app.services import audit
from app.services.calls import ENCODER

_TEXT = {"type": ["string", "null"]}
_IDENTITY = {"type": ["string", "null"], "format": "uuid"}
_CHANGED = {"type": ["object", "null"]}
ENTRY = {
    "type": "object",
    "properties": {
        "id": IDENTITY,
        "at": {"type": "string", "format": "date-time"},
        "outcome": {"type": "string", "enum": list(OUTCOMES)},
        "reason": {**_TEXT, "description": "why it was refused: the name of the problem"},
        "door": {"type": "string", "enum": list(DOORS)},
        "request_id": _TEXT,
        "actor_id": {**_IDENTITY, "description": "the user, or the key of a service; null for the command line"},
        "actor_name": {**_TEXT, "description": "as it is now"},
        "role": {"type": ["string", "null"], "enum": [*ROLES, None]},
        "credential_id": _IDENTITY,
        "operation": {
            "type": "string",
            "enum": list(OPERATIONS),
            "description": "what was done or refused; `before` is null where something was made, `after` where it is gone",
        },
        "entity": {**_TEXT, "description": "the noun of the address, such as `accounts`"},
        "entity_id": _IDENTITY,
        "before": {**_CHANGED, "description": "the members that changed, as they were; null for what was made"},
        "after": {**_CHANGED, "description": "as they are; null for what is gone"},
        "times": {"type": "integer", "minimum": 1, "description": "equal attempts of one minute that were refused"},
    },
}
FILTERS = (
    Parameter("from", "a day or an instant: entries of then and later", MOMENT, example="2026-01-31"),
    Parameter("to", "a day or an instant: entries before it", MOMENT),
    Parameter("actor_id", "id of a user, or of a service's key", IDENTITY),
    Parameter("operation", "what was done or refused", {"type": "string", "enum": list(OPERATIONS)}),
    Parameter("entity", "what it was done to", {"type": "string", "enum": list(NOUNS)}),
    Parameter(
        "entity_id",
        "of the thing; of a record also what writes of many did to it: an import, a bulk upsert, a hand-over",
        IDENTITY,
    ),
    Parameter("request_id", "what one request did", {"type": "string"}),
    Parameter("outcome", "what became of it", {"type": "string", "enum": list(OUTCOMES)}),
)


async def find(request: Request) -> Answer:
    """A page of entries, newest first."""
    page = paging(request, *audit.FILTERS)
    told = {name: value for name, value in page.told.items() if name not in PAGED}
    after = cast(audit.After, page.after) if page.after else None
    entries, keys, more = await audit.page(request.db, request.principal, told, after, page.limit)
    following = page.cursor(keys[-1] if more else None)
    return envelope([ENCODER.encode(entry) for entry in entries], request.now, page.limit, following)


ROUTES = (
    Route("GET", "/v1/audit", "audit.read", find, "What was done and refused, newest first", "workspace",
          "Every write, kept in its own transaction, and every write that was refused for its caller's rights. Nothing "
          "changes or removes an entry.",
          parameters=(*FILTERS, LIMIT, CURSOR), answer=Payload(schemas.collection(ENTRY))),
)  # fmt: skip
