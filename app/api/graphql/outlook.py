"""NRR and GRR of the months to come."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, member, operated, output
from app.api.graphql.callers import ENCODER
from app.api.graphql.resources import body
from app.api.graphql.retention import OF_SCOPE, wanted
from app.api.graphql.selections import mended
from app.api.graphql.writing import Arguments
from app.domain.errors import Fault, Invalid, StrataError
from app.domain.forecasting.outlook import KINDS
from app.services import outlook, retention

_TAKEN = ("where", "filter", "archived")
output("OutlookMonth", [
    member("month", "str"), member("start", "Money", "In force on the first of this month, of all months ahead."), member("due", "Money"), member("uncorrected", "Optional[float]"),
    member("value", "Optional[float]"), member("low", "Optional[float]"), member("high", "Optional[float]"),
])  # fmt: skip
output("OutlookTest", [
    member("months", "int"), member("error", "Optional[float]", "Mean absolute error a month ahead, in points."),
    member("last_three_months_error", "Optional[float]"), member("verdict", "str"),
])  # fmt: skip
output("OutlookFigure", [member("months", "list[OutlookMonth]"), member("tested", "OutlookTest")])
output("RetentionOutlook", [
    member("as_of", "DateTime"), member("currency", "str"), member("scope", "RetentionScope"),
    member("words", "str"),
    *(member(kind, "OutlookFigure") for kind in KINDS),
], "What is due in a month times what renews of it, times actual / forecast of the last three known months.")  # fmt: skip


async def _outlook(_: Any, info: Any, said: Arguments) -> Any:
    caller, ahead = info.context, said["months"]
    told, spelled = wanted(info, said)
    if not 1 <= ahead <= outlook.MOST:
        message = f"Expected a whole number from 1 to {outlook.MOST}."
        raise Invalid(faults=(Fault(message, parameter="months"),))
    try:
        return body(ENCODER.encode(await outlook.read(caller.db, caller.principal, told, ahead, caller.now)))
    except StrataError as error:
        raise mended(error, spelled) from None


QUERIES = [
    operated(
        retention.READ, "retention_outlook", "Optional[RetentionOutlook]", _outlook,
        *(one for one in OF_SCOPE if one.python_name in _TAKEN),
        argument("months", "int", outlook.USUAL, "How many, the one that has begun among them."),
        description="NRR and GRR of the months to come, and how such forecasts did.",
    )
]  # fmt: skip
