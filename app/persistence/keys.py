"""API keys, found by the hash of their token together with everything that a principal is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.persistence.database import Database, Reader, Record, Transaction
from app.persistence.workspaces import columns


def _by(token: str, ends_at: str, source: str) -> str:
    return f"""
SELECT k.id AS key_id, {token}.hash, k.role AS key_role, k.user_id, k.scopes, {ends_at} AS expires_at,
    u.role AS user_role,
    ARRAY(SELECT t.id FROM users t WHERE t.workspace_id = k.workspace_id AND t.team = u.team ORDER BY t.id) AS team,
    {columns("k.workspace_id")}
FROM {source}
JOIN workspaces w ON w.id = k.workspace_id
LEFT JOIN users u ON u.workspace_id = k.workspace_id AND u.id = k.user_id AND u.is_active
WHERE {token}.hash = $1 AND k.revoked_at IS NULL
"""


# The token says whose workspace it is: the only statements that begin without one. What they join keeps to that one.
BY_HASH = _by("k", "k.expires_at", "api_keys k")
BY_EARLIER_HASH = _by(
    "e",
    "least(k.expires_at, e.ends_at)",
    "earlier_tokens e JOIN api_keys k ON k.workspace_id = e.workspace_id AND k.id = e.key_id",
)
# Keys of all workspaces at once, each named by its own: rows of a reference table alone. Locked in one order, because
# every process does this.
USED = """
UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, s.at)
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS s(workspace_id, id, at)
WHERE k.workspace_id = s.workspace_id AND k.id = s.id AND k.id = ANY (ARRAY(
  SELECT l.id FROM api_keys l WHERE l.id = ANY ($2) ORDER BY l.id FOR NO KEY UPDATE
))
"""
INSERT = """
INSERT INTO api_keys (workspace_id, id, name, hash, hint, role, user_id, scopes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
SHOWN = """k.id, k.name, k.role, k.user_id, k.scopes, k.hint, k.created_at, k.expires_at, k.last_used_at, k.rotated_at,
    (SELECT max(e.ends_at) FROM earlier_tokens e WHERE e.workspace_id = $1 AND e.key_id = k.id) AS overlap_until,
    k.revoked_at, (SELECT u.role FROM users u WHERE u.workspace_id = $1 AND u.id = k.user_id) AS user_role"""
ONE = f"SELECT {SHOWN} FROM api_keys k WHERE k.workspace_id = $1 AND k.id = $2"
PAGE = f"""
SELECT {SHOWN} FROM api_keys k WHERE k.workspace_id = $1 AND ($2::uuid IS NULL OR k.id > $2) ORDER BY k.id LIMIT $3
"""
LOCK = "SELECT hash FROM api_keys WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE"
REVOKE = "UPDATE api_keys SET revoked_at = $3 WHERE workspace_id = $1 AND id = $2"
ROTATE = """
UPDATE api_keys SET hash = $3, hint = $4, expires_at = $5, rotated_at = $6 WHERE workspace_id = $1 AND id = $2
"""
KEEP = "INSERT INTO earlier_tokens (workspace_id, id, key_id, hash, ends_at) VALUES ($1, $2, $3, $4, $5)"
END = """
DELETE FROM earlier_tokens WHERE workspace_id = $1 AND key_id = $2 AND ($3::timestamptz IS NULL OR ends_at <= $3)
"""
ALIVE = "SELECT count(*) FROM earlier_tokens WHERE workspace_id = $1 AND key_id = $2"


async def by_hash(db: Database, digest: bytes) -> Record | None:
    """The key that is not revoked, its user where active, its workspace; `expires_at` is the token's."""
    return await db.fetchrow(BY_HASH, digest, point=True) or await db.fetchrow(BY_EARLIER_HASH, digest, point=True)


async def used(tx: Transaction, uses: Mapping[tuple[UUID, UUID], datetime]) -> None:
    """Keeps when keys, (workspace, key) each, were used last; what is kept already may be later."""
    if uses:
        workspaces, ids = zip(*uses, strict=True)
        await tx.execute(USED, list(workspaces), list(ids), list(uses.values()))


async def insert(
    tx: Transaction,
    workspace_id: UUID,
    key_id: UUID,
    name: str,
    digest: bytes,
    hint: str,
    role: str,
    user_id: UUID | None,
    scopes: Sequence[str],
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """Adds a key."""
    await tx.execute(INSERT, workspace_id, key_id, name, digest, hint, role, user_id, list(scopes), now, expires_at)


async def one(reader: Reader, workspace_id: UUID, key_id: UUID) -> Record | None:
    """What may be shown of a key."""
    return await reader.fetchrow(ONE, workspace_id, key_id, point=True)


async def page(reader: Reader, workspace_id: UUID, after: UUID | None, limit: int | None) -> list[Record]:
    """What may be shown of the workspace's keys, in the order of their making; all of them without a limit."""
    return await reader.fetch(PAGE, workspace_id, after, limit, point=True)


async def locked(tx: Transaction, workspace_id: UUID, key_id: UUID) -> bytes | None:
    """The hash of a key's newest token, with the key locked until the transaction ends."""
    found: bytes | None = await tx.fetchval(LOCK, workspace_id, key_id)
    return found


async def revoke(tx: Transaction, workspace_id: UUID, key_id: UUID, now: datetime) -> None:
    """Ends a key with all its tokens."""
    await tx.execute(REVOKE, workspace_id, key_id, now)
    await tx.execute(END, workspace_id, key_id, None)


async def rotate(
    tx: Transaction,
    workspace_id: UUID,
    key_id: UUID,
    digest: bytes,
    hint: str,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Gives a key another token."""
    await tx.execute(ROTATE, workspace_id, key_id, digest, hint, expires_at, now)


async def keep_earlier(
    tx: Transaction, workspace_id: UUID, token_id: UUID, key_id: UUID, digest: bytes, ends_at: datetime
) -> None:
    """Lets a token that is not the newest any more live on until then."""
    await tx.execute(KEEP, workspace_id, token_id, key_id, digest, ends_at)


async def end_earlier(tx: Transaction, workspace_id: UUID, key_id: UUID, until: datetime | None) -> int:
    """Forgets a key's earlier tokens that end by then, or all of them; how many are left."""
    await tx.execute(END, workspace_id, key_id, until)
    return int(await tx.fetchval(ALIVE, workspace_id, key_id))
