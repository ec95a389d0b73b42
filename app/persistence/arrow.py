"""Rows as COPY sends them in binary, turned into an Arrow stream: by columns, many rows at a time, none by itself."""

from __future__ import annotations

import re
import secrets
import struct
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, TypeAlias, assert_never

import nanoarrow
import numpy as np
from nanoarrow.ipc import StreamWriter
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app.domain.catalogue import Kind
from app.persistence.compile.exports import Value

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.int64]

BATCH = 1 << 20
"""Bytes of rows that become one record batch."""
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
HEAD = struct.Struct(">hiq")
"""How a row begins: how many values it has, the mark's size and the mark."""
WIDEST = 16
EPOCH_DAYS = 10_957
EPOCH_MICROSECONDS = EPOCH_DAYS * 86_400_000_000
"""PostgreSQL counts from the year 2000, Arrow from 1970."""
MONEY_DIGITS = 19
"""What a whole number of 64 bits may have."""
ARRAY_HEAD, ARRAY_COUNT = 20, 12
"""Bytes before the first element of an array, and before how many there are."""
HEX = np.array([list(b"%02x" % n) for n in range(256)], np.uint8)
HEX_PLACES = np.array([n for n in range(36) if n not in (8, 13, 18, 23)])


class BrokenRowsError(Exception):
    """Rows do not lie where their lengths say."""


class Columns:
    """Takes pieces of whole rows and gives pieces of an Arrow stream.

    Rows have no length in them: each begins with `mark`, a number that nobody knows before, and is found by it.
    """

    def __init__(self, values: Sequence[Value], minor_digits: int):
        self.mark = secrets.randbits(63)
        self._kinds = [value.kind for value in values]
        types = [_type(kind, minor_digits) for kind in self._kinds]
        self._types = types
        self._schema = nanoarrow.struct(dict(zip([value.name for value in values], types, strict=True)))
        self._head = re.compile(re.escape(HEAD.pack(len(types) + 1, 8, self.mark)))
        self._pieces: list[bytes] = []
        self._size = 0
        self._out = BytesIO()
        self._writer: Any = StreamWriter.from_writable(self._out)
        self._begun = False

    def take(self, piece: bytes) -> bytes:
        """What is ready to be sent, often nothing yet."""
        if not self._begun:
            piece, self._begun = piece.removeprefix(HEADER), True
        self._pieces.append(piece)
        self._size += len(piece)
        return self._batch() if self._size >= BATCH else b""

    def end(self) -> bytes:
        """The rest, and the mark of the stream's end; without any row the schema alone comes before it."""
        made = self._batch()
        self._writer.close()
        return made + self._out.getvalue()

    def _batch(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        ends = np.fromiter((found.end() for found in self._head.finditer(data)), np.int64)
        rows = _Rows(np.frombuffer(data + bytes(WIDEST), np.uint8), ends)
        columns = [rows.column(kind, of) for kind, of in zip(self._kinds, self._types, strict=True)]
        last = int(rows.at[-1]) if len(ends) else 0
        if data[last:] not in (b"", TRAILER) or not np.array_equal(rows.at[:-1], ends[1:] - HEAD.size):
            raise BrokenRowsError
        self._writer.write_array(nanoarrow.c_array_from_buffers(self._schema, len(ends), [None], 0, children=columns))
        made = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return made


class _Rows:
    """Rows of one batch while their values are read one column after the other; `at` is where each goes on."""

    def __init__(self, data: Bytes, at: Places):
        self.data = data
        self.at = at

    def column(self, kind: Kind, of: Any) -> Any:
        """The next value of every row as an array of Arrow."""
        sizes = self.fixed(self.at, ">i4").astype(np.int64)
        places, known = self.at + 4, sizes >= 0
        sizes[~known] = 0
        self.at = places + sizes
        buffers, children = self._buffers(kind, places, sizes, known)
        empty = len(known) - int(np.count_nonzero(known))
        validity = np.packbits(known, bitorder="little") if empty else None
        return nanoarrow.c_array_from_buffers(of, len(known), [validity, *buffers], empty, children=children)

    def _buffers(
        self, kind: Kind, places: Places, sizes: Places, known: NDArray[np.bool_]
    ) -> tuple[list[Any], list[Any]]:
        match kind:
            case "text" | "enum" | "slug" | "json":
                return list(self._texts(places, sizes)), []
            case "id" | "ref":
                return list(self._identities(places, known)), []
            case "tags":
                return self._lists(places, sizes)
            case "bool":
                return [np.packbits(self.fixed(places, "u1") * known, bitorder="little")], []
            case "date":
                return [((self.fixed(places, ">i4") + EPOCH_DAYS) * known).astype("<i4")], []
            case "instant":
                return [((self.fixed(places, ">i8") + EPOCH_MICROSECONDS) * known).astype("<i8")], []
            case "integer":
                return [(self.fixed(places, ">i8") * known).astype("<i8")], []
            case "money":
                amounts = (self.fixed(places, ">i8") * known).astype("<i8")
                return [np.column_stack([amounts, amounts >> 63])], []
            case "number":
                return [np.where(known, self.fixed(places, ">f8"), 0).astype("<f8")], []
            case _:
                assert_never(kind)

    def fixed(self, places: Places, form: str) -> NDArray[Any]:
        """A value of fixed width at each place; behind the last row there is room for one."""
        width = np.dtype(form).itemsize
        found: NDArray[Any] = sliding_window_view(self.data, width)[places].view(form)[:, 0]
        return found

    def _texts(self, places: Places, sizes: Places) -> Iterator[NDArray[Any]]:
        offsets = _offsets(sizes)
        yield offsets.astype("<i4")
        yield self.data[np.repeat(places - offsets[:-1], sizes) + np.arange(offsets[-1])]

    def _identities(self, places: Places, known: NDArray[np.bool_]) -> Iterator[NDArray[Any]]:
        raw = sliding_window_view(self.data, 16)[places[known]]
        texts = np.full((len(raw), 36), ord("-"), np.uint8)
        texts[:, HEX_PLACES] = HEX[raw].reshape(len(raw), 32)
        yield _offsets(known * np.int64(36)).astype("<i4")
        yield texts

    def _lists(self, places: Places, sizes: Places) -> tuple[list[Any], list[Any]]:
        filled = sizes > ARRAY_HEAD
        counts = np.where(filled, self.fixed(np.where(filled, places + ARRAY_COUNT, 0), ">i4"), 0).astype(np.int64)
        at, found = places + ARRAY_HEAD, [np.empty((3, 0), np.int64)]
        for n in range(int(counts.max(initial=0))):
            rows = np.flatnonzero(counts > n)
            lengths = self.fixed(at[rows], ">i4").astype(np.int64)
            found.append(np.stack([rows, at[rows] + 4, lengths]))
            at[rows] += 4 + lengths
        rows, starts, lengths = np.concatenate(found, axis=1)
        order = np.argsort(rows, kind="stable")
        texts = [None, *self._texts(starts[order], lengths[order])]
        child = nanoarrow.c_array_from_buffers(nanoarrow.string(), len(order), texts, 0)
        return [_offsets(counts).astype("<i4")], [child]


def _offsets(sizes: Places) -> Places:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])


def _type(kind: Kind, minor_digits: int) -> Any:
    match kind:
        case "text" | "enum" | "slug" | "json" | "id" | "ref":
            return nanoarrow.string()
        case "tags":
            return nanoarrow.list_(nanoarrow.string())
        case "bool":
            return nanoarrow.bool_()
        case "date":
            return nanoarrow.date32()
        case "instant":
            return nanoarrow.timestamp("us", "UTC")
        case "integer":
            return nanoarrow.int64()
        case "money":
            return nanoarrow.decimal128(MONEY_DIGITS, minor_digits)
        case "number":
            return nanoarrow.float64()
        case _:
            assert_never(kind)
