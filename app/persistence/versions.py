"""Versions of segmentations, each as it was defined and cut, by whom and when; and drafts of what may come."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

STORED = "name, kind, spec, segments, rest, cuts, refreeze, band, confirm"
KEEP = f"""
INSERT INTO segmentation_versions (workspace_id, segmentation_id, version, {STORED}, cause, restores, author_id, note, created_at)
SELECT $1, s.id, s.version, {", ".join(f"s.{name}" for name in STORED.split(", "))}, $3, $4, $5, $6, $7
FROM segmentations s WHERE s.workspace_id = $1 AND s.slug = $2
"""
PAGE = f"""
SELECT v.version, {", ".join(f"v.{name}" for name in STORED.split(", "))}, v.cause, v.restores, v.author_id, u.name AS author, v.note,
  v.created_at
FROM segmentation_versions v
LEFT JOIN users u ON u.workspace_id = $1 AND u.id = v.author_id
WHERE v.workspace_id = $1 AND v.segmentation_id = $2 AND ($3::int4 IS NULL OR v.version < $3)
ORDER BY v.version DESC LIMIT $4
"""
ONE = f"""
SELECT version, {STORED} FROM segmentation_versions WHERE workspace_id = $1 AND segmentation_id = $2 AND version = $3
"""
SLUGS = """
SELECT DISTINCT c.slug FROM segmentation_versions v
CROSS JOIN LATERAL (SELECT x ->> 'slug' AS slug FROM jsonb_array_elements(v.segments) x UNION ALL SELECT v.rest) c
WHERE v.workspace_id = $1 AND v.segmentation_id = $2 ORDER BY c.slug
"""
NAMES = """
SELECT DISTINCT ON (c.slug) c.slug, c.name FROM segmentation_versions v
CROSS JOIN LATERAL (SELECT x ->> 'slug' AS slug, x ->> 'name' AS name FROM jsonb_array_elements(v.segments) x) c
WHERE v.workspace_id = $1 AND v.segmentation_id = $2 ORDER BY c.slug, v.version DESC
"""
DRAFT = "SELECT slug, body, version, author_id, created_at, updated_at FROM segmentation_drafts WHERE workspace_id = $1 AND slug = $2"
PUT_DRAFT = """
INSERT INTO segmentation_drafts AS d (workspace_id, slug, body, author_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (workspace_id, slug) DO UPDATE
  SET body = excluded.body, author_id = excluded.author_id, updated_at = excluded.updated_at, version = d.version + 1
"""
COUNT_DRAFTS = "SELECT count(*) FROM segmentation_drafts WHERE workspace_id = $1"
FORGET_DRAFT = "DELETE FROM segmentation_drafts WHERE workspace_id = $1 AND slug = $2"

# Whose cuts are what the workspace began with, and which nobody has defined since.
STARTING = """
SELECT s.slug FROM segmentations s WHERE s.workspace_id = $1 AND s.cuts @> '[{"starting": true}]' AND NOT EXISTS (
  SELECT FROM segmentation_versions v
  WHERE v.workspace_id = $1 AND v.segmentation_id = s.id AND v.version > 1 AND v.cause <> 'refreeze'
) ORDER BY s.slug
"""


async def starting(reader: Reader, workspace_id: UUID) -> list[str]:
    """The slugs of the segmentations that stand as the workspace began with them, cut at amounts that are nobody's."""
    return [row["slug"] for row in await reader.fetch(STARTING, workspace_id)]


async def keep(
    tx: Transaction, workspace_id: UUID, slug: str, cause: str, now: datetime, *, author_id: UUID | None = None,
    note: str | None = None, restores: int | None = None,
) -> None:  # fmt: skip
    """What stands now, as a version."""
    await tx.execute(KEEP, workspace_id, slug, cause, restores, author_id, note, now)


async def page(
    reader: Reader, workspace_id: UUID, segmentation_id: UUID, before: int | None, limit: int
) -> list[Record]:
    """Versions before one, the latest first."""
    return await reader.fetch(PAGE, workspace_id, segmentation_id, before, limit, point=True)


async def one(reader: Reader, workspace_id: UUID, segmentation_id: UUID, version: int) -> Record | None:
    """What a version was defined and cut as."""
    return await reader.fetchrow(ONE, workspace_id, segmentation_id, version, point=True)


async def slugs(reader: Reader, workspace_id: UUID, segmentation_id: UUID) -> list[str]:
    """Every segment that some version has or had, the rest included."""
    return [row["slug"] for row in await reader.fetch(SLUGS, workspace_id, segmentation_id, point=True)]


async def names(reader: Reader, workspace_id: UUID, segmentation_id: UUID) -> dict[str, str]:
    """What every segment that some version has or had was called last, by slug; the rest has no name of its own."""
    found = await reader.fetch(NAMES, workspace_id, segmentation_id, point=True)
    return {row["slug"]: row["name"] for row in found}


async def draft(reader: Reader, workspace_id: UUID, slug: str, *, held: bool = False) -> Record | None:
    """The draft of a slug; `held`: locked until the transaction ends."""
    return await reader.fetchrow(f"{DRAFT} FOR NO KEY UPDATE" if held else DRAFT, workspace_id, slug, point=True)


async def put_draft(
    tx: Transaction, workspace_id: UUID, slug: str, body: bytes, author_id: UUID | None, now: datetime
) -> None:
    """Adds a draft, or replaces it as its next version."""
    await tx.execute(PUT_DRAFT, workspace_id, slug, body, author_id, now)


async def count_drafts(reader: Reader, workspace_id: UUID) -> int:
    """How many drafts there are."""
    found: int = await reader.fetchval(COUNT_DRAFTS, workspace_id)
    return found


async def forget_draft(tx: Transaction, workspace_id: UUID, slug: str) -> None:
    """Takes a draft away."""
    await tx.execute(FORGET_DRAFT, workspace_id, slug)
