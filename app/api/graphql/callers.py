"""Who asks, as resolvers and plans see it: the context of one operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from app.api.graphql.build import plain
from app.api.graphql.selections import Reading
from app.domain.errors import Unauthenticated
from app.domain.roles import Principal, permit
from app.persistence.database import Database
from app.services.calls import Call

ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


@dataclass(slots=True)
class Caller:
    """`who` is None without a credential. `key`: the Idempotency-Key header. `secret` seals cursors.

    `reading` is the operation, for resolvers that answer from their selection.
    """

    db: Database
    now: datetime
    request_id: str
    who: Principal | None = None
    key: str | None = None
    secret: bytes = field(default=b"", repr=False)
    reading: Reading | None = field(default=None, repr=False)

    @property
    def principal(self) -> Principal:
        """Who asks. Raises Unauthenticated."""
        if self.who is None:
            raise Unauthenticated
        return self.who

    def permit(self, operation: str) -> None:
        """Whether the thing is theirs only the use case knows; who may not even then goes no further.

        Raises Unauthenticated, Forbidden.
        """
        permit(self.principal, operation, own=True)

    def call(self, info: Any, arguments: Mapping[str, Any]) -> Call:
        """A write: one effect per key, argument before header, bound to the mutation and its arguments.

        Several mutations of one document share the header's key, each under its own name.
        """
        principal = self.principal
        key = arguments.get("idempotency_key")
        if key is None and self.key is not None:
            key = sha256(f"{self.key}\0{info.path.key}".encode()).hexdigest()
        told = {name: plain(value) for name, value in arguments.items() if name != "idempotency_key"}
        return Call(principal, self.now, key, ENCODER.encode(told), "graphql", self.request_id)
