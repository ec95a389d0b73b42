"""/v1/forecasts: renewal forecasts, computed once and kept."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from app.api import schemas
from app.api.conditions import call, tagged
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import CURSOR, IDEMPOTENCY_KEY, IDENTITY, IF_NONE_MATCH, LIMIT, path
from app.api.rest.writes import answered
from app.api.routes import Payload, Route
from app.domain.forecasting.asked import MAX_GROUPS
from app.services import forecasts

_DAY = {"type": "string", "format": "date"}
_MONEY = {"type": ["number", "null"]}
DUE = {"type": "object", "properties": {"accounts": {"type": "integer"}, "arr": {"type": "number"}}}
FORECAST = {
    "type": "object",
    "properties": {
        "id": IDENTITY, "from": _DAY, "to": _DAY, "as_of": {"type": "string", "format": "date-time"}, "due": DUE,
        "expected_accounts": {"type": "number"}, "expected": _MONEY, "p05": _MONEY, "p50": _MONEY, "p95": _MONEY,
        "target": _MONEY, "target_probability": {"type": ["number", "null"]},
        "skill": {"type": "object", "description": "whether the rates beat the base rate on past renewals"},
        "groups": {"type": "array", "items": {"type": "object"}},
        "rates": {"type": "array", "items": {"type": "object"}},
    },
}  # fmt: skip
ASKED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "from": {**_DAY, "description": "first day of the period; today where it is left out"},
        "to": {
            **_DAY,
            "description": "the day after the last one of the period; a year after `from` where it is left out",
        },
        "as_of": {"type": "string", "description": "an instant; now where it is left out", "format": "date-time"},
        "where": {"type": "string", "description": "criteria that an account meets"},
        "group_by": {**schemas.strings("month, quarter, csm, lane, product, segment.<slug>"), "maxItems": MAX_GROUPS},
        "target": {"type": "number", "description": "renewed ARR whose probability is asked for"},
    },
}


async def every(request: Request) -> Answer:
    """A page of forecasts, newest first."""
    page = paging(request)
    before = cast(UUID, page.after[0]) if page.after else None
    found, following = await forecasts.latest(request.db, request.principal, page.limit, before)
    return envelope(found, request.now, page.limit, page.cursor((following,) if following else None))


async def one(request: Request) -> Answer:
    """A kept forecast."""
    request.query(())
    return tagged(request, await forecasts.get(request.db, request.principal, request.uuid(0)), forecasts.FIRST_VERSION)


async def create(request: Request) -> Answer:
    """A new forecast."""
    request.query(())
    body = await request.object()
    written = await forecasts.create(request.db, call(request, body), body)
    return answered(written, f"/v1/forecasts/{written.id}")


ROUTES = (
    Route("GET", "/v1/forecasts", "forecasts.read", every, "Forecasts, newest first", "forecasts",
          parameters=(LIMIT, CURSOR), answer=Payload(schemas.collection(FORECAST))),
    Route("POST", "/v1/forecasts", "forecasts.create", create, "Forecast the renewals due in a period", "forecasts",
          "Every member may be left out. The answer is kept.",
          parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=Payload(FORECAST),
          body=Payload(ASKED, example={"group_by": ["month"]})),
    Route("GET", "/v1/forecasts/{id}", "forecasts.read", one, "A forecast as it was computed", "forecasts",
          parameters=(path("id", "of the forecast", IDENTITY), IF_NONE_MATCH), headers=("ETag",), answer=Payload(FORECAST)),
)  # fmt: skip
