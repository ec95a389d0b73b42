"""/v1/workspace/calendar: the fiscal calendar of a workspace, as rows."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.conditions import call, expected_version, tagged
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest.parameters import IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH
from app.api.rest.writes import answered, gone
from app.api.routes import Payload, Route
from app.domain import calendar_bodies as bodies
from app.services import calendars

_DAY: dict[str, Any] = {"type": "string", "format": "date"}
_YEAR: dict[str, Any] = {"type": "integer", "minimum": bodies.FIRST_YEAR, "maximum": bodies.LAST_YEAR}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


PERIOD = _object(
    {
        "year": {**_YEAR, "description": "the fiscal year"},
        "quarter": {"type": "integer", "minimum": 1, "maximum": bodies.QUARTERS},
        "period": {
            "type": "integer",
            "minimum": 1,
            "maximum": bodies.MAX_PERIODS,
            "description": "its number within the year",
        },
        "start_date": {**_DAY, "description": "its first day"},
        "end_date": {**_DAY, "description": "its last day"},
    },
    *bodies.PERIOD,
)
GENERATE = _object(
    {
        "pattern": {"type": "string", "enum": list(bodies.PATTERNS), "description": "weeks of each period of a quarter"},
        "first_day": {**_DAY, "description": "on which the first fiscal year begins"},
        "first_year": {**_YEAR, "description": "what that fiscal year is called"},
        "years": {"type": "integer", "minimum": 1, "maximum": bodies.MAX_YEARS, "description": "how many are made"},
        "long_years": {
            "type": ["array", "null"],
            "items": _YEAR,
            "maxItems": bodies.MAX_YEARS,
            "description": "fiscal years of 53 weeks: their last period has one more",
        },
    },
    "pattern", "first_day", "first_year", "years",
)  # fmt: skip
ALONG: dict[str, Any] = {
    "with_dependents": {
        "type": ["boolean", "null"],
        "description": "also where lists, segmentations, entry criteria or measures name what it does not reach: they mean nothing then",
    }
}
BODY = {
    "oneOf": [
        _object(
            {
                "periods": {
                    "type": "array",
                    "items": PERIOD,
                    "minItems": 1,
                    "maxItems": bodies.MAX_PERIODS,
                    "description": "every period, in order: each begins on the day after the one before",
                },
                **ALONG,
            },
            "periods",
        ),
        _object({"generate": GENERATE, **ALONG}, "generate"),
    ]
}
CALENDAR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "periods": {"type": "array", "items": PERIOD, "description": "none where no calendar is set"},
        "from": {**schemas.nullable(_DAY), "description": "the first day that it knows"},
        "to": {**schemas.nullable(_DAY), "description": "the last day that it knows"},
        "version": {"type": "integer", "description": "the workspace's"},
    },
}


async def get(request: Request) -> Answer:
    """The calendar."""
    request.query(())
    return tagged(request, calendars.get(request.principal), request.principal.workspace.version)


async def put(request: Request) -> Answer:
    """The calendar as set."""
    request.query(())
    version = expected_version(request)
    body = await request.object()
    return answered(await calendars.put(request.db, call(request, body), body, version))


async def delete(request: Request) -> Answer:
    """Nothing: there is no calendar any more."""
    request.query(())
    version = expected_version(request)
    await request.nothing()
    return gone(await calendars.delete(request.db, call(request), version))


PATH, TAG = "/v1/workspace/calendar", "workspace"
ROUTES = (
    Route("GET", PATH, "workspace.read", get, "The fiscal calendar", TAG,
          "Its periods as they were set. Without one, fiscal years begin with the workspace's `fiscal_month`.",
          parameters=(IF_NONE_MATCH,), headers=("ETag",), answer=Payload(CALENDAR)),
    Route("PUT", PATH, "workspace.write", put, "Set the fiscal calendar", TAG,
          "Either `periods`, row by row, or `generate`, which makes the rows of 4-4-5 years and the like; all that was set "
          "before is replaced. `fiscal_month`, `fiscal_quarter` and `fiscal_year` in criteria are then these periods, and an "
          "error beyond them. Where lists, segmentations, entry criteria or measures would mean nothing then it is refused with 409, and "
          "`errors` says which, unless `with_dependents` is true. Segments follow before it answers. `If-Match` takes the workspace's version.",
          parameters=(IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(CALENDAR),
          body=Payload(BODY, example={"generate": {"pattern": "4-4-5", "first_day": "2026-02-01", "first_year": 2026,
                                                   "years": 6, "long_years": [2028]}}), problems=("conflict",)),
    Route("DELETE", PATH, "workspace.write", delete, "Take the fiscal calendar away", TAG,
          "Fiscal years begin with the workspace's `fiscal_month` again. `If-Match` takes the workspace's version.",
          parameters=(IF_MATCH, IDEMPOTENCY_KEY), status=204),
)  # fmt: skip
