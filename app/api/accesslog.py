"""The access log: one JSON object per answered request."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

_ENCODER = msgspec.json.Encoder()


class Answered(msgspec.Struct, gc=False):
    """An answered request: its route's template (never the address), what it took, and whose it was.

    Of a stream: how many bytes were `sent`, and whether that is the `whole`; left out of other lines.
    """

    at: datetime
    method: str
    route: str
    status: int
    ms: float
    request_id: str
    workspace_id: UUID | None
    level: str = "info"
    logger: str = "app.access"
    message: str = "answered"
    sent: int | msgspec.UnsetType = msgspec.UNSET
    whole: bool | msgspec.UnsetType = msgspec.UNSET


def write(requests: Sequence[Answered]) -> None:
    """Lines on stderr."""
    sys.stderr.buffer.write(_ENCODER.encode_lines(requests))
    sys.stderr.buffer.flush()
