"""How much of something few each workspace may hold at a time, so that none holds it all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

from app.domain.errors import Crowded
from app.persistence import pool


class Shares:
    """At most `most` for each workspace; who comes beyond waits in turn as long as for a connection."""

    def __init__(self, most: int):
        self.most = most
        self._held: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def one(self, workspace_id: UUID) -> AsyncIterator[None]:
        """One of the workspace's within the block. Raises Crowded where none is free within a few seconds."""
        held = self._held.get(workspace_id)
        if held is None:
            held = self._held[workspace_id] = asyncio.Semaphore(self.most)
        try:
            async with asyncio.timeout(pool.ACQUIRE_SECONDS):
                await held.acquire()
        except TimeoutError:
            raise Crowded from None
        try:
            yield
        finally:
            held.release()
