"""What a record refers to, looked up within its workspace: what is another's cannot be told from what is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.domain.catalogue import Entity, Field
from app.domain.criteria.coerce import identity
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault
from app.domain.imports import VALUES
from app.domain.values import Named, Value
from app.persistence import accounts as rows
from app.persistence import references, users
from app.persistence.database import Reader, Record, Transaction
from app.services.effects import Row

ACTIVE = frozenset({("accounts", "csm")})
"""References to users that only somebody who still works here can be; others tell who it was."""


async def fields(
    tx: Transaction,
    workspace_id: UUID,
    entity: Entity,
    given: Mapping[str, Value],
    standing: Row | None,
    account_id: UUID | None = None,
) -> tuple[dict[str, Any], list[Fault]]:
    """The references among the given fields, by column, and a Fault with its pointer for each that leads nowhere.

    What stands already is not looked up again. `account_id` is the account that a contact must be of, which is not looked
    up where nobody knows it; a record's own account is not among them: `account` finds it.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, told in given.items():
        field = entity.fields[name]
        if field.kind not in ("ref", "slug") or (name == "account" and entity.name != "accounts"):
            continue
        if name == "contact" and account_id is None:
            continue
        values[field.column] = told
        moved = name == "contact" and standing is not None and standing["account_id"] != account_id
        if told is None or (standing is not None and standing[field.column] == told and not moved):
            continue
        found = await _find(tx, workspace_id, entity, field, told, account_id)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            values[field.column] = found
    return values, faults


async def _find(
    tx: Transaction, workspace_id: UUID, entity: Entity, field: Field, told: Value, account_id: UUID | None
) -> UUID | str | Fault:
    pointer = f"/{field.column}"
    if field.kind == "slug":
        return await slug(tx, workspace_id, str(field.target), str(told), pointer)
    match field.target:
        case "users":
            return await user(tx, workspace_id, told, pointer, active=(entity.name, field.name) in ACTIVE)
        case "accounts":
            return await account(tx, workspace_id, told, pointer)
        case "contacts" if account_id is not None:
            return await contact(tx, workspace_id, told, pointer, account_id)
        case _:
            raise LookupError(f"nobody looks up {entity.name}.{field.name}")


async def user(reader: Reader, workspace_id: UUID, told: Value, pointer: str, *, active: bool = True) -> UUID | Fault:
    """The user of an id, or Named by id, external id or e-mail; one who is active unless anybody will do."""
    key, name, at = _told(told, pointer)
    row = await users.named(reader, workspace_id, key, name)
    if row is None:
        return Fault("Expected a user of this workspace.", pointer=at)
    if active and not row["is_active"]:
        return Fault("Expected an active user.", pointer=at)
    found: UUID = row["id"]
    return found


async def account(reader: Reader, workspace_id: UUID, told: Value, pointer: str) -> UUID | Fault:
    """The account of an id, or Named by id or external id."""
    return (await accounts(reader, workspace_id, [(told, pointer)]))[0]


async def accounts(reader: Reader, workspace_id: UUID, told: Sequence[tuple[Value, str]]) -> list[UUID | Fault]:
    """The accounts of ids, or Named by id or external id, each told with its pointer."""
    said = [_told(*one) for one in told]
    found = await references.accounts(reader, workspace_id, [(key, name) for key, name, _ in said])
    return [one or no_account(at) for one, (_, _, at) in zip(found, said, strict=True)]


def no_account(pointer: str) -> Fault:
    """The Fault of an account that is not there."""
    return Fault("Expected an account of this workspace.", pointer=pointer)


async def contact(reader: Reader, workspace_id: UUID, told: Value, pointer: str, account_id: UUID) -> UUID | Fault:
    """The account's contact of an id, or Named by id, external id or e-mail."""
    return (await contacts(reader, workspace_id, [(told, pointer, account_id)]))[0]


async def contacts(reader: Reader, workspace_id: UUID, told: Sequence[tuple[Value, str, UUID]]) -> list[UUID | Fault]:
    """The contacts of ids, or Named by id, external id or e-mail, each told with its pointer and of whom it must be."""
    said = [_told(one, pointer) for one, pointer, _ in told]
    of = [account_id for _, _, account_id in told]
    rows = await references.contacts(reader, workspace_id, [(key, name) for key, name, _ in said], of)
    return [_contact(row, account_id, at) for row, account_id, (_, _, at) in zip(rows, of, said, strict=True)]


def _contact(row: Record | None, account_id: UUID, at: str) -> UUID | Fault:
    if row is None:
        return Fault("Expected a contact of this workspace.", pointer=at)
    if row["account_id"] != account_id:
        return Fault(VALUES["foreign"], pointer=at)
    if row["is_shared"]:
        return Fault(VALUES["ambiguous"], pointer=at)
    found: UUID = row["id"]
    return found


async def slug(reader: Reader, workspace_id: UUID, target: str, told: str, pointer: str) -> str | Fault:
    """The slug where there is such an industry, product, and so on; else a Fault with the nearest one."""
    return next(iter(await no_slugs(reader, workspace_id, target, [(told, pointer)])), told)


async def no_slugs(reader: Reader, workspace_id: UUID, target: str, told: Sequence[tuple[str, str]]) -> list[Fault]:
    """A Fault with the nearest slug for each that there is none of, told with its pointer."""
    known = await references.slugs(reader, workspace_id, target) if told else []
    message = f"Expected the slug of one of the workspace's {target}."
    return [Fault(message, pointer=at, suggestion=nearest(one, known)) for one, at in told if one not in known]


async def circle(
    tx: Transaction, workspace_id: UUID, account_id: UUID | None, parent_id: UUID, told: Value
) -> list[Fault]:
    """Nothing where the account, None for a new one, may hang under the parent with all that hangs below it, else the
    Fault, where the parent was `told`: a circle, or a chain that is too long."""
    pointer = told.pointer if isinstance(told, Named) else "/parent_id"
    above = await rows.above(tx, workspace_id, parent_id)
    if account_id in above:
        return [Fault("Expected a parent that is not the account itself or below it.", pointer=pointer)]
    height = await rows.height(tx, workspace_id, account_id) if account_id is not None else 0
    if len(above) + height >= rows.DEPTH:
        message = f"Expected fewer than {rows.DEPTH} parents above an account and those below it."
        return [Fault(message, pointer=pointer)]
    return []


def _told(told: Value, pointer: str) -> tuple[UUID | None, str, str]:
    """Id where it reads as one, name, and where it was said."""
    if isinstance(told, UUID):
        return told, str(told), pointer
    if not isinstance(told, Named):
        raise TypeError("a reference is a UUID or Named")
    return identity(told.name), told.name, told.pointer
