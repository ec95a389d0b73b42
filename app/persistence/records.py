"""Records of any entity of the catalogue, written by hand: one row at a time, values by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from app.domain.catalogue import ENTITIES, Entity
from app.persistence.database import Record, Transaction

By = Literal["id", "external_id", "slug"]
"""What a record is known by; an id is a UUID, all else is text."""

HOLD = """
SELECT a.id, a.csm_id FROM accounts a WHERE a.workspace_id = $1 AND a.id = ANY ($2) ORDER BY a.id FOR NO KEY UPDATE
"""
TAKE_PRIMACY = """
UPDATE contacts SET is_primary = false, version = version + 1, updated_at = $4
WHERE workspace_id = $1 AND account_id = $2 AND is_primary AND id <> $3 RETURNING id
"""
LIST_PRICE = "SELECT list_price FROM products WHERE workspace_id = $1 AND slug = $2"
NEXT_NUMBER = "SELECT coalesce(max(no), 0) + 1 FROM features WHERE workspace_id = $1"


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


async def locked(
    tx: Transaction, entity: Entity, workspace_id: UUID, by: By, value: UUID | str, *, going: bool = False
) -> Record | None:
    """The record as it stands, locked until the transaction ends: `id`, `version`, every writable column; of an account
    also what is set by hand beside related records, and when it was archived. `going`: nobody can refer to it either."""
    return await tx.fetchrow(_locked(entity.name, by, going), workspace_id, value)


async def delete(tx: Transaction, entity: Entity, workspace_id: UUID, record_id: UUID) -> None:
    """Takes the record away. Raises Conflict where something still refers to it."""
    await tx.execute(f"DELETE FROM {entity.name} WHERE workspace_id = $1 AND id = $2", workspace_id, record_id)


async def holder(tx: Transaction, entity: Entity, workspace_id: UUID, by: By, value: str) -> UUID | None:
    """The id of the record that is known by this."""
    found: UUID | None = await tx.fetchval(_column(entity.name, "id", by), workspace_id, value)
    return found


async def account_of(tx: Transaction, entity: Entity, workspace_id: UUID, by: By, value: UUID | str) -> UUID | None:
    """The account that a related record belongs to; None where there is no such record."""
    found: UUID | None = await tx.fetchval(_column(entity.name, "account_id", by), workspace_id, value)
    return found


async def hold(tx: Transaction, workspace_id: UUID, account_ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
    """Locks accounts against other writers, in the order that all writes keep; whose they are, by id."""
    return {row["id"]: row["csm_id"] for row in await tx.fetch(HOLD, workspace_id, account_ids)}


async def take_primacy(
    tx: Transaction, workspace_id: UUID, account_id: UUID, contact_id: UUID, now: datetime
) -> list[UUID]:
    """Leaves the account no other primary contact; gives those that were. The account must be held."""
    return [row["id"] for row in await tx.fetch(TAKE_PRIMACY, workspace_id, account_id, contact_id, now)]


async def list_price(tx: Transaction, workspace_id: UUID, product: str) -> int | None:
    """What a product costs, in minor units."""
    found: int | None = await tx.fetchval(LIST_PRICE, workspace_id, product)
    return found


async def next_number(tx: Transaction, workspace_id: UUID) -> int:
    """What usage will call the next feature; the workspace must be held."""
    return int(await tx.fetchval(NEXT_NUMBER, workspace_id))


@lru_cache(maxsize=1024)
def _insert(name: str, columns: tuple[str, ...]) -> str:
    names = "".join(f', "{column}"' for column in columns)
    marks = "".join(f", ${n}" for n in range(4, len(columns) + 4))
    return f"""INSERT INTO {name} (workspace_id, id, created_at, updated_at{names}) VALUES ($1, $2, $3, $3{marks})
    ON CONFLICT DO NOTHING RETURNING true"""


@lru_cache(maxsize=1024)
def _update(name: str, columns: tuple[str, ...]) -> str:
    sets = "".join(f', "{column}" = ${n}' for n, column in enumerate(columns, 4))
    return f"""UPDATE {name} SET version = version + 1, updated_at = $3{sets} WHERE workspace_id = $1 AND id = $2"""


@lru_cache(maxsize=128)
def _locked(name: str, by: By, going: bool) -> str:
    fields = [f for f in ENTITIES[name].fields.values() if f.writable]
    columns = ["id", "version", *(f.column for f in fields)]
    if name == "accounts":
        columns += ["archived_at", *(f"{f.name}_by_hand" for f in fields if f.fallback)]
    shown = ", ".join(f'"{column}"' for column in columns)
    lock = "UPDATE" if going else "NO KEY UPDATE"
    return f"SELECT {shown} FROM {name} WHERE workspace_id = $1 AND {by} = $2 FOR {lock}"


@lru_cache(maxsize=128)
def _column(name: str, column: str, by: By) -> str:
    return f"SELECT {column} FROM {name} WHERE workspace_id = $1 AND {by} = $2"
