"""What the planner knows of tables: told at once where much was written, for it would find out by itself minutes later."""

from __future__ import annotations

from app.persistence.database import Transaction

MANY = 2_000
"""Rows from which plans made without knowing of them take seconds: tables would be read once per account."""


UNTOLD = "SELECT reltuples < $2 FROM pg_class WHERE oid = $1::text::regclass"


async def untold(tx: Transaction, table: str) -> bool:
    """Whether it is thought of as having a handful of rows, or none was ever counted."""
    found: bool = await tx.fetchval(UNTOLD, table, MANY)
    return found


async def tell(tx: Transaction, *tables: str) -> None:
    """What these tables hold by now, the transaction's own rows included; those that somebody else is telling of, or has
    locked, are left out, so that nobody waits. Plans made for empty tables, those of foreign keys too, are made anew."""
    await tx.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(tables)}")
