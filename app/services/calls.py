"""A call of a use case that writes: who, when, and one effect however often it is sent."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from secrets import token_bytes
from typing import Any
from uuid import UUID

import msgspec
import uuid_utils

from app.domain.audit import NOUNS, OPERATIONS, Door
from app.domain.errors import Fault, Invalid, VersionRequired, VersionStale
from app.domain.roles import Principal, allows
from app.persistence import audit, audit_records, idempotency
from app.persistence.audit_records import Of
from app.persistence.database import Database, Transaction

KEY_LENGTH = 255
# How an answer is kept: id, version, created, then the body.
HEAD = struct.Struct(">16sq?")
ENCODER = msgspec.json.Encoder(decimal_format="number")
"""How bodies are written: amounts, which are Decimal, as exact numbers."""
COMMAND = UUID(int=0)
"""The credential of whoever works at the command line of the machine, who is no user."""
KNOWN_BY = ("id", "external_id", "slug", "version")
"""What is answered of what was written to those who may not read: how to write it again, and nothing that it holds."""


@dataclass(frozen=True, slots=True)
class Call:
    """`key`: the Idempotency-Key, bound to `payload`, the request's canonical bytes. `now` is in UTC.

    `door` and `request_id` are for the audit.
    """

    principal: Principal
    now: datetime
    key: str | None = None
    payload: bytes = b""
    door: Door = "command"
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a write changed of one thing, as the audit keeps it: the members that changed, as they were and as they are.

    `before` is None for what was made, `after` for what is gone. `among`: the things that all changed so; each is found by
    its own id. `entry_id` is given where rows of single records refer to the entry already. Values are as answers spell them: money is Decimal in
    major units, references are ids. `entity` is the noun of the address, such as `accounts` or `api-keys`; `id` is None
    for what has a name alone.
    """

    entity: str
    id: UUID | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    among: tuple[UUID, ...] = ()
    entry_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a write left: `body` is the resource's full representation as JSON, empty where it is gone.

    `effects` is what it changed, empty where it changed nothing; an answer that is given again has none. `is_told`: the
    body says what became of what was told, and nothing that was there before. `is_again`: the answer of an earlier call with the same key.
    """

    id: UUID
    version: int
    body: bytes
    created: bool
    effects: tuple[Effect, ...] = field(default=(), compare=False)
    is_told: bool = field(default=False, compare=False)
    is_again: bool = field(default=False, compare=False)


def new_id() -> UUID:
    """A UUIDv7: ids made later sort later."""
    return UUID(int=uuid_utils.uuid7().int)


def first_id() -> UUID:
    """A UUIDv7 whose first 22 digits are its own, so that ids of many records can begin with them. Those of `new_id` only
    count up within a millisecond."""
    made = bytearray(new_id().bytes)
    drawn = token_bytes(5)
    made[6], made[7] = 0x70 | (drawn[0] & 0x0F), drawn[1]
    made[8], made[9], made[10] = 0x80 | (drawn[2] & 0x3F), drawn[3], drawn[4]
    return UUID(bytes=bytes(made))


async def once(db: Database, call: Call, operation: str, act: Callable[[Transaction], Awaitable[Written]]) -> Written:
    """Runs `act` in one transaction together with its audit and its idempotency key; answers after COMMIT.

    `operation` names what is done to what, and is part of what the key is bound to; its first word is one of RULES, which
    the audit calls it. The same key and payload give the first answer again, byte for byte. What fails leaves neither effect nor
    entry nor key. Who may not read records is answered KNOWN_BY alone. Raises KeyReused, KeyStillRunning.
    """
    if call.key is None:
        async with db.transaction() as tx:
            tx.actor = call.principal.user_id
            written = _seen(call.principal, await act(tx))
            await keep(tx, call, operation, written.effects)
            return written
    if not 1 <= len(call.key) <= KEY_LENGTH or not call.key.isascii() or not call.key.isprintable():
        raise Invalid(faults=(Fault(f"Expected 1 to {KEY_LENGTH} printable characters.", parameter="Idempotency-Key"),))
    holder = (call.principal.workspace.id, call.principal.credential_id, call.key)
    payload = sha256(operation.encode() + b"\0" + call.payload).digest()
    async with db.transaction() as tx:
        tx.actor = call.principal.user_id
        before = await idempotency.claim(tx, *holder, payload, call.now)
        if before is not None:
            return _loaded(before)
        written = _seen(call.principal, await act(tx))
        await keep(tx, call, operation, written.effects)
        await idempotency.answered(tx, *holder, _dumped(written))
        return written


def may_read(principal: Principal) -> bool:
    """Whether whoever writes may see what became of it."""
    return allows(principal, "records.read")


def _seen(principal: Principal, written: Written) -> Written:
    if may_read(principal) or written.is_told or not written.body:
        return written
    whole = msgspec.json.decode(written.body)
    known = {name: whole[name] for name in KNOWN_BY if name in whole}
    return replace(written, body=ENCODER.encode(known))


async def keep(tx: Transaction, call: Call, operation: str, effects: Sequence[Effect]) -> None:
    """Puts what a write changed into the audit, as part of its transaction; `once` does so for all that it runs."""
    if effects:
        told = attempt(call.principal, call.now, call.door, call.request_id, _named(operation))
        await _keep(tx, call.principal.workspace.id, told, effects)


async def keep_command(
    tx: Transaction, workspace_id: UUID, now: datetime, operation: str, effects: Sequence[Effect]
) -> None:
    """The same for what somebody does at the command line of the machine, who is no user."""
    if effects:
        await _keep(tx, workspace_id, audit.Attempt(now, "command", _named(operation)), effects)


async def _keep(tx: Transaction, workspace_id: UUID, told: audit.Attempt, effects: Sequence[Effect]) -> None:
    entries = [_entry(effect) for effect in effects]
    await audit.insert(tx, workspace_id, told, entries)
    for entry, effect in zip(entries, effects, strict=True):
        if effect.among:
            before, after = effect.before or {}, effect.after or {}
            sides = (ENCODER.encode(before), ENCODER.encode({name: after.get(name) for name in before}))
            await audit_records.alike(tx, workspace_id, Of(entry.id, told.at), effect.entity, effect.among, *sides)


def attempt(principal: Principal, now: datetime, door: Door, request_id: str | None, operation: str) -> audit.Attempt:
    """Who does what, as the audit has it."""
    if principal.credential_id == COMMAND:
        role = None if principal.person is None else principal.role
        return audit.Attempt(now, "command", operation, None, principal.user_id, role)
    actor_id = principal.user_id or principal.credential_id
    return audit.Attempt(now, door, operation, request_id, actor_id, principal.role, principal.credential_id)


def _named(operation: str) -> str:
    """What the audit calls an operation. Raises LookupError where no rule is declared for it."""
    name = operation.partition(" ")[0]
    if name not in OPERATIONS:
        raise LookupError(f"no rule is declared for {name!r}")
    return name


def _entry(effect: Effect) -> audit.Entry:
    if effect.entity not in NOUNS:
        raise LookupError(f"the audit knows no {effect.entity!r}")
    before, after = (None if side is None else ENCODER.encode(side) for side in (effect.before, effect.after))
    return audit.Entry(effect.entry_id or new_id(), effect.entity, effect.id, before, after)


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
    return Written(UUID(bytes=identity), version, answer[HEAD.size :], created, is_again=True)
