"""The audit: entries are added and read; nothing here, and nothing else, changes or removes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.audit import Door, Outcome
from app.persistence.database import Reader, Record, Transaction
from app.persistence.staging.rows import prefix


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tried what, when and through which door: what the entries of one write have in common.

    `actor_id` is the user, or the key of a service, None for the command line where it names nobody; `reason` says why it was refused.
    """

    at: datetime
    door: Door
    operation: str
    request_id: str | None = None
    actor_id: UUID | None = None
    role: str | None = None
    credential_id: UUID | None = None
    outcome: Outcome = "done"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one thing; `before` and `after` are JSON. `times`: so many equal ones."""

    id: UUID
    entity: str | None
    entity_id: UUID | None
    before: bytes | None = None
    after: bytes | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader wants to see, all of it at once; None wants any. `start` <= at < `end`."""

    start: datetime | None = None
    end: datetime | None = None
    actor_id: UUID | None = None
    operation: str | None = None
    entity: str | None = None
    entity_id: UUID | None = None
    request_id: str | None = None
    outcome: Outcome | None = None


INSERT = """
INSERT INTO audit (workspace_id, at, door, operation, request_id, actor_id, role, credential_id, outcome, reason,
    id, entity, entity_id, before, after, times)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, e.id, e.entity, e.entity_id, e.before, e.after, e.times
FROM unnest($11::uuid[], $12::text[], $13::uuid[], $14::jsonb[], $15::jsonb[], $16::integer[])
    AS e(id, entity, entity_id, before, after, times)
"""
COLUMNS = """a.id, a.at, a.outcome, a.reason, a.door, a.request_id, a.actor_id, a.role, a.credential_id, a.operation, {entity}, {entity_id},
    {before}, {after}, a.times, {is_row} AS is_row"""
ITS_OWN = COLUMNS.format(entity="a.entity", entity_id="a.entity_id", before="a.before", after="a.after", is_row="false")
A_ROW = COLUMNS.format(entity="r.entity", entity_id="r.record_id", before="r.before", after="r.after", is_row="true")
ENTRIES = """
SELECT {columns} FROM audit a WHERE a.workspace_id = $1{conditions} ORDER BY a.at DESC, a.id DESC LIMIT {limit}
"""
# Of a record also what writes of many did to it: their entries, with what became of this one.
ROWS = """
SELECT {columns} FROM audit_records r JOIN audit a ON a.workspace_id = $1 AND a.at = r.at AND a.id = r.audit_id
WHERE r.workspace_id = $1{conditions} ORDER BY r.at DESC, r.audit_id DESC LIMIT {limit}
"""
# What an import made has ids that begin as the import's own: its entry is that of their making.
MADE = """
SELECT {columns} FROM audit a WHERE a.workspace_id = $1 AND a.entity = 'imports' AND a.before IS NULL
  AND a.entity_id BETWEEN {low} AND {high} AND a.entity_id <> {id}{conditions} ORDER BY a.at DESC, a.id DESC LIMIT {limit}
"""
# Names as they are now: the audit keeps ids, so that who is renamed or erased is so here as well.
PAGE = """
SELECT a.*, coalesce(u.name, k.name) AS actor_name
FROM ({found}) a
LEFT JOIN users u ON u.workspace_id = $1 AND u.id = a.actor_id
LEFT JOIN api_keys k ON k.workspace_id = $1 AND k.id = a.actor_id
ORDER BY a.at DESC, a.id DESC
"""


async def insert(tx: Transaction, workspace_id: UUID, attempt: Attempt, entries: Sequence[Entry]) -> None:
    """Adds the entries of one write, however many, in one statement."""
    columns = zip(*((e.id, e.entity, e.entity_id, e.before, e.after, e.times) for e in entries), strict=True)
    await tx.execute(
        INSERT, workspace_id, attempt.at, attempt.door, attempt.operation, attempt.request_id, attempt.actor_id,
        attempt.role, attempt.credential_id, attempt.outcome, attempt.reason, *map(list, columns),
    )  # fmt: skip


async def page(
    reader: Reader, workspace_id: UUID, wanted: Wanted, after: tuple[datetime, UUID] | None, limit: int
) -> list[Record]:
    """Entries, newest first, behind the one of this moment and id; `is_row` is said of those that tell of many records,
    with `before` and `after` of the wanted one as `audit_records` has them."""
    args: list[Any] = [workspace_id]
    own, among, making = "", "", ""
    for name, condition, other, value in (
        ("start", "a.at >= {}", "r.at >= {}", wanted.start),
        ("end", "a.at < {}", "r.at < {}", wanted.end),
        ("actor_id", "a.actor_id = {}", None, wanted.actor_id),
        ("operation", "a.operation = {}", None, wanted.operation),
        ("entity", "a.entity = {}", "r.entity = {}", wanted.entity),
        ("entity_id", "a.entity_id = {}", "r.record_id = {}", wanted.entity_id),
        ("request_id", "a.request_id = {}", None, wanted.request_id),
        ("outcome", "a.outcome = {}", None, wanted.outcome),
    ):
        if value is not None:
            args.append(value)
            own += f" AND {condition.format(f'${len(args)}')}"
            among += f" AND {(other or condition).format(f'${len(args)}')}"
            of_import = {"entity_id": None, "entity": "a.after ->> 'kind' = {}"}.get(name, condition)
            making += f" AND {of_import.format(f'${len(args)}')}" if of_import else ""
    if after is not None:
        place = f"(${len(args) + 1}, ${len(args) + 2})"
        own += f" AND (a.at, a.id) < {place}"
        among += f" AND (r.at, r.audit_id) < {place}"
        making += f" AND (a.at, a.id) < {place}"
        args += after
    found = ENTRIES.format(columns=ITS_OWN, conditions=own, limit=int(limit))
    if wanted.entity_id is not None:
        rows = ROWS.format(columns=A_ROW, conditions=among, limit=int(limit))
        span = (f"${len(args) + n}" for n in (1, 2, 3))
        made = MADE.format(
            columns=ITS_OWN, low=next(span), high=next(span), id=next(span), conditions=making, limit=int(limit)
        )
        args += (UUID(prefix(wanted.entity_id) + "0" * 10), UUID(prefix(wanted.entity_id) + "f" * 10), wanted.entity_id)
        found = f"SELECT b.* FROM (({found}) UNION ALL ({rows}) UNION ALL ({made})) b ORDER BY b.at DESC, b.id DESC LIMIT {int(limit)}"
    return await reader.fetch(PAGE.format(found=found), *args)
