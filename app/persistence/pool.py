"""Bare connections handed out last in, first out, and a watch that tells a slow server from a lost one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import asyncpg

from app.domain.errors import Unavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts days and microseconds from here."""
MICROSECOND = timedelta(microseconds=1)
ACQUIRE_SECONDS = 4.0
CONNECT_SECONDS = 2.0
SETTLE_SECONDS = 2.0
# One failed ping takes 1 + 2 + 1 seconds at most, so that a lost server is an error within five.
WATCH_EVERY = 1.0
WATCH_PING = 2.0
WATCH_RETRY = 0.5

LOST = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
# The server's own word that this session is over, or that it now is a standby's.
UNUSABLE = ("08", "57P", "25006", "25P03", "25P04")


def _json_bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _jsonb_bytes(value: bytes | str) -> bytes:
    return b"\x01" + _json_bytes(value)


def _jsonb_text(value: bytes) -> bytes:
    return bytes(value)[1:]


def _day_number(value: date) -> tuple[int]:
    return (value.toordinal() - EPOCH.toordinal(),)


def _day(value: tuple[int]) -> date:
    return date.fromordinal(value[0] + EPOCH.toordinal())


def _moment_number(value: datetime) -> tuple[int]:
    return ((value - EPOCH) // MICROSECOND,)


def _moment(value: tuple[int]) -> datetime:
    return EPOCH + timedelta(microseconds=value[0])


# The driver itself takes the first and the last day and moment for the infinities, which are none.
FINITE: tuple[tuple[str, Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    ("date", _day_number, _day),
    ("timestamptz", _moment_number, _moment),
)


async def connect(dsn: str, server_settings: dict[str, str], command_timeout: float | None) -> Connection:
    """One connection whose JSON goes in and comes out as bytes, and whose first and last moments are moments."""
    async with asyncio.timeout(CONNECT_SECONDS):
        connection = await asyncpg.connect(dsn, command_timeout=command_timeout, server_settings=server_settings)
        try:
            for name, encoder, decoder in (("json", _json_bytes, bytes), ("jsonb", _jsonb_bytes, _jsonb_text)):
                await connection.set_type_codec(
                    name, schema="pg_catalog", encoder=encoder, decoder=decoder, format="binary"
                )
            for name, counted, moment in FINITE:
                await connection.set_type_codec(
                    name, schema="pg_catalog", encoder=counted, decoder=moment, format="tuple"
                )
        except BaseException:
            connection.terminate()
            raise
    return connection


class Pool:
    """At most `size` connections, made when needed, replaced when broken; waiting is bounded, and ends as `refusal`."""

    def __init__(
        self,
        dsn: str,
        size: int,
        server_settings: dict[str, str],
        command_timeout: float | None,
        refusal: type[Unavailable] = Unavailable,
    ):
        self.dsn = dsn
        self.size = size
        self.server_settings = server_settings
        self.command_timeout = command_timeout
        self.refusal = refusal
        self.free: list[Connection] = []
        self.busy: set[Connection] = set()
        self.count = 0
        self.down = False
        self.closed = False
        self.waiters: deque[asyncio.Future[Connection | None]] = deque()
        self.tasks: set[asyncio.Task[None]] = set()

    async def take(self) -> Connection:
        """A connection for one caller alone; Unavailable when there is none within a few seconds."""
        return self.at_once() or await self._wait()

    def at_once(self) -> Connection | None:
        """A connection that is free now."""
        while self.free:
            connection = self.free.pop()
            if not connection.is_closed():
                self.busy.add(connection)
                return connection
            self.count -= 1
        return None

    async def _wait(self) -> Connection:
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                while not self.down and not self.closed:
                    if self.count < self.size:
                        return await self._open()
                    connection = await self._queue()
                    if connection is not None and not connection.is_closed():
                        return connection
                    if connection is not None:
                        self._gone(connection)
        except TimeoutError as error:
            raise self.refusal from error
        raise Unavailable

    async def _open(self) -> Connection:
        self.count += 1
        try:
            connection = await connect(self.dsn, self.server_settings, self.command_timeout)
        except BaseException as error:
            self.count -= 1
            self._wake(None)
            if isinstance(error, (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
                raise Unavailable from error
            raise
        self.busy.add(connection)
        return connection

    async def _queue(self) -> Connection | None:
        """Wait for a connection, or for None: the room to make one."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                if (connection := waiter.result()) is None:
                    self._wake(None)
                else:
                    self.give(connection)
            raise

    def give(self, connection: Connection) -> None:
        """Take back a connection in a known, idle state."""
        if connection.is_closed() or self.closed or self.down:
            connection.terminate()
            self._gone(connection)
        elif not self._wake(connection):
            self.busy.discard(connection)
            self.free.append(connection)

    def give_after(self, connection: Connection, error: BaseException) -> None:
        """Take back a connection on which something failed: reuse it, examine it first, or drop it."""
        if connection.is_closed() or _unusable(error):
            connection.terminate()
            self._gone(connection)
        elif isinstance(error, asyncpg.PostgresError | asyncpg.DataError) and not connection.is_in_transaction():
            self.give(connection)
        else:
            task = asyncio.get_running_loop().create_task(self._settle(connection))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _settle(self, connection: Connection) -> None:
        """Wait until a cancelled statement is over and end its transaction, away from everybody's path."""
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                # A late cancel may hit the first of the two; the second finds an idle session.
                for _ in range(2):
                    try:
                        await connection.execute("ROLLBACK" if connection.is_in_transaction() else "SELECT 1")
                        break
                    except asyncpg.QueryCanceledError:
                        continue
            if connection.is_in_transaction():
                connection.terminate()
        except (TimeoutError, asyncpg.PostgresError, *LOST):
            connection.terminate()
        except BaseException:
            connection.terminate()
            self._gone(connection)
            raise
        self.give(connection)

    def retire(self) -> None:
        """Drop the idle connections: the schema changed under their prepared statements."""
        for connection in self.free:
            connection.terminate()
        self.count -= len(self.free)
        self.free.clear()

    def lose(self) -> None:
        """The server is gone: nobody waits for it any longer."""
        self.down = True
        self.retire()
        for connection in tuple(self.busy):
            connection.terminate()
        while self._wake(None):
            pass

    async def close(self) -> None:
        """End every connection; those in use when they are given back."""
        self.closed = True
        while self._wake(None):
            pass
        free, self.free = self.free, []
        self.count -= len(free)
        for connection in free:
            try:
                await connection.close(timeout=1)
            except (TimeoutError, asyncpg.PostgresError, *LOST):
                connection.terminate()
        for task in tuple(self.tasks):
            await asyncio.wait([task])

    def _gone(self, connection: Connection) -> None:
        self.busy.discard(connection)
        self.count -= 1
        self._wake(None)

    def _wake(self, connection: Connection | None) -> bool:
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False


def _unusable(error: BaseException) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(UNUSABLE)
    return isinstance(error, LOST) and not isinstance(error, asyncpg.DataError)


class Watch:
    """Asks the server every second whether it is there, so that statements may be slow but never wait for nobody."""

    def __init__(self, dsn: str, pools: tuple[Pool, ...]):
        self.dsn = dsn
        self.pools = pools
        self.connection: Connection | None = None
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin watching in the running event loop."""
        self.task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """Watch no longer."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
        self._drop()

    async def _watch(self) -> None:
        down = False
        while True:
            await asyncio.sleep(WATCH_RETRY if down else WATCH_EVERY)
            # Two tries: the first may fail because this process itself was held up.
            down = not (await self._answers() or (not down and await self._answers()))
            for pool in self.pools:
                if down and not pool.down:
                    pool.lose()
                pool.down = down

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(WATCH_PING if self.connection else CONNECT_SECONDS / 2):
                if self.connection is None:
                    self.connection = await asyncpg.connect(
                        self.dsn, server_settings={"application_name": "strata watch"}
                    )
                await self.connection.execute("SELECT 1")
        except Exception:  # whatever it is: the server did not answer, and the watch goes on
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        if self.connection is not None:
            self.connection.terminate()
            self.connection = None


def settings(statement_timeout: float, extra: dict[str, Any]) -> dict[str, str]:
    """What every session begins with; times in seconds."""
    return {
        "application_name": "strata",
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": f"{statement_timeout * 1000:.0f}",
        "lock_timeout": "5000",
        "idle_in_transaction_session_timeout": "60000",
        # What a process was at when it was killed ends soon, and with it what it holds.
        "client_connection_check_interval": "5000",
        **extra,
    }
