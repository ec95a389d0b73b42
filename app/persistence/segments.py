"""Segmentations and who stands where: every account's segments in one statement, writing only what differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.domain.catalogue import ACCOUNTS, ENTITIES
from app.domain.criteria.meant import Meaning, Shown
from app.domain.segmentation.spans import Span
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import start
from app.persistence.database import Reader, Record, Transaction
from app.persistence.facts import FEW

COLUMNS = "id, slug, name, kind, spec, segments, rest, cuts, refreeze, version, state, detail, computed_at, as_of, created_at, updated_at"


@dataclass(frozen=True, slots=True)
class Rule:
    """One segmentation as it is computed: criteria by segment, the first that holds wins."""

    id: UUID
    cases: tuple[tuple[str, Meaning], ...]
    rest: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The statement for some accounts. After `args` it binds the moment, the reason and the accounts, unless all."""

    text: str
    args: tuple[object, ...]


# A change at the moment of the last one comes right after it: history has no moment twice.
WRITE = """
WITH stands AS MATERIALIZED (
  SELECT {a}.id{cases} {source}
), changed AS MATERIALIZED (
  SELECT v.segmentation_id, n.id AS account_id, coalesce(p.segment, v.segment) AS segment, m.segment AS was,
    m.since AS was_since, greatest({now}::timestamptz, m.since + interval '1 microsecond') AS since,
    CASE WHEN p.segment IS NULL THEN {reason}::text ELSE 'pin' END AS reason
  FROM stands n CROSS JOIN LATERAL (VALUES {values}) v(segmentation_id, segment)
  LEFT JOIN pins p ON p.workspace_id = $1{p} AND p.segmentation_id = v.segmentation_id AND p.account_id = n.id
    AND (p.expires_at IS NULL OR p.expires_at > {now}::timestamptz)
  LEFT JOIN members m ON m.workspace_id = $1{m} AND m.segmentation_id = v.segmentation_id AND m.account_id = n.id
  WHERE m.segment IS DISTINCT FROM coalesce(p.segment, v.segment)
), closed AS (
  UPDATE memberships h SET to_at = c.since FROM changed c
  WHERE h.workspace_id = $1{h} AND h.segmentation_id = c.segmentation_id AND h.account_id = c.account_id
    AND h.from_at = c.was_since
), opened AS (
  INSERT INTO memberships (workspace_id, segmentation_id, account_id, segment, from_at, reason)
  SELECT $1, segmentation_id, account_id, segment, since, reason FROM changed
), told AS (
  INSERT INTO member_events (workspace_id, account_id, segmentation_id, at, was, segment, reason)
  SELECT $1, account_id, segmentation_id, since, was, segment, reason FROM changed
), written AS (
  INSERT INTO members AS m (workspace_id, segmentation_id, account_id, segment, since)
  SELECT $1, segmentation_id, account_id, segment, since FROM changed
  ON CONFLICT (workspace_id, segmentation_id, account_id) DO UPDATE SET segment = excluded.segment, since = excluded.since
)
SELECT count(*) FROM changed
"""


DUE = "SELECT DISTINCT workspace_id FROM segmentations WHERE as_of < $1 AND state = 'ok'"
WITH_SCHEDULE = "SELECT DISTINCT workspace_id FROM segmentations WHERE refreeze IS NOT NULL"
FOLLOWED = "UPDATE segmentations SET as_of = $2 WHERE workspace_id = $1 AND as_of < $2 AND state = 'ok'"
# The rows stay locked until the transaction ends, which makes them the lease.
CLAIM = """
SELECT min(t.as_of) FROM (
  SELECT s.as_of FROM segmentations s WHERE s.workspace_id = $1 AND s.as_of < $2 AND s.state = 'ok'
  ORDER BY s.id FOR NO KEY UPDATE SKIP LOCKED
) t
"""


def plan(rules: Sequence[Rule], workspace: Workspace, scoped: str) -> Plan:
    """The statement that computes these segmentations; `scoped` is "one", "many" or "all" accounts."""
    scope = Scope(workspace)
    alias = scope.alias()
    cases = [_case(rule, alias, scope) for rule in rules]
    ids = [f"{scope.bind(rule.id)}::uuid" for rule in rules]
    values = ", ".join(f"({place}, n.s{n})" for n, place in enumerate(ids))
    args = tuple(scope.args)
    now, reason = f"${len(args) + 1}", f"${len(args) + 2}"
    accounts = f"${len(args) + 3}"
    restricted = {"one": [f"{alias}.id = {accounts}"], "many": [f"{alias}.id = ANY ({accounts})"], "all": []}[scoped]
    text = WRITE.format(
        a=alias, cases="".join(f", {case} AS s{n}" for n, case in enumerate(cases)),
        source=scope.rows("accounts", alias, restricted), values=values, now=now, reason=reason,
        **{own: _only(own, ids, accounts) if scoped == "many" else "" for own in "mhp"},
    )  # fmt: skip
    return Plan(text, args)


def _only(alias: str, ids: Sequence[str], accounts: str) -> str:
    """Rows of these accounts alone: joined by hashing, those of the whole workspace would be read for each ten thousand."""
    return f" AND {alias}.segmentation_id IN ({', '.join(ids)}) AND {alias}.account_id = ANY ({accounts})"


def _case(rule: Rule, alias: str, scope: Scope) -> str:
    whens = [f"WHEN {condition(m, ACCOUNTS, alias, scope)} THEN {scope.bind(slug)}::text" for slug, m in rule.cases]
    return f"CASE {' '.join(whens)} ELSE {scope.bind(rule.rest)}::text END"


async def write(tx: Transaction, plan: Plan, account_ids: Sequence[UUID] | None, now: datetime, reason: str) -> int:
    """Bring members and their history up to date; gives how many memberships changed. The plan must be for as many
    accounts as are given, and the accounts locked."""
    if account_ids is None:
        tail: tuple[object, ...] = ()
    else:
        tail = (account_ids[0],) if len(account_ids) == 1 else (list(account_ids),)
    async with tx.hashing() if account_ids is None or len(account_ids) > FEW else nullcontext():
        changed: int = await tx.fetchval(plan.text, *plan.args, now, reason, *tail)
    return changed


async def attempt(tx: Transaction, plan: Plan, now: datetime, reason: str) -> str | None:
    """Brings all accounts up to date; where a value cannot be computed nothing is written, and it says why."""
    await tx.execute("SAVEPOINT placed")
    try:
        await write(tx, plan, None, now, reason)
    except asyncpg.DataError as error:
        await tx.execute("ROLLBACK TO SAVEPOINT placed")
        return f"It could not be computed: {error.args[0]}."
    await tx.execute("RELEASE SAVEPOINT placed")
    return None


async def within(reader: Reader, workspace: Workspace, spans: Sequence[Span]) -> list[UUID]:
    """The accounts with an instant in one of the spans, by id."""
    scope = Scope(workspace)
    found = await reader.fetch(f"{' UNION '.join(_within(span, scope) for span in spans)} ORDER BY 1", *scope.args)
    return [row["id"] for row in found]


def _within(span: Span, scope: Scope) -> str:
    alias = scope.alias()
    entity = ACCOUNTS if span.relation is None else ENTITIES[span.relation.target]
    value = shown(span.of, start(entity, alias), scope).sql
    ends = [f"{value} {sign} {scope.typed(end, 'instant')}" for sign, end in ((">=", span.lo), ("<=", span.hi))]
    key = "id" if span.relation is None else "account_id AS id"
    return f"SELECT {alias}.{key} {scope.rows(entity.name, alias, ends)}"


# -- definitions -------------------------------------------------------------------------------------------------------


async def all_of(reader: Reader, workspace_id: UUID) -> list[Record]:
    """Every segmentation, by slug."""
    sql = f"SELECT {COLUMNS} FROM segmentations WHERE workspace_id = $1 ORDER BY slug"
    return await reader.fetch(sql, workspace_id, point=True)


async def one(reader: Reader, workspace_id: UUID, slug: str) -> Record | None:
    """The segmentation of this slug."""
    sql = f"SELECT {COLUMNS} FROM segmentations WHERE workspace_id = $1 AND slug = $2"
    return await reader.fetchrow(sql, workspace_id, slug, point=True)


async def hold(tx: Transaction, workspace_id: UUID, slug: str) -> Record | None:
    """Its id and version, locked until the transaction ends."""
    sql = "SELECT id, version FROM segmentations WHERE workspace_id = $1 AND slug = $2 FOR NO KEY UPDATE"
    return await tx.fetchrow(sql, workspace_id, slug)


async def count(reader: Reader, workspace_id: UUID) -> int:
    """How many segmentations the workspace has."""
    found: int = await reader.fetchval("SELECT count(*) FROM segmentations WHERE workspace_id = $1", workspace_id)
    return found


STORED = ("name", "kind", "spec", "segments", "rest", "cuts", "refreeze")


async def insert(
    tx: Transaction, workspace_id: UUID, segmentation_id: UUID, slug: str, stored: Mapping[str, Any], now: datetime
) -> bool:
    """Add a segmentation; False where the slug is taken."""
    marks = ", ".join(f"${n}" for n in range(5, 5 + len(STORED)))
    sql = f"""INSERT INTO segmentations
      (workspace_id, id, slug, state, computed_at, created_at, updated_at, {", ".join(STORED)})
    VALUES ($1, $2, $3, 'ok', $4, $4, $4, {marks}) ON CONFLICT (workspace_id, slug) DO NOTHING"""
    tag = await tx.execute(sql, workspace_id, segmentation_id, slug, now, *(stored[name] for name in STORED))
    return tag == "INSERT 0 1"


async def replace(
    tx: Transaction, workspace_id: UUID, segmentation_id: UUID, stored: Mapping[str, Any], now: datetime
) -> None:
    """Give a segmentation another definition, as its next version."""
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(STORED, 4))
    await tx.execute(
        f"""UPDATE segmentations SET {sets}, version = version + 1, state = 'ok', detail = NULL, computed_at = $3,
          updated_at = $3 WHERE workspace_id = $1 AND id = $2""",
        workspace_id, segmentation_id, now, *(stored[name] for name in STORED),
    )  # fmt: skip


async def delete(tx: Transaction, workspace_id: UUID, segmentation_id: UUID) -> None:
    """Take a segmentation away, with its members and their history; the accounts must be locked."""
    for table in ("members", "memberships", "member_events", "pins", "segmentation_versions"):
        await tx.execute(
            f"DELETE FROM {table} WHERE workspace_id = $1 AND segmentation_id = $2", workspace_id, segmentation_id
        )
    await tx.execute("DELETE FROM segmentations WHERE workspace_id = $1 AND id = $2", workspace_id, segmentation_id)


async def computed(
    tx: Transaction, workspace_id: UUID, ok: Sequence[UUID], ticking: Iterable[UUID], now: datetime
) -> None:
    """All of these were computed now; time moves those that are `ticking` within a day."""
    sql = """UPDATE segmentations SET computed_at = $3, state = 'ok', detail = NULL,
      as_of = CASE WHEN id = ANY ($4) THEN $3::timestamptz END
    WHERE workspace_id = $1 AND id = ANY ($2)"""
    await tx.execute(sql, workspace_id, list(ok), now, list(ticking))


async def failed(tx: Transaction, workspace_id: UUID, ids: Sequence[UUID], state: str, details: Sequence[str]) -> None:
    """These are `broken`, because they mean nothing any more, or `degraded`, because computing them failed; their members
    stay as they were last computed."""
    sql = """UPDATE segmentations s SET state = $3, detail = n.detail FROM unnest($2::uuid[], $4::text[]) n(id, detail)
    WHERE s.workspace_id = $1 AND s.id = n.id AND (s.state, s.detail) IS DISTINCT FROM ($3, n.detail)"""
    await tx.execute(sql, workspace_id, list(ids), state, list(details))


async def followed(tx: Transaction, workspace_id: UUID, now: datetime) -> None:
    """Time was followed up to now, in all that it moves."""
    await tx.execute(FOLLOWED, workspace_id, now)


async def due(reader: Reader, before: datetime) -> list[UUID]:
    """Workspaces where time was followed up to an earlier moment."""
    return [row["workspace_id"] for row in await reader.fetch(DUE, before)]


async def with_schedule(reader: Reader) -> list[UUID]:
    """Workspaces with segmentations whose cuts are taken anew now and then."""
    return [row["workspace_id"] for row in await reader.fetch(WITH_SCHEDULE)]


async def scheduled(reader: Reader, workspace_id: UUID) -> list[Record]:
    """The segmentations whose cuts are taken anew now and then."""
    sql = f"SELECT {COLUMNS} FROM segmentations WHERE workspace_id = $1 AND refreeze IS NOT NULL ORDER BY slug"
    return await reader.fetch(sql, workspace_id)


async def begin(tx: Transaction, workspace_id: UUID, segmentation_id: UUID, version: int) -> bool:
    """Its cuts are about to be taken anew; False where it has another version by now."""
    sql = "UPDATE segmentations SET state = 'computing' WHERE workspace_id = $1 AND id = $2 AND version = $3"
    return await tx.execute(sql, workspace_id, segmentation_id, version) == "UPDATE 1"


async def claim(tx: Transaction, workspace_id: UUID, before: datetime) -> datetime | None:
    """The earliest moment up to which time was followed, where that is before; None where it is not, or somebody else is at
    it until their transaction ends."""
    since: datetime | None = await tx.fetchval(CLAIM, workspace_id, before)
    return since


# -- answers -----------------------------------------------------------------------------------------------------------

STANDING = """
SELECT m.segment, count(*) AS accounts, coalesce(sum(a.arr), 0)::bigint AS arr
FROM members m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id
WHERE m.workspace_id = $1 AND m.segmentation_id = $2 AND a.archived_at IS NULL
GROUP BY m.segment
"""


async def standing(reader: Reader, workspace_id: UUID, segmentation_id: UUID) -> dict[str, tuple[int, int]]:
    """Accounts and ARR (minor units) per segment that has any; archived accounts are left out."""
    rows = await reader.fetch(STANDING, workspace_id, segmentation_id)
    return {row["segment"]: (row["accounts"], row["arr"]) for row in rows}


async def points(
    reader: Reader, workspace: Workspace, segmentation_id: UUID, axes: Sequence[Shown], limit: int
) -> tuple[list[Record], int]:
    """Rows (segment, x, y, arr) of accounts with a value on each axis, at most `limit` of them, spread evenly, and how
    many there are. `y` is x again where there is one axis."""
    scope = Scope(workspace)
    alias, member, n = scope.alias(), scope.alias(), scope.bind(segmentation_id)
    x, y = (shown(of, start(ACCOUNTS, alias), scope).sql for of in (axes[0], axes[-1]))
    tied = [f"{member}.segmentation_id = {n}::uuid", f"{alias}.workspace_id = $1", f"{alias}.archived_at IS NULL",
            f"({x}) IS NOT NULL", f"({y}) IS NOT NULL"]  # fmt: skip
    source = scope.rows("members", member, tied, joined=f" JOIN accounts {alias} ON {alias}.id = {member}.account_id")
    every = scope.bind(limit)
    rows = await reader.fetch(
        f"""WITH p AS MATERIALIZED (
          SELECT {member}.segment, ({x})::float8 AS x, ({y})::float8 AS y, {alias}.arr,
            row_number() OVER (ORDER BY {alias}.arr DESC, {alias}.id) AS place, count(*) OVER () AS total {source}
        ) SELECT segment, x, y, arr, total FROM p
        WHERE total <= {every}::int8 OR (place - 1) * {every}::int8 / total <> place * {every}::int8 / total ORDER BY place""",
        *scope.args,
    )  # fmt: skip
    return rows, (rows[0]["total"] if rows else 0)
