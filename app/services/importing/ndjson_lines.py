"""NDJSON to CSV for COPY: typed and encoded by the decoder itself, batch by batch; a bad line is named, others go on."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, BinaryIO, Literal

import msgspec
from msgspec.structs import astuple

from app.domain.catalogue import Field
from app.domain.errors import Fault
from app.domain.mappings import FileMapping
from app.domain.numbers import TooWideError, exact
from app.domain.sources import Source
from app.persistence.staging.values import ABSENT
from app.services.importing.files import Progress, blocks, start

LINE = 1 << 20
"""Bytes of one line."""
BLANK = 0
"""In place of what is wrong: the line is empty, and no row."""
COPY = {"quote": '"', "escape": "\\", "null": "null"}
"""How COPY reads what is made here: JSON's own texts, where they escape nothing but quotes and backslashes."""
UNREADABLE = re.compile(r'["\\\x00-\x1f]')
ABSENT_BYTES = ABSENT.encode()
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# Runs of digits and kinds of white space made alike, to be looked for at the speed of memory.
ALIKE = bytes(ord("0") if chr(c) in "0123456789." else ord(" ") if chr(c) in "\t\n\r -" else c for c in range(256))
LONG = b"0" * 16
"""As many digits a double does not hold for sure."""
EXPONENT = re.compile(rb"[: ]0+[eE]")
ENCODER = msgspec.json.Encoder()
Told = Literal["text", "number", "bool", "other"]


def keys(file: BinaryIO) -> tuple[str, ...]:
    """The members of the first line that is an object; none where that cannot be read."""
    file.seek(start(file))
    for _ in range(100):
        try:
            first = json.loads(file.readline(LINE))
        except ValueError:
            continue
        return tuple(first) if isinstance(first, dict) else ()
    return ()


def faults_of(mapping: FileMapping) -> tuple[Fault, ...]:
    """The members that the mapping names and that no decoder here can look for."""
    return tuple(
        Fault(
            f"Expected a member's name without quotes, backslashes and control characters for {name}.",
            pointer=f"/columns/{name}",
        )
        for name, source in mapping.fields.items()
        if source.column is not None and UNREADABLE.search(source.column)
    )


def members(mapping: FileMapping) -> tuple[str, ...]:
    """The members that are read, in the order of the staged columns."""
    return tuple(dict.fromkeys(s.column for s in mapping.fields.values() if s.column is not None))


class MoreMembersError(Exception):
    """A line has a member that the first lines had not."""


class Reader:
    """Reads the lines of one mapping, unless it has not `every` member that lines may have: then MoreMembersError. `partial`: some line left a member out; `bad` are the numbers of what can be wrong, by code and by (code, member)."""

    def __init__(self, mapping: FileMapping, bad: Mapping[str | tuple[str, str], int], *, every: bool):
        self.every, self.strict = every, not mapping.named
        self.partial = False
        self.names = members(mapping)
        self.bad = bad
        commas = {source.column for source in mapping.fields.values() if source.decimal == ","}
        self._commas = tuple(n for n, name in enumerate(self.names) if name in commas)
        self._takes = _takes(mapping)
        row = _row(mapping, self.names)
        self._many: msgspec.json.Decoder[list[msgspec.Struct]] = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]  # made for this mapping
        self._one: msgspec.json.Decoder[msgspec.Struct] = msgspec.json.Decoder(row)

    async def copied(self, file: BinaryIO, progress: Progress) -> AsyncIterator[bytes]:
        """CSV of the members and the number of what is wrong, a row for each line."""
        rest, oversized = b"", False
        async for block in blocks(file, start(file), progress, "reading"):
            head, feed, rest = (rest + block).rpartition(b"\n")
            if oversized and feed:
                _, more, head = head.partition(b"\n")
                feed, oversized = more, False
            if feed:
                yield self.batch(head)
            if len(rest) > LINE:
                if not oversized:
                    yield self._wrong(self.bad["too_long"])
                rest, oversized = b"", True
        if rest and not oversized:
            last = self.batch(rest)
            is_cut = (
                last == self._wrong(self.bad["json"])
                and rest.lstrip().startswith(b"{")
                and not rest.rstrip().endswith(b"}")
            )
            yield self._wrong(self.bad["cut"]) if is_cut else last

    def batch(self, lines: bytes) -> bytes:
        """A row for each line, in order: together where all of them are sound."""
        if inexact(lines.translate(ALIKE)):
            return b"".join(map(self._single, lines.split(b"\n")))
        try:
            # A raw line feed is allowed between values and never within them: no two lines can make up one object.
            rows = self._many.decode(b"[" + lines.replace(b"\n", b"\n,\n") + b"]")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            rows = []
        if len(rows) != lines.count(b"\n") + 1:
            return b"".join(map(self._single, lines.split(b"\n")))
        return self._csv(list(map(astuple, rows)))

    def array(self, records: bytes) -> tuple[bytes, list[tuple[Any, ...]]] | None:
        """A row for each record of a JSON array, and the rows; None where any of them does not fit as it is."""
        try:
            rows = list(map(astuple, self._many.decode(records)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return self._csv(rows), rows

    def _single(self, line: bytes) -> bytes:
        if not line.strip():
            return self._wrong(BLANK)
        if len(line) > LINE:
            return self._wrong(self.bad["too_long"])
        try:
            row = None if inexact(line.translate(ALIKE)) else self._one.decode(line)
        except msgspec.ValidationError:
            row = None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._wrong(self._why(line))
        return self._exactly(line) if row is None else self._csv([astuple(row)])

    def _exactly(self, line: bytes) -> bytes:
        """The row of a line whose numbers a double may not hold, or which is not what it should be."""
        try:
            told = EXACT.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._wrong(self._why(line))
        if not isinstance(told, dict):
            return self._wrong(self.bad["json"])
        if not told.keys() <= self._takes.keys() and self.strict:
            if not self.every:
                raise MoreMembersError
            return self._wrong(self.bad["unknown_member"])
        row = [told.get(name, ABSENT) for name in self.names]
        for name, value in zip(self.names, row, strict=True):
            if name in told and value is not None and _kind(value) not in self._takes[name]:
                return self._wrong(self.bad["type", name])
        return self._csv([(*map(_as_written, self._with_commas(row)), None)])

    def _csv(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        if self._commas:
            rows = [self._with_commas(row) for row in rows]
        plain = _joined(rows)
        self.partial = self.partial or ABSENT_BYTES in plain
        if _copyable(plain):
            return plain
        if len(rows) > 1:
            return b"".join(self._csv([row]) for row in rows)
        row = rows[0]
        if any(isinstance(value, str) and "\0" in value for value in row):
            return self._wrong(self.bad["nul"])
        return _spelled(row)

    def _with_commas(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row whose numbers are written as its texts write them: a number of JSON is what it is."""
        told = list(row)
        for n in self._commas:
            if _kind(told[n]) == "number" or isinstance(told[n], float):
                told[n] = str(told[n]).replace(".", ",")
        return tuple(told)

    def _wrong(self, problem: int) -> bytes:
        return _joined([(*[None] * len(self.names), problem)])

    def _why(self, line: bytes) -> int:
        """The number of what is wrong with a line that cannot be decoded."""
        try:
            line.decode()
        except UnicodeDecodeError:
            return self.bad["encoding"]
        return self.bad["surrogate" if SURROGATE.search(line) else "json"]


class _Wide(str):
    """A number that is too wide, as it was written: its column says so."""


def _number(text: str) -> Decimal | int | _Wide:
    try:
        return exact(text)
    except TooWideError:
        return _Wide(text)


EXACT = msgspec.json.Decoder(float_hook=_number)


def _kind(value: object) -> Told:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | Decimal | _Wide):
        return "number"
    return "text" if isinstance(value, str) else "other"


def _as_written(value: object) -> object:
    return str(value) if _kind(value) == "number" else value


def inexact(alike: bytes) -> bool:
    """Whether some number may be one that a double does not hold, or have an exponent; of text that is made ALIKE."""
    if b":" + LONG in alike or b" " + LONG in alike:
        return True
    return (b"0e" in alike or b"0E" in alike) and EXPONENT.search(alike) is not None


def _joined(rows: Sequence[tuple[Any, ...]]) -> bytes:
    """Rows as JSON arrays without their brackets: a line feed stands between them and nowhere else."""
    return ENCODER.encode_lines(rows).replace(b"]\n[", b"\n")[1:-2] + b"\n"


def rows_as_csv(rows: Sequence[tuple[Any, ...]]) -> bytes:
    """Rows without NUL as COPY reads them here."""
    plain = _joined(rows)
    return plain if _copyable(plain) else b"".join(map(_spelled, rows))


def _copyable(plain: bytes) -> bool:
    """Whether JSON's texts escape nothing but quotes and backslashes."""
    return b"\\" not in plain or b"\\" not in plain.replace(b"\\\\", b"").replace(b'\\"', b"")


def _spelled(row: Sequence[object]) -> bytes:
    return f"{','.join(map(_quoted, row))}\n".encode()


def _quoted(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return repr(value)


def _row(mapping: FileMapping, names: Sequence[str]) -> Any:
    """A type that decodes the members that are read, in their order."""
    fields = mapping.known
    types: dict[str, Any] = {}
    for name, source in mapping.fields.items():
        if source.column is not None:
            types[source.column] = (
                types[source.column] | _type(fields[name], source)
                if source.column in types
                else _type(fields[name], source)
            )
    body = [*((f"c{n}", types[name] | None, ABSENT) for n, name in enumerate(names)), ("bad", None, None)]
    return msgspec.defstruct(
        "Row", body, gc=False, forbid_unknown_fields=not mapping.named, rename={"bad": f"{ABSENT}bad", **{f"c{n}": name for n, name in enumerate(names)}}
    )  # fmt: skip


def _takes(mapping: FileMapping) -> Mapping[str, frozenset[Told]]:
    """What may be told under each member that is read."""
    fields, takes = mapping.known, dict[str, frozenset[Told]]()
    for name, source in mapping.fields.items():
        if source.column is not None:
            takes[source.column] = takes.get(source.column, frozenset()) | _tells(fields[name], source)
    return takes


def _tells(field: Field, source: Source) -> frozenset[Told]:
    if source.rewritten:
        return frozenset(("text", "number", "bool"))
    match field.kind:
        case "number" | "money" | "integer":
            return frozenset(("number", "text") if source.decimal else ("number",))
        case "bool":
            return frozenset(("bool",))
        case _:
            return frozenset(("text",))


def _type(field: Field, source: Source) -> Any:
    if source.rewritten:
        return str | int | float | bool
    if source.decimal:
        return str | int | float
    match field.kind:
        case "number" | "money":
            return int | float
        case "integer":
            return int
        case "bool":
            return bool
        case _:
            return str
