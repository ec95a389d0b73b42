"""Reads of catalogue entities: one declaration per address gives the handler and its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any, Literal

from app.api import schemas
from app.api.conditions import tagged
from app.api.requests import KEPT, LONGEST_KEPT, Request, read
from app.api.responses import Answer, encoded
from app.api.rest.parameters import ACCOUNT, FIELDS, IF_NONE_MATCH, INCLUDE, QUESTION
from app.api.routes import Parameter, Payload, Route
from app.domain.catalogue import ENTITIES
from app.domain.errors import Invalid
from app.domain.members import Members, misfits
from app.domain.records import MAX_FAULTS
from app.services import ranks, reads
from app.services.asks import Ask

READ = "records.read"
NAMES = tuple(parameter.name for parameter in QUESTION)
SHOWN = ("fields", "include")
MEMBERS: Members = {
    "filter": ((str,), "criteria as text"),
    "criteria": ((dict, str), "criteria as a tree or as text"),
    "fields": ((str, list), "an array of fields"),
    "include": ((str, list), "an array of relations"),
    "sort": ((str, list), "an array of fields"),
    "limit": ((int,), "a whole number"),
    **dict.fromkeys(("cursor", "count", "as_of", "on", "tz", "for_user", "archived"), ((str,), "a text")),
}
"""What the body of a query may say, as which types, and what is expected in words."""


async def page(request: Request, ask: Ask) -> Answer:
    """A page of records as it came from the database, within its envelope."""
    found = await reads.collection(request.db, request.principal, ask, request.now, secret=request.secret)
    tail = encoded(
        {
            "page": {"next": found.next, "limit": found.limit},
            "count": None if found.count is None else {"value": found.count[0], "exact": found.count[1]},
            "as_of": found.as_of,
            "windows": found.windows,
            **({"ranks": [ranks.told(one, request.principal.workspace) for one in found.ranks]} if found.ranks else {}),
            **({"segmentations": found.segmentations} if found.segmentations else {}),
            **({"notes": found.notes} if found.notes else {}),
        }
    )
    return Answer(b'{"data":' + found.data + b"," + tail[1:])


def asked(request: Request, entity: str) -> Ask:
    """What the query string asks of a collection: kept, so that who asks the same again finds its plan at once."""
    raw: bytes = request.scope["query_string"]
    return _kept(entity, raw) if len(raw) <= LONGEST_KEPT else _asked(entity, raw)


def _asked(entity: str, raw: bytes) -> Ask:
    said: dict[str, Any] = read(raw, NAMES)
    return Ask(entity, **said)


_kept = lru_cache(KEPT)(_asked)


def told(body: Mapping[str, Any], members: Members = MEMBERS) -> dict[str, Any]:
    """The members of a query's body. Raises Invalid for those that are unknown or of the wrong type; null is left out."""
    if faults := tuple(islice(misfits(body, members), MAX_FAULTS)):
        raise Invalid(faults=faults)
    return {name: value for name, value in body.items() if value is not None}


def collection_routes(entity: str, path: str, tag: str) -> tuple[Route, Route]:
    """GET of a collection, and POST of the same question as a body."""

    async def find(request: Request) -> Answer:
        return await page(request, asked(request, entity))

    async def query(request: Request) -> Answer:
        request.query(())
        return await page(request, Ask(entity, **told(await request.object()), body=True))

    answer = Payload(schemas.collection(_record(entity)))
    return (
        Route("GET", path, READ, find, f"Find {entity}", tag, parameters=QUESTION, answer=answer),
        Route("POST", f"{path}/query", READ, query, f"Find {entity}, asked by a body", tag,
              "The same as GET, with `filter` as text or `criteria` as a tree.",
              answer=answer, body=Payload(schemas.ref("Question"), example={"filter": "ALL", "limit": 3})),
    )  # fmt: skip


def related_route(entity: str, path: str, tag: str) -> Route:
    """GET of what belongs to one account."""

    async def find(request: Request) -> Answer:
        account = request.uuid(0)
        return await page(request, replace(asked(request, entity), account=account))

    return Route("GET", path, READ, find, f"The {entity} of an account", tag, parameters=(ACCOUNT, *QUESTION),
                 answer=Payload(schemas.collection(_record(entity))))  # fmt: skip


def one_route(entity: str, path: str, by: Literal["id", "external_id", "slug"], key: Parameter, tag: str) -> Route:
    """GET of one record."""

    async def one(request: Request) -> Answer:
        shown = request.query(SHOWN)
        found = await reads.one(
            request.db, request.principal, entity, by, request.values[0],
            fields=shown.get("fields"), include=shown.get("include"),
        )  # fmt: skip
        return tagged(request, found.body, found.version)

    noun = f"{'An' if entity[0] in 'aeio' else 'A'} {ENTITIES[entity].singular}"
    return Route("GET", path, READ, one, noun if by != "external_id" else f"{noun} by its external id", tag,
                 parameters=(key, FIELDS, INCLUDE, IF_NONE_MATCH), headers=("ETag",), answer=Payload(_record(entity)))  # fmt: skip


def _record(entity: str) -> dict[str, str]:
    return schemas.ref(schemas.title(ENTITIES[entity]))
