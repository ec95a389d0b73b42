"""/v1/workspace: the settings that answers depend on."""

from __future__ import annotations

from app.api.conditions import call, expected_version, tagged
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest.parameters import IDEMPOTENCY_KEY, IDENTITY, IF_MATCH, IF_NONE_MATCH
from app.api.rest.writes import answered
from app.api.routes import Payload, Route
from app.domain.codes import CURRENCIES
from app.domain.segmentation.care import MOST_HOURS
from app.domain.values import LINE
from app.services import workspaces

SETTINGS = {
    "name": {"type": "string", "minLength": 1, "maxLength": LINE},
    "currency": {"type": "string", "enum": sorted(CURRENCIES)},
    "zone": {"type": "string", "description": "IANA time zone", "examples": ["Europe/Berlin"]},
    "week_start": {"type": "integer", "minimum": 1, "maximum": 7, "description": "Monday is 1"},
    "fiscal_month": {
        "type": "integer",
        "minimum": 1,
        "maximum": 12,
        "description": "month in which the fiscal year begins, where no calendar says otherwise",
    },
    "health_yellow": {"type": "number", "minimum": 0, "maximum": 100, "description": "health from here on is yellow"},
    "health_green": {"type": "number", "minimum": 0, "maximum": 100, "description": "health from here on is green"},
    "arr_per_csm": {"type": "number", "exclusiveMinimum": 0, "description": "ARR that one CSM looks after"},
    "hours_per_csm": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": MOST_HOURS,
        "description": "hours a month that one CSM has for accounts",
    },
}
CHANGE = {
    **SETTINGS,
    "keep_amounts": {
        "type": "boolean",
        "default": False,
        "description": "amounts that are stored keep their numbers under another currency; nothing is converted",
    },
}
REACH = {
    "type": ["object", "null"],
    "properties": {"from": {"type": "string", "format": "date"}, "to": {"type": "string", "format": "date"}},
    "description": "the days that the workspace's own calendar knows, both among them; null where none is set",
}
WORKSPACE = {
    "type": "object",
    "properties": {
        "id": IDENTITY,
        "slug": {"type": "string"},
        **SETTINGS,
        "fiscal_calendar": REACH,
        "version": {"type": "integer"},
    },
}


async def get(request: Request) -> Answer:
    """The settings."""
    request.query(())
    return tagged(request, workspaces.get(request.principal), request.principal.workspace.version)


async def change(request: Request) -> Answer:
    """The settings as changed."""
    request.query(())
    body = await request.object()
    return answered(await workspaces.change(request.db, call(request, body), body, expected_version(request)))


ROUTES = (
    Route("GET", "/v1/workspace", "workspace.read", get, "The workspace's settings", "workspace",
          parameters=(IF_NONE_MATCH,), headers=("ETag",), answer=Payload(WORKSPACE)),
    Route("PATCH", "/v1/workspace", "workspace.write", change, "Change settings", "workspace",
          "What follows from them, such as health bands, is right for every account before it answers. The currency changes "
          "freely while no amount is stored; after that only to one with as many decimal digits, and with `keep_amounts`.",
          parameters=(IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(WORKSPACE),
          body=Payload({"type": "object", "properties": CHANGE, "additionalProperties": False},
                       example={"health_green": 75}), problems=("conflict",)),
)  # fmt: skip
