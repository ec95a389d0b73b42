"""Where accounts stand and stood: by account, by day, and from one segment to another."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader, Record
from app.persistence.reads import account_exists
from app.persistence.segments import DUE_AT, MOVED_AT, Held

STANDING = f"""
SELECT s.slug, s.name, s.segments, s.rest, s.state, s.detail, s.computed_at, s.as_of, s.checked_at, s.drifted, s.created_at, s.confirm, m.segment, m.since,
  m.rule, m.held, m.pending_since, m.reason, p.segment AS pin_segment, p.reason AS pin_reason, p.author_id AS pin_author_id, p.pinned_at, p.expires_at,
  {MOVED_AT} AS moved_at, {DUE_AT} AS due_at
FROM segmentations s
LEFT JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = s.id AND m.account_id = $2
LEFT JOIN pins p ON p.workspace_id = $1 AND p.segmentation_id = s.id AND p.account_id = $2
  AND (p.expires_at IS NULL OR p.expires_at > $3)
WHERE s.workspace_id = $1 ORDER BY s.slug
"""
STOOD = f"""
SELECT s.slug, s.name, s.segments, s.rest, s.state, s.detail, s.computed_at, s.as_of, s.checked_at, s.drifted, s.created_at, h.segment, h.from_at AS since, h.reason,
  NULL::text AS pin_segment, NULL::text AS rule, {MOVED_AT} AS moved_at, {DUE_AT} AS due_at
FROM segmentations s
LEFT JOIN stays h ON h.workspace_id = $1 AND h.segmentation_id = s.id AND h.account_id = $2 AND h.from_at <= $3
  AND (h.to_at > $3 OR h.to_at IS NULL)
WHERE s.workspace_id = $1 ORDER BY s.slug
"""
HISTORY = """
SELECT h.segment, h.from_at, h.to_at, h.reason FROM stays h
WHERE h.workspace_id = $1 AND h.segmentation_id = $2 AND h.account_id = $3 AND ($4::timestamptz IS NULL OR h.from_at < $4)
ORDER BY h.from_at DESC LIMIT $5
"""
ON = """
SELECT h.segment, count(*) AS accounts, coalesce(sum(a.arr), 0)::bigint AS arr,
  count(*) FILTER (WHERE a.status = 'churned') AS churned,
  coalesce(sum(a.arr) FILTER (WHERE a.status = 'churned'), 0)::bigint AS churned_arr
FROM stays h JOIN accounts a ON a.workspace_id = $1 AND a.id = h.account_id
WHERE h.workspace_id = $1 AND h.segmentation_id = $2 AND h.from_at <= $3 AND (h.to_at > $3 OR h.to_at IS NULL)
  AND a.created_at <= $3 AND (a.archived_at > $3 OR a.archived_at IS NULL)
GROUP BY h.segment
"""


async def standing(reader: Reader, workspace_id: UUID, account_id: UUID, now: datetime) -> list[Record] | None:
    """Every segmentation with the segment that the account stands in, None where it stands nowhere, and its pin; None where
    there is no such account."""
    if not await account_exists(reader, workspace_id, account_id):
        return None
    return await reader.fetch(STANDING, workspace_id, account_id, now, point=True)


async def stood(reader: Reader, workspace_id: UUID, account_id: UUID, moment: datetime) -> list[Record] | None:
    """The same at a past moment, without pins."""
    if not await account_exists(reader, workspace_id, account_id):
        return None
    return await reader.fetch(STOOD, workspace_id, account_id, moment, point=True)


async def history(
    reader: Reader, workspace_id: UUID, segmentation_id: UUID, account_id: UUID, before: datetime | None, limit: int
) -> list[Record] | None:
    """The segments that an account stood in, those begun before a moment, the latest first."""
    if not await account_exists(reader, workspace_id, account_id):
        return None
    return await reader.fetch(HISTORY, workspace_id, segmentation_id, account_id, before, limit, point=True)


async def counted(reader: Reader, workspace_id: UUID, segmentation_id: UUID, moment: datetime) -> dict[str, Held]:
    """What each segment held that had any accounts at a past moment, with today's ARR and who is churned today; those archived
    by then are left out."""
    return {row[0]: Held(*row[1:]) for row in await reader.fetch(ON, workspace_id, segmentation_id, moment)}
