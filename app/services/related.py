"""Records that belong to an account: made, changed, moved to another account, deleted; the accounts are settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.domain import related
from app.domain.catalogue import Entity
from app.domain.errors import Fault, Invalid, NotFound, VersionStale
from app.domain.records import Told
from app.domain.roles import permit
from app.persistence import records as rows
from app.persistence.database import Database, Record, Transaction
from app.persistence.records import By
from app.services import attribute_values, dependents, effects, references, settle, writing
from app.services.calls import Call, Effect, Written, new_id, once, versioned

WRITE = "records.write"
AUTHOR = frozenset({"author", "author_id"})


async def create(db: Database, call: Call, entity: Entity, body: Mapping[str, object], account: UUID | None) -> Written:
    """A new record of the account that it names, or of `account`."""
    permit(call.principal, WRITE, own=True)
    told = _look(call, entity, writing.below(body, account), partial=False)

    async def act(tx: Transaction) -> Written:
        return await _create(tx, call, entity, told, account)

    return await once(db, call, f"{WRITE} create {entity.name} {account or ''}", act)


async def change(
    db: Database, call: Call, entity: Entity, by: By, value: str, body: Mapping[str, object], expected: int | None
) -> Written:
    """Changes what is given, and only that; a record that names another account moves there."""
    permit(call.principal, WRITE, own=True)
    key = writing.addressed(by, value)
    told = _look(call, entity, body, partial=True)

    async def act(tx: Transaction) -> Written:
        account_id = await rows.account_of(tx, entity, call.principal.workspace.id, by, key)
        if account_id is None:
            raise NotFound
        return await _change(tx, call, entity, (by, key), account_id, told, expected)

    return await once(db, call, f"{WRITE} change {entity.name} {by} {value}", act)


async def upsert(
    db: Database, call: Call, entity: Entity, external_id: str, body: Mapping[str, object], expected: int | None
) -> Written:
    """The record of an external id: made where there is none, else changed as `change` does."""
    permit(call.principal, WRITE, own=True)
    said = writing.named(entity, external_id, body)
    told = _look(call, entity, said, partial=True)

    async def act(tx: Transaction) -> Written:
        account_id = await rows.account_of(tx, entity, call.principal.workspace.id, "external_id", external_id)
        if account_id is not None:
            return await _change(tx, call, entity, ("external_id", external_id), account_id, told, expected)
        if expected is not None:
            raise VersionStale
        return await _create(tx, call, entity, _look(call, entity, said, partial=False), None)

    return await once(db, call, f"{WRITE} upsert {entity.name} {external_id}", act)


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
            await dependents.refuse(tx, call.principal, entity.name, standing["id"], None)
        await rows.delete(tx, entity, workspace.id, standing["id"])
        await settle.settle(tx, workspace, [account_id], call.now, wrote=entity.name)
        return Written(
            standing["id"], standing["version"], b"", False, effects.gone(entity, workspace, standing["id"], standing)
        )

    return await once(db, call, f"{WRITE} delete {entity.name} {by} {value}", act)


def _look(call: Call, entity: Entity, body: Mapping[str, object], *, partial: bool) -> Told:
    """The body, with the caller as whose sentiment it is where nobody is named; an amount that is empty follows."""
    left = [f.name for f in entity.fields.values() if f.fallback and body.get(f.name, 0) is None]
    told = {name: value for name, value in body.items() if name not in left}
    if entity.name == "sentiments" and not partial and call.principal.user_id is not None:
        said = {name: value for name, value in told.items() if name not in AUTHOR or value is not None}
        told = said if not AUTHOR.isdisjoint(said) else {**said, "author_id": str(call.principal.user_id)}
    read = writing.look(call, entity, told, partial=partial)
    return replace(read, given={**read.given, **dict.fromkeys(left)})


async def _create(tx: Transaction, call: Call, entity: Entity, told: Told, address: UUID | None) -> Written:
    workspace = call.principal.workspace
    account_id = await _account(tx, call, told, address)
    if isinstance(account_id, Fault):
        raise Invalid(faults=await _faults(tx, call, entity, told, account_id))
    values = await _columns(tx, call, entity, told, None, account_id)
    record_id = new_id()
    await writing.insert(tx, call, entity, record_id, values)
    done = effects.made(entity, workspace, record_id, values)
    done += await _primary(tx, call, entity, record_id, account_id, values)
    await settle.settle(tx, workspace, [account_id], call.now, wrote=entity.name)
    return await writing.answer(tx, call, entity, record_id, done, created=True)


async def _account(tx: Transaction, call: Call, told: Told, address: UUID | None) -> UUID | Fault:
    """Whose a new record is, held; what is wrong where it is nobody's. Raises NotFound where that is the address."""
    workspace_id = call.principal.workspace.id
    if "account" not in told.given:
        # Where there are too many faults to tell, the account's may not be among them.
        named = (fault for fault in told.faults if fault.pointer in ("/account", "/account_id"))
        return next(named, told.faults[0])
    found = await references.account(tx, workspace_id, told.given["account"], "/account_id")
    owners = {} if isinstance(found, Fault) else await rows.hold(tx, workspace_id, [found])
    if isinstance(found, UUID) and found in owners:
        _permit(call, owners, found)
        return found
    if address is not None:
        raise NotFound
    return found if isinstance(found, Fault) else references.no_account("/account_id")  # deleted since it was found


async def _faults(tx: Transaction, call: Call, entity: Entity, told: Told, account: Fault) -> tuple[Fault, ...]:
    """All that is wrong with a record that is nobody's."""
    read = [fault for fault in told.faults if fault != account]
    _, astray = await references.fields(tx, call.principal.workspace.id, entity, told.given, None)
    return (account, *read, *astray, *_apart(entity, told, told.given, told.given.keys()))


def _apart(entity: Entity, told: Told, row: Mapping[str, Any], changed: Collection[str]) -> list[Fault]:
    """What does not go together among members that are sound."""
    whole = {**dict.fromkeys(field.column for field in entity.own), **row}
    sound = {column: value for column, value in whole.items() if column not in told.wrong}
    found = related.faults(entity.name, sound, changed)
    return [fault for fault in found if (fault.pointer or "").removeprefix("/") not in told.wrong]


async def _change(
    tx: Transaction,
    call: Call,
    entity: Entity,
    key: tuple[By, UUID | str],
    account_id: UUID,
    told: Told,
    expected: int | None,
) -> Written:
    workspace = call.principal.workspace
    to: UUID | Fault = account_id
    if "account" in told.given:
        to = await references.account(tx, workspace.id, told.given["account"], "/account_id")
    target = account_id if isinstance(to, Fault) else to
    owners = await rows.hold(tx, workspace.id, [account_id, target])
    standing = await _standing(tx, call, entity, key, account_id, owners, expected)
    if isinstance(to, Fault) or to not in owners:
        nobody = to if isinstance(to, Fault) else references.no_account("/account_id")
        raise Invalid(faults=await _faults(tx, call, entity, told, nobody))
    _permit(call, owners, to)
    values = await _columns(tx, call, entity, told, standing, to)
    after = {column: value for column, value in values.items() if standing[column] != value}
    record_id: UUID = standing["id"]
    if not after:
        return await writing.answer(tx, call, entity, record_id)
    await writing.refuse_taken(tx, call, entity, after)
    if entity.name == "contacts" and to != account_id:  # what names a contact is of the contact's account
        await dependents.refuse(tx, call.principal, entity.name, record_id, None)
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
    tx: Transaction, call: Call, entity: Entity, told: Told, standing: Record | None, account_id: UUID
) -> dict[str, Any]:
    """What the record is to be, by column: as told, and what follows. Raises Invalid for everything that is wrong with it,
    Conflict for a value that another record has."""
    values: dict[str, Any] = {"account_id": account_id}
    values |= {n: value for n, value in told.given.items() if entity.fields[n].kind not in ("ref", "slug", "json")}
    workspace = call.principal.workspace
    found, astray = await references.fields(tx, workspace.id, entity, told.given, standing, account_id)
    values |= found
    faults = [*told.faults, *astray]
    row = {**(standing or {}), **values}
    if not faults:
        faults += await _follow(tx, call, entity, row, values)
    changed = values.keys() if standing is None else {c for c, value in values.items() if standing[c] != value}
    faults += _apart(entity, told, row, changed)
    moved = standing is not None and standing["account_id"] != account_id
    if (
        moved
        and row.get("contact_id") is not None
        and {"contact", "contact_id"}.isdisjoint(told.given.keys() | told.wrong)
    ):
        message = "Expected a contact of the account that the record moves to, or null: its contact belongs to another."
        faults.append(Fault(message, pointer="/contact_id"))
    if faults:
        raise Invalid(faults=tuple(faults))
    if "custom" in told.given:
        values["custom"] = await attribute_values.put(tx, workspace, entity, standing, told.given["custom"])
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
