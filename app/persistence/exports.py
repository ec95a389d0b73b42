"""Exports as they leave the database: PostgreSQL writes the lines and cells, and Arrow's columns are made from its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.domain.exports import Form
from app.domain.workspaces import Workspace
from app.persistence.arrow import Columns
from app.persistence.compile.exports import Export
from app.persistence.database import Copying, Database, Sink

BOM = b"\xef\xbb\xbf"
LINES: dict[str, Any] = {"format": "csv", "quote": "\x01", "delimiter": "\x02"}
"""COPY of one column as it is: a JSON text holds no control characters, so that nothing is ever quoted."""
CELLS: dict[str, Any] = {"format": "csv"}


PIECE = 1 << 17
"""Bytes that are gathered before they are sent on: the server gives them in pieces of some thousands."""


async def write(
    db: Database,
    workspace: Workspace,
    form: Form,
    compiled: Callable[[bool], Export],
    output: Sink,
    *,
    bom: bool = False,
) -> None:
    """Every row of an export, from one snapshot, to where `output` takes it; CSV begins with its header line.

    `compiled` gives the statement, with usage windows or without. Raises Crowded, Busy, Unavailable, and what
    `output` raises.
    """
    async with db.copying(workspace.id) as copying:
        export = await _fresh(copying, compiled)
        if form == "arrow":
            await _columns(copying, export, workspace.minor_digits, output)
        elif form == "csv":
            header = ",".join(one.name for one in export.values).encode() + b"\n"
            await _gathered(copying, export, CELLS, BOM + header if bom else header, output)
        else:
            await _gathered(copying, export, LINES, b"", output)


async def _fresh(copying: Copying, compiled: Callable[[bool], Export]) -> Export:
    """Usage windows that are right for another day are not read."""
    export = compiled(True)
    if export.asks is None or await copying.fetchval(export.asks[0], *export.asks[1]):
        return export
    return compiled(False)


async def _gathered(copying: Copying, export: Export, form: dict[str, Any], head: bytes, output: Sink) -> None:
    pieces, size = [head], len(head)

    async def take(piece: bytes) -> None:
        nonlocal pieces, size
        pieces.append(piece)
        size += len(piece)
        if size >= PIECE:
            gathered, pieces, size = b"".join(pieces), [], 0
            await output(gathered)

    await copying.copy(export.text, *export.args, output=take, **form)
    if size:
        await output(b"".join(pieces))


async def _columns(copying: Copying, export: Export, minor_digits: int, output: Sink) -> None:
    columns = Columns(export.values, minor_digits)

    async def take(piece: bytes) -> None:
        if made := columns.take(piece):
            await output(made)

    marked = f"SELECT ${len(export.args) + 1}::int8, r.* FROM ({export.text}) r"
    await copying.copy(marked, *export.args, columns.mark, output=take, format="binary")
    await output(columns.end())
