"""Ready-made lists: what the server and its database spend on a page of 50 of each, a million accounts by ten thousand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from app.domain.list_templates import TEMPLATES
from app.persistence.database import Database
from bench import book, server
from bench.cpu import Meter
from bench.ratios import Goal, Ratio, Rounds, split
from bench.requests import Client, FailedError, Request

GOAL = Goal(2.0)
COUNT = 30
PAGE = 50
READY_MADE = TEMPLATES[:7]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Side:
    """A server over one book, and the requests for a page of each list."""

    client: Client
    meter: Meter
    wires: Mapping[str, bytes]

    def ask(self, slug: str, count: int) -> dict[str, float]:
        """Microseconds of server and database for one page."""
        self.client.renew()
        spent = self.meter.during(lambda: self.client.repeat([self.wires[slug]], 0, count))
        return {name: used / count for name, used in spent.items()}


def measured(cluster: server.Cluster, sizes: tuple[int, int], rounds: int, share: float) -> Iterator[Ratio]:
    """Each list over the small and the large book in turn; both are kept with the benchmark's data."""
    count = max(2, round(COUNT * share))
    with ExitStack() as stack:
        small, large = (stack.enter_context(_served(cluster, size)) for size in sizes)
        for template in READY_MADE:
            asks = {
                "small": partial(small.ask, template.slug, count),
                "large": partial(large.ask, template.slug, count),
            }
            Rounds().take(asks, 1)
            taken = Rounds()
            taken.take(asks, rounds)
            figures = {
                f"{size:,} µs": split(taken, name, ("srv", "pg")) for name, size in zip(asks, sizes, strict=True)
            }
            yield Ratio(f"list {template.slug}", GOAL, taken.ratios("large", "small"), figures)


@contextmanager
def _served(cluster: server.Cluster, accounts: int) -> Iterator[Side]:
    """A server over the book of so many accounts, with every list made; the book is made where it is not there yet."""
    name = f"bench_book_{accounts}"
    dsn = server.kept(cluster, name)
    key = asyncio.run(_with(dsn, book.key, accounts))
    if key is None:
        dsn = server.anew(cluster, name)
        asyncio.run(_with(dsn, book.make, accounts))
        asyncio.run(cluster.admin(name, "VACUUM (ANALYZE)", "CHECKPOINT"))
        key = asyncio.run(_with(dsn, book.key, accounts))
    assert key is not None, "it was made"
    with server.serving(cluster.home, dsn, demo=False) as served:
        client = Client(served.url)
        try:
            yield Side(client, Meter({"srv": served.pid, "pg": cluster.pid}), _asked(client, key))
        finally:
            client.close()


async def _with(dsn: str, do: Callable[[Database, int], Awaitable[Result]], accounts: int) -> Result:
    db = await Database.open(dsn, size=2)
    try:
        return await do(db, accounts)
    finally:
        await db.close()


def _asked(client: Client, key: str) -> dict[str, bytes]:
    """The request for a page of each list, by slug. Raises FailedError where a page is not full."""
    listed = json.loads(client.ask(Request("GET", "/v1/lists?limit=100", key).wire()))["data"]
    ids = {one["name"]: one["id"] for one in listed}
    when = quote(book.MOMENT.isoformat())
    wires = {
        template.slug: Request("GET", f"/v1/lists/{ids[template.name]}/rows?limit={PAGE}&as_of={when}", key).wire()
        for template in READY_MADE
    }
    for slug, wire in wires.items():
        if (found := len(json.loads(client.ask(wire))["data"])) != PAGE:
            raise FailedError(f"{slug} has a page of {found}, not of {PAGE}")
    return wires
