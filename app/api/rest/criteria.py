"""/v1/criteria: criteria read, printed, checked and tried out."""

from __future__ import annotations

from typing import Any

import msgspec

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.routes import Payload, Route
from app.domain.catalogue import ENTITIES
from app.domain.criteria.cost import CLASSES
from app.services import criteria

_TEXT: dict[str, Any] = {"type": "string"}
_TEXT_OR_NONE: dict[str, Any] = {"type": ["string", "null"]}
_NUMBER_OR_NONE: dict[str, Any] = {"type": ["integer", "null"]}
_CRITERIA = schemas.CRITERIA
_TREE: dict[str, Any] = {"type": "object", "description": 'criteria as a tree: `{"v": 1, "filter": …}` or a node'}
_ENTITY: dict[str, Any] = {"type": "string", "enum": list(ENTITIES)}
_PLACE: dict[str, Any] = {
    "pointer": {**_TEXT_OR_NONE, "description": "JSON pointer into the body"},
    "line": _NUMBER_OR_NONE,
    "column": _NUMBER_OR_NONE,
}
_WITHIN = {"type": "string", "description": "JSON pointer into the body; of text, into the tree that it says"}
_WINDOWS: dict[str, Any] = {"type": "array", "items": schemas.ref("Window")}
_COST: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {"class": {"type": "string", "enum": list(CLASSES)}, "reason": _TEXT},
}
_ASKED: dict[str, Any] = {
    "entity": _ENTITY,
    "filter": {**_TEXT_OR_NONE, "description": "criteria as text"},
    "criteria": schemas.nullable(_CRITERIA),
    "params": {"type": ["object", "null"], "description": "a value for each `$name`"},
    "as_of": _TEXT_OR_NONE,
    "tz": _TEXT_OR_NONE,
    "for_user": _TEXT_OR_NONE,
}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


SPELLED = _object({"text": _TEXT, "tree": _TREE, "english": _TEXT}, "text", "tree", "english")
CHECKED = _object(
    {
        "ok": {"type": "boolean", "description": "whether it can be asked; warnings do not stand against it"},
        "problems": {
            "type": "array",
            "items": _object(
                {
                    "severity": {"type": "string", "enum": ["error", "warning"]},
                    "code": {**_TEXT, "description": "one of `problems` of the catalogue"},
                    "message": _TEXT,
                    **_PLACE,
                    "suggestion": _TEXT_OR_NONE,
                },
                "severity", "code", "message", "pointer", "line", "column", "suggestion",
            ),
        },
        "windows": _WINDOWS,
        "cost": _COST,
        "english": _TEXT_OR_NONE,
        "segmentations": schemas.DOUBTFUL,
    },
    "ok", "problems", "windows", "cost", "english", "segmentations",
)  # fmt: skip
PREVIEW = _object(
    {
        "count": {"type": "integer"},
        "sample": {"type": "array", "items": {"type": "object"}, "maxItems": criteria.SAMPLE},
        "as_of": {"type": "string", "format": "date-time"},
        "windows": _WINDOWS,
        "ranks": {"type": "array", "items": schemas.ref("Rank")},
        "notes": schemas.NOTES,
        "matched_because_empty": {
            "type": "object",
            "description": "how many match only because a value of theirs is empty, in all and by leaf",
            "properties": {
                "count": {"type": "integer"},
                "leaves": {"type": "array", "items": _object({"text": _TEXT, **_PLACE, "pointer": _WITHIN, "count": {"type": "integer"}})},
            },
        },
        "cost": _COST,
        "english": _TEXT,
        "segmentations": schemas.DOUBTFUL,
    },
    "count", "sample", "as_of", "windows", "ranks", "notes", "matched_because_empty", "cost", "english", "segmentations",
)  # fmt: skip


async def parse(request: Request) -> Answer:
    """Text as canonical text, tree and English."""
    request.query(())
    return json(await criteria.parse(request.db, request.principal, await request.object()))


async def format(request: Request) -> Answer:
    """A tree in the same spellings."""
    request.query(())
    return json(await criteria.format(request.db, request.principal, await request.object()))


async def check(request: Request) -> Answer:
    """What is wrong, and what is odd."""
    request.query(())
    return json(await criteria.check(request.db, request.principal, await request.object(), request.now))


async def preview(request: Request) -> Answer:
    """What it would hold."""
    request.query(())
    found = await criteria.preview(request.db, request.principal, await request.object(), request.now)
    return json({**found, "sample": msgspec.Raw(found["sample"])})


TAG = "criteria"
_EXAMPLE = {"entity": "accounts", "filter": "renewal_date IN next(90d) AND health < 50"}
ROUTES = (
    Route("POST", "/v1/criteria/parse", criteria.OPERATION, parse, "Text as a tree, and in English", TAG,
          "The text as it is spelled canonically, the tree that it says, and a sentence. What it names need not be there.",
          answer=Payload(SPELLED),
          body=Payload(_object({"entity": _ENTITY, "text": _TEXT}, "entity", "text"),
                       example={"entity": "accounts", "text": "health < 50 and none(interactions, last(30d))"})),
    Route("POST", "/v1/criteria/format", criteria.OPERATION, format, "A tree as text, and in English", TAG,
          answer=Payload(SPELLED),
          body=Payload(_object({"entity": _ENTITY, "criteria": _CRITERIA}, "entity", "criteria"),
                       example={"entity": "accounts", "criteria": {"op": "cmp", "of": "health", "cmp": "lt", "value": 50}})),
    Route("POST", "/v1/criteria/check", criteria.OPERATION, check, "What is wrong with criteria, and what is odd", TAG,
          "Criteria that cannot be read, or mean nothing here, are answered with errors among the `problems`; what can be "
          "asked but hardly is what was wanted, with warnings. Either `filter` or `criteria`.",
          answer=Payload(CHECKED), body=Payload(_object(_ASKED, "entity"), example=_EXAMPLE)),
    Route("POST", "/v1/criteria/preview", criteria.OPERATION, preview, "Try criteria out", TAG,
          "How many records match, the first ten of them, the bounds of every window, and how many match only because a "
          "value is empty. Either `filter` or `criteria`.",
          answer=Payload(PREVIEW),
          body=Payload(_object({**_ASKED, "columns": {"type": ["array", "null"], "items": _TEXT}}, "entity"), example=_EXAMPLE)),
)  # fmt: skip
