"""/v1/retention/cohorts: who is still there of those that began together."""

from __future__ import annotations

from typing import Any

from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.charts import PICTURE, picture
from app.api.rest.parameters import ARCHIVED, FILTER
from app.api.rest.retention import PRODUCT, SCOPE, TAG, names, wanted
from app.api.routes import Parameter, Payload, Route
from app.domain.forecasting.lives import UNITS
from app.services import cohorts, retention

_UNIT: dict[str, Any] = {"type": "string", "enum": list(UNITS)}
BY = Parameter("by", "cohorts of the accounts whose first contract began in one", {**_UNIT, "default": "quarter"})
TERM = Parameter("term", "what ages are counted in; what contracts usually run for where it is left out", _UNIT)
ASKED = (BY, TERM, FILTER, PRODUCT, ARCHIVED)
_NUMBER: dict[str, Any] = {"type": "number"}
_BAND: dict[str, Any] = {"age": {"type": "integer"}, "rate": _NUMBER, "low": _NUMBER, "high": _NUMBER}
_WHOLE: dict[str, Any] = {
    "type": "boolean",
    "description": "false: nobody is that old yet; the share of the oldest so far",
}
_SURVIVAL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "model": {"type": "string", "enum": ["sBG", "BdW"]}, "a": _NUMBER, "b": _NUMBER, "c": _NUMBER, "terms": {"type": "integer"},
        "observed": {"type": "array", "items": {"type": "object", "properties": {**_BAND, "at_risk": _NUMBER, "lost": _NUMBER, "whole": _WHOLE}}},
        "expected": {
            "type": "array",
            "items": {"type": "object", "properties": {**_BAND, "retention": {"type": ["number", "null"], "description": "of the term itself"}}},
        },
    },
}  # fmt: skip
_COHORT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "cohort": {"type": ["string", "null"]}, "accounts": {"type": "integer"}, "arr": _NUMBER, "logos": _SURVIVAL, "money": _SURVIVAL,
    },
}  # fmt: skip
COHORTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "as_of": {"type": "string", "format": "date-time"}, "currency": {"type": "string"}, "by": _UNIT, "term": _UNIT, "scope": SCOPE,
        "words": {"type": "string"}, "all": _COHORT, "cohorts": {"type": "array", "items": _COHORT},
    },
}  # fmt: skip


async def read(request: Request) -> Answer:
    """Survival by age."""
    said = request.query(names(*ASKED))
    found = await cohorts.read(
        request.db, request.principal, wanted(said), said.get("by"), said.get("term"), request.now
    )
    return Answer(encoded(found))


async def chart(request: Request) -> Answer:
    """The same as a picture."""
    said = request.query(names(*ASKED))
    drawn = await cohorts.chart(
        request.db, request.principal, wanted(said), said.get("by"), said.get("term"), request.now
    )
    return picture(drawn)


ROUTES = (
    Route("GET", "/v1/retention/cohorts", retention.READ, read, "Survival of cohorts, observed and expected", TAG,
          "In accounts and in the money that they began with. Beyond the observed ages a beta-discrete-Weibull curve where four terms or "
          "more were seen, else a shifted beta-geometric one, never a constant rate.",
          parameters=ASKED, answer=Payload(COHORTS), problems=("invalid", "unreadable")),
    Route("GET", "/v1/retention/cohorts/chart.svg", retention.READ, chart, "Survival of cohorts as a picture", TAG,
          "Accounts that are still there: all together with the expected curve, and the latest cohorts of which somebody has reached an age.",
          parameters=ASKED, answer=PICTURE, problems=("invalid", "unreadable")),
)  # fmt: skip
