"""The limit: a process of its own that runs a route's statements on bare asyncpg, and does nothing else."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Self, TypeAlias

import uvloop

from app.persistence.pool import Connection, connect
from bench.statements import Asked, Statement


@dataclass(frozen=True, slots=True)
class Load:
    """Make a case ready: all its statements are prepared."""

    case: str
    asked: Sequence[Asked]


@dataclass(frozen=True, slots=True)
class Run:
    """Run a case `count` times, going round its requests from the one at `start`."""

    case: str
    start: int
    count: int


Session: TypeAlias = tuple[tuple[str, str], ...]


class Limit:
    """The process, seen from outside; `connections` of each kind of session work side by side."""

    def __init__(self, dsn: str, connections: int):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, dsn, connections), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()

    @property
    def pid(self) -> int:
        """Its process id."""
        if self.process.pid is None:
            raise LookupError("the limit does not run")
        return self.process.pid

    def do(self, order: Load | Run) -> None:
        """Have something done, and wait until it is. Raises EOFError when the process died."""
        self.pipe.send(order)
        self.pipe.recv()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pipe.close()
        self.process.join(10)


class Bare:
    """Connections by the kind of their session, and the statements of each case."""

    def __init__(self, dsn: str, connections: int):
        self.dsn = dsn
        self.count = connections
        self.connections: dict[Session, list[Connection]] = {}
        self.cases: dict[str, Sequence[Asked]] = {}
        self.several: set[str] = set()

    async def do(self, order: Load | Run) -> None:
        """Carry out an order."""
        if isinstance(order, Load):
            self.cases[order.case] = order.asked
            for statement in {one.sql: one for asked in order.asked for one in asked}.values():
                await self._prepare(statement)
            return
        numbers = iter(range(order.start, order.start + order.count))
        await asyncio.gather(*(self._work(order.case, lane, numbers) for lane in range(self.count)))

    async def _prepare(self, statement: Statement) -> None:
        """Run it once on every connection. The driver's fetchrow asks for one row alone: it is for what gives no more."""
        if statement.session not in self.connections:
            made = [await connect(self.dsn, dict(statement.session), None) for _ in range(self.count)]
            self.connections[statement.session] = made
        for connection in self.connections[statement.session]:
            if len(await connection.fetch(statement.sql, *statement.args)) > 1:
                self.several.add(statement.sql)

    async def _work(self, case: str, lane: int, numbers: Iterator[int]) -> None:
        for number in numbers:
            await self.one(case, number, lane)

    async def one(self, case: str, number: int, lane: int) -> bytes:
        """Run what one request runs, on the connections of a lane; the JSON that came last."""
        requests, found = self.cases[case], b""
        for statement in requests[number % len(requests)]:
            connection = self.connections[statement.session][lane]
            if statement.sql in self.several:
                value = (await connection.fetch(statement.sql, *statement.args))[-1][0]
            else:
                value = await connection.fetchval(statement.sql, *statement.args)
            if isinstance(value, bytes):
                found = value
        return found


def serve(pipe: Pipe, dsn: str, connections: int) -> None:
    """The process: orders come until the other end closes."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        bare = Bare(dsn, connections)
        gc.collect()
        gc.freeze()
        pipe.send(None)
        while True:
            try:
                order = pipe.recv()
            except (EOFError, KeyboardInterrupt):
                return
            runner.run(bare.do(order))
            pipe.send(None)
