"""No input makes a 5xx, and no answer shows what is inside."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
)

from app.api.graphql.engine import CORE
from app.domain.catalogue import ENTITIES
from app.persistence.database import Database
from tests.api.conftest import House, apart
from tests.servers import Server

ACCOUNTS = "query($v: %s) { accounts(%s) { totalCount nodes { id } } }"


@pytest.fixture(name="house", scope="module")
async def apart_from_others(server: Server, database: Database) -> AsyncIterator[House]:
    """What is written here is nothing that others could read on."""
    async with apart(database, server, "Mutated") as made:
        yield made


VALUES: list[Any] = [
    None, True, -1, 0, 2**31, 2**63, 2**64, 10**30, 1e308, 0.1, "", "x", "x" * 70_000, "\x00", "'; DROP TABLE accounts; --",
    [], {}, [[]], {"a": 1}, "é" * 100, "\u202e", "NaN", "2026-02-30",
]  # fmt: skip
PLACES = [
    ("Int!", "first: $v"), ("String", "filter: $v"), ("String", "after: $v"), ("String", "asOf: $v"), ("String", "tz: $v"),
    ("String", "forUser: $v"), ("[String!]", "orderBy: $v"), ("AccountFilter", "where: $v"), ("Archived", "archived: $v"),
    ("Value!", 'where: {cmp: {of: "arr", cmp: gt, value: $v}}'), ("Value!", 'where: {cmp: {of: "name", cmp: eq, value: $v}}'),
    ("Value!", 'where: {cmp: {of: "renewal_date", cmp: eq, value: $v}}'), ("[Value!]!", 'where: {in: {of: "health", values: $v}}'),
    ("String!", 'where: {cmp: {of: $v, cmp: eq, value: 1}}'), ("Int!", 'where: {time: {of: "renewal_date", in: {rolling: {dir: next, n: $v, unit: d}}}}'),
    ("String!", 'where: {quant: {q: any, rel: $v}}'), ("ID", "where: {list: $v}"), ("String!", 'where: {segment: {segmentation: $v, segment: "x"}}'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "place"), PLACES)
async def test_values(house: House, kind: str, place: str) -> None:
    for value in VALUES:
        answer = await house.viewer.post(
            "/graphql", json={"query": ACCOUNTS % (kind, place), "variables": {"v": value}}
        )
        checked(answer.status_code, answer.text)


assert CORE.mutation_type is not None
MUTATIONS = CORE.mutation_type.fields
LINES = ("", "x" * 5_000, "é\u202e💩", "'; --", "../x", "-1", "9999-12-31", "01890a5d-ac96-774b-bcce-b302099a8057")
EDGES: dict[str, tuple[Any, ...]] = {
    "String": LINES, "ID": LINES, "Int": (-1, 0, 2**31 - 1, -(2**31)), "Boolean": (True, False), "Float": (-1e308, 5e-324, 1e15, -0.5),
    "Money": (-1e17, 1e39, 0.001, 2**63), "Date": ("0001-01-01", "9999-12-31", "2026-02-30"),
    "DateTime": ("0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "2026-01-01T00:00:00+23:59"),
    "JSON": ({}, [], "x", 0, {"a": [[{"b": None}]]}, {f"m{n}": n for n in range(2_000)}),
    "Value": ({"ref": ""}, "x", -1, True, {"ago": "99999999999d"}, {}),
}  # fmt: skip
"""Values at the edges of each scalar: what is wrongly typed goes no further than GraphQL itself."""


def sound(kind: GraphQLInputType) -> Any:
    """A small value of a type: no more than it must have."""
    if isinstance(kind, GraphQLNonNull):
        return sound(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [sound(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        needed = {name: one for name, one in kind.fields.items() if isinstance(one.type, GraphQLNonNull)}
        return {name: sound(one.type) for name, one in needed.items()}
    return {"Int": 1, "Boolean": False, "Date": "2026-01-31", "DateTime": "2026-01-31T00:00:00Z"}.get(kind.name, "1")


def edges(kind: GraphQLInputType, depth: int = 3) -> Iterator[Any]:
    """Values of a type with one place at its edge each."""
    if isinstance(kind, GraphQLNonNull):
        yield from edges(kind.of_type, depth)
        return
    yield None
    if isinstance(kind, GraphQLList):
        yield from ([], [sound(kind.of_type)] * 300, *([one] for one in edges(kind.of_type, depth)))
    elif isinstance(kind, GraphQLInputObjectType):
        for name, one in kind.fields.items() if depth else ():
            yield from ({**sound(kind), name: value} for value in edges(one.type, depth - 1))
    elif not isinstance(kind, GraphQLEnumType):
        yield from EDGES[kind.name]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_mutations(house: House, name: str) -> None:
    """Every argument of every mutation, and every member of its input, at each edge of its type."""
    arguments = {argument: one.type for argument, one in MUTATIONS[name].args.items()}
    told = ", ".join(f"${argument}: {kind}" for argument, kind in arguments.items())
    query = f"mutation({told}) {{ {name}({', '.join(f'{one}: ${one}' for one in arguments)}) {{ __typename }} }}"
    plain = {argument: sound(kind) for argument, kind in arguments.items() if isinstance(kind, GraphQLNonNull)}
    for argument, kind in arguments.items():
        for value in edges(kind):
            body = {"query": query, "variables": {**plain, argument: value}}
            answer = await house.admin.post("/graphql", json=body)
            checked(answer.status_code, answer.text)


ROOTS = [name for name in ENTITIES if name != "accounts"]


@pytest.mark.parametrize("name", ROOTS)
async def test_roots(house: House, name: str) -> None:
    entity = ENTITIES[name]
    for value in ("\x00", "x" * 20_000, "'", "é", "-", "--id", ""):
        for argument in ("filter", "after", "asOf", "tz", "forUser"):
            query = f"query($v: String) {{ {name}({argument}: $v) {{ totalCount }} }}"
            answer = await house.viewer.post("/graphql", json={"query": query, "variables": {"v": value}})
            checked(answer.status_code, answer.text)
        if entity.key != "none":
            query = f"query($v: String) {{ {entity.singular}(externalId: $v) {{ id }} }}"
            answer = await house.viewer.post("/graphql", json={"query": query, "variables": {"v": value}})
            checked(answer.status_code, answer.text)


DOCUMENTS = [
    'mutation { putUsage(input: {rows: []}) { rows { day } } }', 'mutation { deleteUsage(input: {accountId: "x", feature: "", day: "2026-11-20"}) { account { id } } }',
    'mutation { putUsage(input: {rows: [{account: "\\u0000", feature: "x", day: "0001-01-01", value: 1e308}]}) { rows { day } } }',
    'mutation { deleteAccount(id: "x", expectedVersion: -1, withRecords: true) { id } }', 'mutation { upsertProduct(slug: "../x", input: {name: "x"}) { created } }',
    'mutation { upsertContact(externalId: "", input: {name: "x"}) { created } }', 'mutation { deleteTeam(id: "\\u0000", expectedVersion: 2147483647) { id } }',
    '{ node(id: "\\u0000") { id } }', '{ account(externalId: "\\u0000") { id } }', '{ account(id: "\\uD83D\\uDE00") { id } }',
    '{ list(id: "x") { name } }', '{ segmentation(slug: "\\u0000") { slug } }', '{ forecast(id: "") { id } }', "{ forecasts(first: -1) { id } }",
    "{ lists(first: 0) { id } }", '{ forecasts(after: "x") { id } }', "{ accounts { nodes { " + "a" * 70 + ": name } } }",
    '{ accounts { nodes { custom(slug: "\\u0000") segment(segmentation: "x") } } }', '{ accounts(orderBy: ["", "-", "--arr", "custom", "products"]) { totalCount } }',
    "{ accounts { nodes { contacts(first: 0) { id } } } }", "{ accounts { nodes { usage(orderBy: [\"id\"]) { day } } } }",
    'mutation { createAccount(input: {name: "x", custom: {a: {b: [1, "c", null]}}}) { created } }',
    'mutation { createAccount(idempotencyKey: "", input: {name: "x"}) { created } }',
    'mutation { upsertAccount(externalId: "\\u0000", input: {name: "x"}) { created } }',
    'mutation { updateAccount(id: "x", expectedVersion: 2147483647, input: {name: "x"}) { created } }',
    'mutation { putSegmentation(slug: "../x", input: {name: "x", kind: bands, spec: 1e400, segments: []}) { created } }',
    "mutation { createForecast(input: {target: 1e30, groupBy: [\"x\"]}) { forecast { id } } }",
    'mutation { createList(input: {entity: accounts, name: "\\u0000", criteria: {tree: {op: "and"}}}) { created } }',
]  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_documents(house: House, document: str) -> None:
    answer = await house.admin.post("/graphql", json={"query": document})
    checked(answer.status_code, answer.text)


BODIES = [
    b'{"query": "{ __typename }", "variables": {"a": NaN}}', b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}',
    b'{"query": "\\u0000"}', b'{"query": "{ __typename }", "query": "{ __typename }"}', b"\xff\xfe", b"[" * 100_000,
    b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}",
    b'{"query": "' + b"{" * 100_000 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
async def test_bodies(house: House, body: bytes) -> None:
    answer = await house.admin.post("/graphql", content=body, headers={"content-type": "application/json"})
    checked(answer.status_code, answer.text)


def checked(status: int, body: str) -> None:
    assert status in (200, 400, 413), body[:500]
    for error in json.loads(body).get("errors", ()):
        assert error["extensions"]["status"] < 500, body[:500]
        assert len(error["message"]) <= 400
        assert "Traceback" not in body
        assert "SELECT" not in body
