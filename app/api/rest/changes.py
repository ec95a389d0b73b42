"""/v1/accounts/{id}/changes: who looked after it, whom it was met through and what it hung under, since when."""

from __future__ import annotations

from typing import Any, cast

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import ACCOUNT, CURSOR, LIMIT
from app.api.routes import Parameter, Payload, Route
from app.services import changes
from app.services.changes import Place

_ID = {"type": ["string", "null"], "format": "uuid"}
_TEXT = {"type": ["string", "null"]}
FIELD = Parameter(
    "field", "only the changes of this field", {"type": "string", "enum": list(changes.FIELDS)}, example="csm"
)
CHANGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "field": {"type": "string", "enum": list(changes.FIELDS)},
        "value_id": {**_ID, "description": "the user, contact or account; null where it was none"},
        "name": {**_TEXT, "description": "of the value, as it is now; of what is gone, as it was"},
        "from_at": {"type": "string", "format": "date-time"},
        "to_at": {"type": ["string", "null"], "format": "date-time", "description": "not part of it; null where it still holds"},
        "actor_id": {**_ID, "description": "who changed it; null for a service and the command line"},
        "actor_name": _TEXT,
    },
}  # fmt: skip


async def every(request: Request) -> Answer:
    """A page of changes, the latest first."""
    account_id, page = request.uuid(0), paging(request, "field")
    after = cast(Place, page.after) if page.after else None
    found, following = await changes.page(
        request.db, request.principal, account_id, page.told.get("field"), after, page.limit
    )
    return envelope([encoded(one) for one in found], request.now, page.limit, page.cursor(following))


ROUTES = (
    Route("GET", "/v1/accounts/{id}/changes", "records.read", every, "Who an account's csm, primary contact and parent were", "accounts",
          "The latest first, however they were written: by hand, by import, in bulk, or because a contact came or went.",
          parameters=(ACCOUNT, FIELD, LIMIT, CURSOR), answer=Payload(schemas.collection(CHANGE))),
)  # fmt: skip
