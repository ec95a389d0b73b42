"""Saved lists as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

COLUMNS = (
    "id, entity, name, description, criteria, columns, sort, visibility, mine, params, owner_id, version, created_at, "
    "updated_at, folder, used_at"
)
SEEN = f"""{COLUMNS},
    (SELECT w.since FROM list_watches w WHERE w.workspace_id = $1 AND w.list_id = lists.id) AS watched_since,
    EXISTS (SELECT FROM list_favourites f WHERE f.workspace_id = $1 AND f.list_id = lists.id AND f.user_id = {{0}}::uuid) AS favourite"""
"""The columns of a list with what hangs on it, as a user sees it."""
ONE = f"SELECT {SEEN.format('$3')} FROM lists WHERE workspace_id = $1 AND id = $2"
LOCKED = f"{ONE} FOR UPDATE"
KEYS: Mapping[str, str] = {
    "name": "name",
    "updated_at": "updated_at",
    "used_at": "coalesce(used_at, '1000-01-01Z'::timestamptz)",
    "used_at_last": "coalesce(used_at, '9999-01-01Z'::timestamptz)",
}
"""What lists are sorted by: empty values come last in both directions."""
# What others keep private stays away from everybody but an admin ($4), who finds it by its name and by nothing else.
PAGE = """
SELECT {seen} FROM lists
WHERE workspace_id = $1 AND ($2::text IS NULL OR entity = $2)
    AND (visibility = 'public' OR owner_id = $3::uuid OR ($4::boolean AND $5::text IS NULL AND NOT $7::boolean))
    AND ($5::text IS NULL OR folder = $5) AND ($6::uuid IS NULL OR owner_id = $6)
    AND (NOT $7::boolean OR EXISTS (
        SELECT FROM list_favourites m WHERE m.workspace_id = $1 AND m.list_id = lists.id AND m.user_id = $3::uuid))
    AND ($8::text IS NULL OR strpos(lower(name COLLATE "default"), lower($8 COLLATE "default")) > 0 OR (
        (visibility = 'public' OR owner_id = $3::uuid)
        AND strpos(lower(description COLLATE "default"), lower($8 COLLATE "default")) > 0))
    AND ($9::{type} IS NULL OR ({key}, id) {sign} ($9, $10::uuid))
ORDER BY {key}{order}, id{order} LIMIT $11
"""
FOLDERS = """
SELECT folder, count(*) AS lists FROM lists
WHERE workspace_id = $1 AND ($2::text IS NULL OR entity = $2) AND (visibility = 'public' OR owner_id = $3::uuid)
GROUP BY folder ORDER BY folder NULLS LAST
"""
COUNT = "SELECT count(*) FILTER (WHERE owner_id = $2) AS own, count(*) AS of_all FROM lists WHERE workspace_id = $1"
OWNED = "SELECT id FROM lists WHERE workspace_id = $1 AND owner_id = $2 ORDER BY id FOR UPDATE"
GIVE = """
UPDATE lists SET owner_id = $3, version = version + 1, updated_at = $4
WHERE workspace_id = $1 AND id = ANY ($2) RETURNING id, visibility
"""
DELETE = "DELETE FROM lists WHERE workspace_id = $1 AND id = $2"
# No change by hand: the version stays.
USED = """
UPDATE lists SET used_at = u.at FROM unnest($2::uuid[], $3::timestamptz[]) u(id, at)
WHERE lists.workspace_id = $1 AND lists.id = u.id AND (lists.used_at IS NULL OR lists.used_at < u.at)
"""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lists are looked for, None where that is no matter. `hidden` adds what others keep private to those that are
    found by name. `key` is one of KEYS."""

    user_id: UUID | None
    hidden: bool = False
    entity: str | None = None
    folder: str | None = None
    owner_id: UUID | None = None
    favourite: bool = False
    search: str | None = None
    key: str = "name"
    descending: bool = False


async def insert(tx: Transaction, workspace_id: UUID, list_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Adds a list; values by column, JSON as bytes."""
    names = "".join(f", {name}" for name in values)
    marks = "".join(f", ${n}" for n in range(4, len(values) + 4))
    sql = f"INSERT INTO lists (workspace_id, id, created_at, updated_at{names}) VALUES ($1, $2, $3, $3{marks})"
    await tx.execute(sql, workspace_id, list_id, now, *values.values())


async def update(tx: Transaction, workspace_id: UUID, list_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Changes columns and counts the version up."""
    sets = "".join(f", {name} = ${n}" for n, name in enumerate(values, 4))
    sql = f"UPDATE lists SET version = version + 1, updated_at = $3{sets} WHERE workspace_id = $1 AND id = $2"
    await tx.execute(sql, workspace_id, list_id, now, *values.values())


async def one(reader: Reader, workspace_id: UUID, list_id: UUID, user_id: UUID | None = None) -> Record | None:
    """A list, as this user has marked it."""
    return await reader.fetchrow(ONE, workspace_id, list_id, user_id, point=True)


async def locked(tx: Transaction, workspace_id: UUID, list_id: UUID, user_id: UUID | None = None) -> Record | None:
    """A list, locked against other writers until the transaction ends."""
    return await tx.fetchrow(LOCKED, workspace_id, list_id, user_id)


async def page(
    reader: Reader, workspace_id: UUID, sought: Sought, after: tuple[str | datetime, UUID] | None, limit: int
) -> list[Record]:
    """The lists that are looked for, in their order, behind the one with these keys."""
    key, last = after or (None, None)
    sql = PAGE.format(
        seen=SEEN.format("$3"), key=KEYS[sought.key], type="text" if sought.key == "name" else "timestamptz",
        sign="<" if sought.descending else ">", order=" DESC" if sought.descending else "",
    )  # fmt: skip
    return await reader.fetch(
        sql, workspace_id, sought.entity, sought.user_id, sought.hidden, sought.folder, sought.owner_id, sought.favourite,
        sought.search, key, last, limit,
    )  # fmt: skip


async def folders(reader: Reader, workspace_id: UUID, entity: str | None, user_id: UUID | None) -> list[Record]:
    """`folder`, null for none, and how many `lists` in it are public or the user's own."""
    return await reader.fetch(FOLDERS, workspace_id, entity, user_id)


async def used(tx: Transaction, workspace_id: UUID, uses: Mapping[UUID, datetime]) -> None:
    """When lists were last asked what they hold."""
    await tx.execute(USED, workspace_id, list(uses), list(uses.values()))


async def count(tx: Transaction, workspace_id: UUID, user_id: UUID) -> tuple[int, int]:
    """How many lists the user has, and how many the workspace; it must be held, so that they stay as many."""
    row = await tx.fetchrow(COUNT, workspace_id, user_id)
    assert row is not None  # aggregates
    return row["own"], row["of_all"]


async def owned(tx: Transaction, workspace_id: UUID, user_id: UUID) -> list[UUID]:
    """The lists of a user, locked against other writers until the transaction ends."""
    return [row["id"] for row in await tx.fetch(OWNED, workspace_id, user_id)]


async def give(
    tx: Transaction, workspace_id: UUID, list_ids: Sequence[UUID], owner_id: UUID, now: datetime
) -> list[UUID]:
    """Gives lists another owner, as a change by hand of each; those of them that are private."""
    rows = await tx.fetch(GIVE, workspace_id, list_ids, owner_id, now)
    return [row["id"] for row in rows if row["visibility"] == "private"]


async def delete(tx: Transaction, workspace_id: UUID, list_id: UUID) -> None:
    """Removes a list; whatever hangs on it has to be gone."""
    await tx.execute(DELETE, workspace_id, list_id)
