"""Who stood where on two days: the flow between segments, and the accounts that moved with what moved them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader, Record
from app.persistence.stays import MOVES

EVENTS = 20
"""Of an account so many moves are told, the latest."""
# Who was made later or archived before a day was not there on it, as everywhere that a past day is asked about.
BESIDE = """
accounts a
LEFT JOIN stays b ON b.workspace_id = $1 AND b.segmentation_id = $2 AND b.account_id = a.id AND b.from_at <= $3
  AND (b.to_at > $3 OR b.to_at IS NULL) AND a.created_at <= $3 AND (a.archived_at > $3 OR a.archived_at IS NULL)
LEFT JOIN stays e ON e.workspace_id = $1 AND e.segmentation_id = $2 AND e.account_id = a.id AND e.from_at <= $4
  AND (e.to_at > $4 OR e.to_at IS NULL) AND a.created_at <= $4 AND (a.archived_at > $4 OR a.archived_at IS NULL)
WHERE a.workspace_id = $1
"""
# Who was there before the history begins stood somewhere: where, nobody knows.
UNKNOWN = "(b.segment IS NULL AND $3 < $5 AND a.created_at <= $3 AND (a.archived_at > $3 OR a.archived_at IS NULL))"
FLOW = f"""
SELECT b.segment AS was, e.segment AS becomes, {UNKNOWN} AS unknown, count(*) AS accounts, coalesce(sum(a.arr), 0)::bigint AS arr
FROM {BESIDE} AND (b.segment IS NOT NULL OR e.segment IS NOT NULL)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
MOVED = f"""
WITH page AS MATERIALIZED (
  SELECT a.id, a.external_id, a.name, a.arr, a.created_at, a.archived_at, b.segment AS was, e.segment AS becomes
  FROM {BESIDE} AND b.segment IS DISTINCT FROM e.segment AND {UNKNOWN} = $11
    AND ($6::text IS NULL OR b.segment = $6) AND ($7::text IS NULL OR e.segment = $7)
    AND ($8::int8 IS NULL OR (a.arr, a.id) < ($8, $9::uuid))
  ORDER BY a.arr DESC, a.id DESC LIMIT $10
)
SELECT p.id, p.external_id, p.name, p.arr, p.created_at, p.archived_at, p.was, p.becomes, (
  SELECT coalesce(json_agg(json_build_object('at', v.at, 'was', v.was, 'segment', v.segment, 'reason', v.reason) ORDER BY v.at), '[]')
  FROM (SELECT x.at, x.was, x.segment, x.reason FROM ({MOVES} AND m.segmentation_id = $2 AND m.account_id = p.id) x
    WHERE x.at > $3 AND x.at <= $4 ORDER BY x.at DESC LIMIT {EVENTS}) v
) AS events
FROM page p ORDER BY p.arr DESC, p.id DESC
"""
Key = tuple[int, UUID]
"""The ARR of an account in minor units, and which account that is."""


async def flow(
    reader: Reader, workspace_id: UUID, segmentation_id: UUID, before: datetime, after: datetime, begins: datetime
) -> list[Record]:
    """Rows (was, becomes, unknown, accounts, arr): from where accounts stood at one moment to where at another, null where an
    account was not there, or was and it is `unknown` where, as the history only `begins` later; those that stayed too. ARR as
    it is now, in minor units."""
    return await reader.fetch(FLOW, workspace_id, segmentation_id, before, after, begins)


async def moved(
    reader: Reader, workspace_id: UUID, segmentation_id: UUID, before: datetime, after: datetime, begins: datetime,
    was: str | None, becomes: str | None, behind: Key | None, limit: int, *, unknown: bool = False,
) -> list[Record]:  # fmt: skip
    """The accounts that stood elsewhere, or were not there, at the other moment, those with the most ARR first; `events` as
    JSON are the moves between, the earliest first. Whose segment before the history `begins` is not known did not move; `unknown`: those, and nobody
    else. `was` and `becomes` narrow it to those of a segment."""
    arr, account = behind if behind is not None else (None, None)
    return await reader.fetch(
        MOVED, workspace_id, segmentation_id, before, after, begins, was, becomes, arr, account, limit, unknown
    )  # fmt: skip
