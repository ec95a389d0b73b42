"""Records that belong to an account: made, changed, moved to another account, deleted; the accounts are settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.domain import related
from app.domain.catalogue import Entity
from app.domain.errors import Fault, Invalid, NotFound, VersionStale
from app.domain.records import Value
from app.domain.roles import permit
from app.persistence import records as rows
from app.persistence.database import Database, Record, Transaction
from app.persistence.records import By
from app.services import attribute_values, dependents, effects, references, settle, writing
from app.services.calls import Call, Effect, Written, new_id, once, versioned
from app.services.writing import Given

WRITE = "records.write"
AUTHOR = frozenset({"author", "author_id"})


async def create(db: Database, call: Call, entity: Entity, body: Mapping[str, object], account: UUID | None) -> Written:
    """A new record of the account that it names, or of `account`."""
    permit(call.principal, WRITE, own=True)
    given = _read(call, entity, writing.below(body, account), partial=False)

    async def act(tx: Transaction) -> Written:
        return await _create(tx, call, entity, given, account)

    return await once(db, call, f"{entity.name}.create {account or ''}", act)


async def change(
    db: Database, call: Call, entity: Entity, by: By, value: str, body: Mapping[str, object], expected: int | None
) -> Written:
    """Changes what is given, and only that; a record that names another account moves there."""
    permit(call.principal, WRITE, own=True)
    key = writing.addressed(by, value)
    given = _read(call, entity, body, partial=True)

    async def act(tx: Transaction) -> Written:
        account_id = await rows.account_of(tx, entity, call.principal.workspace.id, by, key)
        if account_id is None:
            raise NotFound
        return await _change(tx, call, entity, (by, key), account_id, given, expected)

    return await once(db, call, f"{entity.name}.change {by} {value}", act)


async def upsert(
    db: Database, call: Call, entity: Entity, external_id: str, body: Mapping[str, object], expected: int | None
) -> Written:
    """The record of an external id: made where there is none, else changed as `change` does."""
    permit(call.principal, WRITE, own=True)
    told = writing.named(entity, external_id, body)
    given = _read(call, entity, told, partial=True)

    async def act(tx: Transaction) -> Written:
        account_id = await rows.account_of(tx, entity, call.principal.workspace.id, "external_id", external_id)
        if account_id is not None:
            return await _change(tx, call, entity, ("external_id", external_id), account_id, given, expected)
        if expected is not None:
            raise VersionStale
        return await _create(tx, call, entity, _read(call, entity, told, partial=False), None)

    return await once(db, call, f"{entity.name}.upsert {external_id}", act)


async def delete(db: Database, call: Call, entity: Entity, by: By, value: str, expected: int | None) -> Written:
    """Takes the record away for good; the account is as if it had never been."""
    permit(call.principal, WRITE, own=True)
    key = writing.addressed(by, value)
    workspace = call.principal.workspace

    async def act(tx: Transaction) -> Written:
        account_id = await rows.account_of(tx, entity, workspace.id, by, key)
        if account_id is None:
            raise NotFound
        owners = await rows.hold(tx, workspace.id, [account_id])
        standing = await _standing(tx, call, entity, (by, key), account_id, owners, expected)
        if entity.name == "contacts":
            await dependents.refuse(tx, workspace.id, entity.name, standing["id"], None)
        await rows.delete(tx, entity, workspace.id, standing["id"])
        await settle.settle(tx, workspace, [account_id], call.now, wrote=entity.name)
        return Written(
            standing["id"], standing["version"], b"", False, effects.gone(entity, workspace, standing["id"], standing)
        )

    return await once(db, call, f"{entity.name}.delete {by} {value}", act)


def _read(call: Call, entity: Entity, body: Mapping[str, object], *, partial: bool) -> dict[str, Value]:
    """The body, with the caller as whose sentiment it is where nobody is named; an amount that is empty follows."""
    left = [f.name for f in entity.fields.values() if f.fallback and body.get(f.name, 0) in (None, "")]
    told = {name: value for name, value in body.items() if name not in left}
    if entity.name == "sentiments" and not partial and call.principal.user_id is not None:
        said = {name: value for name, value in told.items() if name not in AUTHOR or value not in (None, "")}
        told = said if not AUTHOR.isdisjoint(said) else {**said, "author_id": str(call.principal.user_id)}
    return writing.read(call, entity, told, partial=partial) | dict.fromkeys(left)


async def _create(tx: Transaction, call: Call, entity: Entity, given: Given, address: UUID | None) -> Written:
    workspace = call.principal.workspace
    account_id = await references.account(tx, workspace.id, given["account"], "/account_id")
    if isinstance(account_id, Fault):
        if address is not None:
            raise NotFound
        raise Invalid(faults=(account_id,))
    owners = await rows.hold(tx, workspace.id, [account_id])
    if account_id not in owners:  # deleted since it was found
        raise NotFound if address is not None else Invalid(faults=(references.no_account("/account_id"),))
    _permit(call, owners, account_id)
    values = await _columns(tx, call, entity, given, None, account_id)
    record_id = new_id()
    await writing.insert(tx, call, entity, record_id, values)
    done = effects.made(entity, workspace, record_id, values)
    done += await _primary(tx, call, entity, record_id, account_id, values)
    await settle.settle(tx, workspace, [account_id], call.now, wrote=entity.name)
    return await writing.answer(tx, call, entity, record_id, done, created=True)


async def _change(
    tx: Transaction,
    call: Call,
    entity: Entity,
    key: tuple[By, UUID | str],
    account_id: UUID,
    given: Given,
    expected: int | None,
) -> Written:
    workspace = call.principal.workspace
    to: UUID | Fault = account_id
    if "account" in given:
        to = await references.account(tx, workspace.id, given["account"], "/account_id")
    target = account_id if isinstance(to, Fault) else to
    owners = await rows.hold(tx, workspace.id, [account_id, target])
    standing = await _standing(tx, call, entity, key, account_id, owners, expected)
    if isinstance(to, Fault) or to not in owners:
        raise Invalid(faults=(to if isinstance(to, Fault) else references.no_account("/account_id"),))
    _permit(call, owners, to)
    values = await _columns(tx, call, entity, given, standing, to)
    after = {column: value for column, value in values.items() if standing[column] != value}
    record_id: UUID = standing["id"]
    if not after:
        return await writing.answer(tx, call, entity, record_id)
    await writing.refuse_taken(tx, call, entity, after)
    if entity.name == "contacts" and to != account_id:  # what names a contact is of the contact's account
        await dependents.refuse(tx, workspace.id, entity.name, record_id, None)
    await rows.update(tx, entity, workspace.id, record_id, after, call.now)
    done = effects.changed(entity, workspace, record_id, standing, after)
    done += await _primary(tx, call, entity, record_id, to, {**standing, **after})
    await settle.settle(tx, workspace, [account_id, to], call.now, wrote=entity.name)
    return await writing.answer(tx, call, entity, record_id, done)


async def _standing(
    tx: Transaction,
    call: Call,
    entity: Entity,
    key: tuple[By, UUID | str],
    account_id: UUID,
    owners: Mapping[UUID, UUID | None],
    expected: int | None,
) -> Record:
    """The record, locked after its account as all writes do. It may have moved or gone in between."""
    standing = await rows.locked(tx, entity, call.principal.workspace.id, *key)
    if standing is None:
        raise NotFound
    if standing["account_id"] != account_id:
        raise VersionStale
    _permit(call, owners, account_id)
    versioned(standing["version"], expected)
    return standing


def _permit(call: Call, owners: Mapping[UUID, UUID | None], account_id: UUID) -> None:
    mine = call.principal.user_id is not None and owners.get(account_id) == call.principal.user_id
    permit(call.principal, WRITE, own=mine)


async def _columns(
    tx: Transaction, call: Call, entity: Entity, given: Given, standing: Record | None, account_id: UUID
) -> dict[str, Any]:
    """What the record is to be, by column: as given, and what follows. Raises Invalid for what does not go together."""
    values: dict[str, Any] = {"account_id": account_id}
    for name, told in given.items():
        field = entity.fields[name]
        if field.kind == "json":
            values[field.column] = await attribute_values.put(tx, call.principal.workspace, entity, standing, told)
        elif field.kind not in ("ref", "slug"):
            values[field.column] = told
    found, faults = await references.fields(tx, call.principal.workspace.id, entity, given, standing, account_id)
    values |= found
    row = {**(standing or {}), **values}
    if not faults:
        faults += await _follow(tx, call, entity, row, values)
    changed = values if standing is None else {c for c, value in values.items() if standing[c] != value}
    faults += related.faults(entity.name, row, changed)
    moved = standing is not None and standing["account_id"] != account_id
    if moved and row.get("contact_id") is not None and "contact_id" not in found:
        faults.append(Fault("Expected a contact of the record's own account, or null.", pointer="/contact_id"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return values


async def _follow(
    tx: Transaction, call: Call, entity: Entity, row: Mapping[str, Any], values: dict[str, Any]
) -> list[Fault]:
    """Puts in what follows where nothing is given: an opportunity is worth its product's list price."""
    if entity.name == "opportunities" and row.get("amount") is None:
        product = row.get("product")
        values["amount"] = await rows.list_price(tx, call.principal.workspace.id, product) if product else None
        if values["amount"] is None:
            return [Fault("Expected an amount: there is no product with a list price.", pointer="/amount")]
    return []


async def _primary(
    tx: Transaction, call: Call, entity: Entity, contact_id: UUID, account_id: UUID, row: Mapping[str, Any]
) -> tuple[Effect, ...]:
    """An account has one primary contact: the latest that was made it."""
    if entity.name != "contacts" or not row.get("is_primary"):
        return ()
    before = await rows.take_primacy(tx, call.principal.workspace.id, account_id, contact_id, call.now)
    return tuple(Effect("contacts", one, {"is_primary": True}, {"is_primary": False}) for one in before)
