"""Exports over a real socket: what is sent, to whom, how much memory it takes, and what happens to those who leave."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from app.api import streams
from app.api.door import Door
from app.api.requests import Request, begin
from app.api.responses import Answer
from app.domain.errors import NotFound
from app.persistence.database import EXPORTS, Database
from tests.api.conftest import House, furnished
from tests.servers import Server

MEGABYTE = 1 << 20
ROWS, WIDTH = 30_000, 8_000
"""Rows that are quick to write, as they pack well, and together 240 MB to send."""
MANY = """
INSERT INTO accounts (workspace_id, id, name, website, created_at, updated_at)
SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'A' || n, repeat('x', $3::int), $4, $4
FROM generate_series(1, $2::int) n
"""
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY (%' AND state = 'active'"
LIST = {
    "entity": "accounts", "name": "Überfällig / at risk", "criteria": {"text": "arr >= $least"}, "sort": ["-arr"],
    "columns": ["name", "arr", "csm.name"], "params": [{"name": "least", "type": "number", "default": 0}],
}  # fmt: skip


@pytest.fixture(scope="module")
async def small(server: Server, database: Database) -> AsyncIterator[House]:
    """A workspace with three accounts."""
    made = await furnished(database, server, "Small")
    for name, arr in (("=A", 100.5), ("B", 300), ("C", 200)):
        assert (await made.admin.post("/v1/accounts", json={"name": name, "arr": arr})).status_code == 201
    yield made
    for each in made.clients.values():
        await each.aclose()


@pytest.fixture(scope="module")
async def large(server: Server, database: Database) -> AsyncIterator[House]:
    """A workspace whose accounts are 240 MB of text."""
    made = await furnished(database, server, "Large")
    now = await database.fetchval("SELECT created_at FROM workspaces WHERE id = $1", made.id)
    async with database.transaction(statement_timeout=60) as tx:
        await tx.execute(MANY, made.id, ROWS, WIDTH, now)
    yield made
    for each in made.clients.values():
        await each.aclose()


async def listed(house: House, role: str = "csm", **said: Any) -> str:
    """The address of a new list's export."""
    answer = await house.clients[role].post("/v1/lists", json={**LIST, **said})
    assert answer.status_code == 201, answer.text
    return f"/v1/lists/{answer.json()['id']}/export"


# -- what is sent ------------------------------------------------------------------------------------------------------


async def test_a_list_with_its_columns_in_its_order(small: House) -> None:
    path = await listed(small)
    answer = await small.csm.get(path, params={"format": "csv"})
    assert answer.status_code == 200, answer.text
    assert answer.text == "name,arr,csm.name\nB,300.00,\nC,200.00,\n'=A,100.50,\n"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    day = answer.headers["x-strata-as-of"][:10]
    assert answer.headers["content-disposition"] == (
        f"attachment; filename=\"Uberfallig-at-risk-{day}.csv\"; filename*=UTF-8''%C3%9Cberf%C3%A4llig-at-risk-{day}.csv"
    )
    assert answer.headers["x-strata-windows"] == "[]"
    assert answer.headers["ratelimit"]
    rows = (await small.csm.get(path.removesuffix("export") + "rows")).json()["data"]
    shown = [{name: value for name, value in row.items() if name not in ("id", "version")} for row in rows]
    assert [json.loads(line) for line in (await small.csm.get(path)).text.splitlines()] == shown


async def test_a_list_told_otherwise(small: House) -> None:
    path = await listed(small, criteria={"text": "arr >= $least AND created_at IN last(30d)"})
    told = {"param.least": "150", "fields": "name", "sort": "name", "tz": "Asia/Tokyo", "format": "ndjson"}
    answer = await small.csm.get(path, params=told)
    assert [json.loads(line) for line in answer.text.splitlines()] == [{"name": "B"}, {"name": "C"}]
    assert [echo["zone"] for echo in json.loads(answer.headers["x-strata-windows"])] == ["Asia/Tokyo"]
    moved = await small.csm.get(path, params={"as_of": "2020-01-31", "tz": "UTC"})
    assert (moved.text, moved.headers["x-strata-as-of"]) == ("", "2020-01-31T23:59:59.999999Z")


async def test_a_question_of_accounts_and_of_contacts(small: House) -> None:
    body = {"filter": "arr > 150", "fields": ["name", "arr"], "sort": "name", "format": "csv", "bom": True}
    answer = await small.viewer.post("/v1/accounts/export", json=body)
    assert answer.content == b"\xef\xbb\xbfname,arr\nB,300.00\nC,200.00\n"
    tree = {"op": "all"}
    assert (await small.viewer.post("/v1/contacts/export", json={"criteria": tree})).content == b""
    arrow = await small.viewer.post("/v1/accounts/export", json={**body, "bom": False, "format": "arrow"})
    assert arrow.headers["content-type"] == "application/vnd.apache.arrow.stream"
    assert arrow.content.endswith(b"\xff\xff\xff\xff\0\0\0\0")


async def test_head_says_what_would_come(small: House) -> None:
    answer = await small.csm.head(await listed(small), params={"format": "arrow"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"format": "xml"}, "/format"), ({"format": 1}, "/format"), ({"limit": 5}, "/limit"), ({"cursor": "x"}, "/cursor"),
        ({"bom": True}, "/bom"), ({"bom": "true"}, "/bom"), ({"fields": "nmae"}, "/fields"), ({"filter": "nmae = 1"}, "/filter"),
        ({"for_user": "x"}, "/for_user"),
    ],
)  # fmt: skip
async def test_what_means_nothing_is_refused_before_anything_is_sent(small: House, body: Any, pointer: str) -> None:
    answer = await small.admin.post("/v1/accounts/export", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_what_an_address_cannot_say(small: House) -> None:
    path = await listed(small)
    for told in ({"bom": "yes"}, {"format": "xml"}, {"limit": "5"}, {"param.other": "1"}):
        answer = await small.csm.get(path, params=told)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["parameter"] == next(iter(told))


# -- to whom -----------------------------------------------------------------------------------------------------------


async def test_whoever_reads_a_list_exports_it_and_to_others_a_private_one_is_absent(
    small: House, stranger: House
) -> None:
    public, private = await listed(small, visibility="public"), await listed(small)
    for role, client in small.clients.items():
        assert (await client.get(public)).status_code == 200, role
        assert (await client.get(private)).status_code == (200 if role == "csm" else 404), role
        assert (await client.post("/v1/accounts/export", json={})).status_code == 200, role
    assert (await stranger.admin.get(public)).status_code == 404
    assert (await stranger.admin.post("/v1/accounts/export", json={"filter": 'name = "B"'})).content == b""


async def test_a_service_asks_for_somebody(small: House) -> None:
    path = await listed(small, mine=True, visibility="public")
    assert (await small.service.get(path)).status_code == 422
    assert (await small.service.get(path, params={"for_user": "csm@small.example"})).text == ""


# -- how much ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["ndjson", "csv", "arrow"])
async def test_memory_does_not_grow_with_what_is_sent(large: House, server: Server, form: str) -> None:
    process = psutil.Process(server.process.pid)
    before, most, size = process.memory_info().rss, 0, 0
    body = {"format": form, "fields": "name,website", "sort": "id"}
    async with large.admin.stream("POST", "/v1/accounts/export", json=body) as answer:
        async for piece in answer.aiter_raw():
            size += len(piece)
            most = max(most, process.memory_info().rss)
    assert size > ROWS * WIDTH
    assert most - before < 40 * MEGABYTE


async def test_a_client_that_does_not_read_is_waited_for(large: House, server: Server) -> None:
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    async with opened(large, server) as (reader, _):
        await reader.readexactly(MEGABYTE)
        await asyncio.sleep(1)
        assert process.memory_info().rss - before < 40 * MEGABYTE
        rest = await reader.read(-1)
    assert len(rest) + MEGABYTE > ROWS * WIDTH
    assert rest.endswith(b"\r\n0\r\n\r\n")


@asynccontextmanager
async def opened(
    house: House, server: Server, form: str = "ndjson"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of its own that has asked for everything."""
    at = urlsplit(server.url)
    body = json.dumps({"format": form, "fields": "name,website"}).encode()
    head = [
        "POST /v1/accounts/export HTTP/1.1", "host: x", "content-type: application/json", f"content-length: {len(body)}",
        f"authorization: {house.admin.headers['authorization']}", "connection: close",
    ]  # fmt: skip
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        yield reader, writer
    finally:
        writer.close()


# -- who leaves --------------------------------------------------------------------------------------------------------


async def within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it holds before so many seconds have passed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if await holds():
            return True
        await asyncio.sleep(0.02)
    return await holds()


@pytest.mark.parametrize("form", ["ndjson", "csv", "arrow"])
async def test_ten_clients_that_leave_stop_their_statements_and_leak_nothing(
    large: House, server: Server, database: Database, form: str
) -> None:
    async def none_runs() -> bool:
        return bool(await database.fetchval(RUNNING) == 0)

    for _ in range(10):
        async with opened(large, server, form) as (reader, _writer):
            assert (await reader.readexactly(100_000)).startswith(b"HTTP/1.1 200 ")
            assert not await none_runs()
        assert await within(1.0, none_runs)
    kept = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%REPEATABLE READ%'"
    assert await database.fetchval(kept) <= EXPORTS
    assert await within(2.0, lambda: shown(server, 'strata_pool_connections{pool="exports",state="busy"} 0'))
    async with large.admin.stream("POST", "/v1/accounts/export", json={"format": form}) as answer:
        assert answer.status_code == 200


async def shown(server: Server, line: str) -> bool:
    async with httpx.AsyncClient() as client:
        return line in (await client.get(f"{server.url}/metrics")).text.splitlines()


async def test_a_client_that_leaves_before_the_first_byte(large: House, server: Server, database: Database) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    async def waits() -> bool:
        return bool(await database.fetchval(waiting) == 1)

    async def gone() -> bool:
        return bool(await database.fetchval(waiting) == 0)

    async with database.transaction() as tx:
        await tx.execute("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE")
        async with opened(large, server):
            assert await within(3.0, waits)
        assert await within(1.0, gone)


# -- what fails --------------------------------------------------------------------------------------------------------


async def test_what_fails_on_the_way_has_no_end(large: House, server: Server, database: Database) -> None:
    stop = RUNNING.replace("count(*)", "pg_terminate_backend(pid)")
    for form in ("ndjson", "csv", "arrow"):
        async with opened(large, server, form) as (reader, _):
            assert (await reader.readexactly(100_000)).startswith(b"HTTP/1.1 200 ")
            assert await database.fetchval(stop)
            rest = await reader.read(-1)
        assert len(rest) < ROWS * WIDTH
        assert not rest.endswith(b"0\r\n\r\n")
    broken = large.admin.stream("POST", "/v1/accounts/export", json={"fields": "website"})
    with pytest.raises(httpx.RemoteProtocolError):
        async with broken as answer:
            pieces = answer.aiter_raw()
            await anext(pieces)
            assert await database.fetchval(stop)
            async for _ in pieces:
                pass


async def test_others_of_the_workspace_are_told_to_come_again_and_nobody_is_held_up(
    large: House, small: House, server: Server
) -> None:
    async with opened(large, server) as (one, _), opened(large, server) as (other, _):
        await one.readexactly(1000)
        await other.readexactly(1000)
        began = time.monotonic()
        crowded = asyncio.create_task(large.csm.post("/v1/accounts/export", json={}))
        assert (await small.admin.get("/v1/accounts")).status_code == 200
        assert (await small.admin.post("/v1/accounts/export", json={})).status_code == 200
        assert time.monotonic() - began < 2
        answer = await crowded
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    told = answer.json()
    assert told["type"] == "/problems/too-many-requests"
    assert "exports of this workspace" in told["detail"]
    assert "send this again" in told["detail"]


async def test_the_log_says_what_was_sent(large: House, small: House, server: Server, home: Path) -> None:
    async with opened(large, server) as (reader, _):
        await reader.readexactly(100_000)
    whole = await small.admin.post("/v1/accounts/export", json={"format": "csv", "fields": "name"})
    named = {"x-request-id": f"logged-{time.monotonic_ns()}"}
    await small.admin.post("/v1/accounts/export", json={"format": "csv", "fields": "name"}, headers=named)

    async def logged() -> bool:
        return named["x-request-id"] in (home / "server" / "serve.log").read_text()

    assert await within(3.0, logged)
    answered = [
        json.loads(line)
        for line in (home / "server" / "serve.log").read_text().splitlines()
        if line.startswith('{"at"')
    ]
    exports = [line for line in answered if line.get("route") == "/v1/accounts/export" and "sent" in line]
    assert (exports[-1]["sent"], exports[-1]["whole"]) == (len(whole.content), True)
    assert any(line["sent"] >= 90_000 and not line["whole"] for line in exports)
    assert all("sent" not in line for line in answered if line.get("route") == "/v1/lists")


# -- the stream itself -------------------------------------------------------------------------------------------------


def request(*messages: str) -> Request:
    """A request whose client sends these messages and then nothing more."""
    coming = list(messages)

    async def receive() -> dict[str, Any]:
        if not coming:
            await asyncio.Event().wait()
        return {"type": coming.pop(0)}

    scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": [], "client": None}
    return begin(Door(), scope, receive)


class Wire:
    """Keeps what is sent."""

    def __init__(self, stuck: bool = False) -> None:
        self.messages: list[Any] = []
        self.stuck = stuck

    async def __call__(self, message: Any) -> None:
        if self.stuck and message["type"] == "http.response.body":
            await asyncio.Event().wait()
        self.messages.append(message)


async def test_what_fails_before_the_first_piece_is_raised() -> None:
    async def failing(_: Any) -> None:
        raise NotFound

    wire = Wire()
    with pytest.raises(NotFound):
        await streams.deliver(request("http.request"), Answer(), failing, wire)
    assert wire.messages == []


async def test_a_client_that_takes_nothing_for_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALL_SECONDS", 0.05)

    async def writing(write: Any) -> None:
        await write(b"a")

    wire, asked = Wire(stuck=True), request("http.request")
    assert await streams.deliver(asked, Answer(), writing, wire) == 200
    assert [message["type"] for message in wire.messages] == ["http.response.start"]
    assert (asked.sent, asked.whole) == (0, False)


async def test_a_client_that_leaves_cancels_the_stream() -> None:
    ended = asyncio.Event()

    async def writing(write: Any) -> None:
        try:
            await write(b"a")
            await asyncio.Event().wait()
        finally:
            ended.set()

    wire, asked = Wire(), request("http.request", "http.disconnect")
    await streams.deliver(asked, Answer(), writing, wire)
    assert ended.is_set() or not wire.messages
    assert not asked.whole


async def test_cells_are_read_by_the_rules_of_csv(small: House) -> None:
    text = 'a "quoted", one\nand a line'
    await small.admin.post("/v1/accounts", json={"name": text, "external_id": "quoted"})
    answer = await small.admin.post(
        "/v1/accounts/export", json={"format": "csv", "fields": "name", "filter": 'external_id = "quoted"'}
    )
    assert list(csv.reader(io.StringIO(answer.text, newline=""))) == [["name"], [text]]
