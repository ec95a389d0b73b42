"""Mappings stored by name."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

PUT = """
INSERT INTO mappings AS m (workspace_id, name, mapping, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace_id, name) DO UPDATE SET mapping = excluded.mapping, updated_at = excluded.updated_at
WHERE m.workspace_id = $1
"""
GET = "SELECT mapping FROM mappings WHERE workspace_id = $1 AND name = $2"
ALL = "SELECT name, mapping, updated_at FROM mappings WHERE workspace_id = $1 ORDER BY name"


async def put(tx: Transaction, workspace_id: UUID, name: str, mapping: bytes, now: datetime) -> None:
    """Stores a mapping, in place of the one of this name."""
    await tx.execute(PUT, workspace_id, name, mapping, now)


async def get(reader: Reader, workspace_id: UUID, name: str) -> bytes | None:
    """The mapping as JSON."""
    found: bytes | None = await reader.fetchval(GET, workspace_id, name, point=True)
    return found


async def all_of(reader: Reader, workspace_id: UUID) -> list[Record]:
    """Name, mapping as JSON, and when it was stored."""
    return await reader.fetch(ALL, workspace_id)
