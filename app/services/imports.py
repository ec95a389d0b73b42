"""Imports: a file of records, received, checked and applied; sent again, it changes nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import msgspec

from app.domain import mappings
from app.domain.catalogue import Entity
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.imports import MEDIA, SHOWN, FileKind, kind_of
from app.domain.mappings import FileMapping
from app.domain.roles import Principal, permit
from app.domain.workspaces import Workspace
from app.persistence import imports
from app.persistence import mappings as stored
from app.persistence.database import Database, Reader, Record, Transaction
from app.services import workspaces
from app.services.calls import Call, Effect, Written, first_id, keep_command, once
from app.services.importing import files, staging
from app.services.importing.files import Progress
from app.services.importing.run import Job, job, run

SILENT = timedelta(minutes=2)
"""An import that showed no sign of life for so long was killed."""
KILLED = "The process that was at it is gone: send the file again, it goes on where it was."
FIRST_VERSION = 1
FIRST = (-1, 0)
"""The place before the first error: its line, and which of the line's it is."""
PAGE = 5_000
"""Errors that are read at once."""
RUNNING = 4
"""Imports that one process works on at once."""

log = logging.getLogger("app.imports")

_tasks: set[asyncio.Task[None]] = set()
_turns = asyncio.Semaphore(RUNNING)


async def start(
    db: Database,
    call: Call,
    kind: str,
    content_type: str,
    mapping: bytes | str | None,
    chunks: AsyncIterator[bytes],
) -> Written:
    """Receives a file and answers once it is whole; it is imported afterwards, by this process.

    `content_type` is text/csv or application/x-ndjson; `mapping` is JSON, or the name of a stored one. The same
    Idempotency-Key and file give the first import again. Raises Forbidden, Invalid (mapping, header), TooLarge.
    """
    entity = _permitted(call.principal, kind)
    told, meant = await _mapping(db, call.principal.workspace, entity, mapping)
    media = MEDIA.get(content_type.partition(";")[0].strip().lower())
    if media is None:
        raise Invalid(faults=(Fault(f"Expected {' or '.join(MEDIA)}.", parameter="Content-Type"),))
    file, digest = await files.spool(chunks)
    work = job(call.principal.workspace, first_id(), call.now, call)
    try:
        opened = staging.opened(file, media, entity, meant, mappings.own_of(work.workspace, entity))
        bound = replace(call, payload=b"\0".join((call.payload, media.encode(), told, digest)))
        written = await once(db, bound, f"imports.create {kind}", lambda tx: _received(tx, work, kind, told))
    except BaseException:
        file.close()
        raise
    if written.id != work.import_id:
        file.close()
        return written
    task = asyncio.create_task(_afterwards(db, work, opened))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return written


async def _received(tx: Transaction, work: Job, kind: str, told: bytes) -> Written:
    await imports.insert(tx, work.workspace.id, work.import_id, kind, told, work.now)
    row = await imports.get(tx, work.workspace.id, work.import_id)
    if row is None:
        raise NotFound
    shown = msgspec.json.encode(_shown(row, [], work.now))
    return Written(work.import_id, FIRST_VERSION, shown, created=True, effects=(_begun(work, kind),))


def _begun(work: Job, kind: str) -> Effect:
    """An import in the audit: that it came, and when it is over what it counted."""
    return Effect("imports", work.import_id, None, {"kind": kind, "state": "staged"})


async def _afterwards(db: Database, work: Job, opened: staging.Opened) -> None:
    try:
        async with _turns:
            await run(db, work, opened, _silent)
    except Exception:  # nobody waits for this task: the log is where its failure is told
        log.exception("an import failed", extra={"import": str(work.import_id)})
    finally:
        opened.file.close()


def _silent(_step: str, _part: float) -> None:
    """Whoever wants to know asks for the resource."""


async def stop() -> None:
    """Ends the imports of this process between two chunks' transactions; sent again they go on where they were."""
    for task in tuple(_tasks):
        task.cancel()
    if _tasks:
        await asyncio.wait(tuple(_tasks))


async def run_import(
    db: Database, workspace_slug: str, kind: str, path: Path, mapping: bytes | None, now: datetime, progress: Progress
) -> dict[str, Any]:
    """Imports a file that lies on this machine, as its owner; the resource when it is over. Raises NotFound, Invalid."""
    entity = kind_of(kind)
    workspace = await workspaces.load(db, await workspaces.find(db, workspace_slug))
    work = job(workspace, first_id(), now, None)
    with path.open("rb") as file:
        with _in_words(path):
            told, meant = await _mapping(db, workspace, entity, mapping)
            opened = staging.opened(file, _media(path, file), entity, meant, mappings.own_of(workspace, entity))
        async with db.transaction() as tx:
            await imports.insert(tx, workspace.id, work.import_id, kind, told, now)
            await keep_command(tx, workspace.id, now, "imports.create", (_begun(work, kind),))
        await run(db, work, opened, progress)
    return await _resource(db, workspace.id, work.import_id, work.moment)


async def every_error(db: Database, workspace_slug: str, import_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What is wrong and what is suspicious with the rows of an import, by line, for the owner of this machine. Raises NotFound."""
    workspace_id, after = await workspaces.find(db, workspace_slug), FIRST
    if workspace_id is None:
        raise NotFound
    while rows := await imports.errors(db, workspace_id, import_id, PAGE, after, warnings=True):
        for row in rows:
            yield _error(row)
        after = rows[-1]["line"], rows[-1]["seq"]


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Says in one line what is wrong with header or mapping: at a terminal nobody reads pointers."""
    try:
        yield
    except Invalid as error:
        raise Invalid(
            "; ".join(_words(path, fault) for fault in error.faults[:5]) or error.detail, error.faults
        ) from None


def _words(path: Path, fault: Fault) -> str:
    place = f"the mapping's {fault.pointer}" if fault.pointer else path.name
    if fault.line:
        place += f":{fault.line}" + (f", column {fault.column}" if fault.column else "")
    meant = f" Is it {fault.suggestion}?" if fault.suggestion else ""
    return f"{place}: {fault.message}{meant}"


def _media(path: Path, file: BinaryIO) -> FileKind:
    if path.suffix.lower() in (".csv", ".tsv"):
        return "csv"
    if path.suffix.lower() in (".ndjson", ".jsonl", ".json"):
        return "ndjson"
    file.seek(files.start(file))
    return "ndjson" if file.read(1) == b"{" else "csv"


async def get(db: Database, principal: Principal, import_id: UUID, now: datetime | None = None) -> bytes:
    """The import as it stands, as JSON. Raises NotFound."""
    permit(principal, "imports.read")
    return msgspec.json.encode(await _resource(db, principal.workspace.id, import_id, now))


async def latest(
    db: Database, principal: Principal, limit: int, before: UUID | None, now: datetime | None = None
) -> tuple[list[bytes], UUID | None]:
    """Newest first, without their errors, and where the next page begins."""
    permit(principal, "imports.read")
    rows = await imports.latest(db, principal.workspace.id, limit + 1, before)
    following = rows[limit - 1]["id"] if len(rows) > limit else None
    return [msgspec.json.encode(_shown(row, None, now)) for row in rows[:limit]], following


async def errors(
    db: Database, principal: Principal, import_id: UUID, limit: int, after: str | None
) -> tuple[list[bytes], list[str], bool]:
    """What is wrong and what is suspicious, by line, as JSON; the place of each, which the next page begins after; and
    whether there is one. Raises NotFound, Invalid."""
    permit(principal, "imports.read")
    if await imports.get(db, principal.workspace.id, import_id) is None:
        raise NotFound
    rows = await imports.errors(db, principal.workspace.id, import_id, limit + 1, _place(after), warnings=True)
    shown = rows[:limit]
    places = [f"{row['line']}.{row['seq']}" for row in shown]
    return [msgspec.json.encode(_error(row)) for row in shown], places, len(rows) > limit


def _place(after: str | None) -> tuple[int, int]:
    if after is None:
        return FIRST
    line, _, seq = after.partition(".")
    if not (line.isascii() and line.isdigit() and seq.isascii() and seq.isdigit() and len(line) < 18 and len(seq) < 9):
        message = "The cursor is none of this collection: take `page.next` as it was given."
        raise Invalid(message, (Fault(message, parameter="cursor"),))
    return int(line), int(seq)


async def _resource(db: Reader, workspace_id: UUID, import_id: UUID, now: datetime | None) -> dict[str, Any]:
    row = await imports.get(db, workspace_id, import_id)
    if row is None:
        raise NotFound
    wrong = await imports.errors(db, workspace_id, import_id, SHOWN, FIRST, warnings=False)
    return _shown(row, [_error(one) for one in wrong], now)


def _shown(row: Record, wrong: list[dict[str, Any]] | None, now: datetime | None) -> dict[str, Any]:
    """The resource. Rows are created, updated, unchanged or rejected, each once; `warned` are among the first three."""
    shown = {
        name: row[name]
        for name in ("id", "kind", "state", "rows", "created", "updated", "unchanged", "rejected", "warned")
    }
    if wrong is not None:
        shown["errors"] = wrong
    shown["summary"] = msgspec.json.decode(row["summary"])
    shown |= {name: row[name] for name in ("detail", "started_at", "finished_at")}
    if now is not None and row["state"] in ("staged", "running") and now - row["alive_at"] > SILENT:
        shown |= {"state": "failed", "detail": KILLED, "finished_at": row["alive_at"]}
    return shown


def _error(row: Record) -> dict[str, Any]:
    return {name: row[name] for name in ("line", "column", "code", "message", "is_warning")}


def _permitted(principal: Principal, kind: str) -> Entity:
    entity = kind_of(kind)
    permit(principal, "imports.create")
    if entity.name == "users":  # whoever makes users gives roles
        permit(principal, "users.write")
    return entity


async def _mapping(
    reader: Reader, workspace: Workspace, entity: Entity, mapping: bytes | str | None
) -> tuple[bytes, FileMapping | None]:
    """What was told, as JSON, and what it means; None where columns are named as the fields."""
    if mapping is None:
        return b"{}", None
    if isinstance(mapping, str):
        found = await stored.get(reader, workspace.id, mapping)
        if found is None:
            raise Invalid(faults=(Fault("Expected the name of a stored mapping.", parameter="mapping"),))
        mapping = found
    told = decoded(mapping)
    return msgspec.json.encode(told), mappings.read(told, entity, mappings.own_of(workspace, entity))


def decoded(mapping: bytes) -> Mapping[str, Any]:
    """A mapping's JSON. Raises Invalid."""
    try:
        return msgspec.json.decode(mapping, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid(faults=(Fault("Expected the mapping as a JSON object.", parameter="mapping"),)) from None
