"""The records of one call to CSV for COPY: typed by the decoder all at once, or one by one as a single write reads them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from app.domain import mappings, records
from app.domain.catalogue import Entity, Field
from app.domain.errors import Fault, Invalid, escape
from app.domain.mappings import FileMapping
from app.domain.workspaces import Workspace
from app.persistence.staging.rows import Staged, unreadable
from app.persistence.staging.values import ABSENT
from app.services.importing import ndjson_lines
from app.services.importing.staging import numbers

BEFORE_FIRST = -1
"""Rows are counted from 0, as the records of an array."""
ABSENT_BYTES = ABSENT.encode()
CUSTOM = "custom"
RAWS = msgspec.json.Decoder(list[msgspec.Raw])
OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Sent:
    """The records of a call: `raw` is a JSON array of `count`, `read` gives the same as values, each member once and
    every number exact. `read` raises Unreadable where they are no JSON that can be taken."""

    raw: bytes
    count: int
    read: Callable[[], Sequence[object]]


@dataclass(frozen=True, slots=True)
class Read:
    """Records as they are staged: CSV of the mapping's members and the number of what is wrong, a row for each.

    `days` are the texts of the days that usage is of; `faults` of records that cannot be read, by index.
    """

    mapping: FileMapping
    csv: bytes
    partial: bool
    days: frozenset[str] = frozenset()
    faults: Mapping[int, tuple[Fault, ...]] = field(default_factory=dict)

    @property
    def staged(self) -> Staged:
        """How they lie in `import_lines`."""
        names = ndjson_lines.members(self.mapping)
        return Staged("json", names, unreadable(self.mapping), BEFORE_FIRST, partial=self.partial)


def sent(raw: bytes, read: Callable[[], Sequence[object]]) -> Sent:
    """The records of a JSON array; one by one they are looked at later. Raises Unreadable, by `read`, for no array."""
    try:
        count = len(RAWS.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        count = len(read())
    return Sent(raw, count, read)


def read(entity: Entity, told: Sent, workspace: Workspace, now: datetime) -> Read:
    """The records, staged: together where all are sound and plain, else one by one. Raises Unreadable."""
    found = _together(entity, told)
    return found if found is not None else _one_by_one(entity, told.read(), workspace, now)


def faults(entity: Entity, index: int, record: object, workspace: Workspace, now: datetime) -> tuple[Fault, ...]:
    """What a single write would find in reading the record, with pointers among all records; nothing where it is sound."""
    if isinstance(record, Mapping) and "account" in entity.fields:  # an amount that is empty follows
        follows = [f.name for f in entity.fields.values() if f.fallback and record.get(f.name, 0) is None]
        record = {name: value for name, value in record.items() if name not in follows}
    digits, own = workspace.minor_digits, workspace.attributes
    try:
        found = records.look(entity, record, minor_digits=digits, attributes=own, partial=True, now=now).faults
    except Invalid as error:
        found = error.faults
    return tuple(replace(fault, pointer=f"/records/{index}{fault.pointer or ''}") for fault in found)


def _together(entity: Entity, told: Sent) -> Read | None:
    """All records by one decoder; None where anything is not plain: a member twice, an escaped NUL, a long number, a
    member that is no column, a reference told by id here and by name there."""
    members = _plain_members(told.raw)
    if members is None:
        return None
    mapping = _mapping(entity, _seen(told.raw))
    found = _decoded(mapping, told.raw) if mapping is not None else None
    if found is None:
        mapping = _mapping(entity, _every(told.raw))
        found = _decoded(mapping, told.raw) if mapping is not None else None
    if found is None or mapping is None:
        return None
    csv, rows = found
    names = ndjson_lines.members(mapping)
    absent = csv.count(ABSENT_BYTES)
    if members != len(rows) * len(names) - absent:
        return None
    of = names.index("day") if entity.key == "none" else None
    return Read(mapping, csv, absent > 0, frozenset(str(row[of]) for row in rows) if of is not None else frozenset())


def _plain_members(raw: bytes) -> int | None:
    """How many members all objects have, where that can be told without reading them."""
    alike = raw.translate(ndjson_lines.ALIKE)
    # A quotation mark and a colon may also stand within a text: then there seem to be more, and never fewer.
    if b" :" in alike or b"\\u0000" in raw or ndjson_lines.inexact(alike):
        return None
    return raw.count(b'":')


def _decoded(mapping: FileMapping, raw: bytes) -> tuple[bytes, list[tuple[Any, ...]]] | None:
    return ndjson_lines.Reader(mapping, numbers(mapping), every=True).array(raw)


def _seen(raw: bytes) -> frozenset[str]:
    """The members of the first record."""
    try:
        return frozenset(OBJECT.decode(RAWS.decode(raw)[0]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return frozenset()


def _every(raw: bytes) -> frozenset[str]:
    """The members of all records."""
    try:
        return frozenset(name for one in RAWS.decode(raw) for name in OBJECT.decode(one))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return frozenset()


def _fields(entity: Entity) -> dict[str, Field]:
    return {name: f for name, f in mappings.importable(entity).items() if name in entity.fields}


def _mapping(entity: Entity, seen: frozenset[str]) -> FileMapping | None:
    """The columns of these members, and what a record is known by; None where that is not one column a field."""
    fields = _fields(entity).values()
    names = [name for f in fields for name in dict.fromkeys((f.name, f.column)) if name in seen]
    if len(names) < len(seen) or len({f.name for f in fields if {f.name, f.column} & seen}) < len(names):
        return None
    return mappings.natural(
        entity, [*names, *_unnamed(entity, {f.name for f in fields if {f.name, f.column} & seen})], anyhow=True
    )


def _unnamed(entity: Entity, names: Container[str]) -> list[str]:
    """What a record is known by, where no record says it: that is what is then wrong with each. Of users either is enough."""
    lacking = [name for name in mappings.known_by(entity) if name not in names]
    return [] if entity.name == "users" and len(lacking) < len(mappings.known_by(entity)) else lacking


def _one_by_one(entity: Entity, told: Sequence[object], workspace: Workspace, now: datetime) -> Read:
    """Each record by the reader of single writes. A reference told by its id is as good as one told by name."""
    fields, own = _fields(entity), mappings.own_of(workspace, entity)
    by_member = {member: f.name for f in fields.values() for member in (f.name, f.column)}
    wrong = {n: found for n, one in enumerate(told) if (found := faults(entity, n, one, workspace, now))}
    rows = [_by_field(one, by_member, wrong.get(n, ())) for n, one in enumerate(told)]
    names = [name for name in (*fields, *own) if any(name in row for row in rows)]
    mapping = mappings.natural(entity, [*names, *_unnamed(entity, names)], own, anyhow=True)
    names = list(ndjson_lines.members(mapping))
    bad = numbers(mapping)["json"]
    staged = [
        (*(_text(row.get(name, ABSENT)) for name in names), bad if n in wrong else None) for n, row in enumerate(rows)
    ]
    days = frozenset(str(row["day"]) for row in rows if "day" in row) if entity.key == "none" else frozenset()
    return Read(mapping, ndjson_lines.rows_as_csv(staged), any(ABSENT in row for row in staged), days, wrong)


def _by_field(record: object, by_member: Mapping[str, str], wrong: Sequence[Fault]) -> dict[str, object]:
    """What a record says that is sound, by field; own attributes apart."""
    if not isinstance(record, Mapping):
        return {}
    astray = {member for fault in wrong for member in _members(fault)}
    said = {
        by_member[name]: value for name, value in record.items() if name in by_member and escape(name) not in astray
    }
    own = record.get(CUSTOM, {}) if CUSTOM not in astray else {}
    return said | {f"{CUSTOM}.{slug}": value for slug, value in own.items() if f"{CUSTOM}/{escape(slug)}" not in astray}


def _members(fault: Fault) -> tuple[str, ...]:
    """The member that a fault of a record points to, and the whole of what is below it, as pointers spell them."""
    _, _, _, *path = (fault.pointer or "").split("/")
    return tuple("/".join(path[: n + 1]) for n in range(len(path)) if path[0] != CUSTOM or len(path) == n + 1)


def _text(value: object) -> object:
    """A value as its column has it: numbers as they were written."""
    if isinstance(value, list | tuple):
        return msgspec.json.encode(value).decode()
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


def pointed(
    entity: Entity, record: object, problems: Iterable[tuple[int, str | None, str]], known: Sequence[Fault] = ()
) -> list[Fault]:
    """Faults of (index of the record, member, message), but of members of which faults are known already; they point to
    the members that the record has."""
    names = {member: f.name for f in entity.fields.values() for member in (f.name, f.column)}
    if any(not _members(fault) for fault in known):  # the record as a whole
        return []
    astray = {names.get(member, member) for fault in known for member in _members(fault)}
    said = {names[member]: member for member in record if member in names} if isinstance(record, Mapping) else {}
    found = []
    for n, member, message in problems:
        path = member.replace(f"{CUSTOM}.", f"{CUSTOM}/") if member else ""
        name = names.get(path, path)
        if (name in astray) if member else known:
            continue
        found.append(Fault(message, pointer=f"/records/{n}" + (f"/{said.get(name, path)}" if path else "")))
    return found
