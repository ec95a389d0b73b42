"""Open requests in the order in which they are answered, and what each lane holds of them, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning, Shown
from app.domain.scenarios import IMPACTS
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import start
from app.persistence.database import Reader

QUEUE = """
WITH asked AS (
  SELECT r.id, r.kind, r.amount, r.asked_at, r.note, {a}.id AS account_id, {a}.external_id, {a}.name, {a}.csm_id, {a}.arr,
    {a}.status, {a}.industry, {a}.impact, {a}.renewal_date, coalesce(r.amount, {a}.arr) AS money, ARRAY[{values}]::float8[] AS values,
    {points} AS points,
    {pinned} AS pinned, {pin_reason} AS pin_reason
  {source}
), laned AS MATERIALIZED (
  SELECT a.*, CASE WHEN a.pinned IS NOT NULL THEN coalesce(array_position({segments}::text[], a.pinned) - 1, {unplaced})
    WHEN a.impact IS NULL THEN {unplaced}
    ELSE greatest(0, least({best}, array_position({impacts}::text[], a.impact) - 1 + sign(a.points)::int)) END AS lane
  FROM asked a
), placed AS (
  SELECT l.*, row_number() OVER (ORDER BY l.lane, l.points, l.money DESC, l.asked_at, l.id) AS place FROM laned l
)
SELECT
  (SELECT coalesce(json_agg(p ORDER BY p.place), '[]') FROM (
    SELECT q.*, u.name AS csm_name, n.name AS industry_name FROM placed q
    LEFT JOIN users u ON u.workspace_id = $1 AND u.id = q.csm_id
    LEFT JOIN industries n ON n.workspace_id = $1 AND n.slug = q.industry{after}
    ORDER BY q.place LIMIT {limit:d}) p) AS page,
  (SELECT coalesce(json_agg(g ORDER BY g.lane, g.kind), '[]') FROM (
    SELECT lane, kind, count(*) AS requests, sum(money)::bigint AS money FROM laned GROUP BY lane, kind) g) AS by_lane,
  coalesce((SELECT to_json(s.slug) FROM scenarios s WHERE s.workspace_id = $1 AND s.is_active), 'null') AS scenario
"""


@dataclass(frozen=True, slots=True)
class Weight:
    """A field of accounts with what lifts and what lowers by it."""

    of: Shown
    lifts: Meaning | None
    lowers: Meaning | None


@dataclass(frozen=True, slots=True)
class Pins:
    """Those of a segmentation of lanes that have not ended by `now`: its segments as they stand for the lanes, the worst first."""

    segmentation: UUID
    segments: tuple[str, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """What a request's place follows from: a page continues after one."""

    lane: int
    points: int
    money: int
    asked_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Found:
    """A page of requests, money in minor units, `values` by consideration; by lane and kind how many, and of how much; and
    the active scenario."""

    page: list[dict[str, Any]]
    by_lane: list[dict[str, Any]]
    scenario: str | None


async def queue(
    reader: Reader,
    workspace: Workspace,
    where: Meaning,
    kind: str | None,
    weights: Sequence[Weight],
    pins: Pins | None,
    limit: int,
    after: Place | None,
) -> Found:
    """Open requests of the unarchived accounts that meet criteria; `pinned` and `pin_reason` of those that are pinned."""
    scope = Scope(workspace)
    alias = scope.alias()
    rows = start(ACCOUNTS, alias)
    inside = ["r.status = 'open'", f"{alias}.archived_at IS NULL", condition(where, ACCOUNTS, alias, scope)]
    if kind is not None:
        inside.append(f"r.kind = {scope.bind(kind)}")
    joined = f" JOIN accounts {alias} ON {alias}.workspace_id = $1 AND {alias}.id = r.account_id"
    pinned, pin_reason = ("NULL::text", "NULL::text") if pins is None else ("p.segment", "p.reason")
    if pins is not None:
        joined += scope.beside("pins", "p", _kept(pins, alias, scope))
    text = QUEUE.format(
        a=alias, values=", ".join(f"{shown(one.of, rows, scope).sql}::float8" for one in weights),
        points=" + ".join(("0", *(_points(one, alias, scope) for one in weights))),
        source=scope.rows("requests", "r", inside, joined=joined), unplaced=len(IMPACTS), best=len(IMPACTS) - 1,
        impacts=scope.bind(list(IMPACTS)), pinned=pinned, pin_reason=pin_reason,
        segments=scope.bind([] if pins is None else list(pins.segments)), after="" if after is None else _after(after, scope), limit=limit,
    )  # fmt: skip
    row = await reader.fetchrow(text, *scope.args, point=False)
    assert row is not None, "aggregates answer one row"
    return Found(*(msgspec.json.decode(part) for part in row))


def _points(one: Weight, alias: str, scope: Scope) -> str:
    sides = ((one.lifts, 1), (one.lowers, -1))
    cases = [
        f"WHEN {condition(side, ACCOUNTS, alias, scope)} THEN {points}" for side, points in sides if side is not None
    ]
    return f"CASE {' '.join(cases)} ELSE 0 END"


def _kept(pins: Pins, alias: str, scope: Scope) -> tuple[str, ...]:
    ends = scope.bind(pins.now)
    of_it = f"p.segmentation_id = {scope.bind(pins.segmentation)}"
    return of_it, f"p.account_id = {alias}.id", f"(p.expires_at IS NULL OR p.expires_at > {ends}::timestamptz)"


def _after(after: Place, scope: Scope) -> str:
    keys = ", ".join(
        scope.bind(value) + f"::{kind}"
        for value, kind in (
            (after.lane, "int"), (after.points, "int"), (-after.money, "bigint"), (after.asked_at, "timestamptz"), (after.id, "uuid"),
        )
    )  # fmt: skip
    return f" WHERE (q.lane, q.points, -q.money, q.asked_at, q.id) > ({keys})"
