"""What was known of accounts on days gone by, from what has a date: never what a record says today.

Each source is asked pairs of an account and a day, `no` counts them from one, and answers columns of those pairs for
which there is anything. What is told of a pair happened before its day. All are asked in one statement: of hundreds of
thousands of pairs, sending them is what costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.domain.workspaces import Workspace
from app.persistence.database import Reader

MONTH, QUARTER, HALF = 30, 90, 180
PAIRS = """
asked AS MATERIALIZED (
  SELECT w.no, w.account_id, w.day, w.day::timestamp AT TIME ZONE $4 AS until
  FROM (
    SELECT p.no, p.account_id, DATE '1970-01-01' + p.days AS day
    FROM unnest($2::uuid[], $3::int4[]) WITH ORDINALITY AS p(account_id, days, no)
  ) w
)"""
SOURCES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "usage": (("usage", "usage_before", "active_days"), f"""
        SELECT k.no, sum(t.total) FILTER (WHERE u.day >= k.day - {MONTH}) AS usage,
               sum(t.total) FILTER (WHERE u.day < k.day - {MONTH}) AS usage_before,
               (count(*) FILTER (WHERE u.day >= k.day - {MONTH}))::float8 AS active_days
        FROM asked k
        JOIN usage_days u ON u.workspace_id = $1 AND u.account_id = k.account_id AND u.day >= k.day - {2 * MONTH} AND u.day < k.day
        CROSS JOIN LATERAL (SELECT sum(v) AS total FROM unnest(u.amounts) v) t
        GROUP BY k.no
    """),
    "interactions": (("contacts", "inbound"), f"""
        SELECT k.no, count(*)::float8 AS contacts, (count(*) FILTER (WHERE i.direction = 'inbound'))::float8 AS inbound
        FROM asked k
        JOIN interactions i ON i.workspace_id = $1 AND i.account_id = k.account_id AND NOT i.is_automated
          AND i.occurred_at >= k.until - interval '{QUARTER} days' AND i.occurred_at < k.until
        GROUP BY k.no
    """),
    "tickets": (("tickets", "open_tickets"), f"""
        SELECT k.no, (count(*) FILTER (WHERE i.opened_at >= k.until - interval '{QUARTER} days'))::float8 AS tickets,
               (count(*) FILTER (WHERE i.closed_at IS NULL OR i.closed_at >= k.until))::float8 AS open_tickets
        FROM asked k
        JOIN tickets i ON i.workspace_id = $1 AND i.account_id = k.account_id AND i.opened_at < k.until
        GROUP BY k.no
    """),
    "invoices": (("late_invoices",), f"""
        SELECT k.no, (count(*) FILTER (WHERE i.paid_at IS NULL OR i.paid_at > i.due_at))::float8 AS late_invoices
        FROM asked k
        JOIN invoices i ON i.workspace_id = $1 AND i.account_id = k.account_id AND i.status <> 'draft'
          AND i.issued_at < k.day AND i.due_at < k.day AND i.due_at >= k.day - {HALF}
        GROUP BY k.no
    """),
    "surveys": (("nps",), """
        SELECT k.no, (array_agg(i.score ORDER BY i.answered_at DESC, i.id DESC))[1]::float8 AS nps
        FROM asked k
        JOIN surveys i ON i.workspace_id = $1 AND i.account_id = k.account_id AND i.kind = 'nps' AND i.answered_at < k.until
        GROUP BY k.no
    """),
    "sentiments": (("sentiment",), """
        SELECT k.no, (array_agg(i.score ORDER BY i.recorded_at DESC, i.id DESC))[1]::float8 AS sentiment
        FROM asked k
        JOIN sentiments i ON i.workspace_id = $1 AND i.account_id = k.account_id AND i.recorded_at < k.until
        GROUP BY k.no
    """),
}  # fmt: skip
"""By source: what it tells, and the statement that follows PAIRS. Whether a ticket was escalated, an invoice voided or a
contract set to renew by itself has no date, and is not looked at: it may have been told when the outcome was known."""


def _told(source: str, names: Sequence[str], statement: str) -> str:
    columns = ", ".join(f"coalesce(array_agg(x.{name} ORDER BY x.no), '{{}}') AS {source}_{name}" for name in names)
    return f"(SELECT coalesce(array_agg(x.no - 1 ORDER BY x.no), '{{}}') AS {source}_no, {columns} FROM ({statement}) x) {source}_"


STATEMENT = f"WITH {PAIRS} SELECT * FROM " + " CROSS JOIN ".join(
    _told(source, names, statement) for source, (names, statement) in SOURCES.items()
)


async def columns(
    reader: Reader, workspace: Workspace, accounts: Sequence[UUID], days: Sequence[int]
) -> dict[str, tuple[list[int], dict[str, list[float | None]]]]:
    """By source the pairs that it knows anything of, from nought on, and what it knows, by name. `days` since 1970."""
    row = await reader.fetchrow(STATEMENT, workspace.id, accounts, days, workspace.zone.key)
    assert row is not None  # an aggregate answers one row
    return {
        source: (row[f"{source}_no"], {name: row[f"{source}_{name}"] for name in names})
        for source, (names, _) in SOURCES.items()
    }
