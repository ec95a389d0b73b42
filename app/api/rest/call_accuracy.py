"""/v1/renewal-calls/accuracy: what was called, against what happened."""

from __future__ import annotations

from typing import Any

from app.api.requests import Request
from app.api.responses import JSON, Answer
from app.api.routes import Parameter, Payload, Route
from app.domain.forecasting.ledger import LEAST_CALLS
from app.services import call_accuracy

DAY, DAY_OR_NONE = {"type": "string", "format": "date"}, {"type": ["string", "null"], "format": "date"}
TEXT, TEXT_OR_NONE = {"type": "string"}, {"type": ["string", "null"]}
COUNT, NUMBER, SHARE = {"type": "integer"}, {"type": "number"}, {"type": ["number", "null"]}
FIGURES: dict[str, Any] = {
    "calls": COUNT, "due": NUMBER, "called": {**NUMBER, "description": "probability times amount, all together"}, "brought": NUMBER,
    "bias": {**SHARE, "description": "(called - brought) / due"}, "bias_low": SHARE, "bias_high": SHARE,
    "accuracy": {**SHARE, "description": "1 - sum |called - brought| / due"}, "brier": NUMBER, "said_share": NUMBER,
    "renewed_share": NUMBER, "renewed_low": NUMBER, "renewed_high": NUMBER,
    "verdict": {"type": "string", "enum": ["too few", "no bias shown", "too high", "too low"]},
}  # fmt: skip
COMPUTED = {
    "type": ["object", "null"],
    "properties": FIGURES,
    "description": "what forecasts had said of the same renewals",
}
TRACK = {
    "type": "object",
    "properties": {
        "key": TEXT_OR_NONE, "name": TEXT_OR_NONE, **FIGURES, "category_probability": SHARE, "computed": COMPUTED, "words": TEXT,
    },
}  # fmt: skip
ACCURACY = {
    "type": "object",
    "properties": {
        "by": TEXT, "from": DAY_OR_NONE, "to": DAY_OR_NONE, "least": COUNT, "calls": COUNT,
        "total": {**TRACK, "type": ["object", "null"]}, "groups": {"type": "array", "items": TRACK}, "words": TEXT,
    },
}  # fmt: skip
PARAMETERS = (
    Parameter("by", "csm, author, category, month or segment.<slug>", {**TEXT, "default": "csm"}),
    Parameter("from", "the first day on which renewals closed", DAY), Parameter("to", "the day after the last one", DAY),
)  # fmt: skip


async def get(request: Request) -> Answer:
    """Bias and accuracy."""
    told = request.query(("by", "from", "to"))
    found = await call_accuracy.get(
        request.db, request.principal, request.now, told.get("by"), told.get("from"), told.get("to")
    )
    return Answer(found, 200, [JSON])


ROUTES = (
    Route("GET", "/v1/renewal-calls/accuracy", call_accuracy.READ, get, "How good calls of renewals were", "forecasts",
          "Of renewals that have closed: the last call that stood the day before, against what happened, and what the last kept "
          f"forecast had said of them. Below {LEAST_CALLS} calls it says that they are too few. Segments are those of the time.",
          parameters=PARAMETERS, answer=Payload(ACCURACY), problems=("invalid",)),
)  # fmt: skip
