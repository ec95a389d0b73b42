"""Steps of playbooks and success plans that somebody said are done."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Record, Transaction

STANDS = "SELECT segment, since FROM members WHERE workspace_id = $1 AND segmentation_id = $2 AND account_id = $3"
ONE = """
SELECT note, done_at, author_id FROM steps_done
WHERE workspace_id = $1 AND account_id = $2 AND segmentation_id = $3 AND since = $4 AND plan = $5 AND step = $6
"""
PUT = """
INSERT INTO steps_done (workspace_id, account_id, segmentation_id, since, plan, step, note, done_at, author_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (workspace_id, account_id, segmentation_id, since, plan, step) DO UPDATE
  SET note = excluded.note, done_at = excluded.done_at, author_id = excluded.author_id
"""
DELETE = """
DELETE FROM steps_done
WHERE workspace_id = $1 AND account_id = $2 AND segmentation_id = $3 AND since = $4 AND plan = $5 AND step = $6
"""
Key = tuple[UUID, UUID, datetime, str, str]
"""The account, the segmentation, when the account entered its segment, the plan, the step's name."""


async def stands(tx: Transaction, workspace_id: UUID, segmentation_id: UUID, account_id: UUID) -> Record | None:
    """The segment of an account, and since when it stands there."""
    return await tx.fetchrow(STANDS, workspace_id, segmentation_id, account_id)


async def one(tx: Transaction, workspace_id: UUID, key: Key) -> Record | None:
    """A step that was done."""
    return await tx.fetchrow(ONE, workspace_id, *key)


async def put(
    tx: Transaction, workspace_id: UUID, key: Key, note: str | None, now: datetime, author: UUID | None
) -> None:
    """Keeps that a step is done, by whom and when."""
    await tx.execute(PUT, workspace_id, *key, note, now, author)


async def delete(tx: Transaction, workspace_id: UUID, key: Key) -> None:
    """The step is to be done again."""
    await tx.execute(DELETE, workspace_id, *key)
