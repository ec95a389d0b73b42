"""Calls whose renewals have closed, beside what the last kept forecast had said of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.workspaces import SegmentationName, Workspace
from app.persistence.compile import Scope
from app.persistence.database import Reader
from app.persistence.renewals import RENEWALS

KEYS = {
    "csm": ("coalesce(k.csm_id::text, '')", "csm"),
    "author": ("coalesce(k.author_id::text, '')", "author"),
    "category": ("k.category", None),
    "month": ("to_char(k.closed_on, 'YYYY-MM')", None),
}
"""By what calls are told apart: its expression, and whose name says what it is."""
# What is not decided by hand is known when it is due, or before that from what carries it on.
OUTCOMES = f"""
{RENEWALS},
  ended AS MATERIALIZED (
    SELECT r.id, r.arr, r.kept, r.result, r.decided_on,
      CASE WHEN r.by_hand THEN r.decided_on ELSE least(r.due_on, r.followed_on) END AS closed_on
    FROM renewals r
  ),
  called AS (
    SELECT l.account_id, l.version, max(e.closed_on) AS closed_on, sum(e.arr)::bigint AS due, sum(e.kept)::bigint AS brought,
      bool_or(e.result <> 'churned') AS renewed
    FROM renewal_calls l CROSS JOIN LATERAL unnest(l.contract_ids) t(id) JOIN ended e ON e.id = t.id
    WHERE l.workspace_id = $1 GROUP BY l.account_id, l.version
    HAVING bool_and(e.decided_on < $2::date) AND count(*) = max(cardinality(l.contract_ids))
  )"""
COMPUTED = """
SELECT f.id FROM forecast_renewals r JOIN forecasts f ON f.workspace_id = $1 AND f.id = r.forecast_id
WHERE r.workspace_id = $1 AND r.renewal_id = ANY (k.contract_ids) AND timezone($3, f.as_of)::date < k.closed_on
  AND f.asked->>'scenario' IS NULL
ORDER BY f.as_of DESC, f.id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class CallColumns:
    """A call each, one list per column: the last that stood before the renewal closed. Money in minor units.

    `computed` and `chances` are what the last kept forecast before it expected and how likely it held it, None without.
    """

    keys: list[str]
    names: list[str | None]
    due: list[int]
    probability: list[float]
    amount: list[int]
    brought: list[int]
    renewed: list[bool]
    computed: list[int | None]
    chances: list[float | None]


async def closed(
    reader: Reader, workspace: Workspace, by: str | SegmentationName, today: date, start: date | None, end: date | None,
    csm: UUID | None,
) -> CallColumns:  # fmt: skip
    """Calls of renewals that closed in [start, end), told apart `by` one of KEYS or a segmentation, as it stood then.

    A call made on the day a renewal closed, or later, says nothing of how good calls are. Only `csm`'s where one is named.
    """
    scope = Scope(workspace)
    for value in (today, workspace.zone.key):
        scope.bind(value)
    first, last, whose = (scope.bind(value) for value in (start, end, csm))
    key, of = (_segment(by, scope), None) if isinstance(by, SegmentationName) else KEYS[by]
    name = "NULL::text" if of is None else "u.name"
    names = "" if of is None else f"LEFT JOIN users u ON u.workspace_id = $1 AND u.id = k.{of}_id"
    columns = ("key", "name", "due", "probability", "amount", "brought", "renewed", "computed", "chance")
    row = await reader.fetchrow(
        f"""
        WITH {OUTCOMES}
        SELECT {", ".join(f"coalesce(array_agg(t.{column} ORDER BY t.account_id, t.due_on), '{{}}')" for column in columns)}
        FROM (
          SELECT k.account_id, k.due_on, {key} AS key, {name} AS name, k.ended AS due, k.probability, k.amount, k.brought,
            k.renewed, p.computed, p.chance
          FROM (
            SELECT DISTINCT ON (l.account_id, l.due_on) l.*, d.closed_on, d.due AS ended, d.brought, d.renewed
            FROM renewal_calls l JOIN called d ON d.account_id = l.account_id AND d.version = l.version
            WHERE l.workspace_id = $1 AND timezone($3, l.called_at)::date < d.closed_on
            ORDER BY l.account_id, l.due_on, l.version DESC
          ) k
          LEFT JOIN LATERAL (
            SELECT sum(r.expected)::bigint AS computed,
              coalesce(sum(r.probability * r.arr) / nullif(sum(r.arr), 0), avg(r.probability)) AS chance
            FROM ({COMPUTED}) f JOIN forecast_renewals r
              ON r.workspace_id = $1 AND r.forecast_id = f.id AND r.renewal_id = ANY (k.contract_ids)
          ) p ON true
          {names}
          WHERE k.category IS NOT NULL AND ({whose}::uuid IS NULL OR k.csm_id = {whose})
            AND ({first}::date IS NULL OR k.closed_on >= {first}) AND ({last}::date IS NULL OR k.closed_on < {last})
        ) t
        """,
        *scope.args,
    )
    assert row is not None  # an aggregate answers one row
    return CallColumns(*row)


def _segment(by: SegmentationName, scope: Scope) -> str:
    which = scope.bind(by.id)
    return (
        "coalesce((SELECT m.segment FROM memberships m WHERE m.workspace_id = $1 "
        f"AND m.segmentation_id = {which} AND m.account_id = k.account_id AND m.from_at <= k.called_at "
        "AND (m.to_at IS NULL OR m.to_at > k.called_at) ORDER BY m.from_at DESC LIMIT 1), '')"
    )
