"""What references of accounts were, since when and by whose hand: one statement writes whatever differs from the last."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction
from app.persistence.facts import FEW

# What a change at the moment of the last one replaces stays one row: history has no moment twice.
KEEP = """
WITH changed AS MATERIALIZED (
  SELECT s.account_id, s.field, s.value_id, o.from_at AS was_from, greatest($2::timestamptz, o.from_at) AS from_at
  FROM (
    SELECT a.id AS account_id, v.field, v.value_id FROM accounts a
    CROSS JOIN LATERAL (VALUES ('csm', a.csm_id), ('primary_contact', a.primary_contact_id), ('parent', a.parent_id)) v(field, value_id)
    WHERE a.workspace_id = $1{a}
  ) s
  LEFT JOIN account_changes o ON o.workspace_id = $1{o} AND o.account_id = s.account_id AND o.field = s.field COLLATE "C" AND o.to_at IS NULL
  WHERE s.value_id IS DISTINCT FROM o.value_id
), closed AS (
  UPDATE account_changes h SET to_at = c.from_at FROM changed c
  WHERE h.workspace_id = $1 AND h.account_id = c.account_id AND h.field = c.field COLLATE "C" AND h.from_at = c.was_from
    AND c.was_from < c.from_at
), opened AS (
  INSERT INTO account_changes AS h (workspace_id, account_id, field, value_id, from_at, actor_id)
  SELECT $1, account_id, field, value_id, from_at, $3::uuid FROM changed
  ON CONFLICT (workspace_id, account_id, field, from_at) DO UPDATE SET value_id = excluded.value_id, actor_id = excluded.actor_id
)
SELECT count(*) FROM changed
"""
ONE = KEEP.format(a=" AND a.id = $4", o=" AND o.account_id = $4")
SOME = KEEP.format(a=" AND a.id = ANY ($4)", o=" AND o.account_id = ANY ($4)")
ALL = KEEP.format(a="", o="")

# What is gone is called as the audit has it, which kept it as it was when it went.
PAGE = """
SELECT c.field, c.value_id,
  coalesce(u.name, k.name, p.name, (
    SELECT x.before ->> 'name' FROM audit x
    WHERE x.workspace_id = $1 AND x.entity_id = c.value_id AND x.outcome = 'done' AND x.after IS NULL
    ORDER BY x.at DESC, x.id DESC LIMIT 1
  )) AS name,
  c.from_at, c.to_at, c.actor_id, w.name AS actor_name
FROM account_changes c
LEFT JOIN users u ON u.workspace_id = $1 AND u.id = c.value_id AND c.field = 'csm'
LEFT JOIN contacts k ON k.workspace_id = $1 AND k.id = c.value_id AND c.field = 'primary_contact'
LEFT JOIN accounts p ON p.workspace_id = $1 AND p.id = c.value_id AND c.field = 'parent'
LEFT JOIN users w ON w.workspace_id = $1 AND w.id = c.actor_id
WHERE c.workspace_id = $1 AND c.account_id = $2 AND ($3::text IS NULL OR c.field = $3)
  AND ($4::timestamptz IS NULL OR (c.from_at, c.field) < ($4, $5::text COLLATE "C"))
ORDER BY c.from_at DESC, c.field DESC LIMIT $6
"""


async def keep(tx: Transaction, workspace_id: UUID, account_ids: Sequence[UUID] | None, now: datetime) -> int:
    """Ends what does not hold any more and begins what holds now, by the hand of whoever acts in the transaction; gives
    how many began. The accounts (None: all) must be locked."""
    if account_ids is None:
        async with tx.hashing():
            return int(await tx.fetchval(ALL, workspace_id, now, tx.actor))
    if len(account_ids) == 1:
        return int(await tx.fetchval(ONE, workspace_id, now, tx.actor, account_ids[0]))
    async with tx.hashing() if len(account_ids) > FEW else nullcontext():
        return int(await tx.fetchval(SOME, workspace_id, now, tx.actor, list(account_ids)))


async def page(
    reader: Reader,
    workspace_id: UUID,
    account_id: UUID,
    field: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Record]:
    """`field`, `value_id`, `name`, `from_at`, `to_at`, `actor_id`, `actor_name`, the latest first, behind the row of
    (from_at, field); `name` is as it is now or, of what is gone, as it was."""
    at, last = after or (None, None)
    return await reader.fetch(PAGE, workspace_id, account_id, field, at, last, limit, point=True)
