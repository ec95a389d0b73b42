"""How many statements an operation takes does not grow with the rows of its answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Self

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app.api.door import Door
from app.api.front import Front
from app.api.graphql.build import camel
from app.api.graphql.http import routes as graphql_routes
from app.api.rest import table
from app.api.routes import Table
from app.domain.catalogue import ENTITIES
from app.persistence.database import Database
from app.services import keys
from tests.laws.population import populate, store
from tests.laws.trees import WORKSPACE, id_of


class Watched(Database):
    """A database that counts the statements it reads by."""

    statements = 0

    @classmethod
    async def open(cls, dsn: str, size: int = 8, statement_timeout: float = 30.0) -> Self:
        return await super().open(dsn, size, statement_timeout)

    async def fetchrow(self, sql: str, *args: Any, point: bool = False) -> Any:
        self.statements += 1
        return await super().fetchrow(sql, *args, point=point)

    async def fetch(self, sql: str, *args: Any, point: bool = False) -> Any:
        self.statements += 1
        return await super().fetch(sql, *args, point=point)

    async def fetchval(self, sql: str, *args: Any, point: bool = False) -> Any:
        self.statements += 1
        return await super().fetchval(sql, *args, point=point)


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("only /graphql is asked")


@pytest.fixture(scope="module")
async def watched(dsn: str) -> AsyncIterator[Watched]:
    """The module's database."""
    db = await Watched.open(dsn, size=4)
    async with db.transaction() as tx:
        await store(tx, populate(WORKSPACE, seed=3))
    yield db
    await db.close()


@pytest.fixture(scope="module")
async def client(watched: Watched) -> AsyncIterator[httpx.AsyncClient]:
    """The door over that database."""
    _, token = await keys.create_key(watched, WORKSPACE.id, "k", "admin", id_of("users", 0), (), datetime.now(UTC))
    door = Door(db=watched, secret=b"s" * 32)
    front = Front(door, Table((*table(door)[0].routes, *graphql_routes())), _nowhere)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(front), base_url="http://strata", headers=headers
    ) as made:
        yield made


NESTED = """nodes { name csm { name } primaryContact { name account { name } } parent { csm { name } }
  contacts(first: 5) { name interactions(first: 2) { kind } } contracts { arr } usage(first: 3) { day value } }"""


OWN = {
    name: " ".join(
        [
            *(camel(f.column) for f in entity.fields.values()),
            *(
                f"{camel(r.name)}{'(first: 2)' if r.many else ''} {{{{ __typename }}}}"
                for r in entity.relations.values()
            ),
        ]
    )
    for name, entity in ENTITIES.items()
}
"""Every field of an entity, and something of all that is related to it."""


@pytest.mark.parametrize(
    ("query", "statements"),
    [
        ("{{ accounts(first: {0}) {{ {1} }} }}", 1),
        (
            "{{ accounts(first: {0}) {{ totalCount pageInfo {{ endCursor hasNextPage }} edges {{ cursor node {{ name }} }} {1} }} }}",
            1,
        ),
        ("{{ a: accounts(first: {0}) {{ {1} }} b: accounts(first: {0}) {{ {1} }} }}", 2),
        ("{{ catalog {{ people }} accounts(first: {0}) {{ {1} }} }}", 1),
        ("{{ lists(first: {0}) {{ nodes {{ name criteria {{ text }} }} pageInfo {{ endCursor }} }} }}", 1),
        *(
            (f"{{{{ {name}(first: {{0}}) {{{{ totalCount nodes {{{{ {own} }}}} edges {{{{ cursor }}}} }}}} }}}}", 1)
            for name, own in OWN.items()
        ),
    ],
)
async def test_statements(client: httpx.AsyncClient, watched: Watched, query: str, statements: int) -> None:
    for first in (1, 1000):
        asked = query.format(first, NESTED)
        taken = []
        for _ in range(3):  # a credential is known for a second: on a busy machine that may pass in between
            await client.post("/graphql", json={"query": "{ me { role } }"})
            watched.statements = 0
            answer = (await client.post("/graphql", json={"query": asked})).json()
            assert "errors" not in answer, answer["errors"]
            taken.append(watched.statements)
        assert min(taken) == statements


async def test_node_is_one_statement(client: httpx.AsyncClient, watched: Watched) -> None:
    await client.post("/graphql", json={"query": "{ me { role } }"})
    watched.statements = 0
    query = f'{{ node(id: "{id_of("tickets", 0)}") {{ __typename ... on Ticket {{ account {{ name contacts {{ name }} }} }} }} }}'
    answer = (await client.post("/graphql", json={"query": query})).json()
    assert answer["data"]["node"]["__typename"] == "Ticket"
    assert watched.statements == 1
