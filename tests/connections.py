"""Connections of test clients: httpx over a parser in C, which takes a quarter of the time that its own connections take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import httptools
import httpx

MOST = 1 << 20
"""Bytes of an answer that wait to be read; with more the server has to wait."""
IDLE = 2.0
"""Seconds after which a connection is not used again: the server closes it some seconds later."""


class Connections(httpx.AsyncBaseTransport):
    """As many connections to one server as there are requests at once."""

    def __init__(self) -> None:
        self.idle: list[Connection] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, of which the headers have come."""
        body, seconds = await request.aread(), request.extensions["timeout"]["read"]
        connection = await self._taken(request.url)
        try:
            connection.send(request, body)
            await connection.until(lambda: connection.begun, seconds)
        except BaseException:
            connection.transport.close()
            raise
        status = connection.parser.get_status_code()
        return httpx.Response(status, headers=connection.headers, stream=Body(self, connection, seconds))

    async def _taken(self, url: httpx.URL) -> Connection:
        while self.idle:
            connection = self.idle.pop()
            if not connection.gone and time.monotonic() - connection.used < IDLE:
                return connection
            connection.transport.close()
        try:
            _, made = await asyncio.get_running_loop().create_connection(Connection, url.host, url.port or 80)
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return made

    def leave(self, connection: Connection) -> None:
        """Keep a connection of which the answer was read."""
        if connection.ended and not connection.gone and connection.parser.should_keep_alive():
            connection.used = time.monotonic()
            self.idle.append(connection)
        else:
            connection.transport.close()

    async def aclose(self) -> None:
        """Close what is idle."""
        while self.idle:
            self.idle.pop().transport.close()


class Body(httpx.AsyncByteStream):
    """The body of an answer as it comes."""

    def __init__(self, connections: Connections, connection: Connection, seconds: float | None):
        self.connections = connections
        self.connection = connection
        self.seconds = seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        one = self.connection
        while not one.ended or one.pieces:
            await one.until(lambda: one.ended or one.pieces, self.seconds)
            if one.pieces:
                yield one.take()

    async def aclose(self) -> None:
        self.connections.leave(self.connection)


class Connection(asyncio.Protocol):
    """One connection and the answer that comes by it."""

    transport: asyncio.Transport
    parser: httptools.HttpResponseParser

    def __init__(self) -> None:
        self.gone = False
        self.used = 0.0
        self.changed = asyncio.Event()

    def send(self, request: httpx.Request, body: bytes) -> None:
        """Send a request."""
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self.waiting = 0
        self.begun = self.ended = False
        self.bodiless = request.method == "HEAD"
        self.parser = httptools.HttpResponseParser(self)
        if "transfer-encoding" in request.headers:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        head = b"%s %s HTTP/1.1\r\n" % (request.method.encode(), request.url.raw_path)
        self.transport.write(b"".join((head, *(b"%s: %s\r\n" % line for line in request.headers.raw), b"\r\n", body)))

    async def until(self, ready: Callable[[], object], seconds: float | None) -> None:
        """Wait for more of the answer. ReadTimeout, RemoteProtocolError."""
        try:
            async with asyncio.timeout(seconds):
                while not ready():
                    if self.gone:
                        raise httpx.RemoteProtocolError("the server closed the connection before its answer was whole")
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"nothing came in {seconds} s") from error

    def take(self) -> bytes:
        """What came since the last time."""
        taken, self.pieces, self.waiting = b"".join(self.pieces), [], 0
        self.transport.resume_reading()
        return taken

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self.changed.set()

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)
        self.changed.set()
        if self.waiting > MOST:
            self.transport.pause_reading()

    # -- what the parser tells -----------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.begun = True
        self.ended = self.bodiless

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)
        self.waiting += len(body)

    def on_message_complete(self) -> None:
        self.ended = True
