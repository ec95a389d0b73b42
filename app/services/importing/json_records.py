"""The records of one call to CSV for COPY: typed by the decoder all at once, or one by one as a single write reads them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import msgspec

from app.domain import mappings, records
from app.domain.catalogue import Entity, Field
from app.domain.errors import Fault, Invalid
from app.domain.mappings import FileMapping
from app.domain.workspaces import Workspace
from app.persistence.staging.rows import Staged, unreadable
from app.persistence.staging.values import ABSENT
from app.services.importing import ndjson_lines
from app.services.importing.staging import numbers

BEFORE_FIRST = -1
"""Rows are counted from 0, as the records of an array."""
# Runs of digits and kinds of white space made alike, to be looked for at the speed of memory.
ALIKE = bytes(ord("0") if chr(c) in "0123456789." else ord(" ") if chr(c) in "\t\n\r -" else c for c in range(256))
LONG = b"0" * 16
"""As many digits a double does not hold for sure: such numbers are read one by one, exactly."""
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


def read(entity: Entity, told: Sent, workspace: Workspace) -> Read:
    """The records, staged: together where all are sound and plain, else one by one. Raises Unreadable."""
    found = _together(entity, told)
    return found if found is not None else _one_by_one(entity, told.read(), workspace)


def faults(entity: Entity, index: int, record: object, workspace: Workspace) -> tuple[Fault, ...]:
    """What a single write would find in reading the record, with pointers among all records; nothing where it is sound."""
    if isinstance(record, Mapping) and "account" in entity.fields:  # an amount that is empty follows
        follows = [f.name for f in entity.fields.values() if f.fallback and record.get(f.name, 0) in (None, "")]
        record = {name: value for name, value in record.items() if name not in follows}
    try:
        records.read(entity, record, minor_digits=workspace.minor_digits, attributes=workspace.attributes, partial=True)
    except Invalid as error:
        return tuple(replace(fault, pointer=f"/records/{index}{fault.pointer or ''}") for fault in error.faults)
    return ()


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
    alike = raw.translate(ALIKE)
    # A quotation mark and a colon may also stand within a text: then there seem to be more, and never fewer.
    if b" :" in alike or b":" + LONG in alike or b" " + LONG in alike or b"\\u0000" in raw:
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


def _one_by_one(entity: Entity, told: Sequence[object], workspace: Workspace) -> Read:
    """Each record by the reader of single writes. A reference told by its id is as good as one told by name."""
    fields, own = _fields(entity), mappings.own_of(workspace, entity)
    by_member = {member: f.name for f in fields.values() for member in (f.name, f.column)}
    wrong = {n: found for n, one in enumerate(told) if (found := faults(entity, n, one, workspace))}
    rows = [_by_field(one, by_member) if n not in wrong else {} for n, one in enumerate(told)]
    for n in (n for n, row in enumerate(rows) if ABSENT in row.values()):
        rows[n], wrong[n] = {}, (Fault("Expected text without the noncharacter U+FDD0.", pointer=f"/records/{n}"),)
    names = [name for name in (*fields, *own) if any(name in row for row in rows)]
    mapping = mappings.natural(entity, [*names, *_unnamed(entity, names)], own, anyhow=True)
    names = list(ndjson_lines.members(mapping))
    bad = numbers(mapping)["json"]
    staged = [
        (*(_text(row.get(name, ABSENT)) for name in names), bad if n in wrong else None) for n, row in enumerate(rows)
    ]
    days = frozenset(str(row["day"]) for row in rows if "day" in row) if entity.key == "none" else frozenset()
    return Read(mapping, ndjson_lines.rows_as_csv(staged), any(ABSENT in row for row in staged), days, wrong)


def _by_field(record: object, by_member: Mapping[str, str]) -> dict[str, object]:
    """What a record says, by field; own attributes apart."""
    assert isinstance(record, Mapping)  # it was read
    said: dict[str, object] = {by_member[name]: value for name, value in record.items() if name in by_member}
    return said | {f"{CUSTOM}.{slug}": value for slug, value in record.get(CUSTOM, {}).items()}


def _text(value: object) -> object:
    """A value as its column has it: numbers as they were written."""
    if isinstance(value, list | tuple):
        return msgspec.json.encode(value).decode()
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


def pointed(problems: Iterable[tuple[int, str | None, str]]) -> list[Fault]:
    """Faults of (index of the record, member, message)."""
    return [
        Fault(message, pointer=f"/records/{n}" + (f"/{member.replace('custom.', 'custom/')}" if member else ""))
        for n, member, message in problems
    ]
