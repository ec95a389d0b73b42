"""What HTTP alone costs: a bare ASGI callable on the same server, which runs a route's statements and sends what they give."""

from __future__ import annotations

import gc
import multiprocessing
import socket
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import Receive, Scope, Send

from bench import limit
from bench.requests import Request
from bench.statements import Asked

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"private, no-cache")]


class Bare:
    """The process, seen from outside; nobody is asked who they are, and nothing is read but the number in the path."""

    def __init__(self, dsn: str, connections: int, cases: Mapping[str, Sequence[Asked]]):
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self.names = list(cases)
        self.process = context.Process(target=serve, args=(theirs, dsn, connections, dict(cases)), daemon=True)
        self.process.start()
        theirs.close()
        self.url: str = ours.recv()

    @property
    def pid(self) -> int:
        """Its process id."""
        if self.process.pid is None:
            raise LookupError("the bare callable does not run")
        return self.process.pid

    def requests(self, case: str, count: int) -> list[Request]:
        """The requests that run what each of a case's requests runs."""
        return [Request("GET", f"/{self.names.index(case)}/{number}", "nobody") for number in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.join(10)


class Application:
    """The callable."""

    def __init__(self, dsn: str, connections: int, cases: Mapping[str, Sequence[Asked]]):
        self.statements = limit.Bare(dsn, connections)
        self.cases = cases
        self.names = list(cases)
        self.free = list(range(connections))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request of a case by its numbers."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        _, case, number = scope["path"].split("/")
        lane = self.free.pop()
        body = await self.statements.one(self.names[int(case)], int(number), lane)
        self.free.append(lane)
        headers = [*HEADERS, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        for name, asked in self.cases.items():
            await self.statements.do(limit.Load(name, asked))
        gc.collect()
        gc.freeze()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


def serve(pipe: Pipe, dsn: str, connections: int, cases: Mapping[str, Sequence[Asked]]) -> None:
    """The process: serves until it is ended."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Application(dsn, connections, cases), loop="uvloop", http="httptools", ws="none", lifespan="on", log_level="error",
        access_log=False, server_header=False, proxy_headers=False,
    )  # fmt: skip
    pipe.send(f"http://127.0.0.1:{listening.getsockname()[1]}")
    uvicorn.Server(config).run(sockets=[listening])
