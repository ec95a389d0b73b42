"""Forecasts: the renewals due and closed, as columns read once, and the forecasts kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.forecasting.asked import Asked, Dimension
from app.domain.workspaces import SegmentationName, Workspace
from app.persistence.compile import Scope, condition
from app.persistence.database import Reader, Transaction

KEYS: dict[Dimension, str] = {
    "month": "to_char(d.due_on, 'YYYY-MM')",
    "quarter": """to_char(d.due_on, 'YYYY"-Q"Q')""",
    "csm": "coalesce(a.csm_id::text, '')",
    "lane": "coalesce(a.impact, '')",
    "product": "d.product",
}


@dataclass(frozen=True, slots=True)
class DueColumns:
    """One list per column, all of one length; ARR in minor units; `keys` a list per grouping asked for."""

    account_ids: list[str]
    arr: list[int]
    due_on: list[date]
    products: list[str]
    industries: list[str]
    keys: tuple[list[str], ...]


@dataclass(frozen=True, slots=True)
class ClosedColumns:
    """Renewals that have closed; `kept` is the share of the ARR that went on, 0 to 1."""

    arr: list[int]
    due_on: list[date]
    closed_on: list[date]
    kept: list[float]
    products: list[str]
    industries: list[str]


async def due(reader: Reader, workspace: Workspace, asked: Asked, where: Meaning, today: date) -> DueColumns:
    """Terms that end in the period and were not decided before today, and accounts without contracts by their own date."""
    scope = Scope(workspace)
    ws, first, last, day = "$1", scope.bind(asked.start), scope.bind(asked.end), scope.bind(today)
    keys = [_key(group, scope) for _, group in asked.groups]
    inside = condition(where, ACCOUNTS, "a", scope)
    columns = ["a.id::text", "d.arr", "d.due_on", "d.product", "coalesce(a.industry, '')", *keys]
    row = await reader.fetchrow(
        f"""
        SELECT {", ".join(f"coalesce(array_agg({c} ORDER BY d.due_on, a.id), '{{}}')" for c in columns)}
        FROM (
          SELECT c.account_id, c.arr, c.end_date AS due_on, coalesce(c.product, '') AS product
          FROM contracts c
          WHERE c.workspace_id = {ws} AND c.end_date >= {first} AND c.end_date < {last} AND c.start_date <= {day}
            AND (c.outcome IS NULL OR coalesce(c.decided_at, c.end_date) >= {day})
          UNION ALL
          SELECT b.id, b.arr, b.renewal_date, ''
          FROM accounts b
          WHERE b.workspace_id = {ws} AND b.renewal_date >= {first} AND b.renewal_date < {last}
            AND NOT EXISTS (SELECT FROM contracts e WHERE e.workspace_id = {ws} AND e.account_id = b.id)
        ) d
        JOIN accounts a ON a.workspace_id = {ws} AND a.id = d.account_id
        WHERE a.archived_at IS NULL AND {inside}
        """,
        *scope.args,
    )
    assert row is not None  # an aggregate answers one row
    ids, arr, due_on, products, industries, *rest = row
    return DueColumns(ids, arr, due_on, products, industries, tuple(rest))


def _key(group: Dimension | SegmentationName, scope: Scope) -> str:
    if not isinstance(group, SegmentationName):
        return KEYS[group]
    which = scope.bind(group.id)
    return (
        "coalesce((SELECT m.segment FROM members m WHERE m.workspace_id = $1 "
        f"AND m.segmentation_id = {which} AND m.account_id = a.id), '')"
    )


async def closed(reader: Reader, workspace: Workspace, today: date) -> ClosedColumns:
    """Every term that was decided before today. A contracted one kept what its successor is worth."""
    row = await reader.fetchrow(
        """
        SELECT coalesce(array_agg(h.arr), '{}'), coalesce(array_agg(h.end_date), '{}'),
               coalesce(array_agg(h.closed_on), '{}'), coalesce(array_agg(h.kept), '{}'),
               coalesce(array_agg(h.product), '{}'), coalesce(array_agg(h.industry), '{}')
        FROM (
          SELECT c.arr, c.end_date, coalesce(c.decided_at, c.end_date) AS closed_on, coalesce(c.product, '') AS product,
                 coalesce(a.industry, '') AS industry,
                 CASE WHEN c.outcome = 'churned' THEN 0.0::float8
                      WHEN c.outcome = 'contracted' THEN least(1, coalesce(n.arr, c.arr)::float8 / nullif(c.arr, 0))
                      ELSE 1.0::float8 END AS kept
          FROM contracts c
          JOIN accounts a ON a.workspace_id = $1 AND a.id = c.account_id
          LEFT JOIN LATERAL (
            SELECT s.arr FROM contracts s
            WHERE s.workspace_id = $1 AND s.account_id = c.account_id AND c.outcome = 'contracted'
              AND s.start_date BETWEEN c.end_date - 30 AND c.end_date + 45 AND s.product IS NOT DISTINCT FROM c.product
            ORDER BY s.start_date, s.id LIMIT 1
          ) n ON true
          WHERE c.workspace_id = $1 AND c.outcome IS NOT NULL AND c.end_date IS NOT NULL AND c.arr > 0
            AND coalesce(c.decided_at, c.end_date) < $2
        ) h
        """,
        workspace.id,
        today,
    )
    assert row is not None  # an aggregate answers one row
    return ClosedColumns(*row)


async def keep(
    tx: Transaction,
    workspace_id: UUID,
    forecast_id: UUID,
    asked: bytes,
    answer: bytes,
    as_of: datetime,
    now: datetime,
    by: UUID | None,
) -> None:
    """Keeps a forecast: what was asked and what was answered, as JSON, and who asked (None: a service)."""
    await tx.execute(
        "INSERT INTO forecasts (workspace_id, id, asked, answer, as_of, created_at, created_by) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        workspace_id, forecast_id, asked, answer, as_of, now, by,
    )  # fmt: skip


async def get(reader: Reader, workspace_id: UUID, forecast_id: UUID) -> tuple[bytes, UUID | None] | None:
    """The answer as it was given, and who asked."""
    row = await reader.fetchrow(
        "SELECT f.answer::json AS answer, f.created_by FROM forecasts f WHERE f.workspace_id = $1 AND f.id = $2",
        workspace_id, forecast_id, point=True,
    )  # fmt: skip
    return (row["answer"], row["created_by"]) if row else None


async def latest(
    reader: Reader, workspace_id: UUID, limit: int, before: UUID | None, by: UUID | None
) -> list[tuple[bytes, UUID]]:
    """Newest first, at most `limit`, older than `before`; only those that `by` asked for where it is given."""
    rows: list[Any] = await reader.fetch(
        f"""
        SELECT f.answer::json AS answer, f.id FROM forecasts f
        WHERE f.workspace_id = $1 AND ($2::uuid IS NULL OR f.id < $2) AND ($3::uuid IS NULL OR f.created_by = $3)
        ORDER BY f.id DESC LIMIT {int(limit)}
        """,
        workspace_id, before, by,
    )  # fmt: skip
    return [(row["answer"], row["id"]) for row in rows]
