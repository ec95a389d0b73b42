"""Running what `compile` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.criteria.meant import Typed
from app.persistence.compile import Record, Statement
from app.persistence.database import Reader

Key = Typed | None


@dataclass(slots=True)
class Rows:
    """A page as it came: `data` is a JSON array, or with edges `records` are JSON each and `keys` what each is sorted by.

    `found`: how many were read, one beyond the page where `more` follow; `last`: the keys of its last record, if any.
    `count`: what was counted, at most one above the cap. `fresh` is False where kept windows were read that are right
    for another day.
    """

    data: bytes
    records: Sequence[bytes]
    keys: Sequence[tuple[Key, ...]]
    found: int
    more: bool
    last: tuple[Key, ...] | None
    count: int | None
    fresh: bool


async def page(reader: Reader, statement: Statement, after: Sequence[Key] = ()) -> Rows:
    """Runs the statement of a page that continues after a record with these keys."""
    row = await reader.fetchrow(statement.text, *statement.args, *(key for key in after if key is not None))
    assert row is not None, "an aggregate gives a row"
    data, found = row[0], row[1]
    keys = row[2 : 2 + statement.keys]
    more = found > statement.limit
    count = row[2 + statement.keys] if statement.counted else None
    fresh = bool(row[-1]) if statement.leans else True
    if not statement.edges:
        return Rows(data or b"[]", (), (), found, more, keys if found else None, count, fresh)
    each: list[tuple[Key, ...]] = list(zip(*keys, strict=True)) if data else []
    return Rows(b"", data or (), each, found, more, each[-1] if each else None, count, fresh)


async def record(reader: Reader, statement: Record, named: str) -> tuple[bytes, int | None] | None:
    """The record's JSON and version, None where there is none."""
    row: Any = await reader.fetchrow(statement.text, *statement.args, named, point=True)
    return (row[0], row[1]) if row else None


async def any_record(reader: Reader, statement: Record, identity: UUID) -> tuple[str, bytes] | None:
    """The entity's name and the record's JSON, None where no entity has the id."""
    row: Any = await reader.fetchrow(statement.text, *statement.args, identity, point=True)
    return (row[0], row[1]) if row else None


async def account_exists(reader: Reader, workspace_id: UUID, account_id: UUID) -> bool:
    """Whether there is such an account, archived or not."""
    found = await reader.fetchval(
        "SELECT true FROM accounts WHERE workspace_id = $1 AND id = $2", workspace_id, account_id, point=True
    )
    return bool(found)
