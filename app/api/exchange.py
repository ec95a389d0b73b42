"""One request while it is answered, and what the requests of a process share."""

from __future__ import annotations

import asyncio
import random
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.types import Scope

from app.api import accesslog
from app.api.accesslog import Answered
from app.api.auth import authenticate
from app.api.cors import Origins
from app.api.errors import Headers, Refused
from app.api.limits import Buckets
from app.api.metrics import Metrics
from app.domain.errors import StrataError
from app.domain.roles import Principal
from app.persistence.database import Database

UNMATCHED = "unmatched"
SETTLE_SECONDS = 0.2
CLOSE = (b"connection", b"close")
NO_SNIFF = (b"x-content-type-options", b"nosniff")
REVALIDATE = (b"cache-control", b"private, no-cache")

_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


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
            self.metrics.observe(one.method, one.route, one.status, one.seconds)
        if noted and self.logs:
            accesslog.write(noted)

    @property
    def database(self) -> Database:
        """The open database."""
        if self.db is None:
            raise LookupError("the database is not open yet")
        return self.db


@dataclass(slots=True)
class Exchange:
    """One request: what its log line, its count and its headers need. An application behind finds it in
    `scope["strata"]`."""

    door: Door
    scope: Scope
    id: str
    began: float
    now: datetime
    route: str = UNMATCHED
    status: int = 0
    who: Principal | None = None
    limit: Headers = field(default_factory=list)

    async def authenticate(self) -> Principal:
        """Who asks, charged for one request; Unauthenticated without a valid credential."""
        try:
            self.who = await authenticate(self.door.database, self.scope, self.now)
        except StrataError:
            self.charge_address()
            raise
        self._charge(self.door.per_credential, self.who.credential_id)
        return self.who

    def charge_address(self) -> None:
        """Count a request that no credential answers for."""
        client = self.scope.get("client")
        self._charge(self.door.per_address, client[0] if client else "")

    def _charge(self, buckets: Buckets, key: object) -> None:
        left = buckets.take(key, self.began)
        self.limit = buckets.headers(left)
        if left < 0:
            raise Refused("too-many-requests", headers=[(b"retry-after", b"%d" % buckets.wait(left))])

    def headers(self) -> Headers:
        """What every answer carries."""
        headers = [*self.limit, (b"x-request-id", self.id.encode()), NO_SNIFF]
        if self.door.origins.named:
            headers += self.door.origins.headers(self.scope)
        if self.who is not None:
            headers.append(REVALIDATE)
        if self.door.draining:
            headers.append(CLOSE)
        return headers

    def finish(self) -> None:
        """It is answered."""
        seconds = time.perf_counter() - self.began
        workspace = self.who.workspace.id if self.who else None
        self.door.note(Answered(self.now, self.scope["method"], self.route, self.status, seconds, self.id, workspace))


def begin(door: Door, scope: Scope) -> Exchange:
    """A request has come."""
    return Exchange(door, scope, _request_id(scope), time.perf_counter(), datetime.now(UTC))


def _request_id(scope: Scope) -> str:
    """The caller's X-Request-Id where it is short and plain, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            if _ID.fullmatch(value):
                return str(value, "ascii")
            break
    return f"{random.getrandbits(96):024x}"
