"""/v1/forecasts/accuracy: what was forecast, against what happened, whether anybody called it or not."""

from __future__ import annotations

from typing import Any

from app.api.requests import Request
from app.api.responses import JSON, Answer
from app.api.rest import call_accuracy as calls
from app.api.rest.call_accuracy import COUNT, DAY_OR_NONE, NUMBER, TEXT, TEXT_OR_NONE
from app.api.routes import Parameter, Payload, Route
from app.domain.forecasting.ledger import LEAST_CALLS
from app.services import forecast_accuracy

_OTHERWISE = ("calls", "called", "brought", "bias", "accuracy")
FIGURES: dict[str, Any] = {
    "renewals": COUNT, "expected": {**NUMBER, "description": "what the last kept forecasts before expected to be kept"},
    "kept": {**NUMBER, "description": "what was kept, at most what was due"},
    "bias": {**calls.SHARE, "description": "(expected - kept) / due"},
    "accuracy": {**calls.SHARE, "description": "1 - sum |expected - kept| / due"},
    **{name: schema for name, schema in calls.FIGURES.items() if name not in _OTHERWISE},
}  # fmt: skip
CALLED = {
    "type": ["object", "null"],
    "properties": {**calls.FIGURES, "computed": calls.COMPUTED},
    "description": "what people called of theirs, and what was forecast of the same; null where nobody called any",
}
TRACK = {
    "type": "object",
    "properties": {"key": TEXT_OR_NONE, "name": TEXT_OR_NONE, **FIGURES, "called": CALLED, "words": TEXT},
}
ACCURACY = {
    "type": "object",
    "properties": {
        "by": TEXT, "from": DAY_OR_NONE, "to": DAY_OR_NONE, "lag": COUNT, "least": COUNT, "renewals": COUNT,
        "total": {**TRACK, "type": ["object", "null"]}, "groups": {"type": "array", "items": TRACK}, "words": TEXT,
    },
}  # fmt: skip
PARAMETERS = (
    Parameter("by", "csm, month or segment.<slug>", {**TEXT, "default": "csm"}), *calls.PARAMETERS[1:],
    Parameter(
        "lag", "whole months before a renewal was due by which it had been forecast, and called",
        {"type": "integer", "minimum": 0, "maximum": forecast_accuracy.LONGEST, "default": 0},
    ),
)  # fmt: skip


async def get(request: Request) -> Answer:
    """Bias and accuracy."""
    told = request.query(("by", "from", "to", "lag"))
    found = await forecast_accuracy.get(
        request.db, request.principal, request.now, told.get("by"), told.get("from"), told.get("to"), told.get("lag")
    )
    return Answer(found, 200, [JSON])


ROUTES = (
    Route("GET", "/v1/forecasts/accuracy", forecast_accuracy.READ, get, "How good forecasts of renewals were", "forecasts",
          "Of renewals that have closed: what the last kept forecast the day before had said of each, against what happened, and "
          f"beside it what people called. Below {LEAST_CALLS} renewals it says that they are too few. CSMs and segments are "
          "those of the time.",
          parameters=PARAMETERS, answer=Payload(ACCURACY), problems=("invalid",)),
)  # fmt: skip
