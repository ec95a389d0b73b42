"""What keeps the processor busy for longer than other requests should wait: one at a time, beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from app.domain.errors import Busy

Result = TypeVar("Result")
_worker = ThreadPoolExecutor(1, thread_name_prefix="aside")
"""More than one would take the interpreter from the event loop more often than it gets it back."""
_apart = ThreadPoolExecutor(1, thread_name_prefix="apart")
_under_way: Future[Any] | None = None


async def aside(work: Callable[[], Result]) -> Result:
    """What the work gives; it may read nothing that others write meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(_worker, work)


async def in_turns(work: Generator[None, None, Result]) -> Result:
    """What the work gives in the end; wherever it yields, those who wait for the worker come first."""
    found: list[Result] = []
    while not found:
        found = await aside(partial(_turn, work))
    return found[0]


def _turn(work: Generator[None, None, Result]) -> list[Result]:
    try:
        next(work)
    except StopIteration as end:
        return [end.value]
    return []


async def apart(work: Callable[[], Result]) -> Result:
    """What the work gives, for what takes seconds in libraries that leave the interpreter to others: nothing else waits for
    it. Raises Busy where another is under way, of a request that has gone too."""
    global _under_way
    if _under_way is not None and not _under_way.done():
        raise Busy("Something as large is under way: send this again after the time in Retry-After.")
    _under_way = found = _apart.submit(work)
    return await asyncio.wrap_future(found)
