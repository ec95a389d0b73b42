"""Accounts as they stood on a past day, and what came of them since: folded per segment, one statement a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.segmentation.dated import STEADY
from app.domain.segmentation.validation import Outcome
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.database import Reader
from app.persistence.members import Rule

SCORED_AT_MOST = 100_000
"""Accounts of a workspace that are scored: of more, as many are drawn evenly by the hash of their ids, the same each time."""
SAMPLE = 5_000
"""Accounts whose values cuts are taken over anew, drawn evenly by the hash of their ids."""


@dataclass(frozen=True, slots=True)
class Span:
    """From the end of a day, at `moment`, to the end of another."""

    day: date
    moment: datetime
    until: date


def _latest(table: str, column: str, time: str, extra: str = "") -> str:
    return (
        f"(SELECT x.{column} FROM {table} x WHERE x.workspace_id = $1 AND x.account_id = a.id AND x.{time} <= {{moment}}{extra} "
        f"ORDER BY x.{time} DESC, x.id DESC LIMIT 1)"
    )


NPS, INBOUND = " AND x.kind = 'nps'", " AND x.direction = 'inbound' AND NOT x.is_automated"
THEN: Mapping[str, str] = {
    "arr": "k.had", "mrr": "round(k.had / 12.0)::bigint", "seats_licensed": "k.seats::int", "contract_start": "k.contract_start",
    "growth_potential": "(SELECT sum(x.amount)::bigint FROM opportunities x WHERE x.workspace_id = $1 AND x.account_id = a.id "
    "AND x.opened_at <= {day} AND (x.closed_at IS NULL OR x.closed_at > {day}))",
    "became_customer_at": "CASE WHEN a.became_customer_at <= {day} THEN a.became_customer_at END", "status": "'customer'::text",
    "stage": _latest("stage_moves", "stage", "moved_at"), "nps": _latest("surveys", "score", "answered_at", NPS),
    "nps_at": _latest("surveys", "answered_at", "answered_at", NPS), "sentiment": _latest("sentiments", "score", "recorded_at"),
    "sentiment_at": _latest("sentiments", "recorded_at", "recorded_at"),
    "last_interaction_at": _latest("interactions", "occurred_at", "occurred_at"),
    "last_inbound_at": _latest("interactions", "occurred_at", "occurred_at", INBOUND),
    "last_active_at": "(SELECT max(x.day)::timestamp AT TIME ZONE {zone} FROM usage_days x WHERE x.workspace_id = $1 "
    "AND x.account_id = a.id AND x.day <= {day} AND 0 < ANY (x.amounts))",
}  # fmt: skip
"""The fields that dated records tell, as they were at the end of `day`."""
IN_FORCE = "b.start_date <= {0} AND (b.end_date IS NULL OR b.end_date >= {0})"
# Customers of the day: with a contract in force, or known as one where there are no contracts. Archived ones are among
# them: leaving out whoever was put away later would hide losses.
STOOD = """
WITH n AS MATERIALIZED (
  SELECT count(*) AS total FROM accounts a WHERE a.workspace_id = $1
), picked AS MATERIALIZED (
  SELECT a.id FROM accounts a, n
  WHERE a.workspace_id = $1 AND (n.total <= {most} OR (uuid_hash(a.id)::int8 & 2147483647) % n.total < {most})
), k AS MATERIALIZED (
  SELECT b.account_id, sum(b.arr) FILTER (WHERE {then}) AS had, coalesce(sum(b.arr) FILTER (WHERE {later}), 0) AS has,
    sum(b.seats) FILTER (WHERE {then}) AS seats, min(b.start_date) FILTER (WHERE {then}) AS contract_start,
    coalesce(bool_or({then} AND b.end_date < {until}), false) AS due,
    coalesce(bool_or({then} AND b.end_date < {until} AND b.outcome = 'churned'), false) AS refused,
    max(b.end_date) FILTER (WHERE b.end_date < {until}) AS ended
  FROM contracts b WHERE b.workspace_id = $1 AND b.account_id IN (SELECT id FROM picked) GROUP BY b.account_id
), h AS (
  SELECT b.account_id, min(b.churned_at) AS lost FROM churns b
  WHERE b.workspace_id = $1 AND b.churned_at > {day} AND b.churned_at <= {until} GROUP BY b.account_id
), t AS MATERIALIZED (
  SELECT a.workspace_id, a.id, {columns}k.had, k.has, k.due, k.refused,
    greatest(least(h.lost, CASE WHEN a.churned_at > {day} AND a.churned_at <= {until} THEN a.churned_at END,
      CASE WHEN k.has = 0 THEN k.ended END), {day} + 1) AS lost,
    coalesce(h.lost, CASE WHEN a.churned_at > {day} AND a.churned_at <= {until} THEN a.churned_at END,
      CASE WHEN k.has = 0 THEN k.ended END) IS NOT NULL AS gone
  FROM accounts a JOIN picked ON picked.id = a.id LEFT JOIN k ON k.account_id = a.id LEFT JOIN h ON h.account_id = a.id
  WHERE a.workspace_id = $1 AND (k.had > 0
    OR (k.account_id IS NULL AND a.became_customer_at <= {day} AND (a.churned_at IS NULL OR a.churned_at > {day})))
)"""
HITS: Mapping[Outcome, tuple[str, str]] = {
    "churned": ("t.gone", "true"),
    "renewed": ("NOT t.refused AND t.has > 0", "t.due"),
    "nrr": ("t.has >= t.had", "t.had > 0"),
}
"""When the outcome came, and of whom it is asked."""
SCORED = """, s AS MATERIALIZED (
  SELECT t.id, {segment} AS segment, {hit} AS hit, t.had, t.has, t.gone, t.lost - {day} AS days,
    CASE WHEN t.had > 0 THEN t.has::float8 / t.had END AS kept{fields}
  FROM t{joined} WHERE {asked}{stands}
), m AS MATERIALIZED (
  SELECT s.*, rank() OVER (ORDER BY s.kept) AS place, count(*) OVER (PARTITION BY s.kept) AS shared FROM s
)
SELECT json_build_object('total', (SELECT total FROM n), 'segments', {segments}, 'losses', (
    SELECT coalesce(json_agg(json_build_array(d.segment, d.days, d.n)), '[]') FROM (
      SELECT segment, days, count(*) AS n FROM s WHERE gone GROUP BY segment, days ORDER BY segment, days) d
  ), 'fields', json_build_array({rivals}), 'sample', {sample})
"""
GROUPED = """(SELECT coalesce(json_object_agg(g.of, g.told), '{{}}') FROM (
    SELECT {by} AS of, json_build_object('n', count(*), 'hits', count(*) FILTER (WHERE hit), 'known', count(kept),
      'ranks', coalesce(sum(place + (shared - 1) / 2.0::float8) FILTER (WHERE kept IS NOT NULL), 0),
      'ties', coalesce(sum(shared::float8 * shared - 1) FILTER (WHERE kept IS NOT NULL), 0),
      'had', coalesce(sum(had), 0)::bigint, 'has', coalesce(sum(has) FILTER (WHERE had > 0), 0)::bigint) AS told
    FROM {source} WHERE {by} IS NOT NULL GROUP BY 1 ORDER BY 1) g)"""
# Quarters by value, equal values in one; `rho` is the correlation of mid-ranks with those of the money kept.
NUMERIC = """json_build_object('levels', {levels}, 'known', (SELECT count(*) FROM m WHERE {f} IS NOT NULL AND kept IS NOT NULL),
  'rho', (SELECT corr(x.a, x.b) FROM (
    SELECT rank() OVER (ORDER BY {f}) + (count(*) OVER (PARTITION BY {f}) - 1) / 2.0::float8 AS a,
      rank() OVER (ORDER BY kept) + (count(*) OVER (PARTITION BY kept) - 1) / 2.0::float8 AS b
    FROM m WHERE {f} IS NOT NULL AND kept IS NOT NULL) x))"""
QUARTERS = "(SELECT m.*, floor(4 * (rank() OVER (ORDER BY {f}) - 1) / count(*) OVER ()::float8)::int AS quarter FROM m WHERE {f} IS NOT NULL) q"
PLAIN = "json_build_object('levels', {levels}, 'known', 0, 'rho', NULL)"
CUTS = """ SELECT (percentile_disc({shares}::float8[]) WITHIN GROUP (ORDER BY {value}))::text[] AS at, count({value}) AS n
FROM t WHERE {value} IS NOT NULL AND {among}"""


async def begins(reader: Reader, workspace_id: UUID, segmentation_id: UUID) -> datetime | None:
    """When its history begins."""
    sql = "SELECT min(h.from_at) FROM stays h WHERE h.workspace_id = $1 AND h.segmentation_id = $2"
    found: datetime | None = await reader.fetchval(sql, workspace_id, segmentation_id)
    return found


async def cuts(
    reader: Reader,
    workspace: Workspace,
    span: Span,
    field: str,
    among: Meaning,
    read: Sequence[str],
    shares: Sequence[float],
) -> tuple[list[Decimal], int]:
    """A field's values at these shares among the accounts as they stood, in minor units, and how many had one."""
    scope = Scope(workspace, kept=False)
    stood = _stood(scope, span, read)
    inside = condition(among, ACCOUNTS, "t", scope)
    row = await reader.fetchrow(
        stood + CUTS.format(shares=scope.bind(list(shares)), value=f"t.{field}", among=inside), *scope.args
    )
    assert row is not None, "an aggregate gives a row"
    return [Decimal(value) for value in row["at"] or ()], row["n"]


@dataclass(frozen=True, slots=True)
class Cutting:
    """An axis that is cut by shares, and over which accounts."""

    field: str
    among: Meaning


async def scored(
    reader: Reader, workspace: Workspace, span: Span, outcome: Outcome, by: Rule | UUID, read: Sequence[str],
    cutting: Sequence[Cutting] = (), rivals: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """What came of the accounts as they stood: `by` criteria evaluated then, or the history of a segmentation.

    `segments` and the `levels` of each of `fields` (the rivals, in order): n, hits, known, ranks, ties, had, has; `losses`
    [segment, days, n]; `sample` [[value, among] per axis]. Money in minor units.
    """
    scope = Scope(workspace, kept=False)
    stood = _stood(scope, span, read)
    joined, stands = "", ""
    if isinstance(by, Rule):
        whens = [f"WHEN {condition(m, ACCOUNTS, 't', scope)} THEN {scope.bind(slug)}::text" for slug, m in by.cases]
        segment = f"CASE {' '.join(whens)} ELSE {scope.bind(by.rest)}::text END"
    else:
        segment, moment = "p.segment", f"{scope.bind(span.moment)}::timestamptz"
        joined = f" JOIN stays p ON p.workspace_id = $1 AND p.segmentation_id = {scope.bind(by)}::uuid AND p.account_id = t.id"
        stands = f" AND p.from_at <= {moment} AND (p.to_at > {moment} OR p.to_at IS NULL)"
    values = [f"t.{name} AS f{n}" for n, name in enumerate(rivals)]
    axes = [
        f"t.{one.field}::float8 AS v{n}, {condition(one.among, ACCOUNTS, 't', scope)} AS w{n}"
        for n, one in enumerate(cutting)
    ]
    hit, asked = HITS[outcome]
    text = stood + SCORED.format(
        segment=segment, hit=hit, day=DAY, fields="".join(f", {sql}" for sql in (*values, *axes)), joined=joined,
        asked=asked, stands=stands, segments=GROUPED.format(by="segment", source="m"),
        rivals=", ".join(_rival(f"f{n}", name) for n, name in enumerate(rivals)), sample=_sample(len(cutting), scope),
    )  # fmt: skip
    found: dict[str, Any] = msgspec.json.decode(await reader.fetchval(text, *scope.args))
    return found


DAY = "$2::date"
"""Where `_stood`, which comes first, binds the day."""


def _stood(scope: Scope, span: Span, read: Sequence[str]) -> str:
    day, until = (f"{scope.bind(value)}::date" for value in (span.day, span.until))
    places = {
        "day": day,
        "moment": f"{scope.bind(span.moment)}::timestamptz",
        "zone": f"{scope.bind(scope.workspace.zone.key)}::text",
    }
    told = [f"{THEN[name].format(**places)} AS {name}" for name in read if name in THEN]
    told += [f"a.{name}" for name in read if name in STEADY and name != "id"]
    # What is bound is named, whoever reads it: PostgreSQL asks for the type of each.
    told += [f"{places['moment']} AS moment", f"{places['zone']} AS zone"]
    return STOOD.format(
        most=f"{scope.bind(SCORED_AT_MOST)}::int8",
        then=IN_FORCE.format(day),
        later=IN_FORCE.format(until),
        day=day,
        until=until,
        columns="".join(f"{one}, " for one in told),
    )


ORDERED = ("money", "number", "integer", "date", "instant")


def _rival(value: str, field: str) -> str:
    if ACCOUNTS.fields[field].kind in ORDERED:
        levels = GROUPED.format(by="quarter", source=QUARTERS.format(f=value))
        return NUMERIC.format(f=value, levels=levels)
    return PLAIN.format(levels=GROUPED.format(by=f"{value}::text", source="m"))


def _sample(axes: int, scope: Scope) -> str:
    if axes == 0:
        return "'[]'::json"
    each = ", ".join(f"json_build_array(v{n}, w{n})" for n in range(axes))
    most = scope.bind(SAMPLE)
    return (
        f"(SELECT coalesce(json_agg(json_build_array({each}) ORDER BY o.id), '[]') FROM (SELECT s.*, count(*) OVER () AS total FROM s) o "
        f"WHERE total <= {most}::int8 OR (uuid_hash(o.id)::int8 & 2147483647) % total < {most}::int8)"
    )
