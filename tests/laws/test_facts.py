"""Kept facts are what the plain reference says, row by row, however they came to be refreshed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.facts import account_facts, contact_facts, contract_status, windows
from app.domain.roles import Principal
from app.persistence import facts, workspaces
from app.persistence.database import Database, Transaction
from app.services import bulk
from app.services.calls import COMMAND, Call
from app.services.importing import json_records
from tests.laws import worlds
from tests.laws.worlds import DAY, FEATURES, World

COLUMNS = {f.column: f.name for f in ACCOUNTS.own}


def expected_account(w: World, account_id: UUID, day: Any = DAY) -> dict[str, Any]:
    found = account_facts(w.accounts[account_id], worlds.related(w, account_id), worlds.settings(w, day))
    active: Any = found["last_active_at"]
    if active is not None:
        found["last_active_at"] = datetime.combine(active, datetime.min.time(), ZoneInfo(w.zone))
    return found | {"products": list(found["products"])}


async def kept_accounts(tx: Transaction, w: World) -> dict[UUID, dict[str, Any]]:
    rows = await tx.fetch(f"SELECT id, {', '.join(facts.KEPT)} FROM accounts WHERE workspace_id = $1", w.workspace_id)
    return {r["id"]: {COLUMNS[c]: r[c] for c in facts.KEPT} for r in rows}


async def kept_windows(tx: Transaction, w: World) -> dict[UUID, dict[str, tuple[float, ...]]]:
    rows = await tx.fetch("SELECT * FROM usage_windows WHERE workspace_id = $1", w.workspace_id)
    found: dict[UUID, dict[str, tuple[float, ...]]] = {}
    for r in rows:
        sums = (r["last_7"], r["last_30"], r["last_90"], r["before_30"])
        found.setdefault(r["account_id"], {})[FEATURES[r["feature"] - 1]] = sums
    return found


async def compare(tx: Transaction, w: World, day: Any = DAY) -> None:
    kept = await kept_accounts(tx, w)
    for account_id in w.accounts:
        assert kept[account_id] == expected_account(w, account_id, day), w.accounts[account_id]["name"]
    sums = {a: s for a in w.accounts if (s := windows(w.related[a]["usage"], day))}
    assert await kept_windows(tx, w) == sums
    rows = await tx.fetch("SELECT id, active_days_30, nps FROM contacts WHERE workspace_id = $1", w.workspace_id)
    people = {
        c["id"]: contact_facts(c, worlds.related(w, a), day) for a in w.accounts for c in w.related[a]["contacts"]
    }
    assert {r["id"]: {"active_days_30": r["active_days_30"], "nps": r["nps"]} for r in rows} == people
    rows = await tx.fetch("SELECT id, status FROM contracts WHERE workspace_id = $1", w.workspace_id)
    states = {c["id"]: contract_status(c, day) for a in w.accounts for c in w.related[a]["contracts"]}
    assert {r["id"]: r["status"] for r in rows} == states


async def refresh(tx: Transaction, w: World, account_ids: list[UUID] | None) -> int:
    await facts.lock(tx, w.workspace_id, account_ids)
    return await facts.refresh(tx, w.workspace_id, account_ids)


@pytest.mark.parametrize(("seed", "zone"), [(1, "UTC"), (2, "America/New_York"), (3, "Pacific/Auckland"), (4, "UTC")])
async def test_sql_equals_the_reference(db: Database, seed: int, zone: str) -> None:
    w = worlds.world(seed, 120, zone)
    async with db.transaction() as tx:
        await worlds.insert(tx, w)
        await refresh(tx, w, None)
        await compare(tx, w)
        assert await refresh(tx, w, None) == 0


@pytest.mark.parametrize("seed", [11, 12])
async def test_refreshing_what_was_touched_equals_refreshing_all(db: Database, seed: int) -> None:
    w = worlds.world(seed, 60)
    async with db.transaction() as tx:
        await worlds.insert(tx, w)
        await refresh(tx, w, None)
        for size in (1, 1, 5, 20):
            touched = w.random.sample(list(w.accounts), size)
            await worlds.delete_related(tx, w, touched)
            for account_id in touched:
                for entity in worlds.ROWS:
                    worlds.make(w, account_id, entity)
            await worlds.insert_related(tx, w, touched)
            await refresh(tx, w, touched)
            await compare(tx, w)
        assert await refresh(tx, w, None) == 0


async def test_another_day_moves_windows_and_states(db: Database) -> None:
    w = worlds.world(21, 60)
    async with db.transaction() as tx:
        await worlds.insert(tx, w)
        for days in (0, 1, 29, 90):
            day = DAY + timedelta(days=days)
            await tx.execute("UPDATE workspaces SET facts_day = $2 WHERE id = $1", w.workspace_id, day)
            await refresh(tx, w, None)
            await compare(tx, w, day)


async def test_another_workspace_is_not_touched(db: Database) -> None:
    one, other = worlds.world(31, 20), worlds.world(32, 20)
    async with db.transaction() as tx:
        await worlds.insert(tx, one)
        await worlds.insert(tx, other)
        before = await kept_accounts(tx, other)
        await refresh(tx, one, None)
        assert await kept_accounts(tx, other) == before
        assert await refresh(tx, one, list(other.accounts)) == 0
        assert await kept_accounts(tx, other) == before


@pytest.mark.parametrize("count", [30, 130])
async def test_a_bulk_upsert_writes_the_facts_that_follow(db: Database, count: int) -> None:
    """Few accounts and many; those that are there have related records, new ones come between them."""
    w = worlds.world(41 + count, 150)
    async with db.transaction() as tx:
        await worlds.insert(tx, w)
        await refresh(tx, w, None)
    told: list[dict[str, Any]] = [{"external_id": f"new-{n}", "name": "New", "arr": n, "health": 50} for n in range(5)]
    for n, row in enumerate(list(w.accounts.values())[:count]):
        said = {"seats_active": n % 31, "health": n % 101, "became_customer_at": DAY - timedelta(days=n)}
        if n % 3:  # others leave it out
            said["usage_limit"] = n + 0.5
        row.update(said)
        told.insert(n, {"external_id": row["external_id"], **said})
    raw = msgspec.json.encode(told)
    call = Call(Principal(COMMAND, await workspaces.load(db, w.workspace_id), "admin"), worlds.NOW)
    written = await bulk.upsert(db, call, "accounts", json_records.sent(raw, lambda: msgspec.json.decode(raw)), "all")
    assert msgspec.json.decode(written.body)["updated"] >= count - 1
    async with db.transaction() as tx:
        await compare(tx, w)
        assert await refresh(tx, w, None) == 0
