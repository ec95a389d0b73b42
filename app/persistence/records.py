"""Records of any entity of the catalogue, written by hand: one row at a time, values by column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from app.domain.catalogue import ENTITIES, Entity
from app.persistence.database import Record, Transaction

By = Literal["id", "external_id", "slug"]
"""What a record is known by; an id is a UUID, all else is text."""


async def insert(
    tx: Transaction, entity: Entity, workspace_id: UUID, record_id: UUID, values: Mapping[str, Any], now: datetime
) -> bool:
    """Adds a record; False where its external id, slug or e-mail is taken."""
    sql = _insert(entity.name, tuple(values))
    return bool(await tx.fetchval(sql, workspace_id, record_id, now, *values.values()))


async def update(
    tx: Transaction, entity: Entity, workspace_id: UUID, record_id: UUID, values: Mapping[str, Any], now: datetime
) -> None:
    """Changes columns and counts the version up."""
    await tx.execute(_update(entity.name, tuple(values)), workspace_id, record_id, now, *values.values())


async def locked(tx: Transaction, entity: Entity, workspace_id: UUID, by: By, value: UUID | str) -> Record | None:
    """The record as it stands, every writable column with `id` and `version`, locked until the transaction ends."""
    return await tx.fetchrow(_locked(entity.name, by), workspace_id, value)


async def delete(tx: Transaction, entity: Entity, workspace_id: UUID, record_id: UUID) -> None:
    """Takes the record away. Raises Conflict where something still refers to it."""
    await tx.execute(f"DELETE FROM {entity.name} WHERE workspace_id = $1 AND id = $2", workspace_id, record_id)


@lru_cache(maxsize=1024)
def _insert(name: str, columns: tuple[str, ...]) -> str:
    names = "".join(f", {column}" for column in columns)
    marks = "".join(f", ${n}" for n in range(4, len(columns) + 4))
    return f"""INSERT INTO {name} (workspace_id, id, created_at, updated_at{names}) VALUES ($1, $2, $3, $3{marks})
    ON CONFLICT DO NOTHING RETURNING true"""


@lru_cache(maxsize=1024)
def _update(name: str, columns: tuple[str, ...]) -> str:
    sets = "".join(f", {column} = ${n}" for n, column in enumerate(columns, 4))
    return f"""UPDATE {name} SET version = version + 1, updated_at = $3{sets} WHERE workspace_id = $1 AND id = $2"""


@lru_cache(maxsize=128)
def _locked(name: str, by: By) -> str:
    columns = ", ".join(("id", "version", *(f'"{f.column}"' for f in ENTITIES[name].fields.values() if f.writable)))
    return f"SELECT {columns} FROM {name} WHERE workspace_id = $1 AND {by} = $2 FOR NO KEY UPDATE"
