"""Users: made, changed, deactivated, deleted where they left no trace; an admin always remains."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain import records
from app.domain.catalogue import USERS
from app.domain.criteria.suggest import nearest
from app.domain.errors import Conflict, Fault, Invalid, NotFound, VersionStale
from app.domain.roles import Role, permit
from app.persistence import records as rows
from app.persistence import users, workspaces
from app.persistence.database import Database, Reader, Record, Transaction
from app.persistence.records import By
from app.services import dependents, effects, keys, writing
from app.services.calls import Call, Effect, Written, keep_command, new_id, once, versioned
from app.services.writing import Given

WRITE = "users.write"
TAKEN = {
    "email": "Expected an e-mail address that no other user has, in whatever case it is written.",
    "external_id": "Expected an external id that no other user has.",
}


async def create_user(
    db: Database,
    workspace_id: UUID,
    email: str,
    name: str,
    role: Role,
    team: str | None,
    now: datetime,
    external_id: str | None = None,
) -> UUID:
    """A new active user, in a team that exists or in none; its id. Raises Invalid, Conflict where the e-mail is taken."""
    body = {"email": email, "name": name, "role": role, "team": team, "external_id": external_id}
    given = records.read(USERS, body, minor_digits=0, attributes={}, partial=False, now=now)
    async with db.transaction() as tx:
        await workspaces.hold(tx, workspace_id)
        user_id, _ = await _insert(tx, workspace_id, given, now)
        made = {name: value for name, value in given.items() if value is not None}
        await keep_command(tx, workspace_id, now, WRITE, (Effect(USERS.name, user_id, None, made),))
    return user_id


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A new user, active unless told otherwise. Raises Invalid, Forbidden, Conflict where e-mail or external id is taken."""
    permit(call.principal, WRITE)
    given = writing.read(call, USERS, body, partial=False)

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        return await _create(tx, call, given)

    return await once(db, call, f"{WRITE} create", act)


async def change(
    db: Database, call: Call, by: By, value: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Changes what is given, and only that. `is_active: false` deactivates: their keys end within a second, in this
    process at once; a weaker role weakens them as soon.

    Raises Invalid, Forbidden, NotFound, VersionRequired, VersionStale, Conflict for the last active admin.
    """
    permit(call.principal, WRITE)
    key = writing.addressed(by, value)
    given = writing.read(call, USERS, body, partial=True)

    async def act(tx: Transaction) -> Written:
        standing = await _standing(tx, call, by, key)
        if standing is None:
            raise NotFound
        return await _change(tx, call, standing, given, expected_version)

    written = await once(db, call, f"{WRITE} change {by} {value}", act)
    keys.forget(db)
    return written


async def upsert(
    db: Database, call: Call, external_id: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The user of an external id: made where there is none, else changed as `change` does, version included."""
    permit(call.principal, WRITE)
    told = writing.named(USERS, external_id, body)
    given = writing.read(call, USERS, told, partial=True)

    async def act(tx: Transaction) -> Written:
        standing = await _standing(tx, call, "external_id", external_id)
        if standing is not None:
            return await _change(tx, call, standing, given, expected_version)
        if expected_version is not None:
            raise VersionStale
        return await _create(tx, call, writing.read(call, USERS, told, partial=False))

    written = await once(db, call, f"{WRITE} upsert {external_id}", act)
    keys.forget(db)
    return written


async def delete(db: Database, call: Call, by: By, value: str, expected_version: int | None) -> Written:
    """Takes away a user who has left no trace; whoever did anything is deactivated instead.

    Raises NotFound, Forbidden, VersionRequired, VersionStale, Conflict that names what depends on them.
    """
    permit(call.principal, WRITE)
    key = writing.addressed(by, value)
    workspace_id = call.principal.workspace.id

    async def act(tx: Transaction) -> Written:
        standing = await _standing(tx, call, by, key)
        if standing is None:
            raise NotFound
        versioned(standing["version"], expected_version)
        await _leave_an_admin(tx, workspace_id, standing, {"is_active": False})
        await dependents.refuse(tx, call.principal, "users", standing["id"], None)
        if await users.acted(tx, workspace_id, standing["id"]):
            raise Conflict(
                faults=(Fault("Expected nobody whom history names: set is_active to false instead.", pointer=""),)
            )
        await users.forget_defaults(tx, workspace_id, standing["id"])
        await rows.delete(tx, USERS, workspace_id, standing["id"])
        done = effects.gone(USERS, call.principal.workspace, standing["id"], standing)
        return Written(standing["id"], standing["version"], b"", False, done)

    written = await once(db, call, f"{WRITE} delete {by} {value}", act)
    keys.forget(db)
    return written


async def keep_an_admin(tx: Transaction, workspace_id: UUID) -> None:
    """Raises Conflict where the transaction, which wrote many users at once, leaves no active admin."""
    if not await users.other_admins(tx, workspace_id, None):
        raise Conflict("Expected an active admin to remain: nobody could let anybody in again.")


async def _standing(tx: Transaction, call: Call, by: By, key: UUID | str) -> Record | None:
    # Whoever changes users waits for whoever does so already: two admins who demote each other are told apart.
    await workspaces.hold(tx, call.principal.workspace.id)
    return await rows.locked(tx, USERS, call.principal.workspace.id, by, key)


async def _create(tx: Transaction, call: Call, given: Given) -> Written:
    user_id, values = await _insert(tx, call.principal.workspace.id, given, call.now)
    done = effects.made(USERS, call.principal.workspace, user_id, values)
    return await writing.answer(tx, call, USERS, user_id, done, created=True)


async def _insert(tx: Transaction, workspace_id: UUID, given: Given, now: datetime) -> tuple[UUID, Mapping[str, Any]]:
    """The id, and the values by column; the workspace must be held."""
    user_id, values = new_id(), {"is_active": True, **given}
    await _known(tx, workspace_id, user_id, values)
    if not await rows.insert(tx, USERS, workspace_id, user_id, values, now):
        raise Conflict  # an import made the same user since we looked
    return user_id, values


async def _change(tx: Transaction, call: Call, standing: Record, given: Given, expected_version: int | None) -> Written:
    workspace_id, user_id = call.principal.workspace.id, standing["id"]
    versioned(standing["version"], expected_version)
    changed = {name: value for name, value in given.items() if standing[name] != value}
    if not changed:
        return await writing.answer(tx, call, USERS, user_id)
    await _known(tx, workspace_id, user_id, changed)
    await _leave_an_admin(tx, workspace_id, standing, changed)
    await rows.update(tx, USERS, workspace_id, user_id, changed, call.now)
    done = effects.changed(USERS, call.principal.workspace, user_id, standing, changed)
    return await writing.answer(tx, call, USERS, user_id, done)


async def _known(tx: Transaction, workspace_id: UUID, user_id: UUID, values: Mapping[str, Any]) -> None:
    """Raises Invalid for a team that is not there, Conflict for what another user is known by."""
    if values.get("team") is not None:
        await _known_team(tx, workspace_id, values["team"])
    taken = await users.taken(tx, workspace_id, user_id, values.get("email"), values.get("external_id"))
    if taken:
        raise Conflict(faults=tuple(Fault(TAKEN[name], pointer=f"/{name}") for name in taken))


async def _leave_an_admin(tx: Transaction, workspace_id: UUID, standing: Record, changed: Mapping[str, Any]) -> None:
    """Raises Conflict where nobody would be left who may make an admin; the workspace must be held."""
    is_one = standing["role"] == "admin" and standing["is_active"]
    stays_one = changed.get("role", "admin") == "admin" and changed.get("is_active", True)
    if is_one and not stays_one and not await users.other_admins(tx, workspace_id, standing["id"]):
        pointer = "/role" if "role" in changed else "/is_active" if changed else ""
        raise Conflict(faults=(Fault("Expected another active admin: this is the last one.", pointer=pointer),))


async def _known_team(reader: Reader, workspace_id: UUID, team: str) -> None:
    known = await users.teams(reader, workspace_id)
    if team not in known:
        raise Invalid(faults=(Fault("Expected the slug of a team.", pointer="/team", suggestion=nearest(team, known)),))
