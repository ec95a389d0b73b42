"""Moves that waited to be confirmed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader

# Those whose move has waited for as long as it had to.
CONFIRMED = """
SELECT DISTINCT m.account_id AS id FROM segmentations s
JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = s.id AND m.held IS NOT NULL
  AND m.pending_since <= $2::timestamptz - s.confirm::interval
WHERE s.workspace_id = $1 AND s.confirm IS NOT NULL AND s.state IN ('ok', 'computing') ORDER BY 1
"""


async def confirmed(reader: Reader, workspace_id: UUID, now: datetime) -> list[UUID]:
    """The accounts of which some move has waited for as long as it had to, by id."""
    return [row["id"] for row in await reader.fetch(CONFIRMED, workspace_id, now)]
