"""The audit: entries are added and read; nothing here, and nothing else, changes or removes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.audit import Door, Outcome
from app.persistence.database import Reader, Record, Transaction


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tried what, when and through which door: what the entries of one write have in common.

    `actor_id` is the user, or the key of a service, None for the command line; `reason` says why it was refused.
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
    outcome: Outcome | None = None


INSERT = """
INSERT INTO audit (workspace_id, at, door, operation, request_id, actor_id, role, credential_id, outcome, reason,
    id, entity, entity_id, before, after, times)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, e.id, e.entity, e.entity_id, e.before, e.after, e.times
FROM unnest($11::uuid[], $12::text[], $13::uuid[], $14::jsonb[], $15::jsonb[], $16::integer[])
    AS e(id, entity, entity_id, before, after, times)
"""
COLUMNS = """id, at, outcome, reason, door, request_id, actor_id, role, credential_id, operation, entity, entity_id,
    before, after, times"""
# Names as they are now: the audit keeps ids, so that who is renamed or erased is so here as well.
PAGE = """
SELECT a.*, coalesce(u.name, k.name) AS actor_name
FROM (SELECT {columns} FROM audit WHERE workspace_id = $1{conditions} ORDER BY at DESC, id DESC LIMIT {limit}) a
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
    """Entries, newest first, behind the one of this moment and id."""
    args: list[Any] = [workspace_id]
    conditions = ""
    for condition, value in (
        ("at >= {}", wanted.start),
        ("at < {}", wanted.end),
        ("actor_id = {}", wanted.actor_id),
        ("operation = {}", wanted.operation),
        ("entity = {}", wanted.entity),
        ("entity_id = {}", wanted.entity_id),
        ("outcome = {}", wanted.outcome),
    ):
        if value is not None:
            args.append(value)
            conditions += f" AND {condition.format(f'${len(args)}')}"
    if after is not None:
        conditions += f" AND (at, id) < (${len(args) + 1}, ${len(args) + 2})"
        args += after
    sql = PAGE.format(columns=COLUMNS, conditions=conditions, limit=int(limit))
    return await reader.fetch(sql, *args)
