"""Segmentations and who stands where: every account's segments in one statement, writing only what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning, Shown
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import start
from app.persistence.database import Reader, Record, Transaction
from app.persistence.facts import FEW

COLUMNS = "id, slug, name, kind, spec, segments, rest, cuts, version, state, computed_at, created_at, updated_at"


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


# What a change at the moment of the last one replaces stays one row: history has no moment twice.
WRITE = """
WITH stands AS MATERIALIZED (
  SELECT {a}.id{cases} {source}
), changed AS MATERIALIZED (
  SELECT v.segmentation_id, n.id AS account_id, v.segment, m.segment AS was, m.since AS was_since,
    greatest({now}::timestamptz, m.since) AS since
  FROM stands n CROSS JOIN LATERAL (VALUES {values}) v(segmentation_id, segment)
  LEFT JOIN members m ON m.workspace_id = $1{m} AND m.segmentation_id = v.segmentation_id AND m.account_id = n.id
  WHERE m.segment IS DISTINCT FROM v.segment
), closed AS (
  UPDATE memberships h SET to_at = c.since FROM changed c
  WHERE h.workspace_id = $1{h} AND h.segmentation_id = c.segmentation_id AND h.account_id = c.account_id
    AND h.from_at = c.was_since AND c.was_since < c.since
), opened AS (
  INSERT INTO memberships AS h (workspace_id, segmentation_id, account_id, segment, from_at, reason)
  SELECT $1, segmentation_id, account_id, segment, since, {reason}::text FROM changed
  ON CONFLICT (workspace_id, segmentation_id, account_id, from_at) DO UPDATE
    SET segment = excluded.segment, reason = excluded.reason
), written AS (
  INSERT INTO members AS m (workspace_id, segmentation_id, account_id, segment, since)
  SELECT $1, segmentation_id, account_id, segment, since FROM changed
  ON CONFLICT (workspace_id, segmentation_id, account_id) DO UPDATE SET segment = excluded.segment, since = excluded.since
)
SELECT count(*) FROM changed
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
        **{own: _only(own, ids, accounts) if scoped == "many" else "" for own in "mh"},
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


STORED = ("name", "kind", "spec", "segments", "rest", "cuts")


async def insert(
    tx: Transaction, workspace_id: UUID, segmentation_id: UUID, slug: str, stored: Mapping[str, Any], now: datetime
) -> bool:
    """Add a segmentation; False where the slug is taken."""
    sql = f"""INSERT INTO segmentations (workspace_id, id, slug, {", ".join(STORED)}, state, computed_at, created_at, updated_at)
    VALUES ($1, $2, $3, $5, $6, $7, $8, $9, $10, 'ok', $4, $4, $4) ON CONFLICT (workspace_id, slug) DO NOTHING"""
    tag = await tx.execute(sql, workspace_id, segmentation_id, slug, now, *(stored[name] for name in STORED))
    return tag == "INSERT 0 1"


async def replace(
    tx: Transaction, workspace_id: UUID, segmentation_id: UUID, stored: Mapping[str, Any], now: datetime
) -> None:
    """Give a segmentation another definition, as its next version."""
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(STORED, 4))
    await tx.execute(
        f"""UPDATE segmentations SET {sets}, version = version + 1, state = 'ok', computed_at = $3, updated_at = $3
        WHERE workspace_id = $1 AND id = $2""",
        workspace_id, segmentation_id, now, *(stored[name] for name in STORED),
    )  # fmt: skip


async def delete(tx: Transaction, workspace_id: UUID, segmentation_id: UUID) -> None:
    """Take a segmentation away, with its members and their history; the accounts must be locked."""
    for table in ("members", "memberships"):
        await tx.execute(
            f"DELETE FROM {table} WHERE workspace_id = $1 AND segmentation_id = $2", workspace_id, segmentation_id
        )
    await tx.execute("DELETE FROM segmentations WHERE workspace_id = $1 AND id = $2", workspace_id, segmentation_id)


async def computed(tx: Transaction, workspace_id: UUID, ok: Sequence[UUID], now: datetime) -> None:
    """All of these were computed now."""
    sql = "UPDATE segmentations SET computed_at = $3, state = 'ok' WHERE workspace_id = $1 AND id = ANY ($2)"
    await tx.execute(sql, workspace_id, list(ok), now)


async def broken(tx: Transaction, workspace_id: UUID, ids: Sequence[UUID]) -> None:
    """These mean nothing any more; their members stay as they were last computed."""
    sql = "UPDATE segmentations SET state = 'broken' WHERE workspace_id = $1 AND id = ANY ($2) AND state <> 'broken'"
    await tx.execute(sql, workspace_id, list(ids))


# -- cuts --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """Shares of a numeric field's values among the accounts that a criteria holds for."""

    of: Shown
    shares: tuple[float, ...]
    among: Meaning


async def quantiles(reader: Reader, workspace: Workspace, asked: Sequence[Asked]) -> list[tuple[list[Any], int]]:
    """Per question the values at these shares (each the value of an account; none without accounts) and how many
    accounts had one; unarchived accounts only. One statement for all."""
    scope = Scope(workspace)
    parts = []
    for one_ in asked:
        alias = scope.alias()
        value = shown(one_.of, start(ACCOUNTS, alias), scope).sql
        source = scope.rows(
            "accounts", alias, [f"{alias}.archived_at IS NULL", condition(one_.among, ACCOUNTS, alias, scope)]
        )
        shares = scope.bind(list(one_.shares))
        parts.append(
            f"SELECT percentile_disc({shares}::float8[]) WITHIN GROUP (ORDER BY {value}) AS at, count({value}) AS n {source}"
        )
    rows = await reader.fetch(" UNION ALL ".join(f"({part})" for part in parts), *scope.args, point=False)
    return [(list(row["at"] or ()) if row["n"] else [], row["n"]) for row in rows]


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
