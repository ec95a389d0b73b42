"""Which list a person begins with, and which one those who have chosen nothing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.persistence.database import Reader, Transaction

SET_OWN = """
INSERT INTO list_defaults (workspace_id, user_id, entity, list_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace_id, user_id, entity) DO UPDATE SET list_id = excluded.list_id
"""
CLEAR_OWN = "DELETE FROM list_defaults WHERE workspace_id = $1 AND user_id = $2 AND entity = $3"
OWN = "SELECT entity, list_id FROM list_defaults WHERE workspace_id = $1 AND user_id = $2"
SET_SHARED = """
INSERT INTO list_workspace_defaults (workspace_id, entity, list_id) VALUES ($1, $2, $3)
ON CONFLICT (workspace_id, entity) DO UPDATE SET list_id = excluded.list_id
"""
CLEAR_SHARED = "DELETE FROM list_workspace_defaults WHERE workspace_id = $1 AND entity = $2"
SHARED = "SELECT entity, list_id FROM list_workspace_defaults WHERE workspace_id = $1"
# A choice holds for what its maker can see.
USED = """
SELECT EXISTS (SELECT 1 FROM list_defaults d WHERE d.workspace_id = $1 AND d.list_id = $2 AND d.user_id <> $3) AS people,
    EXISTS (SELECT 1 FROM list_workspace_defaults d WHERE d.workspace_id = $1 AND d.list_id = $2) AS workspace
"""
FORGET = "DELETE FROM list_defaults WHERE workspace_id = $1 AND list_id = ANY ($2) AND user_id IS DISTINCT FROM $3"
FORGET_SHARED = "DELETE FROM list_workspace_defaults WHERE workspace_id = $1 AND list_id = ANY ($2)"


async def choose(tx: Transaction, workspace_id: UUID, user_id: UUID, entity: str, list_id: UUID | None) -> None:
    """The list that the user begins with for accounts or contacts; None for none."""
    if list_id is None:
        await tx.execute(CLEAR_OWN, workspace_id, user_id, entity)
    else:
        await tx.execute(SET_OWN, workspace_id, user_id, entity, list_id)


async def own(reader: Reader, workspace_id: UUID, user_id: UUID) -> dict[str, UUID]:
    """The user's default lists by entity."""
    rows = await reader.fetch(OWN, workspace_id, user_id, point=True)
    return {row["entity"]: row["list_id"] for row in rows}


async def choose_shared(tx: Transaction, workspace_id: UUID, entity: str, list_id: UUID | None) -> None:
    """The list that those begin with who have chosen nothing; None for none."""
    if list_id is None:
        await tx.execute(CLEAR_SHARED, workspace_id, entity)
    else:
        await tx.execute(SET_SHARED, workspace_id, entity, list_id)


async def shared(reader: Reader, workspace_id: UUID) -> dict[str, UUID]:
    """The workspace's default lists by entity."""
    rows = await reader.fetch(SHARED, workspace_id, point=True)
    return {row["entity"]: row["list_id"] for row in rows}


async def used(tx: Transaction, workspace_id: UUID, list_id: UUID, user_id: UUID) -> list[str]:
    """Who begins with the list besides this user: `people`, `workspace`."""
    row = await tx.fetchrow(USED, workspace_id, list_id, user_id)
    return [name for name, found in row.items() if found] if row else []


async def forget(tx: Transaction, workspace_id: UUID, list_ids: Sequence[UUID], but: UUID | None = None) -> None:
    """Nobody begins with these lists any more, but for one user where one is told."""
    await tx.execute(FORGET, workspace_id, list_ids, but)
    await tx.execute(FORGET_SHARED, workspace_id, list_ids)
