"""Whether a workspace knows anything of something at all: one look into an index for each, or at few accounts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.catalogue import ACCOUNTS, ENTITIES
from app.domain.criteria.gaps import KEY_FEATURES, Gap
from app.persistence.compile.keys import INDEXED
from app.persistence.compile.rows import table_of
from app.persistence.database import Reader

FEW_TELL = frozenset(Gap(ACCOUNTS.name, name) for name in ("usage_limit", "seats_active", "is_reference"))
"""What ready-made lists stand on and no index leads with."""
FEW = 5_000
"""Accounts that are looked at for those; of a workspace with more of them nothing is said to be missing."""


def can_ask(gap: Gap) -> bool:
    """Whether an index, a table of few rows, or a few accounts say it: no answer is worth reading every record."""
    if gap.field is None or gap == KEY_FEATURES or gap in FEW_TELL:
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
    if gap == KEY_FEATURES or gap.is_flag:
        told = f" AND t.{gap.field}"
    elif gap.field is not None:
        told = f" AND t.{entity.fields[gap.field].column} IS NOT NULL"
    table = table_of(entity)
    if gap not in FEW_TELL:
        return f"EXISTS (SELECT 1 FROM {table} t WHERE t.workspace_id = $1{told})"
    few = f"SELECT * FROM {table} s WHERE s.workspace_id = $1 LIMIT {FEW}"
    more = f"EXISTS (SELECT 1 FROM {table} m WHERE m.workspace_id = $1 OFFSET {FEW})"
    return f"(EXISTS (SELECT 1 FROM ({few}) t WHERE t.workspace_id = $1{told}) OR {more})"
