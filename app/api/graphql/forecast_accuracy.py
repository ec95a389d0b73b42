"""What was forecast of renewals, against what happened."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, member, operated, output
from app.api.graphql.call_accuracy import figures
from app.api.graphql.resources import body
from app.api.graphql.writing import Arguments
from app.services import forecast_accuracy

_SHARE = "Optional[float]"

output("CalledFigures", [
    *figures(), member("computed", "Optional[CallFigures]", "What was forecast of the same."),
], "What people called of renewals.")  # fmt: skip
output("ForecastTrack", [
    member("key", "Optional[str]"), member("name", "Optional[str]"), member("renewals", "int"), member("due", "Money"),
    member("expected", "Money", "What the last kept forecasts before expected to be kept."),
    member("kept", "Money", "At most what was due."), member("bias", _SHARE, "(expected - kept) / due."), member("bias_low", _SHARE),
    member("bias_high", _SHARE), member("accuracy", _SHARE, "1 - sum |expected - kept| / due."), member("brier", "float"),
    member("said_share", "float"), member("renewed_share", "float"), member("renewed_low", "float"),
    member("renewed_high", "float"), member("verdict", "str"),
    member("called", "Optional[CalledFigures]", "None where nobody called any."), member("words", "str"),
])  # fmt: skip
output("ForecastAccuracy", [
    member("by", "str"), member("from", "Optional[Date]"), member("to", "Optional[Date]"), member("lag", "int"),
    member("least", "int"), member("renewals", "int"), member("total", "Optional[ForecastTrack]"),
    member("groups", "list[ForecastTrack]"), member("words", "str"),
], "How good forecasts of renewals were.")  # fmt: skip


async def _get(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    found = await forecast_accuracy.get(
        caller.db, caller.principal, caller.now, said.get("by"), said.get("from_"), said.get("to"), said.get("lag")
    )
    return body(found)


QUERIES = [
    operated(
        forecast_accuracy.READ, "forecast_accuracy", "ForecastAccuracy", _get,
        argument("by", "Optional[str]", None, "csm, month or segment.<slug>; csm where it is left out."),
        argument("from", "Optional[Date]", None, "The first day on which renewals closed."),
        argument("to", "Optional[Date]", None, "The day after the last one."),
        argument("lag", "Optional[int]", None, "Whole months before a renewal was due by which it had been forecast, and called."),
        description="The last kept forecast the day before a renewal closed, against what happened, whether anybody called it or not.",
    ),
]  # fmt: skip
