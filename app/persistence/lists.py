"""Saved lists and which of them a person begins with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

COLUMNS = (
    "id, entity, name, description, criteria, columns, sort, visibility, mine, params, owner_id, version, created_at, "
    "updated_at"
)
ONE = f"SELECT {COLUMNS} FROM lists WHERE workspace_id = $1 AND id = $2"
LOCKED = f"{ONE} FOR UPDATE"
# What others keep private stays away from everybody but an admin ($4).
PAGE = f"""
SELECT {COLUMNS} FROM lists
WHERE workspace_id = $1 AND ($2::text IS NULL OR entity = $2)
    AND (visibility = 'public' OR owner_id = $3::uuid OR $4::boolean)
    AND ($5::text IS NULL OR (name, id) > ($5, $6::uuid))
ORDER BY name, id LIMIT $7
"""
DELETE_DEFAULTS = "DELETE FROM list_defaults WHERE workspace_id = $1 AND list_id = $2"
DELETE = "DELETE FROM lists WHERE workspace_id = $1 AND id = $2"
USED = "SELECT EXISTS (SELECT 1 FROM list_defaults WHERE workspace_id = $1 AND list_id = $2 AND user_id <> $3)"
SET_DEFAULT = """
INSERT INTO list_defaults (workspace_id, user_id, entity, list_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace_id, user_id, entity) DO UPDATE SET list_id = excluded.list_id
"""
CLEAR_DEFAULT = "DELETE FROM list_defaults WHERE workspace_id = $1 AND user_id = $2 AND entity = $3"
DEFAULTS = "SELECT entity, list_id FROM list_defaults WHERE workspace_id = $1 AND user_id = $2"


async def insert(tx: Transaction, workspace_id: UUID, list_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Adds a list; values by column, JSON as bytes."""
    names = "".join(f", {name}" for name in values)
    marks = "".join(f", ${n}" for n in range(4, len(values) + 4))
    sql = f"INSERT INTO lists (workspace_id, id, created_at, updated_at{names}) VALUES ($1, $2, $3, $3{marks})"
    await tx.execute(sql, workspace_id, list_id, now, *values.values())


async def update(tx: Transaction, workspace_id: UUID, list_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Changes columns and counts the version up."""
    sets = "".join(f", {name} = ${n}" for n, name in enumerate(values, 4))
    sql = f"UPDATE lists SET version = version + 1, updated_at = $3{sets} WHERE workspace_id = $1 AND id = $2"
    await tx.execute(sql, workspace_id, list_id, now, *values.values())


async def one(reader: Reader, workspace_id: UUID, list_id: UUID) -> Record | None:
    """A list."""
    return await reader.fetchrow(ONE, workspace_id, list_id, point=True)


async def locked(tx: Transaction, workspace_id: UUID, list_id: UUID) -> Record | None:
    """A list, locked against other writers until the transaction ends."""
    return await tx.fetchrow(LOCKED, workspace_id, list_id)


async def page(
    reader: Reader,
    workspace_id: UUID,
    entity: str | None,
    user_id: UUID | None,
    hidden: bool,
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[Record]:
    """Public lists and the user's own, by name; `hidden` adds what others keep private."""
    name, last = after or (None, None)
    return await reader.fetch(PAGE, workspace_id, entity, user_id, hidden, name, last, limit)


async def delete(tx: Transaction, workspace_id: UUID, list_id: UUID) -> None:
    """Removes a list, also from where people begin with it."""
    await tx.execute(DELETE_DEFAULTS, workspace_id, list_id)
    await tx.execute(DELETE, workspace_id, list_id)


async def used_by_others(tx: Transaction, workspace_id: UUID, list_id: UUID, user_id: UUID) -> bool:
    """Whether somebody else begins with the list."""
    return bool(await tx.fetchval(USED, workspace_id, list_id, user_id))


async def set_default(tx: Transaction, workspace_id: UUID, user_id: UUID, entity: str, list_id: UUID | None) -> None:
    """The list that the user begins with for accounts or contacts; None for none."""
    if list_id is None:
        await tx.execute(CLEAR_DEFAULT, workspace_id, user_id, entity)
    else:
        await tx.execute(SET_DEFAULT, workspace_id, user_id, entity, list_id)


async def defaults(reader: Reader, workspace_id: UUID, user_id: UUID) -> dict[str, UUID]:
    """The user's default lists by entity."""
    rows = await reader.fetch(DEFAULTS, workspace_id, user_id, point=True)
    return {row["entity"]: row["list_id"] for row in rows}
