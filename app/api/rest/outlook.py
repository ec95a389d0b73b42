"""/v1/retention/outlook: NRR and GRR of the months to come."""

from __future__ import annotations

from typing import Any

from app.api.requests import Request, whole
from app.api.responses import Answer, encoded
from app.api.rest.parameters import ARCHIVED, FILTER
from app.api.rest.retention import SCOPE, TAG, names, wanted
from app.api.routes import Parameter, Payload, Route
from app.domain.forecasting.outlook import KINDS
from app.services import outlook, retention

MONTHS = Parameter(
    "months", "how many, the one that has begun among them", {"type": "integer", "minimum": 1, "maximum": outlook.MOST, "default": outlook.USUAL}
)  # fmt: skip
_RATE: dict[str, Any] = {"type": ["number", "null"]}
_START: dict[str, Any] = {"type": "number", "description": "in force on the first of this month, of all months ahead"}
_FIGURE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "months": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "month": {"type": "string"}, "start": _START, "due": {"type": "number"},
                    "uncorrected": _RATE, "value": _RATE, "low": _RATE, "high": _RATE,
                },
            },
        },
        "tested": {
            "type": "object",
            "properties": {
                "months": {"type": "integer"}, "error": {**_RATE, "description": "mean absolute error a month ahead, in points"},
                "last_three_months_error": _RATE, "verdict": {"type": "string"},
            },
        },
    },
}  # fmt: skip
OUTLOOK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "as_of": {"type": "string", "format": "date-time"}, "currency": {"type": "string"}, "scope": SCOPE,
        "words": {"type": "string"}, **dict.fromkeys(KINDS, _FIGURE),
    },
}  # fmt: skip


async def read(request: Request) -> Answer:
    """The figures of the months to come."""
    said = request.query(names(FILTER, ARCHIVED, MONTHS))
    ahead = whole(said.get("months"), "months", outlook.USUAL, 1, outlook.MOST)
    return Answer(encoded(await outlook.read(request.db, request.principal, wanted(said), ahead, request.now)))


ROUTES = (
    Route("GET", "/v1/retention/outlook", retention.READ, read, "NRR and GRR of the months to come", TAG,
          "What is due in a month times what renews of it, times actual / forecast of the last three months that are known. `low` and "
          "`high` hold what comes in 90 % of months: they widen with what is due, how little is known and how far ahead.",
          parameters=(FILTER, ARCHIVED, MONTHS), answer=Payload(OUTLOOK), problems=("invalid", "unreadable")),
)  # fmt: skip
