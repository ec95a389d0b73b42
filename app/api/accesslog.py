"""The access log: one JSON object per answered request."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

_ENCODER = msgspec.json.Encoder()


@dataclass(slots=True)
class Answered:
    """An answered request: its route's template (never the address), what it took, and whose it was."""

    at: datetime
    method: str
    route: str
    status: int
    seconds: float
    request_id: str
    workspace_id: UUID | None


def write(requests: Iterable[Answered]) -> None:
    """Lines on stderr."""
    sys.stderr.buffer.write(b"".join([_ENCODER.encode(_line(one)) + b"\n" for one in requests]))
    sys.stderr.buffer.flush()


def _line(one: Answered) -> dict[str, object]:
    return {
        "at": one.at,
        "level": "info",
        "logger": "app.access",
        "message": "answered",
        "method": one.method,
        "route": one.route,
        "status": one.status,
        "ms": round(one.seconds * 1000, 2),
        "request_id": one.request_id,
        "workspace_id": one.workspace_id,
    }
