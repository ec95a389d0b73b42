"""Segmentations as they are stored, how far they are computed, and how their segments stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

# When, after all were placed, the first pin ended or the first move was confirmed that nobody followed yet.
DUE_AT = """least((
    SELECT min(p.expires_at) FROM pins p
    WHERE p.workspace_id = $1 AND p.segmentation_id = s.id AND p.expires_at > s.computed_at
  ), (
    SELECT min(m.pending_since) FROM members m WHERE m.workspace_id = $1 AND m.segmentation_id = s.id AND m.held IS NOT NULL
      AND m.pending_since > s.computed_at - s.confirm::interval
  ) + s.confirm::interval)"""
# When somebody last came into a segment, one look at the index for each.
MOVED_AT = """(
    SELECT max(l.since) FROM (SELECT jsonb_path_query(s.segments, '$[*].slug') #>> '{}' AS slug UNION SELECT s.rest) n
    CROSS JOIN LATERAL (
      SELECT m.since FROM members m WHERE m.workspace_id = $1 AND m.segmentation_id = s.id AND m.segment = n.slug
      ORDER BY m.since DESC LIMIT 1
    ) l
  )"""
COLUMNS = f"""s.id, s.slug, s.name, s.kind, s.spec, s.segments, s.rest, s.cuts, s.refreeze, s.band, s.confirm, s.version, s.state, s.detail,
  s.computed_at, s.as_of, s.checked_at, s.drifted, s.created_at, s.updated_at, {MOVED_AT} AS moved_at, {DUE_AT} AS due_at"""
DUE = "SELECT DISTINCT workspace_id FROM segmentations WHERE as_of < $1 AND state = 'ok'"
WITH_SCHEDULE = "SELECT DISTINCT workspace_id FROM segmentations WHERE refreeze IS NOT NULL"
# Those that somebody else has are followed the next time: whoever waited for them here might be waited for.
FOLLOWED = """
UPDATE segmentations f SET as_of = $2 WHERE f.workspace_id = $1 AND f.id = ANY (ARRAY(
  SELECT s.id FROM segmentations s WHERE s.workspace_id = $1 AND s.as_of < $2 AND s.state = 'ok'
  ORDER BY s.id FOR NO KEY UPDATE SKIP LOCKED
))
"""
# Found by writes that hold accounts: whoever has the segmentations may wait for those, and says it when they place.
FAILED = """
UPDATE segmentations s SET state = $3, detail = n.detail FROM unnest($2::uuid[], $4::text[]) n(id, detail)
WHERE s.workspace_id = $1 AND s.id = n.id AND s.id = ANY (ARRAY(
  SELECT f.id FROM segmentations f JOIN unnest($2::uuid[], $4::text[]) w(id, detail) ON w.id = f.id
  WHERE f.workspace_id = $1 AND (f.state, f.detail) IS DISTINCT FROM ($3::text, w.detail)
  ORDER BY f.id FOR NO KEY UPDATE OF f SKIP LOCKED
))
"""
WITH_CONFIRMATION = "SELECT DISTINCT workspace_id FROM segmentations WHERE confirm IS NOT NULL"
# Once a day, when the workspace's own has begun and its facts are that day's.
UNCHECKED = """
SELECT DISTINCT s.workspace_id FROM segmentations s JOIN workspaces w ON w.id = s.workspace_id
WHERE w.facts_day = ($1::timestamptz AT TIME ZONE w.zone)::date AND s.state = 'ok'
  AND (coalesce(s.checked_at, s.created_at) AT TIME ZONE w.zone)::date < w.facts_day
"""
IS_DUE = """
SELECT w.facts_day = ($2::timestamptz AT TIME ZONE w.zone)::date
  AND (coalesce(s.checked_at, s.created_at) AT TIME ZONE w.zone)::date < w.facts_day AS is_due
FROM segmentations s JOIN workspaces w ON w.id = $1
WHERE s.workspace_id = $1 AND s.state = 'ok' ORDER BY s.id
"""
CHECK = f"{IS_DUE} FOR NO KEY UPDATE OF s"
CHECKED = """
UPDATE segmentations s SET checked_at = $3, drifted = n.drifted FROM unnest($2::uuid[], $4::int4[]) n(id, drifted)
WHERE s.workspace_id = $1 AND s.id = n.id
"""
# The rows stay locked until the transaction ends, which makes them the lease.
CLAIM = """
SELECT min(t.as_of) FROM (
  SELECT s.as_of FROM segmentations s WHERE s.workspace_id = $1 AND s.as_of < $2 AND s.state = 'ok'
  ORDER BY s.id FOR NO KEY UPDATE SKIP LOCKED
) t
"""


# -- definitions -------------------------------------------------------------------------------------------------------


async def all_of(reader: Reader, workspace_id: UUID) -> list[Record]:
    """Every segmentation, by slug; `moved_at` and `due_at` beside what is stored, as MOVED_AT and DUE_AT have them."""
    sql = f"SELECT {COLUMNS} FROM segmentations s WHERE s.workspace_id = $1 ORDER BY s.slug"
    return await reader.fetch(sql, workspace_id, point=True)


async def behind(reader: Reader, workspace_id: UUID, slugs: Collection[str], since: datetime | None) -> list[Record]:
    """Those of these slugs that are not whole, or that something happened to before `since` which nobody followed; all of them
    where that is None. As `all_of` has them, by slug."""
    sql = f"""SELECT {COLUMNS} FROM segmentations s WHERE s.workspace_id = $1 AND s.slug = ANY($2)
      AND ($3::timestamptz IS NULL OR s.state <> 'ok' OR s.as_of < $3 OR {DUE_AT} < $3) ORDER BY s.slug"""
    return await reader.fetch(sql, workspace_id, list(slugs), since, point=True)


async def one(reader: Reader, workspace_id: UUID, slug: str) -> Record | None:
    """The segmentation of this slug."""
    sql = f"SELECT {COLUMNS} FROM segmentations s WHERE s.workspace_id = $1 AND s.slug = $2"
    return await reader.fetchrow(sql, workspace_id, slug, point=True)


async def hold(tx: Transaction, workspace_id: UUID, slug: str) -> Record | None:
    """Its id and version, locked until the transaction ends."""
    sql = "SELECT id, version FROM segmentations WHERE workspace_id = $1 AND slug = $2 FOR NO KEY UPDATE"
    return await tx.fetchrow(sql, workspace_id, slug)


async def hold_all(tx: Transaction, workspace_id: UUID) -> None:
    """Locks every segmentation until the transaction ends. Comes after locks on the workspace, before those on accounts."""
    sql = "SELECT FROM segmentations s WHERE s.workspace_id = $1 ORDER BY s.id FOR NO KEY UPDATE"
    await tx.execute(sql, workspace_id)


async def count(reader: Reader, workspace_id: UUID) -> int:
    """How many segmentations the workspace has."""
    found: int = await reader.fetchval("SELECT count(*) FROM segmentations WHERE workspace_id = $1", workspace_id)
    return found


STORED = ("name", "kind", "spec", "segments", "rest", "cuts", "refreeze", "band", "confirm")


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
    for table in ("members", "past_stays", "pins", "steps_done", "segmentation_versions"):
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
    await tx.execute(FAILED, workspace_id, list(ids), state, list(details))


async def followed(tx: Transaction, workspace_id: UUID, now: datetime) -> None:
    """Time was followed up to now, in all that it moves."""
    await tx.execute(FOLLOWED, workspace_id, now)


async def due(reader: Reader, before: datetime) -> list[UUID]:
    """Workspaces where time was followed up to an earlier moment."""
    return [row["workspace_id"] for row in await reader.fetch(DUE, before)]


async def with_schedule(reader: Reader) -> list[UUID]:
    """Workspaces with segmentations whose cuts are taken anew now and then."""
    return [row["workspace_id"] for row in await reader.fetch(WITH_SCHEDULE)]


async def with_confirmation(reader: Reader) -> list[UUID]:
    """Workspaces with segmentations of which moves wait to be confirmed."""
    return [row["workspace_id"] for row in await reader.fetch(WITH_CONFIRMATION)]


async def unchecked(reader: Reader, now: datetime) -> list[UUID]:
    """Workspaces with segmentations that were not yet checked in full on the day that it is there."""
    return [row["workspace_id"] for row in await reader.fetch(UNCHECKED, now)]


async def is_unchecked(reader: Reader, workspace_id: UUID, now: datetime) -> bool:
    """Whether any segmentation of a workspace is to be checked now."""
    return any(row["is_due"] for row in await reader.fetch(IS_DUE, workspace_id, now))


async def begin_check(tx: Transaction, workspace_id: UUID, now: datetime) -> bool:
    """The same; all are locked until the transaction ends."""
    return any(row["is_due"] for row in await tx.fetch(CHECK, workspace_id, now))


async def checked(tx: Transaction, workspace_id: UUID, drifted: Mapping[UUID, int], now: datetime) -> None:
    """These were compared with a full evaluation now: how many accounts stood elsewhere, by segmentation."""
    await tx.execute(CHECKED, workspace_id, list(drifted), now, list(drifted.values()))


async def scheduled(reader: Reader, workspace_id: UUID) -> list[Record]:
    """The segmentations whose cuts are taken anew now and then."""
    sql = f"SELECT {COLUMNS} FROM segmentations s WHERE s.workspace_id = $1 AND s.refreeze IS NOT NULL ORDER BY s.slug"
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
SELECT m.segment, count(*) AS accounts, coalesce(sum(a.arr), 0)::bigint AS arr,
  count(*) FILTER (WHERE a.status = 'churned') AS churned,
  coalesce(sum(a.arr) FILTER (WHERE a.status = 'churned'), 0)::bigint AS churned_arr
FROM members m JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id
WHERE m.workspace_id = $1 AND m.segmentation_id = $2 AND a.archived_at IS NULL
GROUP BY m.segment
"""


class Held(NamedTuple):
    """How many accounts a segment holds and of how much ARR (minor units), and of those the churned ones."""

    accounts: int
    arr: int
    churned: int
    churned_arr: int


async def held(reader: Reader, workspace_id: UUID, segmentation_id: UUID) -> dict[str, Held]:
    """What each segment holds that has any accounts; archived accounts are left out."""
    return {row[0]: Held(*row[1:]) for row in await reader.fetch(STANDING, workspace_id, segmentation_id)}


async def standing(reader: Reader, workspace_id: UUID, segmentation_id: UUID) -> dict[str, tuple[int, int]]:
    """Accounts and ARR (minor units) per segment that has any; archived accounts are left out."""
    return {slug: (one.accounts, one.arr) for slug, one in (await held(reader, workspace_id, segmentation_id)).items()}
