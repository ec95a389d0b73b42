"""Reads of catalogue entities: one declaration per address gives the handler and its documentation."""

from __future__ import annotations

from typing import Literal

from app.api import schemas
from app.api.conditions import tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.parameters import FIELDS, IF_NONE_MATCH, INCLUDE, QUESTION
from app.api.routes import Handler, Parameter, Payload, Route
from app.domain.catalogue import ENTITIES
from app.services import reads
from app.services.reads import Ask

NAMES = frozenset(parameter.name for parameter in QUESTION)
SHOWN = frozenset(("fields", "include"))
READ = "records.read"


def envelope(answer: reads.Answer, limit: int) -> Answer:
    """A page as it came from the database, within its envelope."""
    tail = encoded(
        {
            "page": {"next": answer.next, "limit": limit},
            "count": None if answer.count is None else {"value": answer.count[0], "exact": answer.count[1]},
            "as_of": answer.as_of,
            "windows": answer.windows,
        }
    )
    return Answer(b'{"data":' + answer.data + b"," + tail[1:])


def collection_routes(entity: str, path: str, tag: str) -> tuple[Route, Route]:
    """GET of a collection, and POST of the same question as a body."""
    page = Payload(schemas.collection(schemas.ref(schemas.title(ENTITIES[entity]))))
    noun = entity if entity != "usage" else "usage"
    return (
        Route("GET", path, READ, _collection(entity), f"Find {noun}", tag, parameters=QUESTION, answer=page),
        Route(
            "POST", f"{path}/query", READ, _query(entity), f"Find {noun}, asked by a body", tag,
            "The same as the parameters of GET, with `filter` as text or `criteria` as a tree; lists are arrays.",
            answer=page, body=Payload(schemas.question(), example=_EXAMPLE),
        ),
    )  # fmt: skip


def one_route(entity: str, path: str, by: Literal["id", "external_id", "slug"], key: Parameter, tag: str) -> Route:
    """GET of one record."""
    return Route(
        "GET", path, READ, _one(entity, by), f"One of the {entity}", tag, parameters=(key, FIELDS, INCLUDE, IF_NONE_MATCH),
        headers=("ETag",), answer=Payload(schemas.ref(schemas.title(ENTITIES[entity]))),
    )  # fmt: skip
