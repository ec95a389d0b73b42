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
from app.persistence import records as rows
from app.persistence.database import Transaction
from app.persistence.records import By
from app.services import reads
from app.services.calls import Call, Effect, Written

Given = Mapping[str, records.Value]
"""What a body says, by field name."""


def read(call: Call, entity: Entity, body: Mapping[str, object], *, partial: bool) -> dict[str, records.Value]:
    """The members of a body. Raises Invalid with a Fault per wrong one."""
    workspace = call.principal.workspace
    return records.read(
        entity, body, minor_digits=workspace.minor_digits, attributes=workspace.attributes, partial=partial
    )


def named(entity: Entity, key: str, body: Mapping[str, object]) -> dict[str, object]:
    """The body of an upsert with the external id or slug of its address. Raises Invalid where it tells another."""
    if not key or body.get(entity.key, key) != key:
        words = entity.key.replace("_", " ")
        raise Invalid(faults=(Fault(f"Expected the {words} of the address.", pointer=f"/{entity.key}"),))
    return {**body, entity.key: key}


def below(body: Mapping[str, object], account: UUID | None) -> Mapping[str, object]:
    """The body of a record below an account's address, which says whose it is."""
    if account is None:
        return body
    for member in ("account", "account_id"):
        if body.get(member, str(account)) != str(account):
            raise Invalid(faults=(Fault("Expected the account of the address.", pointer=f"/{member}"),))
    return {**{name: told for name, told in body.items() if name != "account"}, "account_id": str(account)}


def addressed(by: By, value: str) -> UUID | str:
    """What an address says. Raises NotFound for what nothing can be known by."""
    if by == "id":
        found = identity(value)
        if found is None:
            raise NotFound
        return found
    if records.UNSTORABLE.search(value):
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
    # Whoever may write a record may see what became of it, a service without the scope to read others too.
    reader = replace(call.principal, scopes=call.principal.scopes | {"read"})
    one = await reads.one(tx, reader, entity.name, "id", str(record_id))
    return Written(record_id, one.version or 0, one.body, created, done)
