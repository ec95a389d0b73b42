"""What explains one record: the statement that reads it, and where it stands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from app.persistence.compile.explained import Answer, Explained
from app.persistence.database import Reader, Record
from app.persistence.reads import account_exists

STANDING = """
SELECT s.slug, s.name, s.segments, s.rest, s.state, s.confirm, m.segment, m.since, m.rule, m.held, m.pending_since, m.reason
FROM segmentations s
LEFT JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = s.id AND m.account_id = $2
WHERE s.workspace_id = $1 AND ($3::uuid IS NULL OR s.id = $3) ORDER BY s.slug
"""


async def told(reader: Reader, statement: Explained, named: str) -> bytes | None:
    """What the statement says of the record of this name, for `answer` to read; None where there is none."""
    raw: Any = await reader.fetchval(statement.text, *statement.args, named)
    return None if raw is None else bytes(raw)


def answer(statement: Explained, raw: bytes) -> Answer:
    """What was found of the record. Of one with thousands of related rows it takes a while."""
    return statement.read(msgspec.json.decode(raw))


async def standing(
    reader: Reader, workspace_id: UUID, account_id: UUID, segmentation_id: UUID | None = None
) -> list[Record] | None:
    """Every segmentation, or one, with the segment that the account stands in, since when and why, each None where it
    stands nowhere; None where there is no such account."""
    if not await account_exists(reader, workspace_id, account_id):
        return None
    return await reader.fetch(STANDING, workspace_id, account_id, segmentation_id, point=True)
