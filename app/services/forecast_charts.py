"""Forecasts as pictures: the months of one with what happened since, how the past's chances held, what moved one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.forecasting import ledger
from app.domain.pictures.calibration import Bin, Calibration, calibration
from app.domain.pictures.fan import Fan, Month, fan
from app.domain.pictures.svg import MONTHS
from app.domain.pictures.waterfall import Step, Waterfall, waterfall
from app.domain.roles import Principal
from app.domain.workspaces import clock
from app.persistence import forecast_charts as rows
from app.persistence.database import Database, Record
from app.services import backtests, forecasts, waterfalls
from app.services.aside import aside

SAID: Mapping[ledger.Step, str] = {
    "entered": "New renewals", "moved_in": "Moved into the period", "left": "No longer forecast", "moved_out": "Moved out of the period",
    "renewed": "Closed: renewed", "churned": "Closed: churned", "amount_up": "More is due", "amount_down": "Less is due",
    "likelihood_up": "More likely", "likelihood_down": "Less likely", "called": "Calls by hand",
}  # fmt: skip
EMPTY: Mapping[str, int] = dict.fromkeys(("renewals", "due", "expected", "closed", "kept"), 0)
"""A month in which nothing is due."""
NOTHING: Mapping[str, Any] = dict.fromkeys(("p05", "p50", "p95"), 0.0)
RANGES = "Ranges by month are kept where a forecast is grouped by month alone."


async def months(db: Database, principal: Principal, forecast_id: UUID, now: datetime) -> str:
    """A kept forecast by month as SVG text: what was due and expected, the range where it is grouped by month, and what
    was kept of months whose renewals are all decided. A CSM sees the CSM's own. Raises NotFound."""
    told = msgspec.json.decode(await forecasts.get(db, principal, forecast_id))
    workspace = principal.workspace
    listed = await rows.months(db, workspace.id, forecast_id, clock(workspace, now).today)
    ranges = {
        one["key"]["month"]: one for one in told["groups"] if set(one["key"]) == {"month"} and one["key"]["month"]
    }

    def major(minor: int) -> float:
        return float(workspace.major(minor))

    first, end = (date.fromisoformat(told[name]) for name in ("from", "to"))
    drawn = []
    for one in _every(listed, first, end):
        found = ranges.get(one["month"].strftime("%Y-%m"), NOTHING if ranges and not one["renewals"] else {})
        over = one["closed"] == one["renewals"] > 0
        drawn.append(
            Month(
                one["month"], found.get("p05"), found.get("p50"), found.get("p95"), major(one["expected"]),
                major(one["kept"]) if over else None, major(one["due"]), found.get("target"), _part(one["month"], first, end),
            )
        )  # fmt: skip
    title = f"Renewals due {_spelled(first)} to {_spelled(end - timedelta(days=1))}"
    note = f"{told['skill']['verdict'].capitalize()}. {told['skill']['because']}" + ("" if ranges else f" {RANGES}")
    made = clock(workspace, datetime.fromisoformat(told["as_of"])).today
    if first < made:
        note += f" Of what was due before {_spelled(made)} only what was open then is in it."
    return await aside(lambda: fan(Fan(title, workspace.currency, tuple(drawn), None, note)))


async def backtest(
    db: Database,
    principal: Principal,
    now: datetime,
    start: str | None,
    end: str | None,
    lag: str | None,
    model: str | None,
) -> str:
    """Chances against what happened, as SVG text: of the model told, else of the one in charge, at the first lag. Raises
    Forbidden, Invalid."""
    told = msgspec.json.decode(await backtests.get(db, principal, now, start, end, lag))
    known = [one["model"] for one in told["scores"]]
    wanted = model if model is not None else told["in_charge"]
    if model is not None and model not in known:
        message = (
            f"Expected one of {', '.join(dict.fromkeys(known))}."
            if known
            else "Expected none: no model could be tried."
        )
        raise Invalid(faults=(Fault(message, parameter="model", suggestion=nearest(model, known)),))
    score = next((one for one in told["scores"] if one["model"] == wanted and one["lag"] == told["lags"][0]), None)
    ahead = told["lags"][0]
    title = f"Chances by {wanted}, told {'in the same month' if ahead == 0 else _ahead(ahead)}"
    bins = () if score is None else tuple(_bin(one) for one in score["calibration"])
    return await aside(lambda: calibration(Calibration(title, bins, told["words"])))


async def moved(db: Database, principal: Principal, now: datetime, ask: waterfalls.Ask) -> str:
    """What moved a forecast between two days, as SVG text; steps that nothing came of are left out. A CSM's is of the CSM's
    own accounts. Raises Forbidden, Invalid."""
    told = msgspec.json.decode(await waterfalls.get(db, principal, now, ask))
    first, last = (_spelled(date.fromisoformat(told[name])) for name in ("from", "to"))
    steps = tuple(Step(SAID[name], float(money)) for name, money in told["steps"].items() if money)
    drawn = Waterfall(
        f"Forecast from {first} to {last}", principal.workspace.currency, Step(f"On {first}", float(told["opening"])), steps,
        Step(f"On {last}", float(told["closing"])), told["words"],
    )  # fmt: skip
    return await aside(lambda: waterfall(drawn))


def _every(listed: Sequence[Record], first: date, end: date) -> Sequence[Mapping[str, Any]]:
    """Every month of `[first, end)`, those without renewals too, so that time runs evenly; none where nothing is due at all."""
    known: dict[date, Mapping[str, Any]] = {one["month"]: dict(one) for one in listed}
    if not known:
        return ()
    found: list[Mapping[str, Any]] = []
    month = first.replace(day=1)
    while month < end:
        found.append(known.get(month, {**EMPTY, "month": month}))
        month = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return found


def _part(month: date, first: date, end: date) -> str:
    """Which days of a month lie in `[first, end)`, where not all do."""
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    since = f"from {first.day} {MONTHS[month.month - 1]}" if month < first else ""
    until = f"to {(end - timedelta(days=1)).day} {MONTHS[month.month - 1]}" if following > end else ""
    return " ".join(filter(None, (since, until)))


def _bin(one: Mapping[str, Any]) -> Bin:
    return Bin(one["predicted"], one["renewed"], one["renewed_low"], one["renewed_high"], one["renewals"])


def _ahead(months_: int) -> str:
    return "a month ahead" if months_ == 1 else f"{months_} months ahead"


def _spelled(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
