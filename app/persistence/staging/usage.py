"""Usage on its way into packed days: equal keys summed, compared with what is stored, then merged day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.persistence.audit_records import Of
from app.persistence.database import Transaction
from app.persistence.staging.records import Applied, Todo
from app.persistence.usage import MERGED, NEWEST, OLDEST

CHUNK = 20_000
"""Values of one transaction."""

TABLES = """
CREATE TEMP TABLE import_keys (account_id uuid, day date, feature smallint, contact_id uuid, value float8, n bigint, is_sure bool);
CREATE TEMP TABLE import_todo (pos bigint, account_id uuid, old_account_id uuid, day date, feature smallint, contact_id uuid,
  value float8, n bigint, is_new bool)
"""
# Halves, quarters and so on add up to the same in any order; other fractions might not, and the same file must give the
# same sums: those are added exactly.
KEYS = """
INSERT INTO import_keys
SELECT r.account_id, r.day, f.no, {contact}, sum(r.value), count(*),
  count(*) = 1 OR (bool_and(r.value * 1024 = trunc(r.value * 1024)) AND sum(abs(r.value)) < 1e12)
FROM import_rows r JOIN features f ON f.workspace_id = $1 AND f.slug = r.feature
WHERE r.errs IS NULL AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)
GROUP BY 1, 2, 3, 4
"""
EXACTLY = """
UPDATE import_keys k SET value = x.value
FROM (
  SELECT r.account_id, r.day, f.no, {contact} AS contact_id, sum(r.value::numeric)::float8 AS value
  FROM import_rows r JOIN features f ON f.workspace_id = $1 AND f.slug = r.feature
  JOIN import_keys u ON u.account_id = r.account_id AND u.day = r.day AND u.feature = f.no
    AND u.contact_id IS NOT DISTINCT FROM {contact} AND NOT u.is_sure
  WHERE r.errs IS NULL AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)
  GROUP BY 1, 2, 3, 4
) x
WHERE NOT k.is_sure AND k.account_id = x.account_id AND k.day = x.day AND k.feature = x.no
  AND k.contact_id IS NOT DISTINCT FROM x.contact_id
"""
PENDING = """
INSERT INTO import_todo
SELECT row_number() OVER (ORDER BY k.account_id, k.day, k.feature, k.contact_id), k.account_id, NULL, k.day, k.feature,
  k.contact_id, k.value, k.n, k.stored IS NULL
FROM (
  SELECT k.*, CASE WHEN k.contacts[k.place] IS NOT DISTINCT FROM k.contact_id THEN k.amounts[k.place] ELSE (
    SELECT x.amount FROM unnest(k.features, k.contacts, k.amounts) x(feature, contact, amount)
    WHERE x.feature = k.feature AND x.contact IS NOT DISTINCT FROM k.contact_id LIMIT 1
  ) END AS stored
  FROM (
    SELECT k.*, d.features, d.contacts, d.amounts, array_position(d.features, k.feature) AS place
    FROM import_keys k LEFT JOIN usage_days d
      ON d.workspace_id = $1 AND d.account_id = k.account_id AND d.day = k.day AND d.day BETWEEN $2 AND $3
    OFFSET 0
  ) k
  OFFSET 0
) k
WHERE k.stored IS DISTINCT FROM k.value
"""
MERGE = MERGED.format(
    fresh="SELECT account_id, day, feature, contact_id, value FROM import_todo WHERE pos BETWEEN $2 AND $3"
)
WRITTEN = """
SELECT coalesce(sum(n) FILTER (WHERE is_new), 0) AS created, coalesce(sum(n) FILTER (WHERE NOT is_new), 0) AS updated
FROM import_todo WHERE pos BETWEEN $1 AND $2
"""
MONTHS = "SELECT DISTINCT date_trunc('month', day)::date FROM import_todo ORDER BY 1"
UNKEPT = "UPDATE import_rows SET errs = ARRAY[$1::int] WHERE errs IS NULL AND day NOT BETWEEN $2 AND $3"


async def refuse_days(tx: Transaction, problem: int, last: date | None = None) -> None:
    """Refuses the rows of days for which usage is not kept, or that are after the `last`."""
    await tx.execute(UNKEPT, problem, date(OLDEST, 1, 1), last or date(NEWEST, 12, 31))


async def prepare(tx: Transaction, workspace_id: UUID, columns: Sequence[str]) -> tuple[Todo, list[date]]:
    """Finds the values that are new or differ, in order of account and day; and the months that they fall into."""
    await tx.execute(TABLES)
    contact = "r.contact_id" if "contact_id" in columns else "NULL::uuid"
    await tx.execute(KEYS.format(contact=contact), workspace_id)
    await tx.execute("ANALYZE import_keys")
    if await tx.fetchval("SELECT EXISTS (SELECT FROM import_keys WHERE NOT is_sure)"):
        await tx.execute(EXACTLY.format(contact=contact), workspace_id)
    span = await tx.fetchrow("SELECT min(day) AS first, max(day) AS last FROM import_keys")
    assert span is not None  # aggregates
    await tx.execute(PENDING, workspace_id, span["first"], span["last"])
    await tx.execute("CREATE UNIQUE INDEX ON import_todo (pos); ANALYZE import_todo")
    row = await tx.fetchrow("SELECT count(*) AS total, coalesce(sum(n), 0)::bigint AS rows FROM import_todo")
    assert row is not None  # aggregates
    return Todo(row["total"], row["rows"]), [m[0] for m in await tx.fetch(MONTHS)]


@dataclass(frozen=True, slots=True)
class Days:
    """How chunks of usage are written."""

    async def apply(
        self,
        tx: Transaction,
        workspace_id: UUID,
        first: int,
        last: int,
        of: Of,
        actor: UUID | None,
        known: Sequence[UUID] = (),
    ) -> Applied:
        """Merges values `first` to `last` into their days; the accounts are locked already. The audit counts them only."""
        await tx.execute(MERGE, workspace_id, first, last)
        row = await tx.fetchrow(WRITTEN, first, last)
        assert row is not None  # aggregates
        return Applied(int(row["created"]), int(row["updated"]), 0)
