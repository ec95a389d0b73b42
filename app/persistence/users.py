"""Users and teams of a workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.workspaces import Person
from app.persistence.database import Reader, Record, Transaction

INSERT = """
INSERT INTO users (workspace_id, id, external_id, name, email, role, team, is_active, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8, $8)
ON CONFLICT DO NOTHING RETURNING true
"""
NAMED = """
SELECT id, is_active FROM users
WHERE workspace_id = $1 AND (id = $2 OR external_id = $3 OR email = $3)
ORDER BY id = $2 DESC NULLS LAST, external_id = $3 DESC NULLS LAST LIMIT 1
"""
PERSON = """
SELECT u.id, ARRAY(SELECT t.id FROM users t WHERE t.workspace_id = $1 AND t.team = u.team ORDER BY t.id) AS team
FROM users u WHERE u.workspace_id = $1 AND u.id = $2 AND u.is_active
"""
TEAMS = "SELECT coalesce(array_agg(slug ORDER BY slug), '{}') FROM teams WHERE workspace_id = $1"
ROLE = "SELECT role FROM users WHERE workspace_id = $1 AND id = $2 AND is_active"


async def insert(tx: Transaction, workspace_id: UUID, user_id: UUID, values: tuple[Any, ...], now: datetime) -> bool:
    """Adds a user: (external id, name, e-mail, role, team); False where external id or e-mail is taken."""
    return bool(await tx.fetchval(INSERT, workspace_id, user_id, *values, now))


async def named(reader: Reader, workspace_id: UUID, identity: UUID | None, name: str) -> Record | None:
    """The user of this id, else of this external id, else of this e-mail: `id`, `is_active`."""
    return await reader.fetchrow(NAMED, workspace_id, identity, name, point=True)


async def person(reader: Reader, workspace_id: UUID, user_id: UUID) -> Person | None:
    """Who `@me` and `@my_team` are for an active user; alone where there is no team."""
    row = await reader.fetchrow(PERSON, workspace_id, user_id, point=True)
    return Person(row["id"], tuple(row["team"]) or (row["id"],)) if row else None


async def role(reader: Reader, workspace_id: UUID, user_id: UUID) -> str | None:
    """The role of an active user."""
    found: str | None = await reader.fetchval(ROLE, workspace_id, user_id, point=True)
    return found


async def teams(reader: Reader, workspace_id: UUID) -> list[str]:
    """The slugs of all teams."""
    return list(await reader.fetchval(TEAMS, workspace_id, point=True))
