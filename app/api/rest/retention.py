"""/v1/retention: GRR, NRR, logo churn and renewal rates of a period, with what they are of, and account by account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.envelopes import envelope, paging, with_members
from app.api.rest.parameters import ARCHIVED, CURSOR, FILTER, IDENTITY, LIMIT
from app.api.routes import Parameter, Payload, Route
from app.domain.forecasting.retention import NAMES
from app.services import retention
from app.services.retention import Wanted

TAG = "retention"
_DAY: dict[str, Any] = {"type": "string", "format": "date"}
_TEXT: dict[str, Any] = {"type": "string"}
_TEXT_OR_NONE: dict[str, Any] = {"type": ["string", "null"]}
_COUNT: dict[str, Any] = {"type": "integer"}
_MONEY: dict[str, Any] = {"type": "number"}
FROM = Parameter(
    "from",
    "the first day: whoever has money in force on it is active at the start; a year before `to` where it is left out",
    _DAY,
)
TO = Parameter("to", "the day after the last one, on which money is compared; today where it is left out", _DAY)
GROUP_BY = Parameter(
    "group_by", "at most 3 of: `month`, `quarter` or `year`, which make a series; `csm`, `lane`, `product`, `segment.<slug>`", _TEXT,
    example="quarter",
)  # fmt: skip
PRODUCT = Parameter("product", "the slug of a product: of the contracts those of it alone", _TEXT)
FIGURE = Parameter("figure", "whose contributions", {"type": "string", "enum": list(NAMES), "default": retention.USUAL})
SORT = Parameter(
    "sort", "by contribution", {"type": "string", "enum": list(retention.ORDERS), "default": retention.ORDERS[0]}
)
OF_SCOPE = (FROM, TO, FILTER, PRODUCT, ARCHIVED)
_RENEWALS: dict[str, Any] = {
    "type": ["integer", "null"],
    "description": "terms that ended; null of figures that are not of renewals",
}
_OPEN: dict[str, Any] = {"renewals": _COUNT, "arr": _MONEY}
_FIGURE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "value": {"type": ["number", "null"], "description": "null where the denominator is nought"},
        "numerator": {"type": "number", "description": "the sum of the accounts' contributions, to the cent"}, "of": _TEXT,
        "denominator": {"type": "object", "properties": {"accounts": _COUNT, "renewals": _RENEWALS, "arr": _MONEY}},
        "cohort": {**_TEXT, "description": "who is in it"},
    },
}  # fmt: skip
_FIGURES: dict[str, Any] = dict.fromkeys(NAMES, _FIGURE)
_APART: dict[str, Any] = {"accounts": _COUNT, "arr": _MONEY, "because": _TEXT}
SCOPE: dict[str, Any] = {
    "type": "object", "properties": {"filter": _TEXT_OR_NONE, "product": _TEXT_OR_NONE, "words": _TEXT},
}  # fmt: skip
RETENTION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "from": _DAY, "to": _DAY, "as_of": {"type": "string", "format": "date-time"}, "currency": _TEXT, "scope": SCOPE, **_FIGURES,
        "left_out": {"type": "object", "properties": _APART},
        "open": {"type": "object", "properties": {**_OPEN, "because": _TEXT}},
        "without_contracts": {"type": "object", "properties": _APART},
        "groups": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "key": {"type": "object"}, "from": _DAY, "to": _DAY, **_FIGURES, "open": {"type": "object", "properties": _OPEN},
                },
            },
        },
        "segmentations": schemas.DOUBTFUL,
    },
}  # fmt: skip
CONTRIBUTION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": IDENTITY, "external_id": _TEXT_OR_NONE, "name": _TEXT, "figure": {"type": "string", "enum": list(NAMES)},
        "contribution": {"type": "number", "description": "its part of the numerator"},
        "denominator": {"type": "number", "description": "its part of the denominator"},
        "change": {"type": "number", "description": "the one less the other"}, "in_cohort": {"type": "boolean"},
        **dict.fromkeys(("start", "end", "due", "renewed", "open"), _MONEY),
    },
}  # fmt: skip
ABOUT = (
    "GRR, NRR and logo churn are of accounts with money in force on the first day; new and returning ones are left out. The "
    "renewal rates have another denominator: what was due in the period and has been decided. What an account pays on a day "
    "follows from its contracts in force on it; one that renews another ahead of its day counts from the end of that one."
)


def wanted(said: Mapping[str, str]) -> Wanted:
    """The scope that a query string says."""
    return Wanted(
        said.get("from"), said.get("to"), said.get("filter"), None, said.get("group_by"), said.get("product"), said.get("archived")
    )  # fmt: skip


def names(*parameters: Parameter) -> tuple[str, ...]:
    """What may be said."""
    return tuple(one.name for one in parameters)


async def figures(request: Request) -> Answer:
    """The figures of a period."""
    said = request.query(names(*OF_SCOPE, GROUP_BY))
    return Answer(encoded(await retention.read(request.db, request.principal, wanted(said), request.now)))


async def accounts(request: Request) -> Answer:
    """A page of what accounts contribute to a figure."""
    page = paging(request, *names(*OF_SCOPE, FIGURE, SORT))
    told, after = page.told, cast(Any, page.after)
    found = await retention.accounts(
        request.db,
        request.principal,
        wanted(told),
        told.get("figure"),
        told.get("sort"),
        after,
        page.limit,
        request.now,
    )
    answer = envelope([encoded(one) for one in found.data], request.now, page.limit, page.cursor(found.following))
    return with_members(answer, {"segmentations": found.segmentations}) if found.segmentations else answer


ROUTES = (
    Route("GET", "/v1/retention", retention.READ, figures, "Retention of a period, with denominators", TAG, ABOUT,
          parameters=(*OF_SCOPE, GROUP_BY), answer=Payload(RETENTION), problems=("invalid", "unreadable")),
    Route("GET", "/v1/retention/accounts", retention.READ, accounts, "What each account contributes to a figure", TAG,
          "The contributions of all pages add up to the figure's numerator, to the cent. Accounts outside its cohort contribute "
          "nought.", parameters=(*OF_SCOPE, FIGURE, SORT, LIMIT, CURSOR), answer=Payload(schemas.collection(CONTRIBUTION)),
          problems=("invalid", "unreadable")),
)  # fmt: skip
