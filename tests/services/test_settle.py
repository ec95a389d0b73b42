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

from app.persistence import facts, segments
from app.persistence import workspaces as kept
from app.persistence.database import Database, Transaction
from app.services import (
    accounts,
    bulk,
    checks,
    days,
    pins,
    scenarios,
    segmentations,
    stages,
    ticks,
    workspaces,
)
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


async def _leave(org: Organisation) -> object:
    return await stages.delete(org.db, org.call(), "slug", "trial", 1, "adoption")


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


async def test_an_account_that_somebody_made_since_is_settled_with_those_told(
    db: Database, watch: asyncpg.Connection[Any]
) -> None:
    org = await organisation(db)
    await org.industry("retail")
    old = await accounts.create(db, org.call(), NEW | {"external_id": "old"})
    await segmentations.put(db, org.call(), "size", SIZE, None)
    told = [NEW | {"external_id": name, "health": 10} for name in ("old", "new")]
    raw = msgspec.json.encode(told)
    async with db.transaction() as barrier:
        # Rows are told apart already; what is known is waited for.
        await facts.lock(barrier, org.workspace.id, [old.id])
        first = asyncio.create_task(
            bulk.upsert(db, org.call(), "accounts", json_records.sent(raw, lambda: told), "all")
        )
        await _until(watch, waiting=1)
        await accounts.create(db, org.call(), NEW | {"health": 90})
    shown = msgspec.json.decode((await first).body)
    assert [one["outcome"] for one in shown["results"]] == ["updated", "updated"]
    before = await _stored(org)
    bands = await org.rows("SELECT health, health_band FROM accounts WHERE workspace_id = $1")
    assert bands == [(10, "red"), (10, "red")]
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


async def test_who_pins_and_who_places_everybody_wait_in_one_order(
    db: Database, watch: asyncpg.Connection[Any]
) -> None:
    org, account = await _placed(db)
    async with db.transaction() as barrier:
        await facts.lock(barrier, org.workspace.id, [account])
        placing = asyncio.create_task(_put(org))
        await _until(watch, waiting=1)
        told = {"segment": "known", "reason": "A pilot."}
        pinning = asyncio.create_task(pins.pin(db, org.call(), account, "size", told))
        await _until(watch, waiting=2)
    await asyncio.gather(placing, pinning)


async def test_time_that_cannot_be_followed_locks_no_segmentation_before_the_workspace(
    db: Database, watch: asyncpg.Connection[Any]
) -> None:
    org, _ = await _placed(db)
    lately = SIZE | {"segments": [{"slug": "due", "name": "Due", "criteria": "last_interaction_at >= ago(36h) OR renewal_date IN next(9d)"}]}  # fmt: skip
    await segmentations.put(db, org.call(), "lately", lately, None)
    async with db.transaction() as barrier:
        await kept.hold(barrier, org.workspace.id)
        following = asyncio.create_task(ticks.follow(db, org.workspace.id, NOW + timedelta(days=1)))
        await _until(watch, waiting=1)
        assert await segments.hold(barrier, org.workspace.id, "lately")
    assert await following
    assert not await ticks.follow(db, org.workspace.id, NOW + timedelta(days=1))


@pytest.mark.parametrize("every", [_roll, _leave])
async def test_accounts_are_locked_once_the_workspace_is_sealed(
    db: Database, watch: asyncpg.Connection[Any], every: Write
) -> None:
    org, account = await _placed(db)
    async with db.transaction() as maker:
        await kept.share(maker, org.workspace.id)
        sealing = asyncio.create_task(every(org))
        await _until(watch, waiting=1)
        await facts.lock(maker, org.workspace.id, [account])
    assert await sealing


async def test_a_check_that_compares_keeps_no_segmentation_from_others(
    db: Database, watch: asyncpg.Connection[Any]
) -> None:
    org, _ = await _placed(db)
    await org.run("UPDATE segmentations SET created_at = created_at - interval '1 day' WHERE workspace_id = $1")
    async with db.transaction() as barrier:
        await barrier.execute("LOCK TABLE pins IN ACCESS EXCLUSIVE MODE")
        checking = asyncio.create_task(checks.check(db, org.workspace.id, NOW))
        await _until(watch, waiting=1)
        async with asyncio.timeout(2), db.transaction() as tx:
            assert await segments.hold(tx, org.workspace.id, "size")
    assert list((await checking or {}).values()) == [0]


async def test_who_holds_accounts_waits_for_no_segmentation_to_say_that_it_broke(db: Database) -> None:
    """Whoever places all accounts has the segmentations, and may wait for these accounts."""
    org, account = await _placed(db)
    row = await segments.one(db, org.workspace.id, "size")
    assert row is not None

    async def broken() -> str:
        async with asyncio.timeout(2), db.transaction() as tx:
            await facts.lock(tx, org.workspace.id, [account])
            await segments.failed(tx, org.workspace.id, [row["id"]], "broken", ["It means nothing."])
            told: str = await tx.fetchval("SELECT state FROM segmentations WHERE workspace_id = $1", org.workspace.id)
            return told

    async with db.transaction() as placing:
        await segments.hold_all(placing, org.workspace.id)
        assert await broken() == "ok"
    assert await broken() == "broken"


async def _placed(db: Database) -> tuple[Organisation, UUID]:
    """A workspace with an account in a stage, and a segmentation."""
    org = await organisation(db)
    made = await accounts.create(db, org.call(), {"name": "Old", "health": 50, "stage": "trial"})
    await segmentations.put(db, org.call(), "size", SIZE, None)
    return org, made.id
