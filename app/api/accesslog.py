"""The access log: one JSON object per answered request, written in small batches."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

import msgspec

FLUSH_SECONDS = 0.2
_ENCODER = msgspec.json.Encoder()


class AccessLog:
    """Lines on stderr: route template (never the address), status, milliseconds, request and workspace id."""

    def __init__(self, enabled: bool):
        self.enabled = enabled
        self._lines: list[bytes] = []

    def add(self, at: datetime, method: str, route: str, status: int, seconds: float, request_id: str, workspace: str | None) -> None:
        """Note an answered request; it is written within FLUSH_SECONDS."""
        line = {
            "at": at,
            "level": "info",
            "logger": "app.access",
            "message": "answered",
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 2),
            "request_id": request_id,
            "workspace_id": workspace,
        }
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        self._lines.append(_ENCODER.encode(line))

    def flush(self) -> None:
        """Write what is noted."""
        if self._lines:
            lines, self._lines = self._lines, []
            sys.stderr.buffer.write(b"\n".join(lines) + b"\n")
            sys.stderr.buffer.flush()
