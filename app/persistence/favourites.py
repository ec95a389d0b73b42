"""The lists that people have marked as their favourites."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.persistence.database import Transaction

MARK = """
INSERT INTO list_favourites (workspace_id, user_id, list_id) VALUES ($1, $2, $3)
ON CONFLICT (workspace_id, user_id, list_id) DO NOTHING
"""
UNMARK = "DELETE FROM list_favourites WHERE workspace_id = $1 AND user_id = $2 AND list_id = $3"
FORGET = "DELETE FROM list_favourites WHERE workspace_id = $1 AND list_id = ANY ($2) AND user_id IS DISTINCT FROM $3"


async def mark(tx: Transaction, workspace_id: UUID, user_id: UUID, list_id: UUID) -> None:
    """The list is one of the user's favourites."""
    await tx.execute(MARK, workspace_id, user_id, list_id)


async def unmark(tx: Transaction, workspace_id: UUID, user_id: UUID, list_id: UUID) -> None:
    """It is not."""
    await tx.execute(UNMARK, workspace_id, user_id, list_id)


async def forget(tx: Transaction, workspace_id: UUID, list_ids: Sequence[UUID], but: UUID | None = None) -> None:
    """These lists are nobody's favourites any more, but for one user where one is told."""
    await tx.execute(FORGET, workspace_id, list_ids, but)
