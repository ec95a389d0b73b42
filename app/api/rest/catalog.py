"""/v1/catalog: what can be asked for."""

from __future__ import annotations

from app.api.conditions import tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.parameters import IF_NONE_MATCH
from app.api.routes import Payload, Route
from app.services import catalog

_OBJECTS = {"type": "array", "items": {"type": "object"}}
_OBJECT = {"type": "object"}
CATALOG = {
    "type": "object",
    "properties": {
        "entities": _OBJECTS, "windows": _OBJECT, "functions": _OBJECTS, "limits": _OBJECT,
        "people": {"type": "array", "items": {"type": "string"}}, "examples": {"type": "array", "items": {"type": "string"}},
    },
}  # fmt: skip


async def get(request: Request) -> Answer:
    """The catalogue of the caller's workspace."""
    request.query(())
    return tagged(request, encoded(catalog.describe(request.principal)), None)


ROUTES = (
    Route("GET", "/v1/catalog", "catalog.read", get, "What can be asked for", "catalog",
          "Entities, their fields with types, operators and known values, relations, and what criteria are made of; "
          "the workspace's own attributes and segmentations included.",
          parameters=(IF_NONE_MATCH,), headers=("ETag",), answer=Payload(CATALOG)),
)  # fmt: skip
