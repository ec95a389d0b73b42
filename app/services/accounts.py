"""Accounts: create, change, upsert, archive, restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from app.domain import records
from app.domain.catalogue import ACCOUNTS
from app.domain.errors import Conflict, Fault, Invalid, NotFound, VersionStale
from app.domain.roles import permit
from app.domain.workspaces import clock
from app.persistence import accounts, workspaces
from app.persistence.database import Database, Record, Transaction
from app.services import reads, references, settle
from app.services.calls import Call, Written, new_id, once, versioned

TOLD_BY = {
    "arr": "contracts", "renewal_date": "contracts", "seats_licensed": "contracts",
    "growth_potential": "opportunities", "churned_at": "churns", "churn_reason": "churns",
}  # fmt: skip
"""Whose records say a field once there are any; by hand it can then not be set."""


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A new account. Raises Invalid, Forbidden, Conflict where the external id is taken."""
    permit(call.principal, "accounts.create")
    given = _read(call, body, partial=False)

    async def act(tx: Transaction) -> Written:
        account_id = await _insert(tx, call, given)
        if account_id is None:
            raise await _taken(tx, call, str(given["external_id"]))
        return await _answer(tx, call, account_id, created=True)

    return await once(db, call, "accounts.create", act)


async def change(
    db: Database, call: Call, account_id: UUID, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Changes the members that are given, and only those. Raises Invalid, NotFound, Forbidden, VersionRequired, VersionStale."""
    permit(call.principal, "accounts.write", own=True)
    given = _read(call, body, partial=True)

    async def act(tx: Transaction) -> Written:
        await _hold_tree(tx, call, given)
        standing = await _standing(tx, call, account_id, "accounts.write", expected_version)
        return await _change(tx, call, standing, given)

    return await once(db, call, f"accounts.change {account_id}", act)


async def upsert(
    db: Database, call: Call, external_id: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The account of an external id: made where there is none, else changed as `change` does, version included."""
    permit(call.principal, "accounts.write", own=True)
    given = _read(call, {"external_id": external_id, **body}, partial=True)
    if given["external_id"] != external_id:
        raise Invalid(faults=(Fault("Expected the external id of the address.", pointer="/external_id"),))

    async def act(tx: Transaction) -> Written:
        await _hold_tree(tx, call, given)
        standing = await accounts.locked_external(tx, call.principal.workspace.id, external_id)
        if standing is None:
            return await _create_external(tx, call, {**body, "external_id": external_id}, expected_version)
        _guarded(call, standing, "accounts.write", expected_version)
        return await _change(tx, call, standing, given)

    return await once(db, call, f"accounts.upsert {external_id}", act)


async def archive(db: Database, call: Call, account_id: UUID, expected_version: int | None) -> Written:
    """Takes the account out of scope; related records stay. An archived one stays as it is."""
    return await _set_archived(db, call, account_id, expected_version, call.now)


async def restore(db: Database, call: Call, account_id: UUID, expected_version: int | None) -> Written:
    """Brings an archived account back into scope."""
    return await _set_archived(db, call, account_id, expected_version, None)


async def _set_archived(
    db: Database, call: Call, account_id: UUID, expected_version: int | None, at: datetime | None
) -> Written:
    permit(call.principal, "accounts.archive", own=True)

    async def act(tx: Transaction) -> Written:
        standing = await _standing(tx, call, account_id, "accounts.archive", expected_version)
        if (standing["archived_at"] is None) == (at is None):
            return await _answer(tx, call, account_id, created=False)
        await accounts.update(tx, call.principal.workspace.id, account_id, {"archived_at": at}, call.now)
        await settle.settle(tx, call.principal.workspace, [account_id], call.now)
        return await _answer(tx, call, account_id, created=False)

    return await once(db, call, f"accounts.{'restore' if at is None else 'archive'} {account_id}", act)


def _read(call: Call, body: Mapping[str, object], *, partial: bool) -> dict[str, records.Value]:
    workspace = call.principal.workspace
    return records.read(
        ACCOUNTS, body, minor_digits=workspace.minor_digits, attributes=workspace.attributes, partial=partial
    )


async def _hold_tree(tx: Transaction, call: Call, given: Mapping[str, records.Value]) -> None:
    """One at a time may change who is whose parent: two at once could close a circle that neither sees."""
    if given.get("parent") is not None:
        await workspaces.hold(tx, call.principal.workspace.id)


async def _standing(
    tx: Transaction, call: Call, account_id: UUID, operation: str, expected_version: int | None
) -> Record:
    standing = await accounts.locked(tx, call.principal.workspace.id, account_id)
    if standing is None:
        raise NotFound
    _guarded(call, standing, operation, expected_version)
    return standing


def _guarded(call: Call, standing: Record, operation: str, expected_version: int | None) -> None:
    mine = call.principal.user_id is not None and standing["csm_id"] == call.principal.user_id
    permit(call.principal, operation, own=mine)
    versioned(standing["version"], expected_version)


async def _create_external(
    tx: Transaction, call: Call, body: Mapping[str, object], expected_version: int | None
) -> Written:
    permit(call.principal, "accounts.create")
    if expected_version is not None:
        raise VersionStale
    account_id = await _insert(tx, call, _read(call, body, partial=False))
    if account_id is None:  # somebody else made it since we looked
        raise await _taken(tx, call, str(body["external_id"]))
    return await _answer(tx, call, account_id, created=True)


async def _insert(tx: Transaction, call: Call, given: Mapping[str, records.Value]) -> UUID | None:
    account_id = new_id()
    values = await _columns(tx, call, given, None)
    if values.get("stage") is not None:
        values["stage_since"] = _today(call)
    if not await accounts.insert(tx, call.principal.workspace.id, account_id, values, call.now):
        return None
    if values.get("stage") is not None:
        await _move_stage(tx, call, account_id, values["stage"])
    await settle.settle(tx, call.principal.workspace, [account_id], call.now)
    return account_id


async def _change(tx: Transaction, call: Call, standing: Record, given: Mapping[str, records.Value]) -> Written:
    workspace_id, account_id = call.principal.workspace.id, standing["id"]
    values = await _columns(tx, call, given, standing)
    changed = {column: value for column, value in values.items() if standing[column] != value}
    if not changed:
        return await _answer(tx, call, account_id, created=False)
    external_id = changed.get("external_id")
    if external_id is not None and await accounts.named(tx, workspace_id, None, external_id):
        raise await _taken(tx, call, external_id)
    if "stage" in changed:
        changed["stage_since"] = _today(call) if changed["stage"] is not None else None
        await _move_stage(tx, call, account_id, changed["stage"])
    await accounts.update(tx, workspace_id, account_id, changed, call.now)
    await settle.settle(tx, call.principal.workspace, [account_id], call.now, changed=_fields(call, changed))
    return await _answer(tx, call, account_id, created=False)


def _fields(call: Call, changed: Mapping[str, Any]) -> set[str]:
    """The fields that are another value now: those changed, own attributes by slug, and what every change moves."""
    names = {"updated_at", "version"} | {column.removesuffix("_by_hand").removesuffix("_id") for column in changed}
    if "cost_to_serve" in changed:
        names.add("margin")
    if "custom" in changed:
        names |= {slug for entity, slug in call.principal.workspace.attributes if entity == "accounts"}
    return names | set(changed)


async def _columns(
    tx: Transaction, call: Call, given: Mapping[str, records.Value], standing: Record | None
) -> dict[str, Any]:
    """What is given, by column, its references looked up. Raises Invalid for every one that leads nowhere."""
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    said = await _said(tx, call, given, standing)
    for name, value in given.items():
        field = ACCOUNTS.fields[name]
        if field.kind == "json":
            values[field.column] = _custom(standing["custom"] if standing else None, value)
        elif field.fallback:
            values |= _by_hand(name, value, standing, said, faults)
        else:
            values[field.column] = value
    await _refer(tx, call, values, given, standing, faults)
    if faults:
        raise Invalid(faults=tuple(faults))
    return values


async def _said(
    tx: Transaction, call: Call, given: Mapping[str, records.Value], standing: Record | None
) -> Mapping[str, bool]:
    if standing is None or not any(name in TOLD_BY for name in given):
        return {}
    return await accounts.told(tx, call.principal.workspace.id, standing["id"])


def _by_hand(
    name: str, value: records.Value, standing: Record | None, said: Mapping[str, bool], faults: list[Fault]
) -> dict[str, Any]:
    """Sets the field by hand, unless related records say it; saying the same as they do changes nothing."""
    if not said.get(TOLD_BY[name]):
        return {f"{name}_by_hand": value}
    if standing is None or standing[name] != value:
        message = f"Expected no {name} here: it follows from the account's {TOLD_BY[name]}. Change those instead."
        faults.append(Fault(message, pointer=f"/{name}"))
    return {}


def _custom(standing: bytes | None, given: Any) -> bytes | None:
    """Own attributes with those given put in, and those given as None taken out; None where none is left."""
    merged = {**(msgspec.json.decode(standing) if standing else {}), **(given or {})} if given is not None else {}
    left = {slug: value for slug, value in sorted(merged.items()) if value is not None}
    return msgspec.json.encode(left) if left else None


async def _refer(
    tx: Transaction,
    call: Call,
    values: dict[str, Any],
    given: Mapping[str, records.Value],
    standing: Record | None,
    faults: list[Fault],
) -> None:
    workspace_id = call.principal.workspace.id
    for target, name in (("industries", "industry"), ("stages", "stage")):
        if values.get(name) is not None and (standing is None or standing[name] != values[name]):
            faults += await references.slug(tx, workspace_id, target, values[name], f"/{name}")
    for name, find in (("csm", references.user), ("parent", references.account)):
        told = given.get(name)
        if told is not None and not (standing is not None and standing[f"{name}_id"] == told):
            found = await find(tx, workspace_id, told, f"/{name}_id")
            if isinstance(found, Fault):
                faults.append(found)
            values[f"{name}_id"] = found
    if standing is not None and isinstance(parent := values.get("parent_id"), UUID):
        faults += await references.circle(tx, workspace_id, standing["id"], parent)


async def _taken(tx: Transaction, call: Call, external_id: str) -> Conflict:
    standing = await accounts.named(tx, call.principal.workspace.id, None, external_id)
    return Conflict(
        faults=(Fault(f"Expected an external id of its own: account {standing} has it.", pointer="/external_id"),)
    )


async def _move_stage(tx: Transaction, call: Call, account_id: UUID, stage: str | None) -> None:
    principal = call.principal
    await accounts.move_stage(tx, principal.workspace.id, new_id(), account_id, stage, call.now, principal.user_id)


def _today(call: Call) -> date:
    return clock(call.principal.workspace, call.now).today


async def _answer(tx: Transaction, call: Call, account_id: UUID, *, created: bool) -> Written:
    # Whoever may write an account may see what became of it, a service without the scope to read others too.
    reader = replace(call.principal, scopes=call.principal.scopes | {"read"})
    one = await reads.one(tx, reader, "accounts", "id", str(account_id))
    return Written(account_id, one.version or 0, one.body, created)
