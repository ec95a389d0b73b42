"""Of an entry of the audit that tells of many records, what became of each: added by the statements that write them.

Values lie by column, each as PostgreSQL writes it as text: only that is the same on all nodes of a cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domain.catalogue import ENTITIES
from app.domain.related import RELATED
from app.persistence.database import Transaction

FULL = 10_000
"""Records that are kept as they were when they go with their account."""

COLUMNS = "workspace_id, record_id, at, audit_id, entity, before, after"
# Read in the statement that writes: `x` is what stood, each by its key, `w` is what was written.
WRITTEN = """
  INSERT INTO audit_records ({columns})
  SELECT $1, w.id, $2, {entry}, '{table}', CASE WHEN {made} THEN NULL ELSE d.before END, d.after
  FROM written w LEFT JOIN LATERAL (
    SELECT x.* FROM {table} x WHERE x.workspace_id = $1 AND x.id = w.id OFFSET 0
  ) x ON true CROSS JOIN LATERAL (
    SELECT jsonb_object(array_agg(v.name), array_agg(v.had)) AS before, jsonb_object(array_agg(v.name), array_agg(v.has)) AS after
    FROM (VALUES {pairs}) v(name, had, has) WHERE v.had IS DISTINCT FROM v.has
  ) d{only}"""
ALIKE = f"""
INSERT INTO audit_records ({COLUMNS})
SELECT $1, r.id, $3, $2, $5, $6, $7 FROM unnest($4::uuid[]) r(id)
"""
GONE = """
INSERT INTO audit_records ({columns})
SELECT $1, x.id, $3, $2, '{table}', d.before, NULL
FROM {table} x CROSS JOIN LATERAL (
  SELECT jsonb_object(array_agg(v.name), array_agg(v.had)) AS before FROM (VALUES {pairs}) v(name, had) WHERE v.had IS NOT NULL
) d
WHERE x.workspace_id = $1 AND x.account_id = $4 ORDER BY x.id LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class Of:
    """The entry whose rows they are: its id, which is given before it is added, and its moment."""

    entry_id: UUID
    at: datetime


def written(table: str, columns: Sequence[str], entry: str, made: str, *, with_made: bool) -> str:
    """What adds a row for each of a CTE `written` (`id`, and these columns) whose values are others now: part of the
    statement that writes, whose $1 is the workspace and $2 the moment. `entry` and `made` are SQL: the entry's id, and
    whether `w` is new. What was made has no `before`, and no row unless `with_made`."""
    pairs = ", ".join(f"""('{c}', x."{c}"::text, w."{c}"::text)""" for c in columns)
    return WRITTEN.format(
        columns=COLUMNS,
        entry=entry,
        table=table,
        made=made,
        pairs=pairs,
        only="" if with_made else f" WHERE NOT ({made})",
    )


async def alike(
    tx: Transaction, workspace_id: UUID, of: Of, entity: str, ids: Sequence[UUID], before: bytes, after: bytes
) -> None:
    """A row for each record of a kind that changed as all of them did; `before` and `after` are JSON."""
    await tx.execute(ALIKE, workspace_id, of.entry_id, of.at, list(ids), entity, before, after)


async def going(tx: Transaction, workspace_id: UUID, of: Of, account_id: UUID) -> int:
    """A row for each record that will go with its account, held, FULL of them at most; how many."""
    left = FULL
    for sql in GOING.values():
        if left:
            tag = await tx.execute(sql, workspace_id, of.entry_id, of.at, account_id, left)
            left -= int(tag.rpartition(" ")[2])
    return FULL - left


def _going(table: str) -> str:
    columns = [field.column for field in ENTITIES[table].fields.values() if field.writable]
    return GONE.format(columns=COLUMNS, table=table, pairs=", ".join(f"""('{c}', x."{c}"::text)""" for c in columns))


GOING = {name: _going(name) for name in RELATED}
