"""What a record refers to, looked up within its workspace: what is another's cannot be told from what is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.domain.catalogue import Entity, Field
from app.domain.criteria.coerce import identity
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault
from app.domain.records import Named, Value
from app.persistence import accounts, references, users
from app.persistence.database import Reader, Transaction
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

    What stands already is not looked up again. `account_id` is the account that a contact must be of; a record's own
    account is not among them: `account` finds it.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, told in given.items():
        field = entity.fields[name]
        if field.kind not in ("ref", "slug") or (name == "account" and entity.name != "accounts"):
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
    key, name, at = _told(told, pointer)
    found = await references.account(reader, workspace_id, key, name)
    return found or no_account(at)


def no_account(pointer: str) -> Fault:
    """The Fault of an account that is not there."""
    return Fault("Expected an account of this workspace.", pointer=pointer)


async def contact(reader: Reader, workspace_id: UUID, told: Value, pointer: str, account_id: UUID) -> UUID | Fault:
    """The account's contact of an id, or Named by id, external id or e-mail."""
    key, name, at = _told(told, pointer)
    row = await references.contact(reader, workspace_id, key, name, account_id)
    if row is None:
        return Fault("Expected a contact of this workspace.", pointer=at)
    if row["account_id"] != account_id:
        return Fault("Expected a contact of the record's own account.", pointer=at)
    found: UUID = row["id"]
    return found


async def slug(reader: Reader, workspace_id: UUID, target: str, told: str, pointer: str) -> str | Fault:
    """The slug where there is such an industry, product, and so on; else a Fault with the nearest one."""
    known = await references.slugs(reader, workspace_id, target)
    if told in known:
        return told
    message = f"Expected the slug of one of the workspace's {target}."
    return Fault(message, pointer=pointer, suggestion=nearest(told, known))


async def circle(tx: Transaction, workspace_id: UUID, account_id: UUID | None, parent_id: UUID) -> list[Fault]:
    """Nothing where the account, None for a new one, may hang under the parent with all that hangs below it, else the
    Fault: a circle, or a chain that is too long."""
    above = await accounts.above(tx, workspace_id, parent_id)
    if account_id in above:
        return [Fault("Expected a parent that is not the account itself or below it.", pointer="/parent_id")]
    height = await accounts.height(tx, workspace_id, account_id) if account_id is not None else 0
    if len(above) + height >= accounts.DEPTH:
        message = f"Expected fewer than {accounts.DEPTH} parents above an account and those below it."
        return [Fault(message, pointer="/parent_id")]
    return []


def _told(told: Value, pointer: str) -> tuple[UUID | None, str, str]:
    """Id where it reads as one, name, and where it was said."""
    if isinstance(told, UUID):
        return told, str(told), pointer
    if not isinstance(told, Named):
        raise TypeError("a reference is a UUID or Named")
    return identity(told.name), told.name, told.pointer
