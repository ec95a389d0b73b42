"""What a route asks of the database: its statements and their values, noted by the driver while it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from asyncpg.connection import LoggedQuery
from starlette.types import ASGIApp, Message

from app import settings
from app.main import create_app
from app.persistence import pool
from bench.requests import Request, ask

CREDENTIAL = "FROM api_keys"
"""The lookup of a credential, which a process does once a second: the limit goes without."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as it was run, and what its session began with."""

    sql: str
    args: tuple[Any, ...]
    session: tuple[tuple[str, str], ...]


Asked: TypeAlias = tuple[Statement, ...]
"""The statements of one request."""

_noted: ContextVar[list[Statement] | None] = ContextVar("noted", default=None)


async def noted(read: settings.Settings, cases: Mapping[str, Sequence[Request]]) -> dict[str, list[Asked]]:
    """Answer each request by the application in this process; its statements once it is known, by case and in order."""
    found: dict[str, list[Asked]] = {}
    async with _application(read) as app:
        for case, requests in cases.items():
            found[case] = [await _statements(app, request) for request in requests]
    return found


async def _statements(app: ASGIApp, request: Request) -> Asked:
    statements: list[Statement] = []
    await ask(app, request)  # what a process asks once a minute at most is asked now
    _noted.set(statements)
    await ask(app, request)
    await asyncio.sleep(0)  # the driver tells of the last one in the loop's next turn
    _noted.set(None)
    return tuple(statement for statement in statements if CREDENTIAL not in statement.sql)


@asynccontextmanager
async def _application(read: settings.Settings) -> AsyncIterator[ASGIApp]:
    """The application, open, on connections that tell what they run."""
    connect = pool.connect

    async def telling(dsn: str, server_settings: dict[str, str], command_timeout: float | None) -> pool.Connection:
        connection = await connect(dsn, server_settings, command_timeout)
        session = tuple(server_settings.items())

        def note(query: LoggedQuery) -> None:
            if (statements := _noted.get()) is not None:
                statements.append(Statement(query.query, tuple(query.args), session))

        connection.add_query_logger(note)
        return connection

    pool.connect = telling
    try:
        app = create_app(read)
        async with _lifespan(app):
            yield app
    finally:
        pool.connect = connect


@asynccontextmanager
async def _lifespan(app: ASGIApp) -> AsyncIterator[None]:
    incoming: asyncio.Queue[Message] = asyncio.Queue()
    outgoing: asyncio.Queue[Message] = asyncio.Queue()

    async def run() -> None:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, incoming.get, outgoing.put)

    running = asyncio.create_task(run())
    await incoming.put({"type": "lifespan.startup"})
    answer = await outgoing.get()
    if answer["type"] != "lifespan.startup.complete":
        raise RuntimeError(answer.get("message", "the application did not start"))
    try:
        yield
    finally:
        await incoming.put({"type": "lifespan.shutdown"})
        await outgoing.get()
        await running
