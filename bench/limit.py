"""The limit: a process of its own that runs a route's statements on bare asyncpg, and does nothing else."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any, Self, TypeAlias

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


Call: TypeAlias = tuple[Any, str, tuple[Any, ...]]


class Limit:
    """The process, seen from outside."""

    def __init__(self, dsn: str):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, dsn), daemon=True)
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
    """A connection for each kind of session, and the calls of each case."""

    def __init__(self, dsn: str):
        self.dsn = dsn
        self.connections: dict[tuple[tuple[str, str], ...], Connection] = {}
        self.cases: dict[str, list[tuple[Call, ...]]] = {}

    async def do(self, order: Load | Run) -> None:
        """Carry out an order."""
        if isinstance(order, Load):
            self.cases[order.case] = [tuple([await self._call(one) for one in asked]) for asked in order.asked]
            return
        requests = self.cases[order.case]
        for number in range(order.start, order.start + order.count):
            for run, sql, args in requests[number % len(requests)]:
                await run(sql, *args)

    async def _call(self, statement: Statement) -> Call:
        """Run it once. The driver's fetchrow asks for one row alone: it stands for whatever gives no more."""
        connection = self.connections.get(statement.session)
        if connection is None:
            connection = self.connections[statement.session] = await connect(self.dsn, dict(statement.session), None)
        rows = await connection.fetch(statement.sql, *statement.args)
        return (connection.fetch if len(rows) > 1 else connection.fetchrow), statement.sql, statement.args


def serve(pipe: Pipe, dsn: str) -> None:
    """The process: orders come until the other end closes."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        bare = Bare(dsn)
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
