"""Writes of catalogue entities: one declaration per address gives the handler and its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest.parameters import ACCOUNT, IDEMPOTENCY_KEY, IF_MATCH, IF_MATCH_IF_THERE, IF_NEW
from app.api.rest.writes import answered, gone
from app.api.routes import Parameter, Payload, Route
from app.domain.catalogue import ENTITIES
from app.services import records

Key = Literal["id", "external_id", "slug"]
Example = Mapping[str, Any]
TOLD = "References are told by id, external id or e-mail; what has a slug by its slug."


def create_route(entity: str, operation: str, tag: str, example: Example) -> Route:
    """POST of a collection."""

    async def create(request: Request) -> Answer:
        request.query(())
        body = await request.object()
        written = await records.create(request.db, call(request, body), entity, body)
        return answered(written, _address(entity, written.id, body))

    return Route("POST", f"/v1/{entity}", operation, create, f"Make {_noun(entity)}", tag, TOLD,
                 parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=_record(entity),
                 body=Payload(schemas.ref(schemas.new(ENTITIES[entity])), example=dict(example)), problems=("conflict",))  # fmt: skip


def below_route(entity: str, operation: str, tag: str, example: Example) -> Route:
    """POST of a record of the account that the address names."""

    async def create(request: Request) -> Answer:
        request.query(())
        account = request.uuid(0)
        body = await request.object()
        written = await records.create(request.db, call(request, body), entity, body, account=account)
        return answered(written, f"/v1/{entity}/{written.id}")

    told = {name: value for name, value in example.items() if name != "account"}
    return Route("POST", f"/v1/accounts/{{id}}/{entity}", operation, create, f"Make {_noun(entity)} of an account", tag, TOLD,
                 parameters=(ACCOUNT, IDEMPOTENCY_KEY), status=201, headers=("ETag", "Location"), answer=_record(entity),
                 body=Payload(schemas.ref(schemas.below(ENTITIES[entity])), example=told), problems=("conflict",))  # fmt: skip


def change_routes(
    entity: str, operation: str, path: str, by: Key, key: Parameter, tag: str, example: Example, words: str
) -> tuple[Route, Route]:
    """PATCH and DELETE of one record."""

    async def change(request: Request) -> Answer:
        request.query(())
        version = expected_version(request)
        body = await request.object()
        told = call(request, body)
        return answered(await records.change(request.db, told, entity, by, request.values[0], body, version))

    async def delete(request: Request) -> Answer:
        request.query(())
        version = expected_version(request)
        await request.nothing()
        return gone(await records.delete(request.db, call(request), entity, by, request.values[0], version))

    return (
        Route("PATCH", path, operation, change, f"Change {_noun(entity)}", tag,
              f"Changes the members that are given, and only those. {TOLD}",
              parameters=(key, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=_record(entity),
              body=Payload(schemas.ref(schemas.change(ENTITIES[entity])), example=dict(example)), problems=("conflict",)),
        Route("DELETE", path, operation, delete, f"Delete {_noun(entity)}", tag, words,
              parameters=(key, IF_MATCH, IDEMPOTENCY_KEY), status=204, problems=("conflict",)),
    )  # fmt: skip


def upsert_route(entity: str, operation: str, path: str, key: Parameter, tag: str, example: Example) -> Route:
    """PUT under an external id or a slug."""

    async def upsert(request: Request) -> Answer:
        request.query(())
        version = expected_if_any(request)
        body = await request.object()
        with only_new(request):
            told = call(request, body)
            written = await records.upsert(request.db, told, entity, request.values[0], body, version)
        return answered(written, _address(entity, written.id, {"slug": request.values[0]}))

    words = key.name.replace("_", " ")
    return Route("PUT", path, operation, upsert, f"Make or change the {ENTITIES[entity].singular} of {'a' if words == 'slug' else 'an'} {words}", tag,
                 "201 where it was made. A change needs `If-Match` and leaves members alone that are not given.",
                 parameters=(key, IF_MATCH_IF_THERE, IF_NEW, IDEMPOTENCY_KEY), headers=("ETag",), answer=_record(entity),
                 body=Payload(schemas.ref(schemas.change(ENTITIES[entity])), example=dict(example)), problems=("conflict",))  # fmt: skip


def _address(entity: str, record_id: object, said: Mapping[str, Any]) -> str:
    return f"/v1/{entity}/{said['slug'] if ENTITIES[entity].key == 'slug' else record_id}"


def _record(entity: str) -> Payload:
    return Payload(schemas.ref(schemas.title(ENTITIES[entity])))


def _noun(entity: str) -> str:
    singular = ENTITIES[entity].singular
    return f"{'an' if singular[0] in 'aeio' else 'a'} {singular}"
