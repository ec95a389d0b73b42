"""What is measured of the accounts of each segment: folded with rank sums where the rows lie, two statements in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.segmentation.analysis import ADOPTION_DAYS, EXPANSION_DAYS, SUPPORT_DAYS, USAGE_DAYS
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.database import Reader, Record

SAMPLE = 20_000
"""Accounts that are measured at most: of more, as many are drawn evenly by the hash of their ids, the same each time."""
FEATURES = 50
"""Features whose adoption is told, those in use by most accounts."""
VALUES: Mapping[str, str] = {
    "usage_days": "coalesce(u.n, 0)", "active_users": "coalesce(c.n, 0)", "engagement_score": "p.engagement_score",
    "consumption_score": "p.consumption_score", "arr": "p.arr", "expansion": "k.arr - k.was", "nps": "p.nps",
    "sentiment": "p.sentiment", "health": "p.health", "tickets": "coalesce(t.n, 0)", "first_response": "t.response",
    "resolution": "t.resolution", "escalations": "coalesce(t.escalated, 0)",
}  # fmt: skip
"""The value of each measure that is taken as a number, null where it is not known."""

COUNTED = """
SELECT m.segment, count(*) FILTER (WHERE {where}) AS accounts, count(*) AS held
FROM members m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id
WHERE m.workspace_id = $1 AND m.segmentation_id = $2 AND a.archived_at IS NULL GROUP BY m.segment
"""
PICKED = """p AS MATERIALIZED (
  SELECT m.segment, a.id, a.arr, a.health, a.nps, a.sentiment, a.engagement_score, a.consumption_score
  FROM members m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id
  WHERE m.workspace_id = $1 AND m.segmentation_id = $2 AND a.archived_at IS NULL AND {where}
    AND ($3::int8 <= $4::int8 OR (uuid_hash(a.id)::int8 & 2147483647) % $3::int8 < $4::int8)
)"""
FOLDED = """r AS (
  SELECT of, segment, value, count(*) OVER w AS shared, rank() OVER (PARTITION BY of ORDER BY value) AS place
  FROM v WINDOW w AS (PARTITION BY of, value)
)
SELECT of, segment, count(*) AS known, count(*) FILTER (WHERE value > 0) AS above_nought, avg(value) AS mean,
  percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY value) AS quartiles,
  sum(place + (shared - 1) / 2.0::float8) AS ranks, sum(shared::float8 * shared - 1) AS ties
FROM r GROUP BY of, segment ORDER BY of, segment"""


def _in_force(day: str) -> str:
    return f"b.start_date <= {day} AND (b.end_date IS NULL OR b.end_date >= {day})"


# What is kept of usage is right for the workspace's day; of any other the days themselves are read.
USERS_KEPT = """c AS (SELECT b.account_id, count(*) AS n FROM contacts b
  WHERE b.workspace_id = $1 AND b.active_days_30 > 0 AND b.account_id IN (SELECT id FROM p) GROUP BY b.account_id)"""
USERS = f"""c AS (SELECT d.account_id, count(DISTINCT x.contact) AS n FROM usage_days d, LATERAL unnest(d.contacts, d.amounts) x(contact, amount)
  WHERE d.workspace_id = $1 AND d.day > $5::date - {USAGE_DAYS} AND d.day <= $5::date AND x.amount > 0
    AND d.account_id IN (SELECT id FROM p) GROUP BY d.account_id)"""
USED_KEPT = """w AS MATERIALIZED (SELECT y.feature, p.segment, y.last_90 AS value FROM usage_windows y JOIN p ON p.id = y.account_id
  WHERE y.workspace_id = $1 AND y.last_90 > 0)"""
USED = f"""w AS MATERIALIZED (SELECT x.feature, p.segment, sum(x.amount) AS value
  FROM usage_days d JOIN p ON p.id = d.account_id, LATERAL unnest(d.features, d.amounts) x(feature, amount)
  WHERE d.workspace_id = $1 AND d.day > $5::date - {ADOPTION_DAYS} AND d.day <= $5::date
  GROUP BY x.feature, p.segment, p.id HAVING sum(x.amount) > 0)"""
MEASURED = f"""
WITH {PICKED}, u AS (
  SELECT d.account_id, count(*) AS n FROM usage_days d
  WHERE d.workspace_id = $1 AND d.day > $5::date - {USAGE_DAYS} AND d.day <= $5::date AND 0 < ANY (d.amounts)
    AND d.account_id IN (SELECT id FROM p) GROUP BY d.account_id
), {{users}}, k AS (
  SELECT b.account_id, coalesce(sum(b.arr) FILTER (WHERE {_in_force("$5::date")}), 0) AS arr,
    sum(b.arr) FILTER (WHERE {_in_force(f"($5::date - {EXPANSION_DAYS})")}) AS was
  FROM contracts b WHERE b.workspace_id = $1 AND b.account_id IN (SELECT id FROM p) GROUP BY b.account_id
), t AS (
  SELECT b.account_id, count(*) AS n, avg(b.first_response_minutes) AS response, avg(b.resolution_hours) AS resolution,
    count(*) FILTER (WHERE b.escalated) AS escalated
  FROM tickets b WHERE b.workspace_id = $1 AND b.opened_at > $6::timestamptz - interval '{SUPPORT_DAYS} days'
    AND b.opened_at <= $6::timestamptz AND b.account_id IN (SELECT id FROM p) GROUP BY b.account_id
), v AS (
  SELECT x.of, p.segment, x.value FROM p
  LEFT JOIN u ON u.account_id = p.id LEFT JOIN c ON c.account_id = p.id LEFT JOIN k ON k.account_id = p.id
  LEFT JOIN t ON t.account_id = p.id
  CROSS JOIN LATERAL (VALUES {", ".join(f"('{name}', ({sql})::float8)" for name, sql in VALUES.items())}) x(of, value)
  WHERE x.value IS NOT NULL
), {FOLDED}
"""
ADOPTED = f"""
WITH {PICKED}, {{used}}, top AS (
  SELECT f.no, f.slug FROM features f LEFT JOIN (SELECT feature, count(*) AS n FROM w GROUP BY feature) n ON n.feature = f.no
  WHERE f.workspace_id = $1 ORDER BY n.n DESC NULLS LAST, f.slug LIMIT {FEATURES}
), v AS (
  SELECT top.slug AS of, w.segment, w.value FROM w JOIN top ON top.no = w.feature
), {FOLDED}
"""
assert ADOPTION_DAYS == 90, "what is kept of usage reaches so far"
NAMED = f"""
SELECT f.slug, f.name, f.module, f.is_key, count(*) OVER () AS total FROM features f WHERE f.workspace_id = $1
ORDER BY f.slug = ANY ($2::text[]) DESC, f.slug LIMIT {FEATURES}
"""


@dataclass(frozen=True, slots=True)
class Picked:
    """Of a segmentation the accounts that meet criteria, so many, and those of them that are measured; the day and the moment
    that windows end at, and whether that is the day which usage is kept for."""

    segmentation_id: UUID
    where: Meaning
    total: int
    day: date
    now: datetime
    kept: bool


async def counted(
    reader: Reader, workspace: Workspace, segmentation_id: UUID, where: Meaning
) -> dict[str, tuple[int, int]]:
    """Per segment that holds any: how many of its accounts meet criteria, and how many there are; archived ones in neither."""
    scope = Scope(workspace)
    scope.bind(segmentation_id)
    text = COUNTED.format(where=condition(where, ACCOUNTS, "a", scope))
    return {row["segment"]: (row["accounts"], row["held"]) for row in await reader.fetch(text, *scope.args)}


async def measured(reader: Reader, workspace: Workspace, of: Picked) -> list[Record]:
    """Rows (of, segment, known, above_nought, mean, quartiles, ranks, ties) per measure and segment; money in minor units."""
    scope = _picking(workspace, of, of.day, of.now)
    where = condition(of.where, ACCOUNTS, "a", scope)
    text = MEASURED.format(where=where, users=USERS_KEPT if of.kept else USERS)
    return await reader.fetch(text, *scope.args)


async def adopted(reader: Reader, workspace: Workspace, of: Picked) -> list[Record]:
    """The same rows per feature, by slug, over the accounts that use it: what they used in the last ADOPTION_DAYS days."""
    scope = _picking(workspace, of, *(() if of.kept else (of.day,)))
    where = condition(of.where, ACCOUNTS, "a", scope)
    return await reader.fetch(ADOPTED.format(where=where, used=USED_KEPT if of.kept else USED), *scope.args)


def _picking(workspace: Workspace, of: Picked, *last: object) -> Scope:
    """What the statements bind by number, before criteria bind theirs."""
    scope = Scope(workspace)
    for value in (of.segmentation_id, of.total, SAMPLE, *last):
        scope.bind(value)
    return scope


async def features(reader: Reader, workspace_id: UUID, in_use: list[str]) -> list[Record]:
    """Rows (slug, name, module, is_key, total) of at most FEATURES features, those in use first."""
    return await reader.fetch(NAMED, workspace_id, in_use)
