"""/v1/forecasts/backtest: how forecasts did on the organisation's own past."""

from __future__ import annotations

from app.api.requests import Request
from app.api.responses import JSON, Answer
from app.api.routes import Parameter, Payload, Route
from app.domain.forecasting.backtest import LAGS
from app.domain.forecasting.skill import LEAST_MONTHS, LEAST_RENEWALS
from app.services import backtests

TEXT, TEXT_OR_NONE = {"type": "string"}, {"type": ["string", "null"]}
COUNT, SHARE = {"type": "integer"}, {"type": ["number", "null"]}
DAY, DAY_OR_NONE = {"type": "string", "format": "date"}, {"type": ["string", "null"], "format": "date"}
VERDICT = {"enum": ["skill shown", "no skill shown"], "type": "string"}
BIN = {
    "type": "object", "description": "predictions from `low` up to `high`, and the share that renewed with its 90 % interval",
    "properties": {name: {"type": "number"} for name in ("low", "high", "predicted", "renewed", "renewed_low", "renewed_high")}
    | {"renewals": COUNT},
}  # fmt: skip
SCORE = {
    "type": "object",
    "properties": {
        "model": {**TEXT, "description": "`overall`, `last_three_months`, `segment`, and `logistic` where it ran"},
        "lag": COUNT, "renewals": COUNT, "months": COUNT, "brier": SHARE,
        "brier_skill": {"type": "object", "description": "over each of the simple models", "additionalProperties": SHARE},
        "log_loss": SHARE, "auc": SHARE, "money_error": {**SHARE, "description": "sum of |forecast - kept| of the months, of what was due"},
        "verdict": {"type": ["string", "null"]}, "because": TEXT_OR_NONE, "calibration": {"type": "array", "items": BIN},
    },
}  # fmt: skip
COVERAGE = {
    "type": "object", "description": "how many intervals held what was kept, as a share with its own 90 % interval",
    "properties": {
        "lag": COUNT, "of": {"type": "string", "enum": ["months", "books"]}, "level": {"type": "number"}, "intervals": COUNT,
        "held": SHARE, "low": SHARE, "high": SHARE, "width": {**SHARE, "description": "mean width, of what was due"},
    },
}  # fmt: skip
CHALLENGER = {
    "type": "object",
    "properties": {"model": TEXT, "verdict": VERDICT, "because": TEXT, "brier_skill": SHARE, "standard_error": SHARE},
}
BACKTEST = {
    "type": "object",
    "properties": {
        "from": DAY_OR_NONE, "to": DAY_OR_NONE, "lags": {"type": "array", "items": COUNT}, "renewals": COUNT,
        "verdict": VERDICT, "because": TEXT, "words": TEXT, "in_charge": TEXT,
        "scores": {"type": "array", "items": SCORE}, "coverage": {"type": "array", "items": COVERAGE},
        "challengers": {"type": "array", "items": CHALLENGER}, "computed_at": {"type": "string", "format": "date-time"},
    },
}  # fmt: skip
PARAMETERS = (
    Parameter("from", "the first month whose renewals are scored, as a day in it; all where it is left out", DAY),
    Parameter("to", "the month after the last one, as a day in it", DAY),
    Parameter("lag", "whole months ahead, up to three of them, separated by commas", {**TEXT, "default": ",".join(map(str, LAGS))}),
)  # fmt: skip


async def get(request: Request) -> Answer:
    """The backtest."""
    told = request.query(("from", "to", "lag"))
    found = await backtests.get(
        request.db, request.principal, request.now, told.get("from"), told.get("to"), told.get("lag")
    )
    return Answer(found, 200, [JSON])


ROUTES = (
    Route("GET", "/v1/forecasts/backtest", backtests.READ, get, "How forecasts did on your own past", "forecasts",
          "Every renewal that has closed is predicted as it would have been, from what was known then, and held against what "
          f"happened. Below {LEAST_RENEWALS} renewals in {LEAST_MONTHS} months no skill is shown, and the answer says so. What was "
          "computed from the same renewals is answered again for a day; the first time it takes up to a minute or two for 60,000.",
          parameters=PARAMETERS, answer=Payload(BACKTEST), problems=("invalid",)),
)  # fmt: skip
