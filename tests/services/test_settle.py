"""What writes end with, where two of them overlap: whoever makes accounts and whoever brings every account up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from app.persistence import workspaces as kept
from app.persistence.database import Database, Transaction
from app.services import accounts, bulk, days, scenarios, segmentations, workspaces
from app.services.importing import json_records
from app.services.settle import settle
from tests.services.organisations import NOW, Organisation, organisation

Write = Callable[[Organisation], Coroutine[Any, Any, object]]
NEW = {"external_id": "new", "name": "New", "health": 50, "became_customer_at": "2026-11-23", "industry": "retail"}
SIZE: dict[str, Any] = {
    "name": "Size", "kind": "rules", "rest": "rest", "spec": {},
    "segments": [{"slug": "sick", "name": "Sick", "criteria": "health_band = \"red\""}, {"slug": "known", "name": "Known", "criteria": "health > 40"}],
}  # fmt: skip
OTHER = SIZE | {"segments": [{"slug": "other", "name": "Other", "criteria": "health > 40"}]}
KEPT = "SELECT * FROM {} WHERE workspace_id = $1"


async def _put(org: Organisation) -> object:
    return await segmentations.put(org.db, org.call(), "fresh", SIZE, None)


async def _replace(org: Organisation) -> object:
    return await segmentations.put(org.db, org.call(), "size", OTHER, 1)


async def _delete(org: Organisation) -> object:
    return await segmentations.delete(org.db, org.call(), "size", 1)


async def _roll(org: Organisation) -> object:
    return await days.roll(org.db, org.workspace.id, NOW + timedelta(days=1))


async def _bands(org: Organisation) -> object:
    return await workspaces.change(org.db, org.call(), {"health_yellow": 60}, org.workspace.version)


async def _scenario(org: Organisation) -> object:
    told = {"name": "Recession", "slug": "recession", "impacts": {"retail": "severe"}}
    return await scenarios.create(org.db, org.call(), told)


async def _create(org: Organisation) -> object:
    return await accounts.create(org.db, org.call(), NEW)


async def _upsert(org: Organisation) -> object:
    return await accounts.upsert(org.db, org.call(), "new", {k: v for k, v in NEW.items() if k != "external_id"}, None)


async def _child(org: Organisation) -> object:
    return await accounts.create(org.db, org.call(), NEW | {"parent": "old"})


async def _bulk(org: Organisation) -> object:
    told = json_records.sent(msgspec.json.encode([NEW]), lambda: [NEW])
    return await bulk.upsert(org.db, org.call(), "accounts", told, "all")


PAIRS = [
    *((_create, every) for every in (_put, _replace, _delete, _roll, _bands, _scenario)),
    *((maker, _put) for maker in (_upsert, _child, _bulk)),
]


WAITING = """
SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE NOT l.granted AND a.datname = current_database()
"""


async def _until(connection: asyncpg.Connection[Any], waiting: int) -> None:
    """Until so many sessions of the database wait for somebody's lock."""
    for _ in range(500):
        if await connection.fetchval(WAITING) == waiting:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never {waiting} waiting")


@pytest.fixture
async def watch(dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def _stored(org: Organisation) -> list[list[Any]]:
    return [sorted(map(repr, await org.rows(KEPT.format(table)))) for table in ("accounts", "members")]


@pytest.mark.parametrize("maker_first", [True, False])
@pytest.mark.parametrize(("maker", "every"), PAIRS)
async def test_an_account_made_meanwhile_is_as_right_as_any(
    db: Database, watch: asyncpg.Connection[Any], maker: Write, every: Write, maker_first: bool
) -> None:
    org = await organisation(db)
    await org.industry("retail")
    await accounts.create(db, org.call(), NEW | {"external_id": "old"})
    await segmentations.put(db, org.call(), "size", SIZE, None)
    pair = (maker, every) if maker_first else (every, maker)
    async with db.transaction() as barrier:
        # Writes go as far as their audit or, of days that roll, their last statement, and wait there.
        await barrier.execute("LOCK TABLE audit, idempotency_keys IN ACCESS EXCLUSIVE MODE")
        first = asyncio.create_task(pair[0](org))
        await _until(watch, waiting=1)
        second = asyncio.create_task(pair[1](org))
        await _until(watch, waiting=2)
    await asyncio.gather(first, second)
    before = await _stored(org)
    assert len(before[0]) == 2
    async with db.transaction() as tx:
        await settle(tx, org.workspace, None, NOW, reason="definition")
    assert await _stored(org) == before


async def test_makers_of_accounts_take_turns_with_who_seals(db: Database, watch: asyncpg.Connection[Any]) -> None:
    org = await organisation(db)

    async def within(lock: Callable[[Transaction, UUID], Coroutine[Any, Any, object]]) -> None:
        async with db.transaction() as tx:
            await lock(tx, org.workspace.id)

    async with db.transaction() as one, db.transaction() as another:
        await kept.share(one, org.workspace.id)
        await kept.share(another, org.workspace.id)
        await within(kept.hold)
        sealing = asyncio.create_task(within(kept.seal))
        await _until(watch, waiting=1)
        late = asyncio.create_task(within(kept.share))
        await _until(watch, waiting=2)
    await asyncio.gather(sealing, late)


async def test_who_holds_may_seal_while_others_wait_to(db: Database, watch: asyncpg.Connection[Any]) -> None:
    org = await organisation(db)
    await org.industry("retail")
    async with db.transaction() as tx:
        await kept.hold(tx, org.workspace.id)
        others = [asyncio.create_task(_put(org)), asyncio.create_task(_create(org))]
        await _until(watch, waiting=1)
        await kept.seal(tx, org.workspace.id)
    await asyncio.gather(*others)
