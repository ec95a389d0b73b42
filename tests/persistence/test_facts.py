"""Kept facts in the database: nothing but what differs is written, and writers of one account do not lose each other."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

from app.persistence import facts, usage
from app.persistence.database import Database, Transaction
from tests.laws import worlds
from tests.laws.worlds import NOW, World

INVOICE = """INSERT INTO invoices (workspace_id, id, account_id, status, amount, issued_at, due_at, created_at, updated_at)
VALUES ($1, $2, $3, 'unpaid', 100, '2026-01-01', '2026-01-01', $4, $4)"""


async def refresh(tx: Transaction, w: World, account_ids: list[UUID] | None) -> int:
    await facts.lock(tx, w.workspace_id, account_ids)
    return await facts.refresh(tx, w.workspace_id, account_ids)


async def made(db: Database, seed: int, accounts: int) -> World:
    w = worlds.world(seed, accounts)
    async with db.transaction() as tx:
        await worlds.insert(tx, w)
        await refresh(tx, w, None)
    return w


async def versions(db: Database, w: World) -> list[Any]:
    rows = await db.fetch(
        "SELECT id, version, updated_at, xmin::text FROM accounts WHERE workspace_id = $1 ORDER BY id", w.workspace_id
    )
    return [tuple(row) for row in rows]


async def test_a_refresh_without_a_difference_writes_no_row(db: Database) -> None:
    w = await made(db, 71, 30)
    before = await versions(db, w)
    for account_ids in (None, list(w.accounts), list(w.accounts)[:1]):
        async with db.transaction() as tx:
            assert await facts.refresh(tx, w.workspace_id, account_ids) == 0
    assert await versions(db, w) == before


async def test_what_is_kept_is_no_change_by_hand(db: Database) -> None:
    w = await made(db, 72, 5)
    account_id = next(iter(w.accounts))
    before = {row[0]: row[1:3] for row in await versions(db, w)}
    async with db.transaction() as tx:
        await tx.execute(INVOICE, w.workspace_id, w.uuid(), account_id, NOW)
        assert await refresh(tx, w, [account_id]) == 1
    assert {row[0]: row[1:3] for row in await versions(db, w)} == before


async def test_writers_of_one_account_see_each_other(db: Database) -> None:
    w = await made(db, 73, 3)
    account_id = next(iter(w.accounts))
    amount = "SELECT open_invoices_amount FROM accounts WHERE workspace_id = $1 AND id = $2"
    before = await db.fetchval(amount, w.workspace_id, account_id)
    together = asyncio.Barrier(4)

    async def write() -> None:
        async with db.transaction() as tx:
            await tx.execute(INVOICE, w.workspace_id, UUID(int=w.random.getrandbits(128)), account_id, NOW)
            await together.wait()
            await refresh(tx, w, [account_id])

    await asyncio.gather(*(write() for _ in range(4)))
    assert await db.fetchval(amount, w.workspace_id, account_id) == before + 400


async def test_statements_are_short_enough_to_be_kept_prepared() -> None:
    scopes: tuple[facts.Scope, ...] = ("one", "few", "many", "all")
    for scope in scopes:
        assert max(len(facts.usage_statement(scope)), len(facts.accounts_statement(scope))) < 15_000


async def test_partitions_are_made_once_by_whoever_comes_first(db: Database) -> None:
    async def ensure() -> None:
        async with db.transaction() as tx:
            await usage.ensure_months(tx, date(2019, 11, 30), date(2020, 2, 1))

    await asyncio.gather(*(ensure() for _ in range(4)))
    rows = await db.fetch(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_class c WHERE c.relispartition "
        "AND c.relkind = 'r' AND c.relname < 'usage_days_2021' ORDER BY c.relname"
    )
    assert [row["relname"] for row in rows] == [f"usage_days_{m}" for m in ("2019_11", "2019_12", "2020_01", "2020_02")]
    assert rows[1]["bound"] == "FOR VALUES FROM ('2019-12-01') TO ('2020-01-01')"


def test_months() -> None:
    assert usage.months(date(2024, 12, 31), date(2025, 1, 1)) == [date(2024, 12, 1), date(2025, 1, 1)]
    assert usage.months(date(2024, 5, 5), date(2024, 5, 1)) == [date(2024, 5, 1)]
