"""/v1/forecasts: renewal forecasts, computed once and kept."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from app.api import schemas
from app.api.conditions import call, tagged
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import CURSOR, IDEMPOTENCY_KEY, IDENTITY, IF_NONE_MATCH, LIMIT, MOMENT, path
from app.api.rest.writes import answered
from app.api.routes import Parameter, Payload, Route
from app.domain.forecasting import supposed
from app.domain.forecasting.asked import MAX_GROUPS, MOST_WAYS
from app.domain.forecasting.ledger import CATEGORIES
from app.domain.forecasting.rows import ROWS, SORTS
from app.services import forecasts

_DAY = {"type": "string", "format": "date"}
_MONEY = {"type": ["number", "null"]}
_CHANCE = {"type": ["number", "null"]}
DUE = {
    "type": "object",
    "properties": {
        "renewals": {"type": "integer"}, "accounts": {"type": "integer", "description": "that they are of, each once"},
        "arr": {"type": "number"},
    },
}  # fmt: skip
_SPREAD = {"expected": _MONEY, "p05": _MONEY, "p50": _MONEY, "p95": _MONEY}
_TOTALS = {
    "due": DUE, "expected_renewals": {"type": "number", "description": "how many of them come, on average"}, **_SPREAD, "target": _MONEY, "target_probability": _CHANCE,
    "net": {"type": "object", "description": "with what is bought more", "properties": {**_SPREAD, "target_probability": _CHANCE}},
}  # fmt: skip
_SCENARIO = {"type": ["object", "null"], "description": "its slug, its name, and the shift of each lane in logits"}
_GROUPS = {"type": "array", "items": {"type": "object", "properties": {"key": {"type": "object"}, **_TOTALS}}}
_SKILL = {"type": "object", "description": "whether the model in charge beats a simpler one on past renewals, and why"}
FORECAST = {
    "type": "object",
    "properties": {
        "id": schemas.nullable(IDENTITY), "from": _DAY, "to": _DAY, "as_of": {"type": "string", "format": "date-time"},
        "scenario": _SCENARIO, **_TOTALS,
        "model": {"enum": ["segment", "logistic"], "description": "which is in charge"},
        "months_ahead": {"type": "integer", "description": "so far ahead both models were replayed: half of the renewals are due so soon"},
        "skill": _SKILL,
        "challenger": {"type": ["object", "null"], "description": "the verdict of the regression over the segment rate"},
        "drift": {"type": "object", "description": "how past months moved all chances, in logits"},
        "lanes": {"type": "array", "items": {"type": "object"}, "description": "the measured shift of each lane, in logits"},
        "reasons": {"type": "object", "description": "names of the reasons of each renewal, and the base that they start from"},
        "without_date": {
            "type": "object", "description": "what is in force and not in it, as nothing says when it renews",
            "properties": {
                "contracts": {"type": "integer"}, "accounts": {"type": "integer"}, "arr": {"type": "number"}, "because": {"type": "string"},
            },
        },
        "overdue": {
            "type": "object", "description": "what was due before the period and is open; a forecast from `since` on has it in it",
            "properties": {
                "renewals": {"type": "integer"}, "arr": {"type": "number"}, "since": schemas.nullable(_DAY), "because": {"type": "string"},
            },
        },
        "groups": _GROUPS, "rates": {"type": "array", "items": {"type": "object"}}, "segmentations": schemas.DOUBTFUL,
    },
}  # fmt: skip
WHAT_IF = {
    "type": "array",
    "maxItems": supposed.MOST,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "where": {**schemas.CRITERIA, "description": "the accounts meant; all where it is left out"},
            "shift": {"type": "number", "description": "logits that move the chance"},
            "probability": {"type": "number", "description": "the chance instead, 0 to 1"},
            "arr_factor": {
                "type": "number",
                "description": "what multiplies the price that is paid on renewal; above what is due it shows in net",
            },
        },
    },
    "description": "what is supposed of accounts, in this order; nothing is written",
}
_WAY = {
    "scenario": {"type": ["string", "null"], "description": "the slug of a scenario whose shifts move the chances"},
    "lanes": {"type": "object", "description": "shifts told instead of the scenario's, in logits", "additionalProperties": {"type": "number"}},
    "what_if": WHAT_IF,
}  # fmt: skip
_NAME = {"type": ["string", "null"], "description": "what it is called, told again in the answer"}
_ASKED = {
    "from": {**_DAY, "description": "first day of the period; today where it is left out"},
    "to": {**_DAY, "description": "the day after the last one of the period; a year after `from` where it is left out"},
    "as_of": {**MOMENT, "description": "a day, to its end in the workspace's zone, or an instant; now where it is left out"},
    "where": {**schemas.CRITERIA, "description": "criteria that an account meets"},
    "group_by": {**schemas.strings("month, quarter, csm, lane, product, segment.<slug>"), "maxItems": MAX_GROUPS},
    "target": {"type": "number", "description": "renewed ARR whose probability is asked for"},
    "targets": {
        "type": "array", "maxItems": supposed.MOST_TARGETS, "description": "the same of groups",
        "items": {
            "type": "object", "additionalProperties": False, "required": ["key", "target"],
            "properties": {"key": {"type": "object"}, "target": {"type": "number"}},
        },
    },
}  # fmt: skip
ASKED = {"type": "object", "additionalProperties": False, "properties": {**_ASKED, **_WAY}}
COMPARED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["scenarios"],
    "properties": {
        **_ASKED,
        "scenarios": {
            "type": "array", "minItems": 2, "maxItems": MOST_WAYS,
            "items": {"anyOf": [
                {"type": ["string", "null"]},
                {"type": "object", "additionalProperties": False, "properties": {"name": _NAME, **_WAY}},
            ]},
        },
    },
}  # fmt: skip
COMPARISON = {
    "type": "object",
    "properties": {
        "from": _DAY, "to": _DAY, "as_of": {"type": "string", "format": "date-time"}, "due": DUE, "model": {"type": "string"},
        "words": {"type": "string", "description": "whose groups these are"}, "skill": _SKILL,
        "scenarios": {"type": "array", "items": {"type": "object", "properties": {"name": _NAME, "scenario": _SCENARIO, **_TOTALS, "groups": _GROUPS}}},
        "segmentations": schemas.DOUBTFUL,
        "differences": {
            "type": "array", "description": "what each has more than the first, whole and by group",
            "items": {"type": "object", "properties": {"name": _NAME, "scenario": {"type": ["string", "null"]}, **_SPREAD}},
        },
    },
}  # fmt: skip
RENEWAL = {
    "type": "object",
    "properties": {
        "renewal_id": {**IDENTITY, "description": "the contract, or the account where it has none"}, "account_id": IDENTITY,
        "name": {"type": "string"}, "product": {"type": ["string", "null"]}, "lane": {"type": ["string", "null"]},
        "due_on": _DAY, "arr": {"type": "number"}, "probability": {"type": "number", "description": "that it renews, as expected_renewals counts it"},
        "money_probability": {**_CHANCE, "description": "the same weighed by money: large renewals differ from small ones"},
        "kept_share": {**_CHANCE, "description": "of what is due, kept on average if it renews"},
        "paid_share": {**_CHANCE, "description": "the same with what is bought more"},
        "expected": {"type": "number", "description": "arr * money_probability * kept_share, to the cent"},
        "expected_net": {"type": "number", "description": "arr * money_probability * paid_share, to two cents"},
        "expected_loss": {"type": "number", "description": "arr less expected"},
        "p05": {**_MONEY, "description": "in 5 of 100 such renewals no more is kept; null where it was forecast before that was told"},
        "p95": {**_MONEY, "description": "in 95 of 100 such renewals no more is kept"},
        "call": {
            "type": ["object", "null"],
            "description": "what somebody calls of all that the account has due on that day; null where nothing is called",
            "properties": {
                "category": {"type": "string", "enum": list(CATEGORIES)}, "probability": {"type": "number"},
                "amount": {"type": "number", "description": "what the renewal brings if it comes"},
            },
        },
        "base": {"type": "number"},
        "logit": {"type": "number", "description": "of the probability: the base and all reasons"},
        "reasons": {"type": "array", "items": {
            "type": "object", "properties": {"name": {"type": "string"}, "logit": {"type": "number"}},
        }},
    },
}  # fmt: skip
_FILTER = Parameter("filter", "criteria that the account meets now", {"type": "string"})
_ROW_FILTER = Parameter(
    "row_filter",
    f"criteria that the renewal meets itself, of {', '.join(ROWS.fields)}",
    {"type": "string"},
    example="expected_loss >= 10000 AND probability < 0.8",
)
_SORT = Parameter(
    "sort", f"{', '.join(SORTS)}, or one of them after a minus; due_on where it is left out", {"type": "string"}
)


async def every(request: Request) -> Answer:
    """A page of forecasts, newest first."""
    page = paging(request)
    before = cast(UUID, page.after[0]) if page.after else None
    found, following = await forecasts.latest(request.db, request.principal, page.limit, before)
    return envelope(found, request.now, page.limit, page.cursor((following,) if following else None))


async def one(request: Request) -> Answer:
    """A kept forecast."""
    request.query(())
    return tagged(request, await forecasts.get(request.db, request.principal, request.uuid(0)), forecasts.FIRST_VERSION)


async def create(request: Request) -> Answer:
    """A new forecast."""
    request.query(())
    body = await request.object()
    written = await forecasts.create(request.db, call(request, body), body)
    return answered(written, f"/v1/forecasts/{written.id}")


async def preview(request: Request) -> Answer:
    """A forecast that is not kept."""
    request.query(())
    body = await request.object()
    return Answer(await forecasts.preview(request.db, request.principal, request.now, body), 200)


async def compare(request: Request) -> Answer:
    """The same renewals under several scenarios."""
    request.query(())
    body = await request.object()
    return Answer(await forecasts.compare(request.db, request.principal, request.now, body), 200)


async def accounts(request: Request) -> Answer:
    """A page of the renewals of a forecast."""
    page = paging(request, "filter", "row_filter", "sort")
    told = page.told
    ask = forecasts.Ask(told.get("filter"), told.get("row_filter"), told.get("sort"), page.limit, page.after)
    found, keys, more = await forecasts.accounts(request.db, request.principal, request.now, request.uuid(0), ask)
    return envelope(found, request.now, page.limit, page.cursor(keys[-1] if more else None))


ROUTES = (
    Route("GET", "/v1/forecasts", "forecasts.read", every, "Forecasts, newest first", "forecasts",
          parameters=(LIMIT, CURSOR), answer=Payload(schemas.collection(FORECAST))),
    Route("POST", "/v1/forecasts", "forecasts.create", create, "Forecast the renewals due in a period", "forecasts",
          "Every member may be left out. The answer is kept.",
          parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=Payload(FORECAST),
          body=Payload(ASKED, example={"group_by": ["month"]})),
    Route("POST", "/v1/forecasts/preview", "forecasts.read", preview, "What if: a forecast that is not kept", "forecasts",
          "Takes what making one takes. Nothing is written.",
          answer=Payload(FORECAST), problems=("invalid",),
          body=Payload(ASKED, example={"what_if": [{"where": "health < 50", "shift": -1}]})),
    Route("POST", "/v1/forecasts/compare", "forecasts.read", compare, "The same renewals under several scenarios", "forecasts",
          "With the difference of each to the first, group by group; groups, lanes among them, are those of the first. Nothing is "
          "written.",
          answer=Payload(COMPARISON), problems=("invalid",),
          body=Payload(COMPARED, example={"scenarios": [None, {"what_if": [{"shift": -0.5}]}], "group_by": ["lane"]})),
    Route("GET", "/v1/forecasts/{id}/accounts", "forecasts.read", accounts, "What each renewal is expected to bring, and why",
          "forecasts", "A row per renewal; base and reasons add up to the logit of its probability. `expected` is `arr` times "
          "`money_probability` times `kept_share`, rounded so that rows add up to the cent.",
          parameters=(path("id", "of the forecast", IDENTITY), _FILTER, _ROW_FILTER, _SORT, LIMIT, CURSOR),
          answer=Payload(schemas.collection(RENEWAL)), problems=("invalid",)),
    Route("GET", "/v1/forecasts/{id}", "forecasts.read", one, "A forecast as it was computed", "forecasts",
          parameters=(path("id", "of the forecast", IDENTITY), IF_NONE_MATCH), headers=("ETag",), answer=Payload(FORECAST)),
)  # fmt: skip
