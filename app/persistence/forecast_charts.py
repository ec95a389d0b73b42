"""A kept forecast by month, beside what became of its renewals since."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from app.persistence.database import Reader, Record
from app.persistence.renewals import RENEWALS

MONTHS = f"""
WITH {RENEWALS},
known AS MATERIALIZED (
  SELECT r.id, least(r.kept, r.arr) AS kept FROM renewals r WHERE r.decided_on < $3 OR r.followed_on <= $3
), forecast AS MATERIALIZED (
  SELECT f.renewal_id, date_trunc('month', f.due_on)::date AS month, f.arr, f.expected
  FROM forecast_renewals f WHERE f.workspace_id = $1 AND f.forecast_id = $2
)
SELECT t.month, count(*) AS renewals, sum(t.arr)::bigint AS due, sum(t.expected)::bigint AS expected,
  count(k.id) AS closed, coalesce(sum(k.kept), 0)::bigint AS kept
FROM forecast t LEFT JOIN known k ON k.id = t.renewal_id GROUP BY 1 ORDER BY 1
"""


async def months(reader: Reader, workspace_id: UUID, forecast_id: UUID, today: date) -> list[Record]:
    """Rows (month, renewals, due, expected, closed, kept) of the renewals that were forecast: how many of them are decided
    by now, and what those kept of what was due; money in minor units."""
    return await reader.fetch(MONTHS, workspace_id, forecast_id, today)
