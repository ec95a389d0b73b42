"""/v1/catalog: what can be asked for."""

from __future__ import annotations

from typing import Any

from app.api.conditions import tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.parameters import IF_NONE_MATCH
from app.api.routes import Payload, Route
from app.services import catalog

_TEXT: dict[str, Any] = {"type": "string"}
_TEXT_OR_NONE: dict[str, Any] = {"type": ["string", "null"]}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_FLAG: dict[str, Any] = {"type": "boolean"}
_JSON: dict[str, Any] = {"type": "object", "description": "names in braces stand for what is put there"}


def _each(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": properties}}


_FIELDS = _each(
    path=_TEXT, label=_TEXT, group=_TEXT, answered_as=_TEXT, kind=_TEXT, description=_TEXT_OR_NONE, unit=_TEXT_OR_NONE, optional=_FLAG,
    writable=_FLAG, filterable=_FLAG, sortable=_FLAG, groupable=_FLAG,
    foldable={**_FLAG, "description": "of related rows: whether functions are taken of it"}, operators=_TEXTS,
    values={"type": ["array", "null"], "items": _TEXT}, target=_TEXT_OR_NONE, minimum={"type": ["number", "null"]},
    maximum={"type": ["number", "null"]},
)  # fmt: skip
CATALOG = {
    "type": "object",
    "properties": {
        "entities": _each(
            name=_TEXT, singular=_TEXT, time_field=_TEXT_OR_NONE, searched=_TEXTS,
            columns={"type": ["array", "null"], "items": _TEXT}, mine=_TEXT_OR_NONE, fields=_FIELDS,
            relations=_each(name=_TEXT, target=_TEXT, many=_FLAG, time_field=_TEXT_OR_NONE, asked=_FLAG),
        ),
        "kinds": _each(name=_TEXT, description=_TEXT, operators=_TEXTS, example={}, text=_TEXT_OR_NONE),
        "operators": _each(name=_TEXT, label=_TEXT, of=_TEXT, takes=_TEXT, text=_TEXT, json=_JSON, kinds=_TEXTS),
        "joined": _each(name=_TEXT, text=_TEXT, json=_JSON),
        "functions": _each(
            name=_TEXT, label=_TEXT, family=_TEXT, signature=_TEXT, json=_JSON, gives=_TEXT_OR_NONE, description=_TEXT,
            example=_TEXT, takes=_TEXTS, optional=_TEXTS,
        ),
        "windows": {"type": "object"},
        "references": _each(label=_TEXT, text=_TEXT, json=_JSON, description=_TEXT, kinds=_TEXTS, types=_TEXTS),
        "known": _each(target=_TEXT, whole=_FLAG, values=_each(value=_TEXT, name=_TEXT)),
        "people": _TEXTS, "keywords": _TEXTS, "limits": {"type": "object"},
        "problems": _each(code=_TEXT, severity=_TEXT, description=_TEXT),
        "costs": _each(**{"class": _TEXT, "description": _TEXT}),
        "examples": _TEXTS,
    },
}  # fmt: skip


async def get(request: Request) -> Answer:
    """The catalogue of the caller's workspace."""
    request.query(())
    described = catalog.describe(request.principal)
    return tagged(request, encoded({**described, "known": await catalog.known(request.db, request.principal)}), None)


ROUTES = (
    Route("GET", "/v1/catalog", "catalog.read", get, "What can be asked for", "catalog",
          "Entities, their fields with kinds, operators and known values, relations, and what criteria are made of; "
          "the workspace's own attributes, segmentations and slugs included. Enough to draw a filter builder from.",
          parameters=(IF_NONE_MATCH,), headers=("ETag",), answer=Payload(CATALOG)),
)  # fmt: skip
