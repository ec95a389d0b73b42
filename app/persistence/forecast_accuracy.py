"""Renewals that have closed, beside what the last kept forecast had said of each, whether anybody called it or not."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.workspaces import SegmentationName, Workspace
from app.persistence.call_accuracy import ENDED, Closed, ahead, segment_then
from app.persistence.compile import Scope
from app.persistence.database import Reader
from app.persistence.forecasts import AS_THINGS_ARE

KEYS = {"csm": "coalesce(s.csm_id::text, '')", "month": "to_char(s.closed_on, 'YYYY-MM')"}
"""By what they are told apart: whose they were when they were forecast, and when they closed."""

PLAIN = f"""
  plain AS MATERIALIZED (
    SELECT array_agg(f.id ORDER BY f.as_of DESC, f.id DESC) AS ids, array_agg(f.as_of ORDER BY f.as_of DESC, f.id DESC) AS moments
    FROM forecasts f WHERE f.workspace_id = $1 AND {AS_THINGS_ARE}
  )"""
LATEST = f"""
CROSS JOIN LATERAL (
  SELECT r.account_id, r.probability, r.expected, f.as_of
  FROM unnest((SELECT ids FROM plain), (SELECT moments FROM plain)) WITH ORDINALITY AS f(id, as_of, nth)
  JOIN forecast_renewals r ON r.workspace_id = $1 AND r.renewal_id = e.id AND r.forecast_id = f.id
  WHERE timezone($3, f.as_of)::date < e.closed_on AND {ahead("f.as_of", "e.due_on")}
  ORDER BY f.nth LIMIT 1
) p"""
"""The last forecast of a renewal `e`: kept ones are looked into from the latest on, and no further than the first that has it."""


@dataclass(frozen=True, slots=True)
class ForecastColumns:
    """A renewal each, one list per column; money in minor units: what was `due`, and what was `expected` and is `kept` of it."""

    keys: list[str]
    names: list[str | None]
    due: list[int]
    chances: list[float]
    expected: list[int]
    kept: list[int]
    renewed: list[bool]


async def closed(reader: Reader, workspace: Workspace, by: str | SegmentationName, which: Closed) -> ForecastColumns:
    """Told apart `by` one of KEYS or a segmentation, as it stood when they were forecast.

    A forecast of the day on which a renewal closed, or later, says nothing of how good forecasts are. Forecasts under a
    scenario or of what is supposed are left out, as are accounts without contracts, of which nothing says what came.
    """
    scope = Scope(workspace)
    for value in (which.today, workspace.zone.key, which.ahead):
        scope.bind(value)
    first, last, whose = (scope.bind(value) for value in (which.start, which.end, which.csm))
    key = segment_then(by, scope, "s.account_id", "s.as_of") if isinstance(by, SegmentationName) else KEYS[by]
    name, names = "NULL::text", ""
    if by == "csm":
        name, names = "u.name", "LEFT JOIN users u ON u.workspace_id = $1 AND u.id = s.csm_id"
    columns = ("key", "name", "due", "probability", "expected", "kept", "renewed")
    row = await reader.fetchrow(
        f"""
        WITH {ENDED},
        {PLAIN},
        said AS (
          SELECT e.id AS renewal_id, p.account_id, p.probability, p.expected, p.as_of, e.arr AS due,
            least(e.kept, e.arr) AS kept, e.result <> 'churned' AS renewed, e.closed_on
          FROM ended e {LATEST}
          WHERE e.decided_on < $2::date
            AND ({first}::date IS NULL OR e.closed_on >= {first}) AND ({last}::date IS NULL OR e.closed_on < {last})
        )
        SELECT {", ".join(f"coalesce(array_agg(t.{column} ORDER BY t.renewal_id), '{{}}')" for column in columns)}
        FROM (
          SELECT s.*, {key} AS key, {name} AS name
          FROM (
            SELECT o.*, CASE WHEN h.account_id IS NULL THEN a.csm_id ELSE h.value_id END AS csm_id
            FROM said o
            JOIN accounts a ON a.workspace_id = $1 AND a.id = o.account_id
            LEFT JOIN account_changes h ON h.workspace_id = $1 AND h.account_id = o.account_id AND h.field = 'csm'
              AND h.from_at <= o.as_of AND (h.to_at IS NULL OR h.to_at > o.as_of)
          ) s
          {names}
          WHERE {whose}::uuid IS NULL OR s.csm_id = {whose}
        ) t
        """,
        *scope.args,
    )
    assert row is not None  # an aggregate answers one row
    return ForecastColumns(*row)
