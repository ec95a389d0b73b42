"""A database that is gone: a document that got nothing else is answered as REST answers, one that got something keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app.api.door import Door
from app.api.front import Front
from app.api.graphql.http import routes as graphql_routes
from app.api.rest import table
from app.api.routes import Table
from app.persistence.database import Database
from app.services import keys, workspaces


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("every address of this test is a door's")


@pytest.fixture
async def client(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    """Both doors over a database that goes away when it is first asked for something; the credential is still known."""
    db = await Database.open(dsn, size=2)
    now = datetime.now(UTC)
    workspace = await workspaces.create_workspace(db, f"Lost {now.timestamp()}", now)
    _, token = await keys.create_key(db, workspace, "k", "service", None, ("read", "write"), now)
    door = Door(db=db, secret=b"s" * 32)
    front = Front(door, Table((*table(door)[0].routes, *graphql_routes())), _nowhere)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(front), base_url="http://strata", headers=headers
    ) as made:
        assert (await made.post("/graphql", json={"query": "{ catalog { people } }"})).status_code == 200
        await db.close()
        yield made


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
@pytest.mark.parametrize(
    "query",
    [
        "{ accounts { totalCount } }",
        '{ node(id: "00000000-0000-7000-8000-000000000000") { id } }',
        '{ a: account(externalId: "x") { id } contacts { totalCount } }',
        "{ lists { nodes { id } } }",
        'mutation { createAccount(input: {name: "x"}) { created } }',
        'mutation { a: createTeam(input: {name: "x", slug: "x"}) { created } b: createTeam(input: {name: "y", slug: "y"}) { created } }',
    ],
)
async def test_nothing_is_answered(client: httpx.AsyncClient, query: str, accept: str) -> None:
    rest = await client.get("/v1/accounts")
    answer = await client.post("/graphql", json={"query": query}, headers={"accept": accept})
    assert (answer.status_code, answer.headers["retry-after"]) == (rest.status_code, rest.headers["retry-after"])
    assert answer.status_code == 503
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    body = answer.json()
    assert "data" not in body
    assert body["errors"][0]["extensions"]["type"] == rest.json()["type"] == "/problems/unavailable"


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ('{ catalog { people } account(externalId: "x") { id } }', {"account": None}),
        ('{ __typename account(externalId: "x") { id } }', {"__typename": "Query", "account": None}),
    ],
)
async def test_what_is_there_is_answered(client: httpx.AsyncClient, query: str, data: dict[str, object]) -> None:
    answer = await client.post("/graphql", json={"query": query})
    assert answer.status_code == 200
    assert data.items() <= answer.json()["data"].items()
    assert [error["extensions"]["status"] for error in answer.json()["errors"]] == [503]


async def test_other_faults_are_told(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json={"query": '{ a: account { id } b: account(externalId: "x") { id } }'})
    assert answer.status_code == 200
    assert [error["extensions"]["status"] for error in answer.json()["errors"]] == [422, 503]
