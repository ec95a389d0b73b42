"""An organisation's own attributes: defined, changed, renamed and retired without losing data, deleted with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from app.domain import attributes as domain
from app.domain import dependents
from app.domain.attributes import MOST, Attribute
from app.domain.catalogue import ATTRIBUTES
from app.domain.errors import Conflict, Fault, Invalid, NotFound, VersionStale, escape
from app.domain.roles import permit
from app.domain.values import Value
from app.persistence import attributes as rows
from app.persistence import facts, segments, workspaces
from app.persistence import records as table
from app.persistence.database import Database, Record, Transaction
from app.services import attribute_indexes, attribute_names, effects, keys, prepared, settle, writing
from app.services import attribute_obstacles as obstacles
from app.services.attribute_indexes import Due
from app.services.calls import Call, Effect, Written, new_id, once, versioned

WRITE = "attributes.write"
Instead = Mapping[str, str | None]
"""What takes the place of values that are removed; None for nothing."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A body apart from what it says of the change itself: what takes the place of values that are removed, and whether
    what names the attribute may mean nothing once it is retired."""

    body: Mapping[str, object]
    instead: Instead
    with_dependents: bool


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A new attribute. Raises Invalid, Forbidden, and Conflict where slug or external id is taken, where there are too
    many, or where records stand against it."""
    permit(call.principal, WRITE)
    given = writing.read(call, ATTRIBUTES, body, partial=False)
    due = Due()
    written = await once(db, call, f"{WRITE} create", lambda tx: _create(tx, call, given, due))
    return await attribute_indexes.follow(db, call, written, due)


async def change(
    db: Database, call: Call, attribute_id: UUID, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Changes the members that are given. `replace` says what becomes of values in use that are removed; `retired_at`
    hides the attribute, unless something names it and `with_dependents` is not said, and null brings it back.

    Raises Invalid, NotFound, Conflict, VersionRequired, VersionStale.
    """
    permit(call.principal, WRITE)
    said = _said(body)
    given = writing.read(call, ATTRIBUTES, said.body, partial=True)
    due = Due()

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        row = await rows.locked(tx, call.principal.workspace.id, "id", attribute_id)
        return await _change(tx, call, row, given, said, expected_version, due)

    written = await once(db, call, f"{WRITE} change {attribute_id}", act)
    return await attribute_indexes.follow(db, call, written, due)


async def upsert(
    db: Database, call: Call, external_id: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The attribute of an external id: made where there is none, else changed as `change` does."""
    permit(call.principal, WRITE)
    said = _said(writing.named(ATTRIBUTES, external_id, body))
    given = writing.read(call, ATTRIBUTES, said.body, partial=True)
    due = Due()

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        row = await rows.locked(tx, call.principal.workspace.id, "external_id", external_id)
        if row is not None:
            return await _change(tx, call, row, given, said, expected_version, due)
        if expected_version is not None:
            raise VersionStale
        return await _create(tx, call, writing.read(call, ATTRIBUTES, said.body, partial=False), due)

    written = await once(db, call, f"{WRITE} upsert {external_id}", act)
    return await attribute_indexes.follow(db, call, written, due)


async def delete(db: Database, call: Call, attribute_id: UUID, expected_version: int | None) -> Written:
    """Takes a retired attribute away, and every value of it. Raises NotFound, VersionRequired, VersionStale, and Conflict
    where it is not retired or where lists, segmentations or mappings name it."""
    permit(call.principal, WRITE)
    workspace = call.principal.workspace
    standing = await rows.one(db, workspace.id, attribute_id)
    if standing is not None and standing["index_due"]:
        await attribute_indexes.seen_to(db, workspace.id, attribute_id, call.now, attribute_indexes.SOON)

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, workspace.id)
        row = await rows.locked(tx, workspace.id, "id", attribute_id)
        if row is None:
            raise NotFound
        versioned(row["version"], expected_version)
        of = rows.made(row)
        if of.retired_at is None:
            raise Conflict("Expected a retired attribute: set retired_at first.")
        await attribute_names.refuse(tx, workspace.id, of)
        if row["index_due"]:
            raise Conflict("Its index is still being dropped: try again in a moment.")
        await rows.purge(tx, workspace.id, of)
        await rows.delete(tx, workspace.id, of.id)
        gone = effects.gone(ATTRIBUTES, workspace, of.id, row)
        return Written(of.id, row["version"], b"", created=False, effects=gone)

    written = await once(db, call, f"{WRITE} delete {attribute_id}", act)
    keys.forget(db)
    return written


# -- making ----------------------------------------------------------------------------------------------------------------


async def _create(tx: Transaction, call: Call, given: Mapping[str, Value], due: Due) -> Written:
    workspace_id = call.principal.workspace.id
    await workspaces.hold(tx, workspace_id)
    known = await rows.all_of(tx, workspace_id)
    of = _new(given)
    domain.verify(of, None, call.now)
    obstacles.free(of, known)
    if sum(one.entity == of.entity for one in known) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} attributes of {of.entity}, retired ones among them.")
    obstacles.few_indexed(of, known)
    await obstacles.allowed(tx, workspace_id, of, None)
    await table.insert(tx, ATTRIBUTES, workspace_id, of.id, {**given, "key": of.key}, call.now)
    await attribute_indexes.want(tx, workspace_id, of, None, due)
    done = effects.made(ATTRIBUTES, call.principal.workspace, of.id, given)
    return await writing.answer(tx, call, ATTRIBUTES, of.id, done, created=True)


def _new(given: Mapping[str, Any]) -> Attribute:
    made = new_id()
    of = Attribute(
        made, given["entity"], given["slug"], given["name"], given["type"], (), False, False, False, None, None,
        domain.key_of(made),
    )  # fmt: skip
    return domain.changed(of, given)


# -- changing --------------------------------------------------------------------------------------------------------------


async def _change(
    tx: Transaction,
    call: Call,
    row: Record | None,
    given: Mapping[str, Value],
    said: _Said,
    expected_version: int | None,
    due: Due,
) -> Written:
    if row is None:
        raise NotFound
    versioned(row["version"], expected_version)
    workspace_id, standing = call.principal.workspace.id, rows.made(row)
    wanted = domain.changed(standing, given)
    domain.verify(wanted, standing, call.now)
    tried_again = row["index_state"] == "failed" and not {"is_unique", "is_promoted"}.isdisjoint(given)
    if wanted == standing and not tried_again:
        return await writing.answer(tx, call, ATTRIBUTES, standing.id)
    known = [one for one in await rows.all_of(tx, workspace_id) if one.id != standing.id]
    obstacles.free(wanted, known)
    obstacles.few_indexed(wanted, known)
    if wanted.retired_at is not None and standing.retired_at is None and not said.with_dependents:
        await attribute_names.refuse(
            tx,
            workspace_id,
            standing,
            "; it would mean nothing until the attribute is back, which with_dependents (withDependents) allows",
        )
    is_replaced = await _replace(tx, call, standing, wanted, said.instead)
    await obstacles.allowed(tx, workspace_id, wanted, standing)
    done = await _renamed(tx, call, standing, wanted, said)
    broken = await _broken(tx, call)
    done = await _update(tx, call, row, standing, wanted) + done
    is_moved = is_replaced or any(effect.entity == "segmentations" for effect in done)
    await _settle(tx, call, standing, wanted, broken, is_moved=is_moved)
    if tried_again or wanted.indexes != standing.indexes or (wanted.indexes and wanted.type != standing.type):
        await attribute_indexes.want(tx, workspace_id, wanted, standing, due)
    return await writing.answer(tx, call, ATTRIBUTES, standing.id, done)


async def _update(
    tx: Transaction, call: Call, row: Record, standing: Attribute, wanted: Attribute
) -> tuple[Effect, ...]:
    """Writes what differs; a slug that changes leaves the key as it was, also where it was the slug."""
    names = [f.column for f in ATTRIBUTES.own if f.writable] + ["external_id"]
    differing = [name for name in names if getattr(wanted, name) != getattr(standing, name)]
    values = {name: getattr(wanted, name) for name in differing}
    if not values:
        return ()
    more = {"key": standing.key} if wanted.slug != standing.slug else {}
    await table.update(tx, ATTRIBUTES, call.principal.workspace.id, standing.id, {**values, **more}, call.now)
    return effects.changed(ATTRIBUTES, call.principal.workspace, standing.id, row, values)


async def _renamed(
    tx: Transaction, call: Call, standing: Attribute, wanted: Attribute, said: _Said
) -> tuple[Effect, ...]:
    """What names the attribute follows its slug and the values that others take the place of. Raises Conflict where a list
    asks for a value that is removed without another."""
    workspace_id = call.principal.workspace.id
    gone = set(standing.values) - set(wanted.values) if wanted.type in domain.CLOSED and wanted.values else set()
    instead = {value: other for value, other in said.instead.items() if value in gone and other is not None}
    left = sorted(gone - instead.keys())
    asking = () if said.with_dependents else await attribute_names.asking(tx, workspace_id, standing, left)
    if asking:
        told = f"{', '.join(map(str, asking))}; name other values under replace, or say with_dependents"
        raise Conflict(
            faults=(Fault(f"Expected no saved lists that ask for values that are removed: {told}.", pointer="/values"),)
        )
    if wanted.slug == standing.slug and not instead:
        return ()
    return await attribute_names.rename(tx, workspace_id, standing, wanted.slug, instead, call.now)


async def _replace(tx: Transaction, call: Call, standing: Attribute, wanted: Attribute, instead: Instead) -> bool:
    """Gives records another value for those that are removed; whether any. Raises Conflict for values in use of which
    nothing was said, Invalid for what cannot take their place."""
    faults = [
        Fault("Expected one of the attribute's values, or null.", pointer=f"/replace/{escape(value)}")
        for value, other in instead.items()
        if value in wanted.values or (other is not None and other not in wanted.values)
    ]
    if faults:
        raise Invalid(faults=tuple(faults))
    if wanted.type not in domain.CLOSED or not wanted.values or wanted.values == standing.values:
        return False
    workspace_id = call.principal.workspace.id
    used = await rows.others(tx, workspace_id, standing, wanted.values)
    left = [(value, count) for value, count in used if value not in instead]
    if left:
        told = ", ".join(f"{value} ({count:,})" for value, count in left[: dependents.EXAMPLES])
        more = ", …" if len(left) > dependents.EXAMPLES else ""
        message = f"Expected what becomes of values that {standing.entity} have, under replace: {told}{more}."
        raise Conflict(faults=(Fault(message, pointer="/values"),))
    if used and standing.entity == "accounts":
        await facts.lock(tx, workspace_id, None)  # before those that change
    for value, _ in used:
        await rows.replace_value(tx, workspace_id, standing, value, instead[value], call.now)
    return bool(used)


async def _settle(
    tx: Transaction,
    call: Call,
    standing: Attribute,
    wanted: Attribute,
    broken: frozenset[UUID],
    *,
    is_moved: bool,
) -> None:
    """Segments follow what accounts have now. Raises Conflict where a segmentation would mean nothing any more: it may
    lose a retired attribute, which can be brought back, but no value."""
    if standing.entity != "accounts":
        return
    workspace = await workspaces.load(tx, call.principal.workspace.id)
    if wanted.retired_at is None and (wanted.values, wanted.type) != (standing.values, standing.type):
        found = await _broken(tx, call) - broken
        if found:
            names = [row["slug"] for row in await segments.all_of(tx, workspace.id) if row["id"] in found]
            message = (
                f"Expected values that segmentations do not ask for: {', '.join(names[: dependents.EXAMPLES])} do."
            )
            raise Conflict(faults=(Fault(message, pointer="/values"),))
    came_or_went = (wanted.retired_at is None) != (standing.retired_at is None)
    if is_moved or (came_or_went and await attribute_names.segmented(tx, workspace.id, wanted)):
        await settle.place(tx, workspace, call.now)


async def _broken(tx: Transaction, call: Call) -> frozenset[UUID]:
    """The segmentations that mean nothing as things stand in the transaction."""
    workspace = await workspaces.load(tx, call.principal.workspace.id)
    definitions = [prepared.definition(row) for row in await segments.all_of(tx, workspace.id)]
    return frozenset((await prepared.prepare(tx, definitions, workspace, call.now)).broken)


# -- reading ---------------------------------------------------------------------------------------------------------------


def _said(body: Mapping[str, object]) -> _Said:
    instead, (along, wrong) = body.get("replace", {}), dependents.along(body)
    faults = [*wrong]
    if not isinstance(instead, Mapping) or not all(v is None or isinstance(v, str) for v in instead.values()):
        message = "Expected an object: for each value that is removed another one, or null."
        faults.append(Fault(message, pointer="/replace"))
    if faults:
        raise Invalid(faults=tuple(faults))
    rest = {name: told for name, told in body.items() if name not in ("replace", dependents.ALONG)}
    return _Said(rest, cast(Instead, instead), along is True)
