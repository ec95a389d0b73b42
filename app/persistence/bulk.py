"""What became of the records of one call: read from the staged rows before they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.domain.bulk import NAMED
from app.domain.catalogue import Entity
from app.domain.imports import Problem
from app.persistence.database import Record, Transaction
from app.persistence.staging.rows import prefix

# Of a row that a reader of the file could not read only that is known.
REFUSED = """
SELECT r.line, p.problem, ($1::text[])[p.problem] AS col, ($2::text[])[p.problem] AS message
FROM import_rows r, unnest(r.errs) AS p(problem) WHERE r.errs IS NOT NULL ORDER BY r.line, p.problem
"""
ANSWERED = """
SELECT count(*) FILTER (WHERE o = 'created') AS created, count(*) FILTER (WHERE o = 'updated') AS updated,
  count(*) FILTER (WHERE o = 'unchanged') AS unchanged, count(*) FILTER (WHERE o = 'rejected') AS rejected,
  string_agg('{{"index":' || line || ',"id":' || coalesce('"' || id || '"', 'null') || ',"outcome":"' || o || '","version":'
    || coalesce(version::text, 'null') || ',"errors":' || coalesce(errors, '[]') || '}}', ',' ORDER BY line) AS results,
  (array_agg(id ORDER BY line) FILTER (WHERE o IN ('created', 'updated')))[1:{named}] AS changed
FROM (
  SELECT r.line, f.errors, CASE WHEN r.errs IS NULL THEN {id} END AS id, CASE WHEN r.errs IS NULL THEN {version} END AS version,
    CASE WHEN r.errs IS NOT NULL THEN 'rejected' WHEN t.line IS NULL THEN 'unchanged' WHEN {made} THEN 'created' ELSE 'updated' END AS o
  FROM import_rows r {joins}
  LEFT JOIN unnest($1::bigint[], $2::text[]) AS f(line, errors) ON f.line = r.line
) x
"""
RECORDS = """
LEFT JOIN import_todo t ON t.line = r.line LEFT JOIN {table} x ON x.workspace_id = $3 AND x.{key}"""
# Usage has no ids: what is new or differs is found by its key.
USAGE = """
LEFT JOIN features f0 ON f0.workspace_id = $3 AND f0.slug = r.feature
LEFT JOIN (SELECT pos AS line, account_id, day, feature, contact_id, is_new FROM import_todo) t
  ON t.account_id = r.account_id AND t.day = r.day AND t.feature = f0.no AND t.contact_id IS NOT DISTINCT FROM {contact}
"""
FORGET = "DROP TABLE IF EXISTS import_rows, import_marks, import_superseded, import_depths, import_keys, import_todo"


async def refused(tx: Transaction, problems: Sequence[Problem]) -> list[Record]:
    """What is wrong, by row: `line`, `problem` (its number), `col`, `message`."""
    return await tx.fetch(REFUSED, [p.column for p in problems], [p.message for p in problems])


async def answered(
    tx: Transaction,
    workspace_id: UUID,
    entity: Entity,
    columns: Sequence[str],
    bulk_id: UUID,
    errors: Mapping[int, bytes],
) -> Record:
    """`created`, `updated`, `unchanged`, `rejected`; `results`, objects of JSON between commas; `changed`, the first ids.

    `errors` are arrays of JSON by row."""
    told = (list(errors), [one.decode() for one in errors.values()], workspace_id)
    if entity.key == "none":
        joins = USAGE.format(contact="r.contact_id" if "contact_id" in columns else "NULL::uuid")
        sql = ANSWERED.format(named=NAMED, id="NULL::uuid", version="NULL::int", made="t.is_new", joins=joins)
        row = await tx.fetchrow(sql, *told)
    else:
        # By the key, not the id: somebody may have made the record since the rows were told apart.
        key = "id = r.id" if entity.name == "users" else f"{entity.key} = r.{entity.key}"
        joins = RECORDS.format(table=entity.name, key=key)
        made = "x.id BETWEEN $4 AND $5"
        sql = ANSWERED.format(named=NAMED, id="x.id", version="x.version", made=made, joins=joins)
        row = await tx.fetchrow(sql, *told, UUID(prefix(bulk_id) + "0" * 10), UUID(prefix(bulk_id) + "f" * 10))
    assert row is not None  # aggregates
    return row


async def forget(tx: Transaction) -> None:
    """The staged rows go."""
    await tx.execute(FORGET)
