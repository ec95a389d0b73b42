"""What the requests of a process share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from app.api import accesslog
from app.api.accesslog import Answered
from app.api.cors import Origins
from app.api.limits import Buckets
from app.api.metrics import Metrics
from app.persistence.database import Database

SETTLE_SECONDS = 0.2


@dataclass(slots=True)
class Door:
    """What requests of one process share. `secret` seals cursors, `logs` says whether answered requests are logged,
    `draining` that the process is to end, `answered` are requests that are not counted and logged yet."""

    db: Database | None = None
    secret: bytes = b""
    metrics: Metrics = field(default_factory=Metrics)
    logs: bool = False
    per_credential: Buckets = field(default_factory=lambda: Buckets("credential", 0))
    per_address: Buckets = field(default_factory=lambda: Buckets("address", 0))
    origins: Origins = field(default_factory=lambda: Origins(()))
    draining: bool = False
    answered: list[Answered] = field(default_factory=list)

    def note(self, answered: Answered) -> None:
        """Remember a request to be counted and logged soon: many at a time cost less than each by itself."""
        if not self.answered:
            asyncio.get_running_loop().call_later(SETTLE_SECONDS, self.settle)
        self.answered.append(answered)

    def settle(self) -> None:
        """Count and log what is noted."""
        noted, self.answered = self.answered, []
        for one in noted:
            self.metrics.observe(one.method, one.route, one.status, one.ms / 1000)
        if noted and self.logs:
            accesslog.write(noted)

    @property
    def database(self) -> Database:
        """The open database."""
        if self.db is None:
            raise LookupError("the database is not open yet")
        return self.db
