"""/v1/lists/{id}/summary, /v1/accounts/summary, /v1/contacts/summary: records counted and measured in groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest import lists, related
from app.api.rest.lists import ID, PARAMS, TAG, WITHIN
from app.api.rest.parameters import LIMIT
from app.api.rest.reading import MEMBERS, READ, told
from app.api.routes import Parameter, Payload, Route
from app.domain.members import Members
from app.domain.summaries import MAX_GROUPINGS, MAX_MEASURES
from app.services import summaries
from app.services.asks import Ask

SUMMED = ("group_by", "measures")
BODY: Members = {
    **{
        name: MEMBERS[name]
        for name in ("filter", "criteria", "sort", "limit", "as_of", "on", "tz", "for_user", "archived")
    },
    "group_by": ((str, list), "an array of fields"),
    "measures": ((str, list), "an array of measures"),
}
"""What the body of a summary may say."""
_BY = f"at most {MAX_GROUPINGS} of: fields that group, `segment.<segmentation>`, `custom.<slug>`, `month(…)`, `quarter(…)` or `year(…)` of a time"
_MEASURED = f"at most {MAX_MEASURES} of: `count`, and `sum`, `average`, `min`, `max`, `median` of a number or money, as in `sum(arr)`"
_ORDER = (
    "one of the measures, or `name`, `-` for descending; the largest first measure comes first where it is left out"
)
ASKED = (
    Parameter("group_by", _BY, {"type": "string"}, example="segment.tier,stage"),
    Parameter("measures", _MEASURED, {"type": "string", "default": "count"}, example="count,sum(arr)"),
    Parameter("sort", _ORDER, {"type": "string"}),
    Parameter("limit", "groups that are shown", LIMIT.schema, example=10),
)
_FIGURES = {"type": "object", "additionalProperties": {"type": ["number", "string", "null"]}}
SUMMARY = {
    "type": "object",
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "key": {"type": "object", "description": "by what it was grouped; null where that is empty"},
                    "names": {"type": "object", "description": "what references among the key are called"},
                    "values": {**_FIGURES, "description": "the measures"},
                },
            },
        },
        "totals": {**_FIGURES, "description": "the measures of all groups together, shown or not"},
        "groups": {"type": "integer", "description": "how many groups there are"},
        "capped": {"type": "boolean", "description": "true: there are more than are shown"},
        "as_of": {"type": "string", "format": "date-time"},
        "windows": {"type": "array", "items": schemas.ref("Window")},
        "segmentations": schemas.DOUBTFUL,
        "notes": schemas.NOTES,
    },
}
_QUESTION: dict[str, Any] = schemas.QUESTION["properties"]
ENTERED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **{name: _QUESTION[name] for name in BODY if name in _QUESTION},
        "group_by": schemas.either(_BY),
        "measures": schemas.either(_MEASURED),
        "sort": schemas.either(_ORDER),
    },
}


async def of_list(request: Request) -> Answer:
    """The groups of what a list holds."""
    known = [one.name for one in (*ASKED, *WITHIN)]
    ask = await lists.asked(request, known, apart=(*SUMMED, "sort"))
    said = request.query(known, lists.PARAM)
    ask = replace(ask, sort=said.get("sort"))  # the list's own is of records
    return await _answer(request, ask, said.get("group_by"), said.get("measures"))


async def _answer(request: Request, ask: Ask, group_by: Any, measures: Any) -> Answer:
    found = await summaries.summarise(request.db, request.principal, ask, group_by, measures, request.now)
    tail = encoded(
        {
            "groups": found.groups.count, "capped": found.capped, "as_of": found.as_of, "windows": found.windows,
            "segmentations": found.segmentations, "notes": found.notes,
        }
    )  # fmt: skip
    return Answer(b'{"data":' + found.groups.data + b',"totals":' + found.groups.totals + b"," + tail[1:])


def asked_route(entity: str, tag: str) -> Route:
    """POST of a question's summary."""

    async def summarise(request: Request) -> Answer:
        request.query(())
        said = told(await request.object(), BODY)
        group_by, measures = (said.pop(name, None) for name in SUMMED)
        return await _answer(request, Ask(entity, **said, body=True), group_by, measures)

    example = {"group_by": ["csm"], "measures": ["count"], "filter": "ALL"}
    return Route("POST", f"/v1/{entity}/summary", READ, summarise, f"Count and measure {entity} in groups", tag,
                 "Groups and totals are of one moment. Empty values are a group of their own.",
                 answer=Payload(SUMMARY), body=Payload(ENTERED, example=example if entity == "accounts" else {"group_by": "role"}))  # fmt: skip


ROUTES = (
    Route("GET", "/v1/lists/{id}/summary", "lists.read", of_list, "Count and measure what a list holds, in groups", TAG,
          "Groups and totals are of one moment. Empty values are a group of their own.",
          parameters=(ID, *ASKED, *WITHIN, PARAMS), answer=Payload(SUMMARY)),
    asked_route("accounts", "accounts"),
    asked_route("contacts", related.TAG),
)  # fmt: skip
