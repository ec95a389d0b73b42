"""Backtests that were computed, by what they were computed from."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

MOST = 20
"""Backtests of a workspace that are kept, the newest."""
BOOKS = """
SELECT coalesce(array_agg(a.id), '{}'), coalesce(array_agg(coalesce(a.csm_id::text, '')), '{}') FROM accounts a
WHERE a.workspace_id = $1
"""
FOUND = "SELECT b.answer::json AS answer, b.computed_at FROM backtests b WHERE b.workspace_id = $1 AND b.digest = $2"
KEEP = """
INSERT INTO backtests (workspace_id, digest, answer, computed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace_id, digest) DO NOTHING
"""
FORGET = f"""
DELETE FROM backtests WHERE workspace_id = $1 AND digest = ANY (ARRAY(
  SELECT b.digest FROM backtests b WHERE b.workspace_id = $1 ORDER BY b.computed_at DESC, b.digest OFFSET {MOST}
))
"""


async def books(reader: Reader, workspace_id: UUID) -> dict[UUID, str]:
    """Whose every account is now, empty where it is nobody's."""
    row = await reader.fetchrow(BOOKS, workspace_id)
    assert row is not None  # an aggregate answers one row
    return dict(zip(*row, strict=True))


async def found(reader: Reader, workspace_id: UUID, digest: bytes) -> Record | None:
    """The answer that these inputs gave, and when."""
    return await reader.fetchrow(FOUND, workspace_id, digest, point=True)


async def keep(tx: Transaction, workspace_id: UUID, digest: bytes, answer: bytes, now: datetime) -> None:
    """Keeps an answer, and forgets the oldest beyond MOST."""
    await tx.execute(KEEP, workspace_id, digest, answer, now)
    await tx.execute(FORGET, workspace_id)
