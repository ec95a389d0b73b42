"""Rows that differ from what is stored, and their way into the table of their kind, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial as bound
from typing import Literal
from uuid import UUID

from app.domain.catalogue import ACCOUNTS, Entity, Field
from app.domain.mappings import importable
from app.persistence import audit_records, facts
from app.persistence.audit_records import Of
from app.persistence.database import Transaction
from app.persistence.staging import own
from app.persistence.staging.rows import Column, made_id, prefix
from app.persistence.staging.values import SQL_TYPES

CHUNK = 10_000
"""Rows of one transaction."""
Facts = Literal["new", "made", "few", "many"]
"""Of which accounts facts are computed on their way into the table: where all are new, of new ones alone, of which there
are no related records, or of few and many of any."""


@dataclass(frozen=True, slots=True)
class Todo:
    """What is to be written of one file: `total` records or values of usage, which `rows` rows of the file say."""

    total: int
    rows: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What one chunk did, in rows of the file; `same` were made the same by somebody else in between. `strays` are
    accounts that somebody else has made in between, and that were changed."""

    created: int
    updated: int
    same: int
    strays: tuple[UUID, ...] = ()


FILL = """
INSERT INTO import_todo ({names})
SELECT row_number() OVER (ORDER BY {order}), r.line, r.id, r.is_new, r.gone, {account}, {old}{columns}
FROM import_rows r LEFT JOIN {table} x ON x.workspace_id = $1 AND x.id = r.id{depths}
WHERE r.errs IS NULL AND NOT EXISTS (SELECT FROM import_superseded s WHERE s.line = r.line)
  AND (r.is_new OR ({stored}) IS DISTINCT FROM ({given}))
"""
TOUCHED = """
SELECT coalesce(array_agg(DISTINCT a) FILTER (WHERE is_made), '{}') AS made, coalesce(array_agg(DISTINCT a) FILTER (WHERE NOT is_made), '{}') AS known
FROM (
  SELECT v.a, bool_or(t.is_new AND $3) AS is_made
  FROM import_todo t, LATERAL (VALUES (t.account_id), (t.old_account_id)) v(a)
  WHERE t.pos BETWEEN $1 AND $2 AND a IS NOT NULL GROUP BY v.a
) x
"""
UPSERT = """
WITH {shared}written AS (
  INSERT INTO {table} AS z (workspace_id, id, created_at, updated_at{names})
  SELECT $1, t.id, $2, $2{values}
  FROM import_todo t{join} WHERE t.pos BETWEEN $3 AND $4 ORDER BY t.pos
  ON CONFLICT (workspace_id, {key}) DO UPDATE SET {sets}, version = z.version + 1, updated_at = excluded.updated_at
  WHERE z.workspace_id = $1 AND ({stored}) IS DISTINCT FROM ({fresh})
  RETURNING z.id{written}
), told AS ({told}
)
SELECT count(*) FILTER (WHERE id BETWEEN $5 AND $6) AS created, count(*) AS written{strays} FROM written
"""
# Each by its key: joined by hashing, as facts of many are, all accounts would be read.
STANDING = """ LEFT JOIN LATERAL (
  SELECT x.* FROM accounts x WHERE x.workspace_id = $1 AND x.id = t.id OFFSET 0
) x ON true"""
# What somebody else has made since the rows were told apart.
STRAYS = ", array_agg(id) FILTER (WHERE id NOT BETWEEN $5 AND $6 AND NOT id = ANY ({known})) AS strays"
# The account's latest move is what it stood in before; the first stage of a new account is a move as well.
MOVES = """
INSERT INTO stage_moves (workspace_id, id, account_id, stage, moved_at, actor_id, was, was_since)
SELECT $1, {made}, a.id, a.stage, greatest($2::timestamptz, m.moved_at + interval '1 microsecond'), $3, m.stage, m.moved_at
FROM import_todo t JOIN accounts a ON a.workspace_id = $1 AND a.id = t.id
LEFT JOIN LATERAL (
  SELECT m.stage, m.moved_at FROM stage_moves m WHERE m.workspace_id = $1 AND m.account_id = a.id
  ORDER BY m.moved_at DESC, m.id DESC LIMIT 1
) m ON true
WHERE t.pos BETWEEN $4 AND $5 AND a.stage IS DISTINCT FROM m.stage
"""
# An account has one primary contact: the last one that was told to be it, or came to it as one.
PRIMARY = """
UPDATE contacts c SET is_primary = false, version = c.version + 1, updated_at = $2
FROM (
  SELECT DISTINCT ON (x.account_id) x.account_id, x.id FROM import_todo t JOIN contacts x ON x.workspace_id = $1 AND x.id = t.id
  WHERE t.pos BETWEEN $3 AND $4 AND x.is_primary
    AND (($5::bigint <> 0 AND t.gone & $5 = 0) OR t.old_account_id IS DISTINCT FROM x.account_id)
  ORDER BY x.account_id, t.line DESC
) p
WHERE c.workspace_id = $1 AND c.account_id = p.account_id AND c.is_primary AND c.id <> p.id
RETURNING c.id
"""


async def prepare(
    tx: Transaction, workspace_id: UUID, entity: Entity, columns: Sequence[Column], partial: bool
) -> Todo:
    """Finds the rows that make or change a record, ordered so that each stands after what it refers to."""
    types = "".join(f', "{c.name}" {c.type}' for c in columns if c.name != "account_id")
    await tx.execute(
        "CREATE TEMP TABLE import_todo (pos bigint, line bigint, id uuid, is_new bool, gone bigint, account_id uuid, "
        f"old_account_id uuid{types})"
    )
    await tx.execute(_fill(entity, columns, partial), workspace_id)
    await tx.execute("CREATE UNIQUE INDEX ON import_todo (pos); ANALYZE import_todo")
    total = int(await tx.fetchval("SELECT count(*) FROM import_todo"))
    return Todo(total, total)


def _fill(entity: Entity, columns: Sequence[Column], partial: bool) -> str:
    related = "account" in entity.fields
    others = [c for c in columns if c.name != "account_id"]
    given_account = any(c.name == "account_id" for c in columns)
    account = (
        "coalesce(r.account_id, x.account_id)"
        if related and given_account
        else "x.account_id"
        if related
        else "NULL::uuid"
    )
    if entity.name == "accounts":
        account = "r.id"
    parents = any(c.name == "parent_id" for c in columns)
    order = "coalesce(d.depth, 0), r.line" if parents else f"{account}, r.line" if related else "r.line"
    return FILL.format(
        names=", ".join(["pos", "line", "id", "is_new", "gone", "account_id", "old_account_id", *(f'"{c.name}"' for c in others)]),
        order=order, account=account, old="x.account_id" if related else "NULL::uuid",
        columns="".join(f', r."{c.name}"' for c in others), table=entity.name,
        depths=" LEFT JOIN import_depths d ON d.line = r.line" if parents else "",
        stored=", ".join(f'x."{c.target}"' for c in columns) + ", 0",
        given=", ".join(_given("r", c, partial, f'x."{c.target}"') for c in columns) + ", 0",
    )  # fmt: skip


def _given(alias: str, column: Column, partial: bool, otherwise: str) -> str:
    """What a row says, or what holds where it leaves the member out."""
    told = f'{alias}."{column.name}"'
    if column.name == own.NAME:
        return own.merged(otherwise, told)
    return f"CASE WHEN {alias}.gone & {column.bit} <> 0 THEN {otherwise} ELSE {told} END" if partial else told


async def touched(tx: Transaction, entity: Entity, first: int, last: int) -> tuple[list[UUID], list[UUID]]:
    """The accounts that a chunk writes to, those that it makes and all others: those of its rows now and before."""
    row = await tx.fetchrow(TOUCHED, first, last, entity.name == "accounts")
    assert row is not None  # aggregates
    return list(row["made"]), list(row["known"])


async def one_primary(
    tx: Transaction, workspace_id: UUID, columns: Sequence[Column], first: int, last: int, now: datetime
) -> list[UUID]:
    """Leaves each account one primary contact after rows `first` to `last` of contacts; those that are it no more."""
    told = sum(column.bit for column in columns if column.name == "is_primary")
    return [row["id"] for row in await tx.fetch(PRIMARY, workspace_id, now, first, last, told)]


@dataclass(frozen=True, slots=True)
class Chunks:
    """How chunks of one file are written: the statements, and the ids that the import makes; `follow`: whether kept facts
    follow from what is told."""

    entity: Entity
    upsert: Callable[[Facts], str]
    follow: bool
    moves: str | None
    import_id: UUID
    today: date

    async def apply(
        self,
        tx: Transaction,
        workspace_id: UUID,
        first: int,
        last: int,
        of: Of,
        actor: UUID | None,
        known: Sequence[UUID] = (),
    ) -> Applied:
        """Writes rows `first` to `last`, and for the audit what changed of each; the accounts they touch are locked
        already. Of accounts, `known` are those that are there, which are written with the facts that follow."""
        low = UUID(prefix(self.import_id) + "0" * 10)
        high = UUID(prefix(self.import_id) + "f" * 10)
        size: Facts = "few" if last - first < facts.FEW else "many"
        if not (self.follow and known):
            size = "made" if known else "new"
        more: list[object] = [self.today] if self.moves else []
        if self.entity.name == ACCOUNTS.name:
            more.append(list(known))
        async with tx.hashing() if size == "many" else nullcontext():
            row = await tx.fetchrow(self.upsert(size), workspace_id, of.at, first, last, low, high, of.entry_id, *more)
        assert row is not None  # aggregates
        if self.moves:
            await tx.execute(self.moves, workspace_id, of.at, actor, first, last, prefix(self.import_id))
        created, written = int(row["created"]), int(row["written"])
        strays = row["strays"] or () if self.entity.name == ACCOUNTS.name else ()
        return Applied(created, written - created, last - first + 1 - written, tuple(strays))


def chunks(
    entity: Entity, columns: Sequence[Column], partial: bool, import_id: UUID, today: date, *, with_made: bool
) -> Chunks:
    """The statements for this file's columns. `with_made`: the audit has a row of what is made, too."""
    staged = entity.name == "accounts" and any(c.name == "stage" for c in columns)
    moves = MOVES.format(made=made_id("$6::text", "t.line")) if staged else None
    upsert = bound(_upsert, entity, columns, partial, staged, with_made)
    follow = entity.name == ACCOUNTS.name and any(c.target in facts.SAID for c in columns)
    return Chunks(entity, upsert, follow, moves, import_id, today)


def _upsert(
    entity: Entity, columns: Sequence[Column], partial: bool, staged: bool, with_made: bool, size: Facts
) -> str:
    fields = {c.name: f for c in columns for f in importable(entity).values() if f.column == c.name}
    names = [c.target for c in columns]
    values = [_given("t", c, partial, _before(entity, c, fields)) for c in columns]
    sets = [f'"{name}" = excluded."{name}"' for name in names]
    for column, value, update in _beside(entity, names, staged):
        names.append(column)
        values.append(value)
        sets += [update] if update else []
    # A row that is proposed must be whole, even where the one that stands is only changed.
    lacking = [entity.fields[n].column for n in entity.required if entity.fields[n].column not in names]
    names += lacking
    values += [f'x."{name}"' for name in lacking]
    needs = partial or lacking or entity.name == "features" or own.NAME in names
    join = f" LEFT JOIN {entity.name} x ON x.workspace_id = $1 AND x.id = t.id" if needs else ""
    shared, known = "", None
    if entity.name == ACCOUNTS.name:  # it comes with its facts, so that it is not written a second time
        known = "$9::uuid[]" if staged else "$8::uuid[]"
        shared, join, kept = _facts(dict(zip(names, values, strict=True)), size, join, known)
        names += facts.KEPT
        values += kept
        sets += [] if size in ("new", "made") else [f"{name} = excluded.{name}" for name in facts.KEPT]
    return UPSERT.format(
        shared=shared, table=entity.name, names="".join(f', "{n}"' for n in names), values="".join(f", {v}" for v in values),
        join=join, written="".join(f', z."{c.target}"' for c in columns),
        told=audit_records.written(entity.name, [c.target for c in columns], "$7", "w.id BETWEEN $5 AND $6", with_made=with_made),
        key="id" if entity.name == "users" else entity.key, sets=", ".join(sets),
        stored=", ".join(f'z."{c.target}"' for c in columns) + ", 0",
        fresh=", ".join(f'excluded."{c.target}"' for c in columns) + ", 0",
        strays="" if known is None else STRAYS.format(known=known),
    )  # fmt: skip


def _facts(said: Mapping[str, str], size: Facts, join: str, known: str) -> tuple[str, str, list[str]]:
    """What the statement begins with, what it joins, and the values of the kept columns of accounts; `said` is what the
    rows tell, by column."""
    shared, values = f"{facts.SHARED}, ", [f"n.{name}" for name in facts.KEPT]
    columns = {name: said.get(name, _nothing(name) if size == "new" else f"x.{name}") for name in facts.SAID}
    columns["id"] = "t.id"
    if size == "new":
        return shared, join + facts.made(columns, "true"), values
    if size == "made":
        values = [f"CASE WHEN x.id IS NULL THEN n.{name} ELSE x.{name} END" for name in facts.KEPT]
        return shared, STANDING + facts.made(columns, "x.id IS NULL"), values
    source = f"FROM import_todo t{STANDING} WHERE t.pos BETWEEN $3 AND $4"
    told = facts.told(columns, size, source, "x.id", known)
    return f"{shared}{told}, ", f"{STANDING} LEFT JOIN n ON n.id = t.id", values


def _nothing(name: str) -> str:
    """A column of accounts that a file does not have."""
    return f"NULL::{SQL_TYPES[ACCOUNTS.fields[name.removesuffix('_by_hand')].kind]}"


def _before(entity: Entity, column: Column, fields: Mapping[str, Field]) -> str:
    """What holds where a line leaves the member out: what is stored, or what a new record has."""
    if column.name == own.NAME:
        return f'x."{column.target}"'
    return f'coalesce(x."{column.target}", {_initial(entity, fields[column.name])})'


def _initial(entity: Entity, field: Field) -> str:
    """What a new record has where a line leaves the member out."""
    if field.kind == "bool":
        return "true" if entity.name == "users" else "NULL" if field.optional else "false"
    return f"{field.initial}" if isinstance(field.initial, int) and not field.fallback else "NULL"


def _beside(entity: Entity, names: Sequence[str], staged: bool) -> list[tuple[str, str, str | None]]:
    """Columns that follow from those of the file: name, value of a new record, and how it changes."""
    beside: list[tuple[str, str, str | None]] = []
    if staged:
        changes = "CASE WHEN z.stage IS DISTINCT FROM excluded.stage THEN excluded.stage_since ELSE z.stage_since END"
        beside.append(("stage_since", "CASE WHEN t.stage IS NOT NULL THEN $8::date END", f"stage_since = {changes}"))
    if entity.name == "users" and "is_active" not in names:
        beside.append(("is_active", "true", None))
    if entity.name == "features":
        highest = "(SELECT coalesce(max(f.no), 0) FROM features f WHERE f.workspace_id = $1)"
        beside.append(
            ("no", f"coalesce(x.no, {highest} + row_number() OVER (ORDER BY x.no IS NULL DESC, t.pos))", None)
        )
    return beside
