"""Two workspaces on the real server, with a key per role, and clients that use them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from app.domain.roles import PEOPLE
from app.persistence.database import Database
from app.services import keys, users, workspaces
from tests.api import strangers
from tests.api.strangers import Pair
from tests.connections import Connections
from tests.servers import Server


@dataclass(slots=True)
class House:
    """A workspace with a user and a client per role, and a service's."""

    id: UUID
    users: dict[str, UUID] = field(default_factory=dict)
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    def __getattr__(self, role: str) -> httpx.AsyncClient:
        try:
            return self.clients[role]
        except KeyError:
            raise AttributeError(role) from None


@pytest.fixture(scope="session")
async def database(server: Server) -> AsyncIterator[Database]:
    """The server's database."""
    db = await Database.open(server.dsn, size=2)
    yield db
    await db.close()


@asynccontextmanager
async def apart(db: Database, server: Server, name: str) -> AsyncIterator[House]:
    """A workspace of its own, for what others must not see."""
    house = await furnished(db, server, name)
    yield house
    for each in house.clients.values():
        await each.aclose()


async def furnished(db: Database, server: Server, name: str) -> House:
    """A new workspace with everybody in it."""
    now = datetime.now(UTC)
    house = House(await workspaces.create_workspace(db, name, now))
    tokens = {}
    for role in PEOPLE:
        user_id = house.users[role] = await users.create_user(
            db, house.id, f"{role}@{name.lower()}.example", role.title(), role, None, now
        )
        _, tokens[role] = await keys.create_key(db, house.id, role, role, user_id, (), now)
    _, tokens["service"] = await keys.create_key(db, house.id, "all", "service", None, ("read", "write", "import"), now)
    for role, token in tokens.items():
        house.clients[role] = client(server, token)
    return house


def client(server: Server, token: str | None = None) -> httpx.AsyncClient:
    """A client of the server, with a credential or without."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=Connections(), base_url=server.url, headers=headers, timeout=20)


@pytest.fixture(scope="session")
async def house(server: Server, database: Database) -> AsyncIterator[House]:
    """The workspace that tests work in."""
    async with apart(database, server, "Ours") as made:
        yield made


@pytest.fixture(scope="session")
async def stranger(server: Server, database: Database) -> AsyncIterator[House]:
    """Another workspace on the same server."""
    async with apart(database, server, "Theirs") as made:
        yield made


@pytest.fixture(scope="session")
async def nobody(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a credential."""
    async with client(server) as made:
        yield made


@pytest.fixture(scope="module")
async def pair(server: Server, database: Database) -> AsyncIterator[Pair]:
    """Two workspaces of the same shape, with canaries in the other's."""
    async for made in strangers.pair(database, server):
        yield made
