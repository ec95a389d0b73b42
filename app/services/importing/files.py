"""A body on its way: spooled to a temporary file that goes with the process, never held in memory."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import BinaryIO

from app.domain.errors import TooLarge

BLOCK = 1 << 18
LIMIT = 16 << 30
"""Bytes of one file."""
BOM = b"\xef\xbb\xbf"

Progress = Callable[[str, float], None]
"""Told what is being done, and the share done, 0 to 1."""


async def spool(chunks: AsyncIterator[bytes], limit: int = LIMIT) -> tuple[BinaryIO, bytes]:
    """The body as a file without a name, and its SHA-256. Raises TooLarge."""
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it when the import is over
    digest, length, waiting = sha256(), 0, bytearray()
    try:
        async for chunk in chunks:
            length += len(chunk)
            if length > limit:
                raise TooLarge(f"A file may have {limit:,} bytes: send it in parts.")
            waiting += chunk
            if len(waiting) >= BLOCK:
                await asyncio.to_thread(_write, file, digest.update, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(_write, file, digest.update, bytes(waiting))
    except BaseException:
        file.close()
        raise
    return file, digest.digest()


def _write(file: BinaryIO, hashed: Callable[[bytes], None], block: bytes) -> None:
    file.write(block)
    hashed(block)


def start(file: BinaryIO) -> int:
    """Where the text begins: after a byte order mark."""
    file.seek(0)
    return len(BOM) if file.read(len(BOM)) == BOM else 0


def size(file: BinaryIO) -> int:
    """Bytes of the file."""
    return file.seek(0, 2)


async def blocks(
    file: BinaryIO, offset: int, progress: Progress, step: str, length: int = BLOCK
) -> AsyncIterator[bytes]:
    """The file from an offset on, read beside the event loop."""
    whole = max(1, size(file))
    while block := await asyncio.to_thread(_read, file, offset, length):
        yield block
        offset += len(block)
        progress(step, offset / whole)


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)
