"""Calls whose renewals have closed, beside what the last kept forecast had said of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.workspaces import SegmentationName, Workspace
from app.persistence.compile import Scope
from app.persistence.database import Reader
from app.persistence.forecasts import AS_THINGS_ARE
from app.persistence.renewals import RENEWALS

KEYS = {
    "csm": ("coalesce(k.csm_id::text, '')", "csm"),
    "author": ("coalesce(k.author_id::text, '')", "author"),
    "category": ("k.category", None),
    "month": ("to_char(k.closed_on, 'YYYY-MM')", None),
}
"""By what calls are told apart: its expression, and whose name says what it is."""


def ahead(at: str, due_on: str) -> str:
    """Said at an instant so many months before a renewal was due; `$3` is the zone, `$4` the months, nought for whenever."""
    return f"($4::int4 = 0 OR timezone($3, {at})::date <= {due_on} - make_interval(months => $4::int4))"


# What is not decided by hand is known when it is due, or before that from what carries it on.
ENDED = f"""
{RENEWALS},
  ended AS MATERIALIZED (
    SELECT r.id, r.arr, r.kept, r.result, r.decided_on, r.due_on,
      CASE WHEN r.by_hand THEN r.decided_on ELSE least(r.due_on, r.followed_on) END AS closed_on
    FROM renewals r
  )"""
OUTCOMES = f"""
{ENDED},
  called AS (
    SELECT l.account_id, l.version, max(e.closed_on) AS closed_on, sum(e.arr)::bigint AS due, sum(e.kept)::bigint AS brought,
      bool_or(e.result <> 'churned') AS renewed
    FROM renewal_calls l CROSS JOIN LATERAL unnest(l.contract_ids) t(id) JOIN ended e ON e.id = t.id
    WHERE l.workspace_id = $1 GROUP BY l.account_id, l.version
    HAVING bool_and(e.decided_on < $2::date) AND count(*) = max(cardinality(l.contract_ids))
  )"""
COMPUTED = f"""
SELECT f.id FROM forecast_renewals r JOIN forecasts f ON f.workspace_id = $1 AND f.id = r.forecast_id
WHERE r.workspace_id = $1 AND r.renewal_id = ANY (k.contract_ids) AND timezone($3, f.as_of)::date < k.closed_on
  AND {ahead("f.as_of", "k.due_on")} AND {AS_THINGS_ARE}
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


@dataclass(frozen=True, slots=True)
class Closed:
    """Which renewals: decided before `today`, closed in [start, end), of the `csm`'s accounts where one is named, spoken of at
    least `ahead` months before they were due."""

    today: date
    start: date | None
    end: date | None
    csm: UUID | None
    ahead: int = 0


async def closed(reader: Reader, workspace: Workspace, by: str | SegmentationName, which: Closed) -> CallColumns:
    """Calls of the renewals, told apart `by` one of KEYS or a segmentation, as it stood then.

    A call made on the day a renewal closed, or later, says nothing of how good calls are.
    """
    scope = Scope(workspace)
    for value in (which.today, workspace.zone.key, which.ahead):
        scope.bind(value)
    first, last, whose = (scope.bind(value) for value in (which.start, which.end, which.csm))
    key, of = (
        (segment_then(by, scope, "k.account_id", "k.called_at"), None) if isinstance(by, SegmentationName) else KEYS[by]
    )
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
              AND {ahead("l.called_at", "l.due_on")}
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


def segment_then(by: SegmentationName, scope: Scope, account: str, at: str) -> str:
    """Where an account stood at an instant, empty where it stood nowhere."""
    which = scope.bind(by.id)
    return (
        "coalesce((SELECT m.segment FROM stays m WHERE m.workspace_id = $1 "
        f"AND m.segmentation_id = {which} AND m.account_id = {account} AND m.from_at <= {at} "
        f"AND (m.to_at IS NULL OR m.to_at > {at}) ORDER BY m.from_at DESC LIMIT 1), '')"
    )
