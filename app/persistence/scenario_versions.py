"""Versions of scenarios, each as it was, by whom and when."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

STORED = "name, impacts, lanes, is_active"
KEEP = f"""
INSERT INTO scenario_versions (workspace_id, scenario_id, version, {STORED}, author_id, created_at)
SELECT $1, s.id, s.version, {", ".join(f"s.{name}" for name in STORED.split(", "))}, $2, $3
FROM scenarios s WHERE s.workspace_id = $1
ON CONFLICT (workspace_id, scenario_id, version) DO NOTHING
"""
PAGE = f"""
SELECT v.version, {", ".join(f"v.{name}" for name in STORED.split(", "))}, v.author_id, u.name AS author, v.created_at
FROM scenario_versions v
LEFT JOIN users u ON u.workspace_id = $1 AND u.id = v.author_id
WHERE v.workspace_id = $1 AND v.scenario_id = $2 AND ($3::int4 IS NULL OR v.version < $3)
ORDER BY v.version DESC LIMIT $4
"""
ONE = f"SELECT {STORED} FROM scenario_versions WHERE workspace_id = $1 AND scenario_id = $2 AND version = $3"
FORGET = "DELETE FROM scenario_versions WHERE workspace_id = $1 AND scenario_id = $2"


async def keep(tx: Transaction, workspace_id: UUID, author_id: UUID | None, now: datetime) -> None:
    """What stands now of every scenario, where it is another version than what was kept."""
    await tx.execute(KEEP, workspace_id, author_id, now)


async def page(reader: Reader, workspace_id: UUID, scenario_id: UUID, before: int | None, limit: int) -> list[Record]:
    """Versions before one, the latest first."""
    return await reader.fetch(PAGE, workspace_id, scenario_id, before, limit, point=True)


async def one(reader: Reader, workspace_id: UUID, scenario_id: UUID, version: int) -> Record | None:
    """What a version said."""
    return await reader.fetchrow(ONE, workspace_id, scenario_id, version, point=True)


async def forget(tx: Transaction, workspace_id: UUID, scenario_id: UUID) -> None:
    """All of a scenario that is to go."""
    await tx.execute(FORGET, workspace_id, scenario_id)
