"""Files to import, and the import of one into an organisation."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.services import imports
from app.services.importing.files import BOM
from tests.services.organisations import NOW, Organisation

_numbers = itertools.count(1)


def csv(*rows: Sequence[object]) -> bytes:
    """Rows joined as they are: values that need quotes have them."""
    return "".join(",".join("" if value is None else str(value) for value in row) + "\n" for row in rows).encode()


def ndjson(*rows: Mapping[str, object]) -> bytes:
    """A line each."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


async def bring(
    org: Organisation, tmp_path: Path, kind: str, body: bytes, mapping: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """Imports a body, NDJSON where it begins with a brace; the resource as JSON has it."""
    suffix = "ndjson" if body.removeprefix(BOM).startswith(b"{") else "csv"
    path = tmp_path / f"{next(_numbers)}.{suffix}"
    path.write_bytes(body)
    told = msgspec.json.encode(mapping) if mapping is not None else None
    result = await imports.run_import(org.db, org.workspace.slug, kind, path, told, NOW, _silent)
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(result))
    assert shown["rows"] == shown["created"] + shown["updated"] + shown["unchanged"] + shown["rejected"], shown
    return shown


def counted(shown: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, rejected."""
    return shown["created"], shown["updated"], shown["unchanged"], shown["rejected"]


def wrong(shown: Mapping[str, Any]) -> list[tuple[int, str | None, str]]:
    """Line, column and code of each rejection."""
    return [(one["line"], one["column"], one["code"]) for one in shown["errors"]]


def warnings(shown: Mapping[str, Any]) -> list[tuple[str, int, list[int]]]:
    """Code, count and first lines of each kind of warning."""
    return [(one["code"], one["count"], one["lines"]) for one in shown["summary"] if one["is_warning"]]


def _silent(_step: str, _part: float) -> None:
    pass
