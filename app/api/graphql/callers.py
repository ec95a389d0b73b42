"""Who asks, as resolvers and plans see it: the context of one operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from graphql import GraphQLObjectType, get_named_type

from app.api.graphql.build import camel, plain
from app.api.graphql.selections import Reading, subsets
from app.domain.errors import Unauthenticated
from app.domain.roles import Principal, permit
from app.persistence.database import Database
from app.services import calls
from app.services.calls import Call, may_read

ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")
KNOWN_BY = {"__typename", *map(camel, calls.KNOWN_BY)}
TOLD = {"BulkPayload", "ImportMappingPayload", "UsagePayload"}
"""Payloads that show nothing but what became of what was told."""


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

        Several mutations of one document share the header's key, each under its own name. Who may not read records asks
        for no more of one than what it is known by: the refusal comes before the effect. Raises Forbidden.
        """
        principal = self.principal
        if not may_read(principal):
            self._known_by(info)
        key = arguments.get("idempotency_key")
        if key is None and self.key is not None:
            key = sha256(f"{self.key}\0{info.path.key}".encode()).hexdigest()
        told = {name: plain(value) for name, value in arguments.items() if name != "idempotency_key"}
        return Call(principal, self.now, key, ENCODER.encode(told), "graphql", self.request_id)

    def _known_by(self, info: Any) -> None:
        """Of what the payload shows, only what REST answers who may not read; what it says of itself is no matter."""
        raw, reading = info._raw_info, self.reading
        payload = get_named_type(raw.return_type)
        assert reading is not None, "resolvers answer from a document"
        assert isinstance(payload, GraphQLObjectType), "a mutation answers a payload"
        if payload.name in TOLD:
            return
        for nodes in reading.fields(payload, subsets(raw.field_nodes)).values():
            shown = get_named_type(payload.fields[nodes[0].name.value].type) if nodes[0].selection_set else None
            if isinstance(shown, GraphQLObjectType):
                asked = reading.fields(shown, subsets(nodes)).values()
                if not {one[0].name.value for one in asked} <= KNOWN_BY:
                    permit(self.principal, "records.read")
