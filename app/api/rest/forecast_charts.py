"""Forecasts as pictures."""

from __future__ import annotations

from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest import waterfalls
from app.api.rest.backtests import PARAMETERS
from app.api.rest.charts import PICTURE, picture
from app.api.rest.parameters import IDENTITY, path
from app.api.routes import Parameter, Route
from app.services import backtests, forecast_charts

READ = "forecasts.read"
MODEL = Parameter(
    "model", "whose chances; the one in charge where it is left out", {"type": "string"}, example="segment"
)


async def months(request: Request) -> Answer:
    """A kept forecast."""
    request.query(())
    return picture(await forecast_charts.months(request.db, request.principal, request.uuid(0), request.now))


async def backtest(request: Request) -> Answer:
    """How chances held."""
    told = request.query(("from", "to", "lag", "model"))
    days = told.get("from"), told.get("to")
    drawn = await forecast_charts.backtest(
        request.db, request.principal, request.now, *days, told.get("lag"), told.get("model")
    )
    return picture(drawn)


async def moved(request: Request) -> Answer:
    """What moved a forecast."""
    ask = waterfalls.asked(request.query([name for name in waterfalls.NAMES if name != "group_by"]))
    return picture(await forecast_charts.moved(request.db, request.principal, request.now, ask))


ROUTES = (
    Route("GET", "/v1/forecasts/{id}/chart.svg", READ, months, "A forecast by month as a picture", "forecasts",
          "What is due and expected each month, the range where the forecast is grouped by month, and what was kept of months whose "
          "renewals are all decided by now.",
          parameters=(path("id", "of the forecast", IDENTITY),), answer=PICTURE),
    Route("GET", "/v1/forecasts/backtest/chart.svg", backtests.READ, backtest, "How chances held, as a picture", "forecasts",
          "For renewals of about the same chance, the share that renewed with its 90 % interval, at the first lag.",
          parameters=(*PARAMETERS, MODEL), answer=PICTURE, problems=("invalid",)),
    Route("GET", "/v1/forecasts/waterfall/chart.svg", READ, moved, "What moved the forecast, as a picture", "forecasts",
          "Opening, each step that anything came of, and closing: they add up to the cent.",
          parameters=waterfalls.PARAMETERS, answer=PICTURE, problems=("invalid",)),
)  # fmt: skip
