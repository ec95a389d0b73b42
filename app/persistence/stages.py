"""Lifecycle stages in their order, the moves of accounts between them, and the time that they stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction
from app.persistence.staging.rows import prefix

ORDERED = """
SELECT id, slug, name, position, version, entry, expected_days, leaves_after_days FROM stages WHERE workspace_id = $1 ORDER BY position, created_at, id FOR NO KEY UPDATE
"""
PLACE = """
UPDATE stages s SET position = n.position, version = s.version + 1, updated_at = $4
FROM unnest($2::uuid[], $3::int4[]) n(id, position)
WHERE s.workspace_id = $1 AND s.id = n.id AND s.position <> n.position
RETURNING s.id
"""
# One array: a hundred thousand rows of their own would hold up everybody while they are read.
STANDING_IN = """
SELECT array_agg(l.id) FROM (
  SELECT a.id FROM accounts a WHERE a.workspace_id = $1 AND a.stage = $2 ORDER BY a.id FOR NO KEY UPDATE
) l
"""
# An account's moves follow each other, whatever the clocks of those who moved it said. Their ids count up from one.
RECORD = """
INSERT INTO stage_moves (workspace_id, id, account_id, stage, moved_at, actor_id, note, was, was_since)
SELECT $1, ($2::text || lpad(to_hex(n.place), 10, '0'))::uuid, n.account_id, $4,
  greatest($5::timestamptz, l.moved_at + interval '1 microsecond'), $6, $7, l.stage, l.moved_at
FROM unnest($3::uuid[]) WITH ORDINALITY n(account_id, place)
LEFT JOIN LATERAL (
  SELECT m.stage, m.moved_at FROM stage_moves m WHERE m.workspace_id = $1 AND m.account_id = n.account_id
  ORDER BY m.moved_at DESC, m.id DESC LIMIT 1
) l ON true
"""
MOVE = """
UPDATE accounts SET stage = $3, stage_since = $4, version = version + 1, updated_at = $5
WHERE workspace_id = $1 AND id = ANY ($2)
"""
CURRENT = """
SELECT a.stage, a.stage_since FROM accounts a WHERE a.workspace_id = $1 AND a.id = $2
"""
HISTORY = """
SELECT m.id, m.stage, m.moved_at, m.note, m.cause, m.actor_id, u.name AS actor_name,
  (SELECT n.moved_at FROM stage_moves n
   WHERE n.workspace_id = $1 AND n.account_id = $2 AND (n.moved_at, n.id) > (m.moved_at, m.id)
   ORDER BY n.moved_at, n.id LIMIT 1) AS left_at
FROM stage_moves m LEFT JOIN users u ON u.workspace_id = $1 AND u.id = m.actor_id
WHERE m.workspace_id = $1 AND m.account_id = $2 AND ($3::timestamptz IS NULL OR (m.moved_at, m.id) < ($3, $4::uuid))
ORDER BY m.moved_at DESC, m.id DESC LIMIT $5
"""
# Who stands where now is told by accounts, who left what after how long by moves: each table is read once.
SUMMARY = """
WITH placed AS MATERIALIZED (
  SELECT s.slug, s.name, s.position, lead(s.slug) OVER (ORDER BY s.position, s.created_at, s.id) AS next_stage
  FROM stages s WHERE s.workspace_id = $1
), standing AS MATERIALIZED (
  SELECT a.stage, count(*) AS accounts, sum(a.arr)::bigint AS arr,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY $2::date - a.stage_since) AS median,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY $2::date - a.stage_since) AS p90
  FROM accounts a WHERE a.workspace_id = $1 AND a.archived_at IS NULL GROUP BY a.stage
), gone AS MATERIALIZED (
  SELECT m.was, count(*) AS moves, count(*) FILTER (WHERE m.stage = p.next_stage) AS advanced,
    avg(extract(epoch FROM m.moved_at - m.was_since) / 86400)::float8 AS average
  FROM stage_moves m JOIN placed p ON p.slug = m.was WHERE m.workspace_id = $1 GROUP BY m.was
)
SELECT p.slug, p.name, p.position, p.next_stage, coalesce(s.accounts, 0) AS accounts, coalesce(s.arr, 0) AS arr, s.median, s.p90,
  coalesce(g.moves, 0) AS moves, coalesce(g.advanced, 0) AS advanced, g.average
FROM placed p FULL JOIN standing s ON s.stage = p.slug LEFT JOIN gone g ON g.was = p.slug
ORDER BY p.position NULLS LAST, p.slug
"""


async def ordered(tx: Transaction, workspace_id: UUID) -> list[Record]:
    """Every stage in order: id, slug, name, position, version, and how accounts move by themselves; locked until the transaction ends."""
    return await tx.fetch(ORDERED, workspace_id)


async def place(tx: Transaction, workspace_id: UUID, order: Sequence[UUID], now: datetime) -> None:
    """Numbers the stages from 1 in this order; only one that stands elsewhere is another version."""
    await tx.execute(PLACE, workspace_id, list(order), list(range(1, len(order) + 1)), now)


async def standing_in(tx: Transaction, workspace_id: UUID, stage: str) -> list[UUID]:
    """The accounts in a stage, archived ones too; locked until the transaction ends."""
    return list(await tx.fetchval(STANDING_IN, workspace_id, stage) or ())


async def record(
    tx: Transaction,
    workspace_id: UUID,
    first_id: UUID,
    account_ids: Sequence[UUID],
    stage: str | None,
    now: datetime,
    actor: UUID | None,
    note: str | None = None,
) -> None:
    """Writes into history that accounts, locked before, moved to a stage, or to none. `first_id` is one of nobody else's:
    the ids of the moves begin as it does."""
    await tx.execute(RECORD, workspace_id, prefix(first_id), list(account_ids), stage, now, actor, note)


async def move(
    tx: Transaction,
    workspace_id: UUID,
    account_ids: Sequence[UUID],
    stage: str | None,
    since: date | None,
    now: datetime,
) -> None:
    """Puts accounts into a stage, or into none, as their next version."""
    await tx.execute(MOVE, workspace_id, list(account_ids), stage, since, now)


async def current(reader: Reader, workspace_id: UUID, account_id: UUID) -> Record | None:
    """The account's stage and the day since which it stands there."""
    return await reader.fetchrow(CURRENT, workspace_id, account_id, point=True)


async def history(
    reader: Reader, workspace_id: UUID, account_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[Record]:
    """Moves of an account, the latest first; `left_at` is when the next one was, null where it stands there still."""
    moved_at, move_id = after or (None, None)
    return await reader.fetch(HISTORY, workspace_id, account_id, moved_at, move_id, limit, point=True)


async def summary(reader: Reader, workspace_id: UUID, today: date) -> list[Record]:
    """A row per stage in order, and one with a null slug for the accounts in none: accounts and ARR (minor units) now,
    median and p90 of their days in it; moves out of it, those to the next stage, and average days that were completed."""
    return await reader.fetch(SUMMARY, workspace_id, today)
