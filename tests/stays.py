"""Where accounts of a workspace moved, as the application reads it of some of them."""

from __future__ import annotations

from uuid import UUID

from app.persistence.database import Reader, Record
from app.persistence.stays import MOVES


async def moves(reader: Reader, workspace_id: UUID) -> list[Record]:
    """Every change, the earliest first: (segmentation_id, account_id, at, was, segment, reason)."""
    return await reader.fetch(f"{MOVES} ORDER BY at, segmentation_id, account_id", workspace_id)
