"""Accounts: rows written by hand, and what they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.persistence.database import Reader, Record, Transaction

DEPTH = 64
"""How many parents an account may have above it."""

WRITABLE = tuple(f for f in ACCOUNTS.fields.values() if f.writable)
STANDING = ", ".join(
    (
        "id",
        "version",
        "archived_at",
        *(f.column for f in WRITABLE),
        *(f"{f.name}_by_hand" for f in WRITABLE if f.fallback),
    )
)
LOCKED = f"SELECT {STANDING} FROM accounts WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE"
LOCKED_EXTERNAL = f"SELECT {STANDING} FROM accounts WHERE workspace_id = $1 AND external_id = $2 FOR NO KEY UPDATE"
NAMED = """
SELECT id FROM accounts WHERE workspace_id = $1 AND (id = $2 OR external_id = $3)
ORDER BY id = $2 DESC NULLS LAST LIMIT 1
"""
TOLD = """
SELECT EXISTS (SELECT 1 FROM contracts c WHERE c.workspace_id = $1 AND c.account_id = $2) AS contracts,
    EXISTS (SELECT 1 FROM opportunities o
            WHERE o.workspace_id = $1 AND o.account_id = $2 AND o.stage = 'open') AS opportunities,
    EXISTS (SELECT 1 FROM churns c WHERE c.workspace_id = $1 AND c.account_id = $2) AS churns
"""
ABOVE = f"""
WITH RECURSIVE above(id, depth) AS (
    SELECT $2::uuid, 1
    UNION ALL
    SELECT a.parent_id, b.depth + 1 FROM above b JOIN accounts a ON a.workspace_id = $1 AND a.id = b.id
    WHERE a.parent_id IS NOT NULL AND b.depth < {DEPTH}
)
SELECT array_agg(id ORDER BY depth) FROM above
"""
MOVE_STAGE = """
INSERT INTO stage_moves (workspace_id, id, account_id, stage, moved_at, actor_id) VALUES ($1, $2, $3, $4, $5, $6)
"""
SLUGS = {
    target: f"SELECT coalesce(array_agg(slug ORDER BY slug), '{{}}') FROM {target} WHERE workspace_id = $1"
    for target in sorted({str(f.target) for f in WRITABLE if f.kind == "slug"})
}


async def insert(
    tx: Transaction, workspace_id: UUID, account_id: UUID, values: Mapping[str, Any], now: datetime
) -> bool:
    """Adds an account, values by column; False where its external id is taken."""
    return bool(await tx.fetchval(_insert(tuple(values)), workspace_id, account_id, now, *values.values()))


async def update(
    tx: Transaction, workspace_id: UUID, account_id: UUID, values: Mapping[str, Any], now: datetime
) -> None:
    """Changes columns and counts the version up."""
    await tx.execute(_update(tuple(values)), workspace_id, account_id, now, *values.values())


async def locked(tx: Transaction, workspace_id: UUID, account_id: UUID) -> Record | None:
    """The account as it stands, locked against other writers until the transaction ends."""
    return await tx.fetchrow(LOCKED, workspace_id, account_id)


async def locked_external(tx: Transaction, workspace_id: UUID, external_id: str) -> Record | None:
    """The same, by external id."""
    return await tx.fetchrow(LOCKED_EXTERNAL, workspace_id, external_id)


async def named(reader: Reader, workspace_id: UUID, identity: UUID | None, name: str) -> UUID | None:
    """The account of this id, else of this external id."""
    found: UUID | None = await reader.fetchval(NAMED, workspace_id, identity, name, point=True)
    return found


async def told(tx: Transaction, workspace_id: UUID, account_id: UUID) -> Mapping[str, bool]:
    """Which related records say fields of the account: `contracts`, `opportunities` (open ones), `churns`."""
    row = await tx.fetchrow(TOLD, workspace_id, account_id)
    return dict(row) if row else {}


async def above(tx: Transaction, workspace_id: UUID, account_id: UUID) -> list[UUID]:
    """The account, its parent, its parent's parent, and so on: `DEPTH` at most."""
    return list(await tx.fetchval(ABOVE, workspace_id, account_id))


async def move_stage(
    tx: Transaction,
    workspace_id: UUID,
    move_id: UUID,
    account_id: UUID,
    stage: str | None,
    now: datetime,
    actor: UUID | None,
) -> None:
    """Records that the account moved to a stage, or to none."""
    await tx.execute(MOVE_STAGE, workspace_id, move_id, account_id, stage, now, actor)


async def slugs(reader: Reader, workspace_id: UUID, target: str) -> list[str]:
    """The slugs of all industries, or of all stages."""
    return list(await reader.fetchval(SLUGS[target], workspace_id, point=True))


@lru_cache(maxsize=512)
def _insert(columns: tuple[str, ...]) -> str:
    names = "".join(f", {name}" for name in columns)
    marks = "".join(f", ${n}" for n in range(4, len(columns) + 4))
    return f"""INSERT INTO accounts (workspace_id, id, created_at, updated_at{names}) VALUES ($1, $2, $3, $3{marks})
    ON CONFLICT (workspace_id, external_id) DO NOTHING RETURNING true"""


@lru_cache(maxsize=512)
def _update(columns: tuple[str, ...]) -> str:
    sets = "".join(f", {name} = ${n}" for n, name in enumerate(columns, 4))
    return f"""UPDATE accounts SET version = version + 1, updated_at = $3{sets} WHERE workspace_id = $1 AND id = $2"""
