"""How forecasts did on the organisation's own past."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, member, operated, output
from app.api.graphql.resources import body
from app.api.graphql.writing import Arguments
from app.services import backtests

_SHARE = "Optional[float]"
output("CalibrationBin", [
    *(member(name, "float") for name in ("low", "high", "predicted", "renewed", "renewed_low", "renewed_high")),
    member("renewals", "int"),
], "Predictions from `low` up to `high`, and the share that renewed with its 90 % interval.")  # fmt: skip
output("BacktestScore", [
    member("model", "str"), member("lag", "int"), member("renewals", "int"), member("months", "int"), member("brier", _SHARE),
    member("brier_skill", "JSON", "Over each of the simple models."), member("log_loss", _SHARE), member("auc", _SHARE),
    member("money_error", _SHARE, "Sum of |forecast - kept| of the months, of what was due."),
    member("verdict", "Optional[str]"), member("because", "Optional[str]"), member("calibration", "list[CalibrationBin]"),
])  # fmt: skip
output("IntervalCoverage", [
    member("lag", "int"), member("of", "str", "Months, or books: each csm's part of a month."), member("level", "float"),
    member("intervals", "int"), member("held", _SHARE), member("low", _SHARE), member("high", _SHARE),
    member("width", _SHARE, "Mean width, of what was due."),
], "How many intervals held what was kept, as a share with its own 90 % interval.")  # fmt: skip
output("BacktestChallenger", [
    member("model", "str"), member("verdict", "str"), member("because", "str"), member("brier_skill", _SHARE),
    member("standard_error", _SHARE),
], "A model that may take over from the segment rate.")  # fmt: skip
output("Backtest", [
    member("from", "Optional[Date]"), member("to", "Optional[Date]"), member("lags", "list[int]"), member("renewals", "int"),
    member("verdict", "str"), member("because", "str"), member("words", "str"), member("in_charge", "str"),
    member("scores", "list[BacktestScore]"), member("coverage", "list[IntervalCoverage]"),
    member("challengers", "list[BacktestChallenger]"), member("computed_at", "DateTime"),
])  # fmt: skip


async def _get(_: Any, info: Any, said: Arguments) -> Any:
    caller, lag = info.context, said.get("lag")
    lags = None if lag is None else ",".join(map(str, lag))
    return body(await backtests.get(caller.db, caller.principal, caller.now, said.get("from_"), said.get("to"), lags))


QUERIES = [
    operated(
        backtests.READ, "backtest", "Backtest", _get,
        argument("from", "Optional[Date]", None, "The first month whose renewals are scored, as a day in it."),
        argument("to", "Optional[Date]", None, "The month after the last one, as a day in it."),
        argument("lag", "Optional[list[int]]", None, "Whole months ahead, up to three of them; 0, 1 and 3 where they are left out."),
        description="Every renewal that has closed, predicted as it would have been, and held against what happened.",
    ),
]  # fmt: skip
