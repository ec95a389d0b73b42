"""The database as the rest of persistence sees it: reads, transactions, cursors; the driver's errors end here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, Self
from uuid import UUID

import asyncpg
from asyncpg.cursor import CursorFactory

from app.domain.errors import Busy, Conflict, Invalid, StrataError, Unavailable
from app.persistence.pool import Connection, Pool, Watch, settings
from app.persistence.shares import Shares

Record = asyncpg.Record
# The client's clock only catches what the server's own statement_timeout could not end.
CLIENT_MARGIN = 5.0
STALE = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
EXPORTS, OF_ONE = 4, 2
"""Results that are copied out of this process at once, each on a connection of its own, and those of one workspace."""
EXPORT_SECONDS = 900.0
EXPORT_MEMORY = "64MB"
"""For sorting and for joining whole tables, of the server's memory."""
Sink = Callable[[bytes], Coroutine[Any, Any, None]]
"""Takes the next bytes; the server waits until it has."""


class Reader(Protocol):
    """What a read function needs: a Database, or the Transaction it takes part in."""

    async def fetchval(self, sql: str, *args: Any, point: bool = False) -> Any:
        """First column of the first row, None without rows."""

    async def fetchrow(self, sql: str, *args: Any, point: bool = False) -> Record | None:
        """First row."""

    async def fetch(self, sql: str, *args: Any, point: bool = False) -> list[Record]:
        """All rows."""


class Database:
    """Pools on one server: `pages` plans each statement for its values, `points` keeps plans, `exports` are few and slow.

    `point=True` is for statements whose best plan never depends on the values bound: lookups by key.
    """

    def __init__(self, pages: Pool, points: Pool, exports: Pool, watch: Watch, statement_timeout: float):
        self._pages = pages
        self._points = points
        self._exports = exports
        self._watch = watch
        self._statement_timeout = statement_timeout
        self._shares = Shares(OF_ONE)

    @classmethod
    async def open(cls, dsn: str, size: int = 8, statement_timeout: float = 30.0) -> Self:
        """Connect; `size` bounds each pool, `statement_timeout` is in seconds. Unavailable when nobody answers."""
        limit = statement_timeout + CLIENT_MARGIN
        pages = Pool(dsn, size, settings(statement_timeout, {"plan_cache_mode": "force_custom_plan"}), limit)
        points = Pool(dsn, size, settings(statement_timeout, {}), limit)
        slow = settings(EXPORT_SECONDS, {"work_mem": EXPORT_MEMORY})
        exports = Pool(dsn, EXPORTS, slow, EXPORT_SECONDS + CLIENT_MARGIN, Busy)
        points.give(await points.take())
        watch = Watch(dsn, (pages, points, exports))
        watch.start()
        return cls(pages, points, exports, watch, statement_timeout)

    async def close(self) -> None:
        """End every connection."""
        await self._watch.stop()
        await self._pages.close()
        await self._points.close()
        await self._exports.close()

    @property
    def dsn(self) -> str:
        """The server's address, for a connection beside the pools."""
        return self._points.dsn

    @property
    def connections(self) -> dict[str, dict[str, int]]:
        """Per pool: connections that are free and in use, and callers waiting for one."""
        pools = {"pages": self._pages, "points": self._points, "exports": self._exports}
        return {n: {"free": len(p.free), "busy": len(p.busy), "waiting": len(p.waiters)} for n, p in pools.items()}

    async def ping(self) -> None:
        """Raises Unavailable unless the server answers."""
        await self.fetchval("SELECT 1", point=True)

    async def fetchval(self, sql: str, *args: Any, point: bool = False) -> Any:
        """First column of the first row, None without rows."""
        pool = self._points if point else self._pages
        connection = pool.at_once() or await pool.take()
        try:
            value = await connection.fetchval(sql, *args)
        except BaseException as error:
            return _first_value(await self._again(pool, connection, error, sql, args))
        pool.give(connection)
        return value

    async def fetchrow(self, sql: str, *args: Any, point: bool = False) -> Record | None:
        """First row, None without rows."""
        pool = self._points if point else self._pages
        connection = pool.at_once() or await pool.take()
        try:
            row = await connection.fetchrow(sql, *args)
        except BaseException as error:
            rows = await self._again(pool, connection, error, sql, args)
            return rows[0] if rows else None
        pool.give(connection)
        return row

    async def fetch(self, sql: str, *args: Any, point: bool = False) -> list[Record]:
        """All rows."""
        pool = self._points if point else self._pages
        connection = pool.at_once() or await pool.take()
        try:
            rows = await connection.fetch(sql, *args)
        except BaseException as error:
            return await self._again(pool, connection, error, sql, args)
        pool.give(connection)
        return rows

    async def _again(
        self, pool: Pool, connection: Connection, error: BaseException, sql: str, args: Sequence[Any]
    ) -> list[Record]:
        """Once more after a migration made the prepared plan stale; any other error leaves as ours."""
        pool.give_after(connection, error)
        if not isinstance(error, STALE):
            raise translated(error) from error
        pool.retire()
        connection = await pool.take()
        try:
            rows = await connection.fetch(sql, *args)
        except BaseException as second:
            pool.give_after(connection, second)
            raise translated(second) from second
        pool.give(connection)
        return rows

    @asynccontextmanager
    async def transaction(self, statement_timeout: float | None = None) -> AsyncIterator[Transaction]:
        """READ COMMITTED; committed when the block ends, rolled back by any exception.

        `statement_timeout` in seconds replaces the database's for work known to be long.
        """
        begin = "BEGIN ISOLATION LEVEL READ COMMITTED"
        if statement_timeout is not None:
            begin += f"; SET LOCAL statement_timeout = {statement_timeout * 1000:.0f}"
        limit = (statement_timeout or self._statement_timeout) + CLIENT_MARGIN
        async with _session(self._points, begin, "COMMIT") as connection:
            yield Transaction(connection, limit)

    @asynccontextmanager
    async def cursor(self, sql: str, *args: Any, prefetch: int = 1000) -> AsyncIterator[CursorFactory[Record]]:
        """Rows to be iterated with `async for`, fetched `prefetch` at a time from one snapshot."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        async with _session(self._pages, begin, "COMMIT") as connection:
            yield connection.cursor(sql, *args, prefetch=prefetch)

    @asynccontextmanager
    async def copying(self, workspace_id: UUID) -> AsyncIterator[Copying]:
        """One snapshot to copy a workspace's results from, for as long as EXPORT_SECONDS. Raises Crowded where as many of
        its own are copied already as it may, Busy where all are."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        async with self._shares.one(workspace_id), _session(self._exports, begin, "COMMIT") as connection:
            yield Copying(connection)


class Copying:
    """What an export gets: reads and COPY from one snapshot."""

    def __init__(self, connection: Connection):
        self._connection = connection

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """First column of the first row, None without rows."""
        return await self._connection.fetchval(sql, *args)

    async def copy(self, sql: str, *args: Any, output: Sink, **options: Any) -> None:
        """COPY of a query's result, in the form that `options` say; each piece holds whole rows. The server quotes the
        arguments, as COPY binds none. What `output` raises ends the statement, and so does being cancelled."""
        await self._connection.copy_from_query(sql, *args, output=output, **options)


class Transaction:
    """What a write function gets: statements of one open transaction. `actor` is the person who acts in it, for the
    histories that keep it; None for a service or nobody."""

    def __init__(self, connection: Connection, limit: float):
        self.actor: UUID | None = None
        self._connection = connection
        self._limit = limit

    async def execute(self, sql: str, *args: Any) -> str:
        """Run a statement; gives its command tag, such as `UPDATE 1`."""
        return await self._connection.execute(sql, *args, timeout=self._limit)

    async def fetchval(self, sql: str, *args: Any, point: bool = True) -> Any:
        """First column of the first row, None without rows."""
        return await self._connection.fetchval(sql, *args, timeout=self._limit)

    async def fetchrow(self, sql: str, *args: Any, point: bool = True) -> Record | None:
        """First row, None without rows."""
        return await self._connection.fetchrow(sql, *args, timeout=self._limit)

    async def fetch(self, sql: str, *args: Any, point: bool = True) -> list[Record]:
        """All rows."""
        return await self._connection.fetch(sql, *args, timeout=self._limit)

    async def copy_records(
        self, table: str, records: Iterable[Sequence[Any]] | AsyncIterator[Sequence[Any]], columns: Sequence[str]
    ) -> str:
        """COPY Python rows in binary format; `records` may be asynchronous."""
        copying = self._connection.copy_records_to_table(
            table, records=records, columns=list(columns), timeout=self._limit
        )
        return await _until_lost(self._connection, copying)

    async def copy_csv(self, table: str, source: Any, columns: Sequence[str], **options: Any) -> str:
        """COPY CSV bytes from a path, a binary file or an asynchronous iterator, untouched by Python."""
        copying = self._connection.copy_to_table(
            table, source=source, columns=list(columns), format="csv", timeout=self._limit, **options
        )
        return await _until_lost(self._connection, copying)

    @asynccontextmanager
    async def hashing(self) -> AsyncIterator[None]:
        """Tables are joined whole within the block: a nested loop, chosen without statistics or for other numbers, would
        read them once per account."""
        await self.execute("SET LOCAL enable_nestloop = off")
        yield
        await self.execute("SET LOCAL enable_nestloop = on")


async def _until_lost(connection: Connection, copying: Coroutine[Any, Any, str]) -> str:
    """The command tag of a COPY. The driver waits for room to send without a limit, and goes on waiting where the
    connection is gone (asyncpg 0.32, `copy_in`): here its end ends the wait."""
    task = asyncio.ensure_future(copying)
    lost = False

    def end(_: object) -> None:
        nonlocal lost
        lost = task.cancel()

    connection.add_termination_listener(end)
    try:
        return await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if lost and not (current and current.cancelling()):
            raise asyncpg.ConnectionDoesNotExistError("the connection was lost during COPY") from None
        raise
    finally:
        connection.remove_termination_listener(end)


@asynccontextmanager
async def _session(pool: Pool, begin: str, end: str) -> AsyncIterator[Connection]:
    """A transaction on a connection of its own; a connection in doubt is settled away from the caller."""
    connection = await pool.take()
    try:
        await connection.execute(begin)
        yield connection
        await connection.execute(end)
    except BaseException as error:
        await _abandon(pool, connection, error)
        if isinstance(error, STALE):
            # Every idle connection holds the same stale plan: the next attempt must not meet another.
            pool.retire()
        raise translated(error) from error
    pool.give(connection)


async def _abandon(pool: Pool, connection: Connection, error: BaseException) -> None:
    if not isinstance(error, Exception) or connection.is_closed() or isinstance(error, TimeoutError):
        pool.give_after(connection, error)
        return
    try:
        if connection.is_in_transaction():
            await connection.execute("ROLLBACK")
    except BaseException as second:
        pool.give_after(connection, second)
        if not isinstance(second, Exception):
            raise
        return
    if isinstance(error, asyncpg.PostgresError):
        pool.give_after(connection, error)
    else:
        pool.give(connection)


def _first_value(rows: list[Record]) -> Any:
    return rows[0][0] if rows else None


def translated(error: BaseException) -> BaseException:
    """The driver's error in our words, told by SQLSTATE; what is not the driver's stays what it is."""
    if isinstance(error, StrataError) or not isinstance(error, Exception):
        return error
    if isinstance(error, asyncpg.PostgresError):
        return _by_state(error.sqlstate or "", error)
    if isinstance(error, asyncpg.DataError):
        return Invalid("A value does not fit what is stored.")
    if isinstance(error, TimeoutError | ConnectionError | asyncpg.InterfaceError | asyncpg.InternalClientError):
        return Unavailable()
    return error


UNAVAILABLE = ("08", "53", "57", "58", "40", "55P03", "25006", "25P03", "25P04")


def _by_state(state: str, error: asyncpg.PostgresError) -> BaseException:
    if state.startswith(UNAVAILABLE) or isinstance(error, STALE):
        return Unavailable()
    if state in ("23505", "23503", "23P01"):
        return Conflict()
    if state.startswith("22") or state in ("23514", "54000"):
        return Invalid("A value does not fit what is stored.")
    return error
