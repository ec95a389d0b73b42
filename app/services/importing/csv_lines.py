"""CSV: its header, its bytes for COPY as they are, and, where COPY refuses them, row by row with what is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from app.domain.errors import Fault, Invalid
from app.services.importing.files import BLOCK, Progress, blocks, start

RECORD = 1 << 20
"""Bytes of one row."""
HEADER = 1 << 16
csv.field_size_limit(RECORD)


class EndMarkError(Exception):
    """A line that older servers take for the end of the data: the file must be read row by row."""


@dataclass(frozen=True, slots=True)
class Header:
    """The columns' names, where the rows begin, and how many lines stand above them."""

    columns: tuple[str, ...]
    offset: int
    lines: int


@dataclass(slots=True)
class Counted:
    """What was seen of a file as it went by: line feeds, and whether it ended with one."""

    feeds: int = 0
    ended: bool = True


def header(file: BinaryIO, delimiter: str) -> Header:
    """The first row. Raises Invalid with line 1 and the column's number."""
    began = start(file)
    file.seek(began)
    head = file.read(HEADER)
    lines = head.split(b"\n") if b"\n" in head else head.split(b"\r")
    ending = b"\n" if b"\n" in head else b"\r"
    taken = next((n for n in range(1, len(lines) + 1) if ending.join(lines[:n]).count(b'"') % 2 == 0), 0)
    raw = ending.join(lines[:taken])
    if not raw.strip():
        raise _wrong("The file is empty: expected a header, a row with the columns' names.")
    if taken == 0 or (taken == len(lines) and len(head) == HEADER):
        raise _wrong("Expected a header, a row with the columns' names, within the first 64 kB.")
    try:
        text = raw.decode().rstrip("\r")
    except UnicodeDecodeError as error:
        raise _wrong("Expected text in UTF-8.", error.start + 1) from None
    if "\0" in text:
        raise _wrong("Expected no NUL character in the header.")
    columns = tuple(next(csv.reader([text], delimiter=delimiter)))
    _sound(columns, text, delimiter)
    return Header(columns, began + len(raw) + len(ending), taken)


def _sound(columns: tuple[str, ...], text: str, delimiter: str) -> None:
    if len(columns) > 1_000:
        raise _wrong("Expected at most 1,000 columns.")
    if len(columns) == 1:
        other = next((d for d in (",", ";", "\t", "|") if d != delimiter and d in text), None)
        if other:
            raise _wrong("Expected columns separated by commas; a mapping may name another `delimiter`.")
    seen: set[str] = set()
    for number, name in enumerate(columns, 1):
        if name and name in seen:
            raise _wrong("Expected a name that no other column has.", number)
        seen.add(name)


def _wrong(message: str, column: int | None = None) -> Invalid:
    return Invalid(faults=(Fault(message, line=1, column=column),))


async def untouched(file: BinaryIO, head: Header, progress: Progress, counted: Counted) -> AsyncIterator[bytes]:
    """The rows as they are. Raises EndMarkError."""
    tail = b"\n"
    async for block in blocks(file, head.offset, progress, "reading", 4 * BLOCK):
        if b"\n\\." in tail + block:
            raise EndMarkError
        counted.feeds += block.count(b"\n")
        tail = block[-2:]
        yield block
    counted.ended = tail.endswith(b"\n")


async def carefully(
    file: BinaryIO, head: Header, delimiter: str, bad: Mapping[str, int], progress: Progress
) -> AsyncIterator[bytes]:
    """CSV of line, number of what is wrong, and the values, for every row; `bad` are the numbers by code."""
    whole = max(1, file.seek(0, 2))
    width = len(head.columns)
    out, waiting = io.StringIO(), 0
    writer = csv.writer(out)
    for line, row in _rows(file, head, delimiter):
        values = row if isinstance(row, list) else [""] * width
        writer.writerow((line, bad[row] if isinstance(row, str) else "", *values))
        waiting += 1
        if waiting >= 500 or out.tell() > BLOCK:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
            waiting = 0
            progress("reading row by row", file.tell() / whole)
    yield out.getvalue().encode()


def _rows(file: BinaryIO, head: Header, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each row with the line that it begins on: its values, or the code of what is wrong with it."""
    file.seek(head.offset)
    line, width = head.lines + 1, len(head.columns)
    while first := file.readline(RECORD + 1):
        after = file.tell()
        if len(first) > RECORD and not first.endswith(b"\n"):
            _skip(file)
            yield line, "too_long"
            line += 1
            continue
        if not first.strip():
            line += 1
            continue
        row, lines = _row(file, first, delimiter, width)
        if lines == 1:
            file.seek(after)
        yield line, "cut" if row in ("columns", "quote") and _is_cut(first, row, delimiter, width) else row
        line += lines


def _is_cut(line: bytes, row: list[str] | str, delimiter: str, width: int) -> bool:
    """Whether the file ends within this row: no line ends here, and values or a quotation mark are missing."""
    if line.endswith(b"\n"):
        return False
    return row == "quote" or len(next(csv.reader([line.decode()], delimiter=delimiter))) < width


def _row(file: BinaryIO, first: bytes, delimiter: str, width: int) -> tuple[list[str] | str, int]:
    """The row that begins with this line, over as many lines as its quotation marks hold together, or this line alone."""
    alone = _values(first, delimiter, width)
    if first.count(b'"') % 2 == 0 or isinstance(alone, list):
        return alone, 1
    raw, lines = first, 1
    while len(raw) <= RECORD and (more := file.readline(RECORD + 1)):
        raw, lines = raw + more, lines + 1
        if more.count(b'"') % 2 == 1:
            together = _values(raw, delimiter, width)
            return (together, lines) if isinstance(together, list) else (alone, 1)
    return "quote", 1


def _values(raw: bytes, delimiter: str, width: int) -> list[str] | str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return "encoding"
    if "\0" in text:
        return "nul"
    try:
        rows = list(csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return (
            "quote" if "unexpected end" in str(error) else "columns" if "expected after" in str(error) else "too_long"
        )
    return rows[0] if len(rows) == 1 and len(rows[0]) == width else "columns"


def _skip(file: BinaryIO) -> None:
    """To the end of a line of any length."""
    while (more := file.readline(RECORD)) and not more.endswith(b"\n"):
        pass
