"""What accounts are known by: id, external id and name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from app.persistence.database import Reader

NAMES = "SELECT a.id, a.external_id, a.name FROM accounts a WHERE a.workspace_id = $1 AND a.id = ANY ($2)"
OF_EXTERNAL = "SELECT a.id FROM accounts a WHERE a.workspace_id = $1 AND a.external_id = $2"


async def names(reader: Reader, workspace_id: UUID, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Of each account that is there its id, external id and name."""
    return {row["id"]: dict(row) for row in await reader.fetch(NAMES, workspace_id, list(ids), point=True)}


async def of_external(reader: Reader, workspace_id: UUID, external_id: str) -> UUID | None:
    """The id of the account of an external id."""
    found: UUID | None = await reader.fetchval(OF_EXTERNAL, workspace_id, external_id, point=True)
    return found
