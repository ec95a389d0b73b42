"""What the organisation has named: industries, products, features, teams, each known by a slug that stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.domain.catalogue import Entity
from app.domain.errors import Fault, Invalid, NotFound, VersionStale
from app.domain.roles import permit
from app.persistence import records as rows
from app.persistence import workspaces
from app.persistence.database import Database, Record, Transaction
from app.persistence.records import By
from app.services import dependents, effects, settle, writing
from app.services.calls import Call, Written, new_id, once, versioned
from app.services.writing import Given

WRITE = "directory.write"
FOLLOWED: Mapping[str, frozenset[str]] = {"features": frozenset({"is_key", "module"})}
"""Columns that facts and segments of every account depend on; so does how many records there are."""


async def create(db: Database, call: Call, entity: Entity, body: Mapping[str, object]) -> Written:
    """A new one under a slug of its own."""
    permit(call.principal, WRITE)
    given = writing.read(call, entity, body, partial=False)

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        return await _create(tx, call, entity, given)

    return await once(db, call, f"{WRITE} create {entity.name}", act)


async def change(
    db: Database, call: Call, entity: Entity, by: By, value: str, body: Mapping[str, object], expected: int | None
) -> Written:
    """Changes what is given, and only that; the slug stays."""
    permit(call.principal, WRITE)
    key = writing.addressed(by, value)
    given = writing.read(call, entity, body, partial=True)

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        standing = await rows.locked(tx, entity, call.principal.workspace.id, by, key)
        if standing is None:
            raise NotFound
        return await _change(tx, call, entity, standing, given, expected)

    return await once(db, call, f"{WRITE} change {entity.name} {by} {value}", act)


async def upsert(
    db: Database, call: Call, entity: Entity, slug: str, body: Mapping[str, object], expected: int | None
) -> Written:
    """The one of a slug: made where there is none, else changed."""
    permit(call.principal, WRITE)
    told = writing.named(entity, slug, body)
    given = writing.read(call, entity, told, partial=True)

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        standing = await rows.locked(tx, entity, call.principal.workspace.id, "slug", slug)
        if standing is not None:
            return await _change(tx, call, entity, standing, given, expected)
        if expected is not None:
            raise VersionStale
        return await _create(tx, call, entity, writing.read(call, entity, told, partial=False))

    return await once(db, call, f"{WRITE} upsert {entity.name} {slug}", act)


async def delete(db: Database, call: Call, entity: Entity, by: By, value: str, expected: int | None) -> Written:
    """Takes it away. Raises Conflict that names what depends on it."""
    permit(call.principal, WRITE)
    key = writing.addressed(by, value)
    workspace = call.principal.workspace

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, workspace.id)
        standing = await rows.locked(tx, entity, workspace.id, by, key, going=True)
        if standing is None:
            raise NotFound
        versioned(standing["version"], expected)
        await dependents.refuse(tx, call.principal, entity.name, standing["id"], standing["slug"])
        await rows.delete(tx, entity, workspace.id, standing["id"])
        await _settle(tx, call, entity, None)
        return Written(
            standing["id"], standing["version"], b"", False, effects.gone(entity, workspace, standing["id"], standing)
        )

    return await once(db, call, f"{WRITE} delete {entity.name} {by} {value}", act)


async def _create(tx: Transaction, call: Call, entity: Entity, given: Given) -> Written:
    workspace_id, record_id = call.principal.workspace.id, new_id()
    values = dict(given)
    stored = values | {"no": await rows.next_number(tx, workspace_id)} if entity.name == "features" else values
    await writing.insert(tx, call, entity, record_id, stored)
    await _settle(tx, call, entity, None)
    done = effects.made(entity, call.principal.workspace, record_id, values)
    return await writing.answer(tx, call, entity, record_id, done, created=True)


async def _change(
    tx: Transaction, call: Call, entity: Entity, standing: Record, given: Given, expected: int | None
) -> Written:
    versioned(standing["version"], expected)
    after = {column: value for column, value in given.items() if standing[column] != value}
    if "slug" in after:
        message = "Expected the slug that it was made with: what refers to it would lead nowhere. Make another one."
        raise Invalid(faults=(Fault(message, pointer="/slug"),))
    if not after:
        return await writing.answer(tx, call, entity, standing["id"])
    await writing.refuse_taken(tx, call, entity, after)
    await rows.update(tx, entity, call.principal.workspace.id, standing["id"], after, call.now)
    await _settle(tx, call, entity, after)
    done = effects.changed(entity, call.principal.workspace, standing["id"], standing, after)
    return await writing.answer(tx, call, entity, standing["id"], done)


async def _settle(tx: Transaction, call: Call, entity: Entity, changed: Collection[str] | None) -> None:
    """Brings every account up to date where something that they follow is another; None: one came or went."""
    followed = FOLLOWED.get(entity.name)
    if followed is not None and (changed is None or not followed.isdisjoint(changed)):
        await settle.settle(tx, call.principal.workspace, None, call.now)
