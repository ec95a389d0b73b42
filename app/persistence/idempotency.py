"""Idempotency keys: a claim and its answer are part of the transaction that they stand for."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from app.domain.errors import Fault, KeyReused, KeyStillRunning
from app.persistence.database import Transaction

KEPT = timedelta(hours=24)
OTHER = Fault("Expected a key that was not used for anything else.", parameter="Idempotency-Key")

CLAIM = """
INSERT INTO idempotency_keys AS k (workspace_id, credential_id, key, payload, answer, created_at)
VALUES ($1, $2, $3, $4, ''::bytea, $5)
ON CONFLICT (workspace_id, credential_id, key) DO UPDATE
SET payload = excluded.payload, answer = excluded.answer, created_at = excluded.created_at
WHERE k.workspace_id = $1 AND k.created_at <= $6
RETURNING true
"""
STANDING = """
SELECT payload, answer FROM idempotency_keys WHERE workspace_id = $1 AND credential_id = $2 AND key = $3
"""
ANSWER = """
UPDATE idempotency_keys SET answer = $4 WHERE workspace_id = $1 AND credential_id = $2 AND key = $3
"""
FORGET = """
DELETE FROM idempotency_keys WHERE workspace_id = $1 AND created_at <= $2
"""


async def claim(
    tx: Transaction, workspace_id: UUID, credential_id: UUID, key: str, payload: bytes, now: datetime
) -> bytes | None:
    """Takes the key for this transaction; the stored answer where it was taken with the same payload before.

    Waits up to two seconds for a transaction that holds it, then raises KeyStillRunning. KeyReused on another payload.
    """
    await tx.execute("SET LOCAL lock_timeout = '2s'")
    try:
        taken = await tx.fetchval(CLAIM, workspace_id, credential_id, key, payload, now, now - KEPT)
    except asyncpg.LockNotAvailableError:
        raise KeyStillRunning from None
    if taken:
        return None
    row = await tx.fetchrow(STANDING, workspace_id, credential_id, key)
    if row is None:  # forgotten in between: as good as still there, and the next try takes it
        raise KeyStillRunning
    if row["payload"] != payload:
        raise KeyReused(KeyReused.__doc__, (OTHER,))
    return bytes(row["answer"])


async def answered(tx: Transaction, workspace_id: UUID, credential_id: UUID, key: str, answer: bytes) -> None:
    """Keeps the answer with the key that this transaction has claimed."""
    await tx.execute(ANSWER, workspace_id, credential_id, key, answer)


async def forget(tx: Transaction, workspace_id: UUID, now: datetime) -> int:
    """Deletes the keys that are older than they are kept; says how many."""
    tag = await tx.execute(FORGET, workspace_id, now - KEPT)
    return int(tag.rpartition(" ")[2])
