"""Imports as resources: their state, counts, summary and errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

COLUMNS = """id, kind, state, rows, created, updated, unchanged, rejected, warned, summary, detail, started_at, finished_at, alive_at"""
INSERT = """
INSERT INTO imports (workspace_id, id, kind, state, mapping, started_at, alive_at) VALUES ($1, $2, $3, 'staged', $4, $5, $5)
"""
GET = f"SELECT {COLUMNS} FROM imports WHERE workspace_id = $1 AND id = $2"
LATEST = f"""
SELECT {COLUMNS} FROM imports WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT
"""
CHECKED = """
UPDATE imports SET state = 'running', rows = $3, rejected = $4, warned = $5, unchanged = $6, summary = $7, alive_at = $8
WHERE workspace_id = $1 AND id = $2
"""
ADD = """
UPDATE imports SET created = created + $3, updated = updated + $4, unchanged = unchanged + $5, alive_at = $6
WHERE workspace_id = $1 AND id = $2
"""
ALIVE = "UPDATE imports SET alive_at = $3 WHERE workspace_id = $1 AND id = $2 AND state IN ('staged', 'running')"
FINISH = """
UPDATE imports SET state = $3, detail = $4, finished_at = $5, alive_at = $5
WHERE workspace_id = $1 AND id = $2 AND state IN ('staged', 'running')
"""
ERRORS = """
SELECT line, seq, "column", code, message, is_warning FROM import_errors
WHERE workspace_id = $1 AND import_id = $2 AND (line, seq) > ($3, $4) AND ($5 OR NOT is_warning) ORDER BY line, seq LIMIT
"""


async def insert(
    tx: Transaction, workspace_id: UUID, import_id: UUID, kind: str, mapping: bytes, now: datetime
) -> None:
    """Adds an import that has been received; `mapping` as JSON."""
    await tx.execute(INSERT, workspace_id, import_id, kind, mapping, now)


async def get(reader: Reader, workspace_id: UUID, import_id: UUID) -> Record | None:
    """One import."""
    return await reader.fetchrow(GET, workspace_id, import_id, point=True)


async def latest(reader: Reader, workspace_id: UUID, limit: int, before: UUID | None) -> list[Record]:
    """Newest first."""
    return await reader.fetch(f"{LATEST} {int(limit)}", workspace_id, before)


async def checked(
    tx: Transaction, workspace_id: UUID, import_id: UUID, counts: Mapping[str, Any], summary: bytes, now: datetime
) -> None:
    """The file has been read and checked: `rows`, `rejected`, `warned`, `unchanged` so far."""
    told = (counts["rows"], counts["rejected"], counts["warned"], counts["unchanged"])
    await tx.execute(CHECKED, workspace_id, import_id, *told, summary, now)


async def add(
    tx: Transaction, workspace_id: UUID, import_id: UUID, created: int, updated: int, unchanged: int, now: datetime
) -> None:
    """A chunk has been applied."""
    await tx.execute(ADD, workspace_id, import_id, created, updated, unchanged, now)


async def alive(tx: Transaction, workspace_id: UUID, import_id: UUID, now: datetime) -> None:
    """Somebody is at it."""
    await tx.execute(ALIVE, workspace_id, import_id, now)


async def finish(
    tx: Transaction, workspace_id: UUID, import_id: UUID, state: str, detail: str | None, now: datetime
) -> None:
    """It is over: `done`, where `detail` says what else came of it, or `failed` for the reason that it says."""
    await tx.execute(FINISH, workspace_id, import_id, state, detail, now)


async def errors(
    reader: Reader, workspace_id: UUID, import_id: UUID, limit: int, after: tuple[int, int], warnings: bool
) -> list[Record]:
    """Errors by line, after (line, seq); with warnings, or without."""
    return await reader.fetch(f"{ERRORS} {int(limit)}", workspace_id, import_id, *after, warnings)
