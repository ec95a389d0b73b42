"""The demo workspace: made once, in one transaction, from a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from uuid import UUID

from app.domain.demo import world
from app.domain.demo.life import HISTORY, Rows
from app.persistence import demo, usage, workspaces
from app.persistence.database import Database, Transaction
from app.services import settle
from app.services.workspaces import create_in

SLUG = "demo"
SEED = 2017
CHUNK = 200
TIMEOUT = 600.0

Progress = Callable[[str, float], None]
"""Told what is being done, and the share done, 0 to 1."""


async def load(db: Database, now: datetime, progress: Progress, seed: int = SEED) -> UUID:
    """Makes the demo workspace and answers its id. Deterministic for one seed and day; nothing is left by a failure.

    Raises Conflict where it is there already.
    """
    today = now.astimezone(UTC).date()
    async with db.transaction(statement_timeout=TIMEOUT) as tx:
        progress("teams, products, features, scenarios", 0.0)
        workspace_id = await create_in(tx, "Demo", now, slug=SLUG)
        base = world.foundation(seed, today)
        for table, rows in base.rows.items():
            await demo.copy_rows(tx, workspace_id, table, rows)
        await usage.ensure_months(tx, today - HISTORY, today)
        await _accounts(tx, workspace_id, world.accounts(seed, today, base), progress)
        progress("facts, usage windows and segments", 0.9)
        workspace = await workspaces.load(tx, workspace_id)
        await settle.settle(tx, workspace, None, now)
    progress("done", 1.0)
    return workspace_id


async def _accounts(tx: Transaction, workspace_id: UUID, lives: Iterator[tuple[Rows, Iterator[str]]], progress: Progress) -> None:
    done = 0
    while chunk := list(islice(lives, CHUNK)):
        together: Rows = {}
        for rows, _ in chunk:
            for table, some in rows.items():
                together.setdefault(table, []).extend(some)
        for table in sorted(together, key=ORDER.index):
            await demo.copy_rows(tx, workspace_id, table, together[table])
        await demo.copy_usage(tx, workspace_id, chain.from_iterable(lines for _, lines in chunk))
        done += len(chunk)
        progress(f"{done:,} of {world.ACCOUNTS:,} accounts with their daily usage", 0.9 * done / world.ACCOUNTS)


ORDER = (
    "accounts", "contacts", "contracts", "churns", "interactions", "surveys", "tickets", "sentiments", "requests",
    "invoices", "opportunities",
)  # fmt: skip
"""Tables of an account's life, each after those that it refers to."""
