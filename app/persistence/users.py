"""Users and teams of a workspace."""

from __future__ import annotations

from uuid import UUID

from app.domain.workspaces import Person
from app.persistence.database import Reader, Record, Transaction

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
# Of a-b@x and A-B@x no mail server makes two people.
TAKEN = """
SELECT EXISTS (SELECT 1 FROM users u WHERE u.workspace_id = $1 AND lower(u.email) = lower($3) AND u.id <> $2) AS email,
    EXISTS (SELECT 1 FROM users u WHERE u.workspace_id = $1 AND u.external_id = $4 AND u.id <> $2) AS external_id
"""
OTHER_ADMINS = """
SELECT EXISTS (SELECT 1 FROM users WHERE workspace_id = $1 AND role = 'admin' AND is_active AND id IS DISTINCT FROM $2)
"""
ACTED = """
SELECT EXISTS (SELECT 1 FROM account_changes c WHERE c.workspace_id = $1 AND (c.actor_id = $2 OR c.value_id = $2))
    OR EXISTS (SELECT 1 FROM stage_moves m WHERE m.workspace_id = $1 AND m.actor_id = $2)
    OR EXISTS (SELECT 1 FROM audit d WHERE d.workspace_id = $1 AND d.actor_id = $2)
"""
PROFILE = """
SELECT u.name, u.email, u.team,
    (SELECT json_object_agg(d.entity, d.list_id) FROM list_defaults d WHERE d.workspace_id = $1 AND d.user_id = u.id) AS defaults,
    (SELECT json_object_agg(s.entity, s.list_id) FROM list_workspace_defaults s WHERE s.workspace_id = $1) AS workspace_defaults
FROM users u WHERE u.workspace_id = $1 AND u.id = $2
"""
FORGET_DEFAULTS = """
WITH marks AS (DELETE FROM list_favourites f WHERE f.workspace_id = $1 AND f.user_id = $2)
DELETE FROM list_defaults WHERE workspace_id = $1 AND user_id = $2
"""


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


async def profile(reader: Reader, workspace_id: UUID, user_id: UUID) -> Record | None:
    """`name`, `email`, `team`, and as JSON `defaults` and `workspace_defaults`: list ids by entity, null for none."""
    return await reader.fetchrow(PROFILE, workspace_id, user_id, point=True)


async def taken(
    tx: Transaction, workspace_id: UUID, user_id: UUID, email: str | None, external_id: str | None
) -> list[str]:
    """Which of `email`, in any case, and `external_id` another user has."""
    row = await tx.fetchrow(TAKEN, workspace_id, user_id, email, external_id)
    return [name for name, found in row.items() if found] if row else []


async def other_admins(tx: Transaction, workspace_id: UUID, user_id: UUID | None) -> bool:
    """Whether there is an active admin besides this user."""
    return bool(await tx.fetchval(OTHER_ADMINS, workspace_id, user_id))


async def acted(tx: Transaction, workspace_id: UUID, user_id: UUID) -> bool:
    """Whether history names the user: as who did something, or as whose account it was."""
    return bool(await tx.fetchval(ACTED, workspace_id, user_id))


async def forget_defaults(tx: Transaction, workspace_id: UUID, user_id: UUID) -> None:
    """Forgets which lists the user begins with."""
    await tx.execute(FORGET_DEFAULTS, workspace_id, user_id)
