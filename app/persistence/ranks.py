"""Cut-offs of ranks: computed from the records, kept for the hour, found by what they are of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from app.domain.catalogue import ENTITIES
from app.domain.criteria.meant import Column, SegmentOf, Shown
from app.domain.criteria.ranks import Cuts, Group, Ranked, Threshold, lines, rises
from app.domain.workspaces import Workspace
from app.persistence.compile.operands import shown
from app.persistence.compile.pages import in_scope
from app.persistence.compile.rows import start, stored
from app.persistence.compile.scope import Scope
from app.persistence.database import Reader, Record, Transaction

AGE = timedelta(hours=1)
"""How long cut-offs are kept."""

LOAD = """
SELECT q.n::int4 AS n, c.groups, c.computed_at
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[]) WITH ORDINALITY q(entity, field, by, fn, at, n)
JOIN rank_cuts c ON c.workspace_id = $1 AND c.entity = q.entity AND c.field = q.field AND c.by = q.by AND c.fn = q.fn AND c.at = q.at
"""
# Whoever keeps some keeps them until its transaction ends, which may be long: nobody waits for that, and what was computed
# meanwhile is good for one answer. The lock holds on one node only; elsewhere others wait, as they would without it.
STORE = """
INSERT INTO rank_cuts (workspace_id, entity, field, by, fn, at, groups, computed_at)
SELECT $1, q.entity, q.field, q.by, q.fn, q.at, q.groups::jsonb, $8
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::text[]) q(entity, field, by, fn, at, groups)
WHERE (SELECT pg_try_advisory_xact_lock($9))
ON CONFLICT (workspace_id, entity, field, by, fn, at) DO UPDATE
  SET groups = excluded.groups, computed_at = excluded.computed_at
RETURNING fn
"""
# All values of a group in order: how many stay behind a rank says which of them is the cut-off.
COMPUTE = """
WITH p AS MATERIALIZED (
  SELECT {key} AS key, array_agg({value} ORDER BY {value}) AS v {source} GROUP BY 1
), places AS (
  SELECT q.n, q.falling, p.key, p.v, m.records,
    least(greatest(ceil(q.reach * m.base) + q.reach_offset, 0), m.records + 1)::int4 AS reach,
    least(greatest(CASE WHEN q.shares THEN floor(q.pass * m.base) + 1 ELSE ceil(q.pass * m.base) END + q.pass_offset, 0),
      m.records + 1)::int4 AS pass
  FROM p
  CROSS JOIN unnest({reach}::numeric[], {reach_offset}::numeric[], {passing}::numeric[], {pass_offset}::numeric[],
    {shares}::bool[], {falling}::bool[]) WITH ORDINALITY q(reach, reach_offset, pass, pass_offset, shares, falling, n)
  CROSS JOIN LATERAL (
    SELECT cardinality(p.v) AS records,
      CASE WHEN q.shares THEN greatest(cardinality(p.v) - 1, 1) ELSE cardinality(p.v) END AS base
  ) m
)
SELECT n::int4 AS n, key, records,
  v[CASE WHEN falling THEN records + 1 - reach ELSE reach END] AS reaches,
  v[CASE WHEN falling THEN records + 1 - pass ELSE pass END] AS passes
FROM places ORDER BY n, key
"""
DUE = "SELECT DISTINCT workspace_id FROM rank_cuts WHERE computed_at < $1"
# Whoever takes them away holds them: others that come for them wait, and then find none.
TAKE = """
DELETE FROM rank_cuts WHERE workspace_id = $1 AND ($2::timestamptz IS NULL OR computed_at < $2) RETURNING fn
"""


async def load(reader: Reader, workspace_id: UUID, asked: Sequence[Threshold]) -> dict[Threshold, Cuts]:
    """The cut-offs that are kept, as old as they are."""
    found = await reader.fetch(LOAD, workspace_id, *_named(asked), point=True)
    return {asked[row["n"] - 1]: _loaded(row, asked[row["n"] - 1].rank) for row in found}


async def compute(
    reader: Reader, workspace: Workspace, asked: Sequence[Threshold], now: datetime
) -> dict[Threshold, Cuts]:
    """Cut-offs of the records as they stand, kept from now on: a statement for each field and what it is grouped by."""
    made: dict[Threshold, Cuts] = {}
    for place in dict.fromkeys((one.rank.entity, one.rank.of, one.rank.by) for one in asked):
        several = [one for one in asked if (one.rank.entity, one.rank.of, one.rank.by) == place]
        groups: list[list[Group]] = [[] for _ in several]
        for row in await _computed(reader, workspace, several):
            groups[row["n"] - 1].append(Group(row["key"], row["records"], row["reaches"], row["passes"]))
        made |= {one: Cuts(tuple(own), now) for one, own in zip(several, groups, strict=True)}
    written = [
        msgspec.json.encode([[g.key, g.n, g.reaches, g.passes] for g in made[one].groups]).decode() for one in asked
    ]
    await reader.fetch(STORE, workspace.id, *_named(asked), written, now, _turn(workspace.id))
    return made


def _turn(workspace_id: UUID) -> int:
    return int.from_bytes(blake2b(workspace_id.bytes, digest_size=8, person=b"rank_cuts").digest(), signed=True)


async def due(reader: Reader, now: datetime) -> list[UUID]:
    """Workspaces with cut-offs that are older than an hour."""
    return [row["workspace_id"] for row in await reader.fetch(DUE, now - AGE)]


async def take(tx: Transaction, workspace_id: UUID, before: datetime | None) -> int:
    """Takes away what was computed before a moment, all where none is told; how many there were."""
    return len(await tx.fetch(TAKE, workspace_id, before))


async def _computed(reader: Reader, workspace: Workspace, asked: Sequence[Threshold]) -> list[Record]:
    """Per threshold, numbered from 1, and group: what Group holds. Ranks within one field and grouping."""
    rank, scope = asked[0].rank, Scope(workspace)
    entity, alias = ENTITIES[rank.entity], scope.alias()
    rows = start(entity, alias)
    value = shown(rank.of, rows, scope).sql
    key = "''::text" if rank.by is None else f"coalesce({shown(rank.by, rows, scope).sql}::text, '')"
    source = stored(rows, scope, [*in_scope(entity, "without", rows, scope), f"{value} IS NOT NULL"])
    drawn = [lines(one.rank.fn, one.at) for one in asked]
    text = COMPUTE.format(
        key=key, value=value, source=source,
        reach=scope.bind([reach.slope for reach, _ in drawn]),
        reach_offset=scope.bind([Decimal(reach.offset) for reach, _ in drawn]),
        passing=scope.bind([passed.slope for _, passed in drawn]),
        pass_offset=scope.bind([Decimal(passed.offset) for _, passed in drawn]),
        shares=scope.bind([passed.strict for _, passed in drawn]),
        falling=scope.bind([not rises(one.rank.fn) for one in asked]),
    )  # fmt: skip
    return await reader.fetch(text, *scope.args)


def _loaded(row: Record, rank: Ranked) -> Cuts:
    def value(told: Any) -> int | float | None:
        return float(told) if told is not None and rank.of.field.kind == "number" else told

    groups = (
        Group(key, n, value(reach), value(passed)) for key, n, reach, passed in msgspec.json.decode(row["groups"])
    )
    return Cuts(tuple(groups), row["computed_at"])


def _named(asked: Sequence[Threshold]) -> tuple[list[Any], ...]:
    """Entities, fields, groupings, ranks and numbers; own attributes and segmentations by what never changes."""
    ranks = [one.rank for one in asked]
    return (
        [rank.entity for rank in ranks], [_key(rank.of) for rank in ranks],
        ["" if rank.by is None else _key(rank.by) for rank in ranks], [rank.fn for rank in ranks], [one.at for one in asked],
    )  # fmt: skip


def _key(of: Shown) -> str:
    if isinstance(of, SegmentOf):
        return f"segment.{of.segmentation}"
    return of.field.name if isinstance(of, Column) else f"custom.{of.field.key}"
