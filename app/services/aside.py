"""What keeps the processor busy for longer than other requests should wait: one at a time, beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
_worker = ThreadPoolExecutor(1, thread_name_prefix="aside")
"""More than one would take the interpreter from the event loop more often than it gets it back."""


async def aside(work: Callable[[], Result]) -> Result:
    """What the work gives; it may read nothing that others write meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(_worker, work)
