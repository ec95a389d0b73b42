"""Forecasts as pictures, beside the numbers that they draw."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, resolved
from app.api.graphql.resources import single, uuid
from app.api.graphql.writing import Arguments
from app.services import forecast_charts


async def _months(source: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    single(info, "forecast(id)")
    if source["id"] is None:
        return None
    return await forecast_charts.months(caller.db, caller.principal, uuid(source["id"]), caller.now)


async def _backtest(source: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    single(info, "backtest")
    lags = ",".join(map(str, source["lags"]))
    days = source["from"], source["to"]
    return await forecast_charts.backtest(caller.db, caller.principal, caller.now, *days, lags, said.get("model"))


async def _moved(source: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    single(info, "waterfall")
    return await forecast_charts.moved(caller.db, caller.principal, caller.now, source["ask"])


OF_WATERFALL = resolved(
    "chart", "str", _moved, description="Opening, each step that anything came of, and closing, as SVG."
)
OF_FORECAST = resolved("chart", "Optional[str]", _months, description="By month as SVG; none of one that is not kept.")
OF_BACKTEST = resolved(
    "chart", "str", _backtest, argument("model", "Optional[str]", None, "Whose chances; the one in charge where it is left out."),
    description="How chances held, at the first lag, as SVG.",
)  # fmt: skip
