"""API keys, found by the hash of their token together with everything that a principal is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.persistence.database import Database, Reader, Record, Transaction
from app.persistence.workspaces import columns

# The token says whose workspace it is: the only statement that begins without one. What it joins keeps to that one.
BY_HASH = f"""
SELECT k.id AS key_id, k.hash, k.role AS key_role, k.user_id, k.scopes, k.expires_at, u.role AS user_role,
    ARRAY(SELECT t.id FROM users t WHERE t.workspace_id = k.workspace_id AND t.team = u.team ORDER BY t.id) AS team,
    {columns("k.workspace_id")}
FROM api_keys k
JOIN workspaces w ON w.id = k.workspace_id
LEFT JOIN users u ON u.workspace_id = k.workspace_id AND u.id = k.user_id AND u.is_active
WHERE k.hash = $1 AND k.revoked_at IS NULL
"""
INSERT = """
INSERT INTO api_keys (workspace_id, id, name, hash, role, user_id, scopes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
SHOWN = "id, name, role, user_id, scopes, created_at, expires_at, revoked_at"
ONE = f"SELECT {SHOWN} FROM api_keys WHERE workspace_id = $1 AND id = $2"
PAGE = f"""
SELECT {SHOWN} FROM api_keys WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
"""
REVOKE = """
UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE workspace_id = $1 AND id = $2 RETURNING true
"""


async def by_hash(db: Database, digest: bytes) -> Record | None:
    """The key that is not revoked, its user where active, its workspace."""
    return await db.fetchrow(BY_HASH, digest, point=True)


async def insert(
    tx: Transaction,
    workspace_id: UUID,
    key_id: UUID,
    name: str,
    digest: bytes,
    role: str,
    user_id: UUID | None,
    scopes: Sequence[str],
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """Adds a key."""
    await tx.execute(INSERT, workspace_id, key_id, name, digest, role, user_id, list(scopes), now, expires_at)


async def one(reader: Reader, workspace_id: UUID, key_id: UUID) -> Record | None:
    """What may be shown of a key."""
    return await reader.fetchrow(ONE, workspace_id, key_id, point=True)


async def page(reader: Reader, workspace_id: UUID, after: UUID | None, limit: int) -> list[Record]:
    """What may be shown of the workspace's keys, in the order of their making."""
    return await reader.fetch(PAGE, workspace_id, after, limit, point=True)


async def revoke(tx: Transaction, workspace_id: UUID, key_id: UUID, now: datetime) -> bool:
    """Ends a key; False where there is none."""
    return bool(await tx.fetchval(REVOKE, workspace_id, key_id, now))
