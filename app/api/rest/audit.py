"""/v1/audit: what was done and refused, by whom, with what changed."""

from __future__ import annotations

from app.api import schemas
from app.api.requests import Request, whole
from app.api.responses import Answer
from app.api.rest.envelopes import PAGED, envelope
from app.api.rest.parameters import CURSOR, IDENTITY, LIMIT, MOMENT
from app.api.routes import Parameter, Payload, Route
from app.domain.audit import DOORS, OUTCOMES
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT
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
            "description": "what was done, such as `accounts.change`; of what was refused the right that it needed, such as "
            "`accounts.write`",
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
    Parameter("actor", "id of a user, or of a service's key", IDENTITY),
    Parameter("operation", "such as `accounts.change`", {"type": "string"}),
    Parameter("entity", "such as `accounts`", {"type": "string"}),
    Parameter("id", "of the thing", IDENTITY),
    Parameter("outcome", "what became of it", {"type": "string", "enum": list(OUTCOMES)}),
)


async def find(request: Request) -> Answer:
    """A page of entries, newest first."""
    told = dict(request.query((*PAGED, *audit.FILTERS)))
    limit, cursor = whole(told.pop("limit", None), "limit", DEFAULT_LIMIT, 1, MAX_LIMIT), told.pop("cursor", None)
    page = await audit.page(
        request.db, request.principal, told, request.now, secret=request.secret, limit=limit, cursor=cursor
    )
    return envelope([ENCODER.encode(entry) for entry in page.entries], request.now, page.limit, page.next)


ROUTES = (
    Route("GET", "/v1/audit", "audit.read", find, "What was done and refused, newest first", "workspace",
          "Every write, kept in its own transaction, and every write that was refused for its caller's rights. Nothing "
          "changes or removes an entry.",
          parameters=(*FILTERS, LIMIT, CURSOR), answer=Payload(schemas.collection(ENTRY))),
)  # fmt: skip
