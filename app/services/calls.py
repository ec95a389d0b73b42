"""A call of a use case that writes: who, when, and one effect however often it is sent."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import uuid_utils

from app.domain.errors import Fault, Invalid, VersionRequired, VersionStale
from app.domain.roles import Principal
from app.persistence import idempotency
from app.persistence.database import Database, Transaction

KEY_LENGTH = 255
# How an answer is kept: id, version, created, then the body.
HEAD = struct.Struct(">16sq?")
ENCODER = msgspec.json.Encoder(decimal_format="number")
"""How bodies are written: amounts, which are Decimal, as exact numbers."""


@dataclass(frozen=True, slots=True)
class Call:
    """`key`: the Idempotency-Key, bound to `payload`, the request's canonical bytes. `now` is in UTC."""

    principal: Principal
    now: datetime
    key: str | None = None
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a write changed of one thing, as the audit keeps it: the members that changed, as they were and as they are.

    `before` is None for what was made, `after` for what is gone. Values are as answers spell them: money is Decimal in
    major units, references are ids. `entity` is the noun of the address, such as `accounts` or `api-keys`.
    """

    entity: str
    id: UUID
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Written:
    """What a write left: `body` is the resource's full representation as JSON, empty where it is gone.

    `effects` is what it changed, empty where it changed nothing; an answer that is given again has none.
    """

    id: UUID
    version: int
    body: bytes
    created: bool
    effects: tuple[Effect, ...] = ()


def new_id() -> UUID:
    """A UUIDv7: ids made later sort later."""
    return UUID(int=uuid_utils.uuid7().int)


async def once(db: Database, call: Call, operation: str, act: Callable[[Transaction], Awaitable[Written]]) -> Written:
    """Runs `act` in one transaction together with its idempotency key; answers after COMMIT.

    `operation` names what is done to what, and is part of what the key is bound to. The same key and payload give the
    first answer again, byte for byte. What fails leaves neither effect nor key. Raises KeyReused, KeyStillRunning.
    """
    if call.key is None:
        async with db.transaction() as tx:
            return await act(tx)
    if not 1 <= len(call.key) <= KEY_LENGTH or not call.key.isascii() or not call.key.isprintable():
        raise Invalid(faults=(Fault(f"Expected 1 to {KEY_LENGTH} printable characters.", parameter="Idempotency-Key"),))
    holder = (call.principal.workspace.id, call.principal.credential_id, call.key)
    payload = sha256(operation.encode() + b"\0" + call.payload).digest()
    async with db.transaction() as tx:
        before = await idempotency.claim(tx, *holder, payload, call.now)
        if before is not None:
            return _loaded(before)
        written = await act(tx)
        await idempotency.answered(tx, *holder, _dumped(written))
        return written


def versioned(standing: int, expected: int | None) -> None:
    """Raises VersionRequired where no version was told, VersionStale where it is not the standing one."""
    if expected is None:
        raise VersionRequired
    if expected != standing:
        raise VersionStale


def _dumped(written: Written) -> bytes:
    return HEAD.pack(written.id.bytes, written.version, written.created) + written.body


def _loaded(answer: bytes) -> Written:
    identity, version, created = HEAD.unpack_from(answer)
    return Written(UUID(bytes=identity), version, answer[HEAD.size :], created)
