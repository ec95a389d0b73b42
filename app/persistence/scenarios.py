"""Scenarios: which one is active, and what it means for every account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

LOCKED = """
SELECT id, slug, name, external_id, impacts, lanes, is_active, version FROM scenarios
WHERE workspace_id = $1 ORDER BY id FOR NO KEY UPDATE
"""
ALL = "SELECT id, slug, name, impacts, is_active, version FROM scenarios WHERE workspace_id = $1 ORDER BY slug"
ONE = "SELECT id FROM scenarios WHERE workspace_id = $1 AND slug = $2"
INDUSTRIES = "SELECT slug, name FROM industries WHERE workspace_id = $1 ORDER BY slug"
REST = """
UPDATE scenarios SET is_active = false, version = version + 1, updated_at = $3
WHERE workspace_id = $1 AND is_active AND id <> $2 RETURNING id
"""
# None of them goes meanwhile. Accounts may come into one: whoever puts them there has only this lock, behind the account's.
HOLD_INDUSTRIES = "SELECT slug FROM industries WHERE workspace_id = $1 ORDER BY slug FOR KEY SHARE"
# What keeping the facts of an account says of its impact, and nothing else of them depends on a scenario.
SPREAD = """
WITH spread AS (
  UPDATE accounts SET impact = $2::jsonb ->> industry
  WHERE workspace_id = $1 AND impact IS DISTINCT FROM $2::jsonb ->> industry RETURNING id
)
SELECT array_agg(s.id ORDER BY s.id) FROM spread s
"""


async def locked(tx: Transaction, workspace_id: UUID) -> list[Record]:
    """Every scenario, locked until the transaction ends."""
    return await tx.fetch(LOCKED, workspace_id)


async def all_of(reader: Reader, workspace_id: UUID) -> list[Record]:
    """Every scenario, by slug."""
    return await reader.fetch(ALL, workspace_id)


async def one(reader: Reader, workspace_id: UUID, slug: str) -> Record | None:
    """The id of the scenario of a slug."""
    return await reader.fetchrow(ONE, workspace_id, slug, point=True)


async def industries(reader: Reader, workspace_id: UUID) -> dict[str, str]:
    """The names of the industries by slug."""
    return {row["slug"]: row["name"] for row in await reader.fetch(INDUSTRIES, workspace_id)}


async def every(reader: Reader, workspace_id: UUID) -> list[Record]:
    """Every scenario: slug, name, what it means, how far it moves lanes, and whether it is active; by slug."""
    return await reader.fetch(
        "SELECT s.slug, s.name, s.impacts, s.lanes, s.is_active FROM scenarios s WHERE s.workspace_id = $1 ORDER BY s.slug",
        workspace_id,
    )


async def rest(tx: Transaction, workspace_id: UUID, scenario_id: UUID, now: datetime) -> list[UUID]:
    """Makes every other scenario inactive; gives the one that was active."""
    return [row["id"] for row in await tx.fetch(REST, workspace_id, scenario_id, now)]


async def hold_industries(tx: Transaction, workspace_id: UUID) -> list[str]:
    """The slugs of the industries; until the transaction ends none of them goes."""
    return [row["slug"] for row in await tx.fetch(HOLD_INDUSTRIES, workspace_id)]


async def spread(tx: Transaction, workspace_id: UUID, impacts: bytes | None) -> list[UUID]:
    """Gives every account the impact on its industry, none where `impacts` is None; the accounts that had another one.
    All accounts must be locked, in an earlier statement of the transaction."""
    return list(await tx.fetchval(SPREAD, workspace_id, impacts) or ())
