"""A file into the database as text: COPY with its own bytes where they are sound, row by row where they are not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, BinaryIO

from app.domain import mappings
from app.domain.catalogue import Entity
from app.domain.errors import Invalid
from app.domain.imports import ROWS, FileKind
from app.domain.mappings import NO_OWN, FileMapping, Own
from app.persistence.sessions import Session
from app.persistence.staging import lines
from app.persistence.staging.rows import Staged, staging, unreadable
from app.services.importing import csv_lines, ndjson_lines
from app.services.importing.csv_lines import Counted, EndMarkError, Header
from app.services.importing.files import Progress
from app.services.importing.ndjson_lines import MoreMembersError


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that can be imported: what it holds, and, where it is CSV, its header."""

    file: BinaryIO
    kind: FileKind
    mapping: FileMapping
    header: Header | None


def opened(file: BinaryIO, kind: FileKind, entity: Entity, mapping: FileMapping | None, own: Own = NO_OWN) -> Opened:
    """Looks at the file's beginning. Raises Invalid where header and mapping do not fit."""
    if kind == "ndjson":
        meant = mapping or mappings.natural(entity, _members(entity, own, ndjson_lines.keys(file), every=False), own)
        if faults := ndjson_lines.faults_of(meant):
            raise Invalid(faults=faults)
        return Opened(file, kind, meant, None)
    head = csv_lines.header(file, mapping.delimiter if mapping else ",")
    if mapping is None:
        return Opened(file, kind, mappings.natural(entity, head.columns, own), head)
    if faults := mappings.faults_of(mapping, head.columns):
        raise Invalid(faults=faults)
    return Opened(file, kind, mapping, head)


def _members(entity: Entity, own: Own, seen: Sequence[str], *, every: bool) -> list[str]:
    """The members that lines have: those seen and what a row is known by, or every field's; a reference by id where the
    first line has it so."""
    named = [
        (f, f.column if f.column in seen and f.name not in seen else f.name)
        for f in (*mappings.importable(entity).values(), *own.values())
    ]
    return [name for f, name in named if every or name in seen or f.name in mappings.known_by(entity)]


def unmapped(file: Opened) -> tuple[str, ...]:
    """The columns, or the members of the first line, that the mapping does not name."""
    seen = file.header.columns if file.header is not None else ndjson_lines.keys(file.file)
    named = {source.column for source in file.mapping.fields.values()}
    return tuple(name for name in seen if name and name not in named) if file.mapping.named else ()


async def stage(session: Session, file: Opened, progress: Progress) -> tuple[FileMapping, Staged]:
    """The file as `import_lines`, and what of its mapping it turned out to hold."""
    if file.header is None:
        return await _ndjson(session, file, progress)
    head = file.header
    async with session.transaction() as tx:
        await tx.execute(staging(head.columns))
    names = [f"c{n}" for n in range(len(head.columns))]
    counted = Counted()
    staged = Staged("csv", head.columns, unreadable(file.mapping), head.lines)
    with suppress(Invalid, EndMarkError):
        untouched = csv_lines.untouched(file.file, head, progress, counted)
        rows = await _copy(session, untouched, names, {"delimiter": file.mapping.delimiter})

        return file.mapping, replace(staged, folded=rows != counted.feeds + (not counted.ended))
    careful = csv_lines.carefully(file.file, head, file.mapping.delimiter, numbers(file.mapping), progress)
    await _copy(session, careful, ["line", "bad", *names], {})
    return file.mapping, staged


async def _ndjson(session: Session, file: Opened, progress: Progress) -> tuple[FileMapping, Staged]:
    try:
        return await _members_staged(session, file.file, file.mapping, progress)
    except MoreMembersError:
        entity, own = file.mapping.entity, file.mapping.own
        every = mappings.natural(entity, _members(entity, own, ndjson_lines.keys(file.file), every=True), own)
        return await _members_staged(session, file.file, every, progress, last=True)


async def _members_staged(
    session: Session, file: BinaryIO, mapping: FileMapping, progress: Progress, *, last: bool = False
) -> tuple[FileMapping, Staged]:
    names = ndjson_lines.members(mapping)
    reader = ndjson_lines.Reader(mapping, numbers(mapping), every=last or mapping.named)
    async with session.transaction() as tx:
        await tx.execute(staging(names))
        columns = [*(f"c{n}" for n in range(len(names))), "bad"]
        await tx.copy_csv("import_lines", reader.copied(file, progress), columns, encoding="utf-8", **ndjson_lines.COPY)
        found = await lines.members(tx, len(names)) if reader.partial else [(True, False)] * len(names)
    here = {name for name, (given, _) in zip(names, found, strict=True) if given}
    partial = any(given and absent for given, absent in found)
    return _held(mapping, here), Staged("ndjson", names, unreadable(mapping), 0, partial=partial)


def _held(mapping: FileMapping, here: set[str]) -> FileMapping:
    """Without the members that no line has: those fields are left as they are. What a row is known by stays."""
    known_by = mappings.known_by(mapping.entity)
    if mapping.entity.name == "users" and any(n in known_by and s.column in here for n, s in mapping.fields.items()):
        known_by = ()  # either is enough
    kept = {
        name: source
        for name, source in mapping.fields.items()
        if source.column is None or source.column in here or name in known_by or not source.leaves
    }
    return replace(mapping, fields=MappingProxyType(kept))


async def _copy(session: Session, source: AsyncIterator[bytes], columns: Sequence[str], options: dict[str, Any]) -> int:
    """How many rows were copied."""
    async with session.transaction() as tx:
        tag = await tx.copy_csv("import_lines", source, columns, encoding="utf-8", **options)
    return int(tag.rpartition(" ")[2])


def numbers(mapping: FileMapping) -> dict[Any, int]:
    """The numbers of what a reader may find, by code, and by (code, column) for values of the wrong type."""
    found: dict[Any, int] = {}
    for number, problem in enumerate(unreadable(mapping), 1):
        found[problem.code if problem.code in ROWS else (problem.code, problem.column)] = number
    return found
