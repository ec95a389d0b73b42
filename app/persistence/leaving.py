"""Lists whose criteria name segments that leave a definition."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.persistence.database import Record, Transaction

LISTS = """
SELECT l.id, l.visibility, l.criteria,
  EXISTS (SELECT FROM list_watches w WHERE w.workspace_id = $1 AND w.list_id = l.id) AS is_watched
FROM lists l
WHERE l.workspace_id = $1 AND strpos(l.criteria::text, $2) > 0
ORDER BY l.id FOR UPDATE OF l
"""
RENAME = """
UPDATE lists SET criteria = n.criteria::jsonb, version = version + 1, updated_at = $4
FROM unnest($2::uuid[], $3::text[]) n(id, criteria)
WHERE lists.workspace_id = $1 AND lists.id = n.id
"""


async def lists(tx: Transaction, workspace_id: UUID, segmentation_id: UUID) -> list[Record]:
    """Those that may name segments of this segmentation, locked, and whether they are watched."""
    return await tx.fetch(LISTS, workspace_id, str(segmentation_id))


async def rename(tx: Transaction, workspace_id: UUID, criteria: Mapping[UUID, str], now: datetime) -> None:
    """Lists by id with other criteria, each as its next version."""
    await tx.execute(RENAME, workspace_id, list(criteria), list(criteria.values()), now)
