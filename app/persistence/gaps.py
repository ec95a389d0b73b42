"""Whether a workspace knows anything of something at all: one look into an index for each."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.catalogue import ENTITIES
from app.domain.criteria.gaps import KEY_FEATURES, Gap
from app.persistence.compile.keys import INDEXED
from app.persistence.compile.rows import table_of
from app.persistence.database import Reader


def can_ask(gap: Gap) -> bool:
    """Whether an index, or a table of few rows, says it: no answer is worth reading every account."""
    if gap.field is None or gap == KEY_FEATURES:
        return True
    entity = ENTITIES[gap.entity]
    return (table_of(entity), entity.fields[gap.field].column) in INDEXED


async def missing(reader: Reader, workspace_id: UUID, gaps: Sequence[Gap]) -> frozenset[Gap]:
    """Those of which there is nothing; one statement."""
    row = await reader.fetchrow(f"SELECT {', '.join(map(_exists, gaps))}", workspace_id)
    assert row is not None, "what is asked of no table gives a row"
    return frozenset(gap for gap, there in zip(gaps, row, strict=True) if not there)


def _exists(gap: Gap) -> str:
    entity = ENTITIES[gap.entity]
    told = ""
    if gap == KEY_FEATURES:
        told = f" AND t.{gap.field}"
    elif gap.field is not None:
        told = f" AND t.{entity.fields[gap.field].column} IS NOT NULL"
    return f"EXISTS (SELECT 1 FROM {table_of(entity)} t WHERE t.workspace_id = $1{told})"
