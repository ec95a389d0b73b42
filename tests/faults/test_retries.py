"""A write that is sent again has one effect, and a stale one none: on the real server, by both doors."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

from app.persistence.database import Database
from tests.faults.writes import World, world
from tests.servers import Server, start_server

AT_ONCE = 50
WRITERS = 20
TROUBLE = (409, 503)
DOORS = ("rest", "graphql")
CREATE = "mutation($name: String!, $key: String!) { createAccount(input: {name: $name}, idempotencyKey: $key) { account { id name } } }"
UPDATE = """mutation($id: ID!, $version: Int!, $health: Float!) {
  updateAccount(id: $id, expectedVersion: $version, input: {health: $health}) { account { version } } }"""


@pytest.fixture(scope="module")
async def opened(server: Server) -> AsyncIterator[Database]:
    """The server's database."""
    db = await Database.open(server.dsn, size=2)
    yield db
    await db.close()


@pytest.fixture(scope="module")
async def place(server: Server, opened: Database) -> AsyncIterator[World]:
    made = await world(opened, server)
    yield made
    await made.admin.aclose()


@pytest.mark.parametrize("door", DOORS)
async def test_fifty_equal_requests_at_once_have_one_effect(place: World, door: str) -> None:
    name, key = f"Once by {door}", f"fifty-{door}"

    async def send() -> tuple[int, Any]:
        if door == "rest":
            answer = await place.admin.post("/v1/accounts", json={"name": name}, headers={"idempotency-key": key})
            return answer.status_code, answer.content
        asked = {"query": CREATE, "variables": {"name": name, "key": key}}
        told = (await place.admin.post("/graphql", json=asked)).json()
        if "errors" in told:
            return told["errors"][0]["extensions"]["status"], None
        return 201, told["data"]

    answers = await asyncio.gather(*(send() for _ in range(AT_ONCE)))
    done = [body for status, body in answers if status == 201]
    assert done
    assert all(body == done[0] for body in done)
    assert {status for status, _ in answers} <= {201, *TROUBLE}
    assert await send() == (201, done[0])
    assert await told_of(place, name) == (1, 1)


async def told_of(place: World, name: str) -> tuple[int, int]:
    """How many accounts of this name there are, and how many entries of the audit tell of making one."""
    found = (await place.admin.get("/v1/accounts", params={"filter": f'name = "{name}"', "fields": "id"})).json()[
        "data"
    ]
    ids = {one["id"] for one in found}
    entries = (await place.admin.get("/v1/audit", params={"operation": "accounts.create", "limit": 1000})).json()[
        "data"
    ]
    return len(ids), sum(entry["entity_id"] in ids for entry in entries)


async def test_twenty_writers_of_one_field_lose_no_update(place: World) -> None:
    """Each reads, adds one and writes what it read the version of, until that version is still the standing one."""
    account = await place.account()
    path = f"/v1/accounts/{account['id']}"
    assert (await place.admin.patch(path, json={"health": 0}, headers=_tag(1))).status_code == 200
    stale = 0

    async def by_rest(health: float, etag: str, version: int) -> int:
        return (await place.admin.patch(path, json={"health": health}, headers={"if-match": etag})).status_code

    async def by_graphql(health: float, etag: str, version: int) -> int:
        asked = {"query": UPDATE, "variables": {"id": account["id"], "version": version, "health": health}}
        told = (await place.admin.post("/graphql", json=asked)).json()
        return told["errors"][0]["extensions"]["status"] if "errors" in told else 200

    async def write(n: int) -> None:
        nonlocal stale
        door = by_rest if n % 2 else by_graphql
        while True:
            standing = await place.admin.get(path)
            status = await door(standing.json()["health"] + 1, standing.headers["etag"], standing.json()["version"])
            if status == 200:
                return
            assert status in (412, *TROUBLE)
            stale += status == 412

    await asyncio.gather(*map(write, range(WRITERS)))
    final = (await place.admin.get(path)).json()
    assert (final["health"], final["version"]) == (WRITERS, WRITERS + 2)
    assert stale, "no two writers met"


def _tag(version: int) -> dict[str, str]:
    return {"if-match": f'"{version}-0123456789abcdef"'}


# -- between effect and answer -----------------------------------------------------------------------------------------


class Muffler:
    """Stands between a server and its database, and holds back what the database says to COMMIT when it is told to."""

    def __init__(self, database: str):
        self.database = database
        self.armed = False
        self.held = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways."""
        there, back = await asyncio.open_unix_connection(self.database)
        self.writers += (writer, back)
        muffled = asyncio.Event()
        with suppress(OSError):
            await asyncio.gather(self._forth(reader, back, muffled), self._back(there, writer, muffled))

    async def _forth(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter, muffled: asyncio.Event) -> None:
        while part := await reader.read(65536):
            if self.armed and b"COMMIT\0" in part:
                muffled.set()
            to.write(part)
        to.close()

    async def _back(self, reader: asyncio.StreamReader, to: asyncio.StreamWriter, muffled: asyncio.Event) -> None:
        while part := await reader.read(65536):
            if muffled.is_set():
                self.held.set()
            else:
                to.write(part)
        to.close()

    def cut(self) -> None:
        """Ends every connection."""
        for writer in self.writers:
            writer.close()


@pytest.mark.parametrize("how", ["the server is killed", "the connections are cut"])
async def test_a_key_survives_between_effect_and_answer(
    opened: Database, server: Server, tmp_path: Path, how: str
) -> None:
    """The answer to COMMIT never comes: the effect is there, and nobody was told. The same key tells it."""
    place = await world(opened, server)
    async with muffled(server, tmp_path) as (muffler, other):
        async with httpx.AsyncClient(base_url=other.url, headers=place.admin.headers) as client:
            assert (await client.get("/v1/me")).status_code == 200  # whoever asks is known before COMMIT is muffled
        muffler.armed = True
        first = [asyncio.create_task(send(place, other.url, door, how)) for door in DOORS]
        async with asyncio.timeout(10):
            while [await told_of(place, f"{how} {door}") for door in DOORS] != [(1, 1), (1, 1)]:
                await asyncio.sleep(0.02)
        assert muffler.held.is_set()
        assert not any(one.done() for one in first)
        if how == "the server is killed":
            other.process.kill()
        else:
            muffler.cut()
        for untold in await asyncio.gather(*first, return_exceptions=True):
            if isinstance(untold, httpx.Response):
                assert untold.status_code == 503 or b'"status":503' in untold.content
            else:
                assert isinstance(untold, httpx.TransportError)
    for door in DOORS:
        again = [await send(place, server.url, door, how) for _ in range(2)]
        assert {answer.status_code for answer in again} == {201 if door == "rest" else 200}
        assert again[0].content == again[1].content
        assert f"{how} {door}" in again[0].text
        assert await told_of(place, f"{how} {door}") == (1, 1)
    await place.admin.aclose()


@asynccontextmanager
async def muffled(server: Server, tmp_path: Path) -> AsyncIterator[tuple[Muffler, Server]]:
    """A second server on the database of the first, with a muffler between."""
    sockets = re.search(r"host=([^&]*)", server.dsn)
    assert sockets is not None
    muffler = Muffler(f"{unquote(sockets.group(1))}/.s.PGSQL.5432")
    between = tmp_path / "s"
    between.mkdir()
    listening = await asyncio.start_unix_server(muffler.serve, between / ".s.PGSQL.5432")
    dsn = server.dsn.replace(sockets.group(1), quote(str(between), safe="/"))
    other = await asyncio.to_thread(start_server, dsn, tmp_path / "data")
    try:
        yield muffler, other
    finally:
        other.process.kill()
        other.process.wait()
        muffler.cut()
        listening.close()


async def send(place: World, url: str, door: str, how: str) -> httpx.Response:
    """An account of this name, made by one door."""
    name, key = f"{how} {door}", f"survives-{door}"
    headers = {"authorization": place.admin.headers["authorization"], "idempotency-key": key}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=15) as client:
        if door == "rest":
            return await client.post("/v1/accounts", json={"name": name})
        asked = {"query": CREATE, "variables": {"name": name, "key": key}}
        return await client.post("/graphql", json=asked)
