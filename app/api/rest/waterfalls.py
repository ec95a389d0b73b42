"""/v1/forecasts/waterfall: what moved a forecast between two days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from app.api import schemas
from app.api.requests import Request
from app.api.responses import JSON, Answer, encoded
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import CURSOR, FILTER, IDENTITY, LIMIT
from app.api.routes import Parameter, Payload, Route
from app.domain.forecasting.ledger import STEPS
from app.services import waterfalls
from app.services.waterfalls import BASES, Ask

DAY = {"type": "string", "format": "date"}
NUMBER, COUNT, TEXT = {"type": "number"}, {"type": "integer"}, {"type": "string"}
TOLD: Mapping[str, str] = {
    "entered": "renewals that were not there before", "moved_in": "that were due outside the period before",
    "left": "that are not forecast any more", "moved_out": "that are due outside the period now",
    "renewed": "that closed and brought something, against what was forecast", "churned": "that closed and brought nothing",
    "amount_up": "more is due", "amount_down": "less is due", "likelihood_up": "more likely", "likelihood_down": "less likely",
    "called": "what people call differs from what is computed, and by how much that changed",
}  # fmt: skip
SUMMED: dict[str, Any] = {
    "renewals": COUNT, "opening": NUMBER,
    "steps": {"type": "object", "properties": {step: {**NUMBER, "description": TOLD[step]} for step in STEPS}}, "closing": NUMBER,
}  # fmt: skip
SIDE = {
    "type": "object",
    "properties": {
        "day": DAY, "as_of": {"type": ["string", "null"], "format": "date-time"},
        "forecast_id": schemas.nullable(dict(IDENTITY)), "calls": {**COUNT, "description": "calls by hand that stood then"},
    },
}  # fmt: skip
GROUP = {"type": "object", "properties": {"key": {"type": "object"}, **SUMMED}}
WATERFALL = {
    "type": "object",
    "properties": {
        "from": DAY, "to": DAY, "due_from": DAY, "due_to": DAY, "basis": {**TEXT, "enum": list(BASES)}, "words": TEXT,
        "before": SIDE, "after": SIDE, **SUMMED, "groups": {"type": "array", "items": GROUP},
    },
}  # fmt: skip
OF_ACCOUNT = {"type": "object", "properties": {"account_id": IDENTITY, "name": {"type": ["string", "null"]}, **SUMMED}}
NAMES = ("from", "to", "due_from", "due_to", "filter", "group_by", "basis")
PARAMETERS = (
    Parameter("from", "the day that the waterfall begins at; 30 days before `to` where it is left out", DAY),
    Parameter("to", "the day that it ends at; today where it is left out", DAY),
    Parameter("due_from", "the first day on which renewals are due; `from` where it is left out", DAY),
    Parameter("due_to", "the day after the last one; a year after `due_from` where it is left out", DAY),
    FILTER,
    Parameter("basis", "`kept`: between forecasts that were kept by then; `recomputed`: both days computed from today's records. "
              "Kept ones are taken where both days have one", {**TEXT, "enum": list(BASES)}),
)  # fmt: skip
GROUP_BY = Parameter("group_by", "month, quarter, csm, lane, product, segment.<slug>, separated by commas", TEXT)


async def get(request: Request) -> Answer:
    """The waterfall."""
    found = await waterfalls.get(request.db, request.principal, request.now, asked(request.query(NAMES)))
    return Answer(found, 200, [JSON])


async def accounts(request: Request) -> Answer:
    """A page of accounts."""
    page = paging(request, *(name for name in NAMES if name != "group_by"))
    after = None if page.after is None else (cast(int, page.after[0]), cast(UUID, page.after[1]))
    found, keys, more = await waterfalls.accounts(
        request.db, request.principal, request.now, asked(page.told), after, page.limit
    )
    return envelope([encoded(row) for row in found], request.now, page.limit, page.cursor(keys[-1] if more else None))


def asked(told: Mapping[str, str]) -> Ask:
    """What the parameters ask for."""
    groups = tuple(told["group_by"].split(",")) if "group_by" in told else ()
    return Ask(
        told.get("from"), told.get("to"), told.get("due_from"), told.get("due_to"), told.get("filter"), groups, told.get("basis")
    )  # fmt: skip


ROUTES = (
    Route("GET", "/v1/forecasts/waterfall", waterfalls.READ, get, "What moved the forecast between two days", "forecasts",
          "Opening and all steps add up to closing, to the cent, in total and in every group. What has closed counts with what it "
          "brought. Steps are taken in this order, and what a step comes to depends on it: an amount's change counts at "
          "the chance of the earlier day, and what remains is the chance's. Filters and groups go by what accounts are today: who has churned has an ARR of 0 by now, so "
          "that `arr >= 50000` leaves the losses out.",
          parameters=(*PARAMETERS, GROUP_BY), answer=Payload(WATERFALL), problems=("invalid",)),
    Route("GET", "/v1/forecasts/waterfall/accounts", waterfalls.READ, accounts, "What each account adds to a waterfall", "forecasts",
          "Those that moved it most come first. All of them add up to the waterfall, to the cent.",
          parameters=(*PARAMETERS, LIMIT, CURSOR), answer=Payload(schemas.collection(OF_ACCOUNT)), problems=("invalid",)),
)  # fmt: skip
