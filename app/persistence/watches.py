"""Watched lists: who is on each, kept as history by comparing what it holds with what it held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.criteria.meant import Meaning
from app.domain.workspaces import Workspace
from app.persistence.compile.conditions import condition_on
from app.persistence.compile.pages import fresh, in_scope
from app.persistence.compile.rows import start, stored
from app.persistence.compile.scope import Scope
from app.persistence.database import Reader, Record, Transaction

Cause = Literal["records", "list"]
"""Why somebody entered or left: records changed or time passed, or the list asks for something else."""

DUE = "SELECT workspace_id, list_id FROM list_watches WHERE checked_at < $1 ORDER BY checked_at"
# Whoever holds the row is at work on it.
CLAIM = """
SELECT w.since, w.checked_at, w.asked FROM list_watches w
WHERE w.workspace_id = $1 AND w.list_id = $2 AND w.checked_at < $3 FOR NO KEY UPDATE SKIP LOCKED
"""
OF_CHANGED = "SELECT checked_at, asked FROM list_watches WHERE workspace_id = $1 AND list_id = $2 FOR NO KEY UPDATE"
INSERT = "INSERT INTO list_watches (workspace_id, list_id, since, checked_at, asked) VALUES ($1, $2, $3, $3, $4)"
CHECKED = "UPDATE list_watches SET checked_at = $3, asked = $4, reason = NULL WHERE workspace_id = $1 AND list_id = $2"
FAILED = "UPDATE list_watches SET reason = $3 WHERE workspace_id = $1 AND list_id = $2 AND reason IS DISTINCT FROM $3"
ONE = "SELECT since, checked_at, reason FROM list_watches WHERE workspace_id = $1 AND list_id = $2"
COUNT = "SELECT count(*) FROM list_watches WHERE workspace_id = $1"
HELD = "SELECT FROM list_watches WHERE workspace_id = $1 AND list_id = $2 FOR UPDATE"
FORGET_MEMBERS = "DELETE FROM list_members WHERE workspace_id = $1 AND list_id = $2"
FORGET = "DELETE FROM list_watches WHERE workspace_id = $1 AND list_id = $2"
# What was read for another day writes nothing, and is told by `fresh`.
COMPARE = """
WITH held AS MATERIALIZED (SELECT {row}.id {source}), sound AS MATERIALIZED (SELECT {fresh} AS fresh), gone AS (
  UPDATE list_members m SET to_at = {now}, to_cause = {cause}
  WHERE m.workspace_id = $1 AND m.list_id = {list} AND m.to_at IS NULL AND (SELECT s.fresh FROM sound s)
    AND NOT EXISTS (SELECT FROM held h WHERE h.id = m.record_id)
  RETURNING m.record_id
), came AS (
  INSERT INTO list_members (workspace_id, list_id, record_id, from_at, from_cause)
  SELECT $1, {list}, h.id, {now}, {cause} FROM held h
  WHERE (SELECT s.fresh FROM sound s) AND NOT EXISTS (
    SELECT FROM list_members m WHERE m.workspace_id = $1 AND m.list_id = {list} AND m.record_id = h.id AND m.to_at IS NULL)
  RETURNING record_id
)
SELECT s.fresh, (SELECT count(*) FROM came) AS entered, (SELECT count(*) FROM gone) AS departed FROM sound s
"""
# Entering and leaving, each a range of its own index; who was there when watching began did not enter.
EVENTS = """
SELECT e.at, e.event, e.record_id, e.cause, r.name, r.external_id FROM (
  (SELECT m.from_at AS at, 'entered' AS event, m.record_id, m.from_cause AS cause FROM list_members m
   WHERE m.workspace_id = $1 AND m.list_id = $2 AND m.from_at >= $3 AND m.from_at < $4 AND m.from_at > $5
     AND ($6::text IS NULL OR $6 = 'entered') AND ($7::timestamptz IS NULL OR (m.from_at, 'entered', m.record_id) < ($7, $8::text, $9::uuid))
   ORDER BY m.from_at DESC, m.record_id DESC LIMIT $10)
  UNION ALL
  (SELECT m.to_at, 'left', m.record_id, m.to_cause FROM list_members m
   WHERE m.workspace_id = $1 AND m.list_id = $2 AND m.to_at >= $3 AND m.to_at < $4
     AND ($6::text IS NULL OR $6 = 'left') AND ($7::timestamptz IS NULL OR (m.to_at, 'left', m.record_id) < ($7, $8::text, $9::uuid))
   ORDER BY m.to_at DESC, m.record_id DESC LIMIT $10)
) e LEFT JOIN {table} r ON r.workspace_id = $1 AND r.id = e.record_id
ORDER BY e.at DESC, e.event DESC, e.record_id DESC LIMIT $10
"""
COUNTS = """
SELECT
  (SELECT count(*) FROM list_members m WHERE m.workspace_id = $1 AND m.list_id = $2
    AND m.from_at >= $3 AND m.from_at < $4 AND m.from_at > $5) AS entered,
  (SELECT count(*) FROM list_members m WHERE m.workspace_id = $1 AND m.list_id = $2
    AND m.to_at >= $3 AND m.to_at < $4) AS departed
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """How many entered and left; `fresh` is False where nothing was compared, because kept windows are of another day."""

    fresh: bool
    entered: int
    left: int


async def due(reader: Reader, before: datetime) -> list[tuple[UUID, UUID]]:
    """Workspace and list of watches that were last checked before a moment, those that wait longest first."""
    return [(row["workspace_id"], row["list_id"]) for row in await reader.fetch(DUE, before)]


async def claim(tx: Transaction, workspace_id: UUID, list_id: UUID, before: datetime) -> Record | None:
    """`since`, `checked_at`, `asked`; None where it has been checked since, or somebody else is at it."""
    return await tx.fetchrow(CLAIM, workspace_id, list_id, before)


async def held(tx: Transaction, workspace_id: UUID, list_id: UUID) -> Record | None:
    """`checked_at`, `asked`, once whoever checks it has ended; None where the list is not watched."""
    return await tx.fetchrow(OF_CHANGED, workspace_id, list_id)


async def insert(tx: Transaction, workspace_id: UUID, list_id: UUID, asked: bytes, now: datetime) -> None:
    """The list is watched from now on."""
    await tx.execute(INSERT, workspace_id, list_id, now, asked)


async def one(reader: Reader, workspace_id: UUID, list_id: UUID) -> Record | None:
    """`since`, `checked_at`, `reason`; None where the list is not watched."""
    return await reader.fetchrow(ONE, workspace_id, list_id, point=True)


async def count(reader: Reader, workspace_id: UUID) -> int:
    """How many lists of the workspace are watched."""
    found: int = await reader.fetchval(COUNT, workspace_id)
    return found


async def compare(
    tx: Transaction,
    workspace: Workspace,
    list_id: UUID,
    entity: Entity,
    criteria: Meaning,
    cause: Cause,
    now: datetime,
    *,
    kept: bool = True,
) -> Compared:
    """Bring who is on the list up to date with the records that meet the criteria; one statement, which writes only what
    differs."""
    scope = Scope(workspace, kept=kept)
    rows = start(entity, scope.alias())
    conditions = [*in_scope(entity, "without", rows, scope), condition_on(criteria, rows, scope)]
    text = COMPARE.format(
        row=rows.alias, source=stored(rows, scope, conditions), list=f"{scope.bind(list_id)}::uuid",
        now=f"{scope.bind(now)}::timestamptz", cause=f"{scope.bind(cause)}::text",
        fresh=fresh(scope) if scope.leaned else "true",
    )  # fmt: skip
    row = await tx.fetchrow(text, *scope.args)
    assert row is not None, "there is one answer to whether it is fresh"
    return Compared(row["fresh"], row["entered"], row["departed"])


async def checked(tx: Transaction, workspace_id: UUID, list_id: UUID, asked: bytes, now: datetime) -> None:
    """Who is on the list is known up to now."""
    await tx.execute(CHECKED, workspace_id, list_id, now, asked)


async def failed(tx: Transaction, workspace_id: UUID, list_id: UUID, reason: str) -> None:
    """It cannot be checked; who was last known to be on it stays there."""
    await tx.execute(FAILED, workspace_id, list_id, reason)


async def forget(tx: Transaction, workspace_id: UUID, list_id: UUID) -> None:
    """The list is not watched any more, and its history is gone."""
    await tx.execute(HELD, workspace_id, list_id)  # whoever checks it has ended, or finds no watch any more
    await tx.execute(FORGET_MEMBERS, workspace_id, list_id)
    await tx.execute(FORGET, workspace_id, list_id)


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open `[lo, hi)`, of a list that is watched since `since`."""

    lo: datetime
    hi: datetime
    since: datetime


async def events(
    reader: Reader,
    workspace_id: UUID,
    list_id: UUID,
    entity: Entity,
    span: Span,
    event: str | None,
    after: Sequence[object] | None,
    limit: int,
) -> list[Record]:
    """Who entered and left, the latest first: `at`, `event`, `record_id`, `cause`, `name` and `external_id` of the record,
    null where it is gone. `after`: at, event and record of the last one seen."""
    sql = EVENTS.format(table=entity.name)
    return await reader.fetch(
        sql, workspace_id, list_id, span.lo, span.hi, span.since, event, *(after or (None, None, None)), limit
    )


async def counts(reader: Reader, workspace_id: UUID, list_id: UUID, span: Span) -> tuple[int, int]:
    """How many entered and how many left."""
    row = await reader.fetchrow(COUNTS, workspace_id, list_id, span.lo, span.hi, span.since)
    return (row["entered"], row["departed"]) if row else (0, 0)
