"""What every write of a record does alike: its body is read, what it changed is told, the record is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.domain import records
from app.domain.catalogue import Entity
from app.domain.criteria.coerce import identity
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.records import Told
from app.domain.roles import Principal
from app.domain.values import UNSTORABLE, Value
from app.persistence import records as rows
from app.persistence.database import Transaction
from app.persistence.records import By
from app.services import reads
from app.services.calls import Call, Effect, Written

Given = Mapping[str, Value]
"""What a body says, by field name."""


def read(call: Call, entity: Entity, body: Mapping[str, object], *, partial: bool) -> dict[str, Value]:
    """The members of a body. Raises Invalid with a Fault per wrong one."""
    told = look(call, entity, body, partial=partial)
    if told.faults:
        raise Invalid(faults=told.faults)
    return dict(told.given)


def look(call: Call, entity: Entity, body: Mapping[str, object], *, partial: bool) -> Told:
    """The members of a body as far as they can be read: what else is wrong with them is found by whoever looks them up,
    and is told together with the faults of this."""
    workspace = call.principal.workspace
    return records.look(
        entity,
        body,
        minor_digits=workspace.minor_digits,
        attributes=workspace.attributes,
        partial=partial,
        now=call.now,
    )


def named(entity: Entity, key: str, body: Mapping[str, object]) -> dict[str, object]:
    """The body of an upsert with the external id or slug of its address. Raises Invalid where it tells another."""
    words = entity.key.replace("_", " ")
    if not key:
        raise Invalid(faults=(Fault(f"Expected the {words}: it cannot be empty.", parameter=entity.key),))
    if body.get(entity.key, key) != key:
        message = f"Expected the {words} that the record is addressed by."
        raise Invalid(faults=(Fault(message, pointer=f"/{entity.key}"),))
    return {**body, entity.key: key}


def below(body: Mapping[str, object], account: UUID | None) -> Mapping[str, object]:
    """The body of a record below an account's address, which says whose it is."""
    if account is None:
        return body
    for member in ("account", "account_id"):
        if body.get(member, str(account)) != str(account):
            raise Invalid(faults=(Fault("Expected the account of the address.", pointer=f"/{member}"),))
    return {**{name: told for name, told in body.items() if name != "account"}, "account_id": str(account)}


def known_by(entity: Entity, value: str) -> By:
    """Whether what has a slug is told by its id or by that."""
    return "slug" if entity.key == "slug" and identity(value) is None else "id"


def addressed(by: By, value: str) -> UUID | str:
    """What an address says. Raises NotFound for what nothing can be known by."""
    if by == "id":
        found = identity(value)
        if found is None:
            raise NotFound
        return found
    if UNSTORABLE.search(value):
        raise NotFound
    return value


async def refuse_taken(tx: Transaction, call: Call, entity: Entity, values: Mapping[str, Any]) -> None:
    """Raises Conflict that names the record which has the external id or slug that is given."""
    keys: tuple[By, ...] = ("slug", "external_id") if entity.key == "slug" else ("external_id",)
    for key in keys:
        if values.get(key) is None:
            continue
        holder = await rows.holder(tx, entity, call.principal.workspace.id, key, values[key])
        if holder is not None:
            words = "a slug" if key == "slug" else "an external id"
            message = f"Expected {words} of its own: {entity.singular} {holder} has it."
            raise Conflict(faults=(Fault(message, pointer=f"/{key}"),))


async def insert(tx: Transaction, call: Call, entity: Entity, record_id: UUID, values: Mapping[str, Any]) -> None:
    """Adds a record, values by column. Raises Conflict as `refuse_taken` does."""
    if not await rows.insert(tx, entity, call.principal.workspace.id, record_id, values, call.now):
        await refuse_taken(tx, call, entity, values)
        raise Conflict  # whoever had it is gone since


def reader(principal: Principal) -> Principal:
    """Who reads what was written back, to answer it: what of it they may see is told by the call."""
    return replace(principal, scopes=principal.scopes | {"read"})


async def answer(
    tx: Transaction,
    call: Call,
    entity: Entity,
    record_id: UUID,
    done: tuple[Effect, ...] = (),
    *,
    created: bool = False,
) -> Written:
    """The record as it is now, after what was done."""
    one = await reads.one(tx, reader(call.principal), entity.name, "id", str(record_id))
    return Written(record_id, one.version or 0, one.body, created, done)
