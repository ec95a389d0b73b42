"""Accounts: create, change, upsert, archive, restore, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.domain.catalogue import ACCOUNTS, OF_ACCOUNT
from app.domain.errors import Fault, Invalid, NotFound, VersionStale
from app.domain.records import Told
from app.domain.related import RELATED
from app.domain.roles import permit
from app.domain.values import Value
from app.domain.workspaces import clock
from app.persistence import accounts, audit_records, workspaces
from app.persistence import records as rows
from app.persistence.audit_records import Of
from app.persistence.database import Database, Record, Transaction
from app.services import attribute_values, dependents, effects, moves, references, settle, writing
from app.services.calls import Call, Effect, Written, new_id, once, versioned
from app.services.writing import Given

TOLD_BY = {
    "arr": "contracts", "renewal_date": "contracts", "seats_licensed": "contracts",
    "growth_potential": "opportunities", "churned_at": "churns", "churn_reason": "churns",
}  # fmt: skip
"""Whose records say a field once there are any; by hand it can then not be set."""
MODELLED = "Expected no health here: it follows from the workspace's own measures. Change those, at /v1/scores."


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A new account. Raises Invalid, Forbidden, Conflict where the external id is taken."""
    permit(call.principal, "accounts.create")
    told = writing.look(call, ACCOUNTS, body, partial=False)

    async def act(tx: Transaction) -> Written:
        return await _create(tx, call, told)

    return await once(db, call, "accounts.create", act)


async def change(
    db: Database, call: Call, account_id: UUID, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Changes the members that are given, and only those. Raises Invalid, NotFound, Forbidden, VersionRequired, VersionStale."""
    permit(call.principal, "accounts.write", own=True)
    told = writing.look(call, ACCOUNTS, body, partial=True)

    async def act(tx: Transaction) -> Written:
        await _hold_tree(tx, call, told.given)
        standing = await _standing(tx, call, account_id, "accounts.write", expected_version)
        return await _change(tx, call, standing, told)

    return await once(db, call, f"accounts.write change {account_id}", act)


async def upsert(
    db: Database, call: Call, external_id: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The account of an external id: made where there is none, else changed as `change` does, version included."""
    permit(call.principal, "accounts.write", own=True)
    said = writing.named(ACCOUNTS, external_id, body)
    told = writing.look(call, ACCOUNTS, said, partial=True)

    async def act(tx: Transaction) -> Written:
        await _hold_tree(tx, call, told.given)
        standing = await rows.locked(tx, ACCOUNTS, call.principal.workspace.id, "external_id", external_id)
        if standing is None:
            return await _create_external(tx, call, said, expected_version)
        _guarded(call, standing, "accounts.write", expected_version)
        return await _change(tx, call, standing, told)

    return await once(db, call, f"accounts.write upsert {external_id}", act)


async def archive(db: Database, call: Call, account_id: UUID, expected_version: int | None) -> Written:
    """Takes the account out of scope; related records stay. An archived one stays as it is."""
    return await _set_archived(db, call, account_id, expected_version, call.now)


async def restore(db: Database, call: Call, account_id: UUID, expected_version: int | None) -> Written:
    """Brings an archived account back into scope."""
    return await _set_archived(db, call, account_id, expected_version, None)


async def delete(
    db: Database, call: Call, account_id: UUID, expected_version: int | None, *, with_records: bool = False
) -> Written:
    """Takes the account away for good. Raises Conflict that names what belongs to it, unless that shall go too: its
    records, usage, memberships and history; accounts below it then have no parent."""
    permit(call.principal, "accounts.delete")
    workspace = call.principal.workspace

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, workspace.id)  # nobody gets a parent meanwhile
        children = await accounts.children(tx, workspace.id, account_id)
        await rows.hold(tx, workspace.id, [account_id, *children])
        standing = await _standing(tx, call, account_id, "accounts.delete", expected_version)
        if not with_records:
            await dependents.refuse(tx, call.principal, ACCOUNTS.name, account_id, None)
        await accounts.orphan(tx, workspace.id, account_id, call.now)
        of = Of(new_id(), call.now)
        kept = await audit_records.going(tx, workspace.id, of, account_id)
        counts = await accounts.forget(tx, workspace.id, account_id)
        await rows.delete(tx, ACCOUNTS, workspace.id, account_id)
        await settle.settle(tx, workspace, children, call.now)
        done = _gone(call, standing, counts, children, kept, of)
        return Written(account_id, standing["version"], b"", False, done)

    return await once(db, call, f"accounts.delete {account_id} {with_records}", act)


def _gone(
    call: Call, standing: Record, counts: Mapping[str, int], children: Sequence[UUID], kept: int, of: Of
) -> tuple[Effect, ...]:
    """The account as it stood, with how many records of each kind went along, and the children without a parent. The
    records themselves are kept beside the entry, the first FULL of them."""
    account_id: UUID = standing["id"]
    records = {name: n for name, n in counts.items() if name in OF_ACCOUNT or name == "usage_days"}
    told: dict[str, object] = {"records": records} if records else {}
    if kept < sum(n for name, n in records.items() if name in RELATED):
        told["records_in_full"] = kept
    (gone,) = effects.gone(ACCOUNTS, call.principal.workspace, account_id, standing)
    left = [Effect(ACCOUNTS.name, one, {"parent_id": account_id}, {"parent_id": None}) for one in children]
    return (replace(gone, before={**(gone.before or {}), **told}, entry_id=of.entry_id), *left)


async def _set_archived(
    db: Database, call: Call, account_id: UUID, expected_version: int | None, at: datetime | None
) -> Written:
    permit(call.principal, "accounts.archive", own=True)

    async def act(tx: Transaction) -> Written:
        standing = await _standing(tx, call, account_id, "accounts.archive", expected_version)
        if (standing["archived_at"] is None) == (at is None):
            return await writing.answer(tx, call, ACCOUNTS, account_id)
        await rows.update(tx, ACCOUNTS, call.principal.workspace.id, account_id, {"archived_at": at}, call.now)
        await settle.settle(tx, call.principal.workspace, [account_id], call.now)
        done = effects.differing(
            ACCOUNTS.name, account_id, {"archived_at": standing["archived_at"]}, {"archived_at": at}
        )
        return await writing.answer(tx, call, ACCOUNTS, account_id, done)

    return await once(db, call, f"accounts.archive {'restore' if at is None else 'archive'} {account_id}", act)


async def _hold_tree(tx: Transaction, call: Call, given: Given) -> None:
    """One at a time may change who is whose parent: two at once could close a circle that neither sees."""
    if given.get("parent") is not None:
        await workspaces.hold(tx, call.principal.workspace.id)


async def _standing(
    tx: Transaction, call: Call, account_id: UUID, operation: str, expected_version: int | None
) -> Record:
    standing = await rows.locked(tx, ACCOUNTS, call.principal.workspace.id, "id", account_id)
    if standing is None:
        raise NotFound("There is no such account in this workspace.")
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
    return await _create(tx, call, writing.look(call, ACCOUNTS, body, partial=False))


async def _create(tx: Transaction, call: Call, told: Told) -> Written:
    await workspaces.share(tx, call.principal.workspace.id)
    account_id = new_id()
    values = await _columns(tx, call, told, None)
    if values.get("stage") is not None:
        values["stage_since"] = _today(call)
    await writing.insert(tx, call, ACCOUNTS, account_id, values)
    if values.get("stage") is not None:
        await moves.keep(tx, call, [account_id], values["stage"])
    await settle.settle(tx, call.principal.workspace, [account_id], call.now)
    done = effects.made(ACCOUNTS, call.principal.workspace, account_id, values)
    return await writing.answer(tx, call, ACCOUNTS, account_id, done, created=True)


async def _change(tx: Transaction, call: Call, standing: Record, told: Told) -> Written:
    workspace_id, account_id = call.principal.workspace.id, standing["id"]
    values = await _columns(tx, call, told, standing)
    changed = {column: value for column, value in values.items() if standing[column] != value}
    if not changed:
        return await writing.answer(tx, call, ACCOUNTS, account_id)
    await writing.refuse_taken(tx, call, ACCOUNTS, changed)
    done = effects.changed(ACCOUNTS, call.principal.workspace, account_id, standing, changed)
    if "stage" in changed:
        changed["stage_since"] = _today(call) if changed["stage"] is not None else None
        await moves.keep(tx, call, [account_id], changed["stage"])
    await rows.update(tx, ACCOUNTS, workspace_id, account_id, changed, call.now)
    await settle.settle(tx, call.principal.workspace, [account_id], call.now, changed=_fields(call, changed))
    return await writing.answer(tx, call, ACCOUNTS, account_id, done)


def _fields(call: Call, changed: Mapping[str, Any]) -> set[str]:
    """The fields that are another value now: those changed, own attributes by slug, and what every change moves."""
    names = {"updated_at", "version"} | {column.removesuffix("_by_hand").removesuffix("_id") for column in changed}
    if "cost_to_serve" in changed:
        names.add("margin")
    if "custom" in changed:
        names |= {slug for entity, slug in call.principal.workspace.attributes if entity == "accounts"}
    return names | set(changed)


async def _columns(tx: Transaction, call: Call, told: Told, standing: Record | None) -> dict[str, Any]:
    """What is told, by column, its references looked up. Raises Invalid for everything that is wrong with it, Conflict for
    a value that another account has."""
    given, faults = told.given, list(told.faults)
    values: dict[str, Any] = {}
    said = await _said(tx, call, given, standing)
    for name, value in given.items():
        field = ACCOUNTS.fields[name]
        if name == "health" and call.principal.workspace.scores.health is not None:
            if value != (None if standing is None else standing[name]):
                faults.append(Fault(MODELLED, pointer="/health"))
        elif field.fallback:
            values |= _by_hand(name, value, standing, said, faults)
        elif field.kind not in ("ref", "slug", "json"):
            values[field.column] = value
    referred, astray = await references.fields(tx, call.principal.workspace.id, ACCOUNTS, given, standing)
    values |= referred
    faults += astray
    if isinstance(parent := values.get("parent_id"), UUID):
        own = standing["id"] if standing is not None else None
        faults += await references.circle(tx, call.principal.workspace.id, own, parent, given["parent"])
    if faults:
        raise Invalid(faults=tuple(faults))
    if "custom" in given:
        workspace = call.principal.workspace
        values["custom"] = await attribute_values.put(tx, workspace, ACCOUNTS, standing, given["custom"])
    return values


async def _said(tx: Transaction, call: Call, given: Given, standing: Record | None) -> Mapping[str, bool]:
    if standing is None or not any(name in TOLD_BY for name in given):
        return {}
    return await accounts.told(tx, call.principal.workspace.id, standing["id"])


def _by_hand(
    name: str, value: Value, standing: Record | None, said: Mapping[str, bool], faults: list[Fault]
) -> dict[str, Any]:
    """Sets the field by hand, unless related records say it; saying the same as they do changes nothing."""
    if not said.get(TOLD_BY[name]):
        return {f"{name}_by_hand": value}
    if standing is None or standing[name] != value:
        message = f"Expected no {name} here: it follows from the account's {TOLD_BY[name]}. Change those instead."
        faults.append(Fault(message, pointer=f"/{name}"))
    return {}


def _today(call: Call) -> date:
    return clock(call.principal.workspace, call.now).today
