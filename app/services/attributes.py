"""An organisation's own attributes: defined, changed, renamed and retired without losing data, deleted with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.domain import attributes as domain
from app.domain import records
from app.domain.attributes import MOST, MOST_INDEXED, Attribute
from app.domain.catalogue import ATTRIBUTES
from app.domain.errors import Conflict, Fault, Invalid, NotFound, VersionStale, escape
from app.domain.records import Value
from app.domain.roles import permit
from app.persistence import attribute_indexes as index_rows
from app.persistence import attributes as rows
from app.persistence import records as table
from app.persistence import segments, workspaces
from app.persistence.database import Database, Record, Transaction
from app.services import attribute_indexes, attribute_names, effects, keys, reads, settle, writing
from app.services.calls import Call, Effect, Written, new_id, once, versioned

WRITE = "attributes.write"
SOON = 5.0
"""Seconds that an answer waits for the index that holds a new unique attribute to its word."""
Instead = Mapping[str, str | None]
"""What takes the place of values that are removed; None for nothing."""


@dataclass(slots=True)
class _Made:
    """What is to follow the answer's COMMIT: the attribute's indexes, and whether to wait for them."""

    attribute_id: UUID | None = None
    is_awaited: bool = False


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A new attribute. Raises Invalid, Forbidden, and Conflict where slug or external id is taken, where there are too
    many, or where records stand against it."""
    permit(call.principal, WRITE)
    given = _read(body, partial=False)
    made = _Made()
    written = await once(db, call, "attributes.create", lambda tx: _create(tx, call, given, made))
    return await _follow(db, call, written, made)


async def change(
    db: Database, call: Call, attribute_id: UUID, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Changes the members that are given. `replace` says what becomes of values in use that are removed; `retired_at`
    hides the attribute, and null brings it back. Raises Invalid, NotFound, Conflict, VersionRequired, VersionStale."""
    permit(call.principal, WRITE)
    given, instead = _read_change(body)
    made = _Made()

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        row = await rows.locked(tx, call.principal.workspace.id, "id", attribute_id)
        return await _change(tx, call, row, given, instead, expected_version, made)

    written = await once(db, call, f"attributes.change {attribute_id}", act)
    return await _follow(db, call, written, made)


async def upsert(
    db: Database, call: Call, external_id: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The attribute of an external id: made where there is none, else changed as `change` does."""
    permit(call.principal, WRITE)
    told = writing.named(ATTRIBUTES, external_id, body)
    given, instead = _read_change(told)
    made = _Made()

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        row = await rows.locked(tx, call.principal.workspace.id, "external_id", external_id)
        if row is not None:
            return await _change(tx, call, row, given, instead, expected_version, made)
        if expected_version is not None:
            raise VersionStale
        return await _create(tx, call, _read(told, partial=False), made)

    written = await once(db, call, f"attributes.upsert {external_id}", act)
    return await _follow(db, call, written, made)


async def delete(db: Database, call: Call, attribute_id: UUID, expected_version: int | None) -> Written:
    """Takes a retired attribute away, and every value of it. Raises NotFound, VersionRequired, VersionStale, and Conflict
    where it is not retired or where lists, segmentations or mappings name it."""
    permit(call.principal, WRITE)
    workspace = call.principal.workspace
    standing = await rows.one(db, workspace.id, attribute_id)
    if standing is not None and standing["index_due"]:
        await attribute_indexes.seen_to(db, workspace.id, attribute_id, call.now, SOON)

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

    written = await once(db, call, f"attributes.delete {attribute_id}", act)
    keys.forget(db)
    return written


# -- making ----------------------------------------------------------------------------------------------------------------


async def _create(tx: Transaction, call: Call, given: Mapping[str, Value], made: _Made) -> Written:
    workspace_id = call.principal.workspace.id
    await workspaces.hold(tx, workspace_id)
    known = await rows.all_of(tx, workspace_id)
    of = _new(given)
    domain.verify(of, None, call.now)
    _free(of, known)
    if sum(one.entity == of.entity for one in known) >= MOST:
        raise Conflict(f"A workspace has at most {MOST} attributes of {of.entity}, retired ones among them.")
    _few_indexed(of, known)
    await _allowed(tx, workspace_id, of, None)
    await table.insert(tx, ATTRIBUTES, workspace_id, of.id, {**given, "key": of.key}, call.now)
    await _index(tx, workspace_id, of, None, made)
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
    instead: Instead,
    expected_version: int | None,
    made: _Made,
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
    _free(wanted, known)
    _few_indexed(wanted, known)
    is_replaced = await _replace(tx, call, standing, wanted, instead)
    await _allowed(tx, workspace_id, wanted, standing)
    done = await _renamed(tx, call, standing, wanted)
    broken = await _broken(tx, call)
    done = await _update(tx, call, row, standing, wanted) + done
    await _settle(tx, call, standing, wanted, broken, is_replaced=is_replaced)
    if tried_again or wanted.indexes != standing.indexes or (wanted.indexes and wanted.type != standing.type):
        await _index(tx, workspace_id, wanted, standing, made)
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


async def _renamed(tx: Transaction, call: Call, standing: Attribute, wanted: Attribute) -> tuple[Effect, ...]:
    if wanted.slug == standing.slug:
        return ()
    return await attribute_names.rename(tx, call.principal.workspace.id, standing, wanted.slug, call.now)


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
        told = ", ".join(f"{value} ({count:,})" for value, count in left[: rows.EXAMPLES])
        more = ", …" if len(left) > rows.EXAMPLES else ""
        message = f"Expected what becomes of values that {standing.entity} have, under replace: {told}{more}."
        raise Conflict(faults=(Fault(message, pointer="/values"),))
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
    is_replaced: bool,
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
            message = f"Expected values that segmentations do not ask for: {', '.join(names[: rows.EXAMPLES])} do."
            raise Conflict(faults=(Fault(message, pointer="/values"),))
    came_or_went = (wanted.retired_at is None) != (standing.retired_at is None)
    if is_replaced or (came_or_went and await attribute_names.segmented(tx, workspace.id, wanted)):
        await settle.place(tx, workspace, call.now)


async def _broken(tx: Transaction, call: Call) -> frozenset[UUID]:
    """The segmentations that mean nothing as things stand in the transaction."""
    workspace = await workspaces.load(tx, call.principal.workspace.id)
    definitions = [settle.definition(row) for row in await segments.all_of(tx, workspace.id)]
    return frozenset((await settle.prepare(tx, definitions, workspace, call.now)).broken)


# -- what stands against it ------------------------------------------------------------------------------------------------


def _free(wanted: Attribute, known: Sequence[Attribute]) -> None:
    """Raises Conflict where another attribute has the slug or the external id."""
    faults = []
    for one in known:
        if (one.entity, one.slug) == (wanted.entity, wanted.slug):
            state = ", which is retired," if one.retired_at else ""
            faults.append(Fault(f"Expected a slug of its own: attribute {one.id}{state} has it.", pointer="/slug"))
        if one.external_id is not None and one.external_id == wanted.external_id:
            faults.append(
                Fault(f"Expected an external id of its own: attribute {one.id} has it.", pointer="/external_id")
            )
    if faults:
        raise Conflict(faults=tuple(faults))


def _few_indexed(wanted: Attribute, known: Sequence[Attribute]) -> None:
    if wanted.indexes and sum(bool(one.indexes) for one in known) >= MOST_INDEXED:
        pointer = "/is_promoted" if wanted.is_promoted else "/is_unique"
        message = f"Expected at most {MOST_INDEXED} promoted and unique attributes in a workspace."
        raise Conflict(faults=(Fault(message, pointer=pointer),))


async def _allowed(tx: Transaction, workspace_id: UUID, wanted: Attribute, standing: Attribute | None) -> None:
    """Raises Conflict where it becomes required or unique, and records have no value, or the same."""
    if wanted.retired_at is not None:
        return
    was = standing if standing is not None and standing.retired_at is None else None
    faults = []
    if wanted.is_required and not (was and was.is_required):
        count, names = await rows.without(tx, workspace_id, wanted)
        if count:
            told = _some(wanted.entity, count, names)
            faults.append(Fault(f"Expected a value of every record first: {told} have none.", pointer="/is_required"))
    if wanted.is_unique and not (was and was.is_unique):
        count, names = await rows.repeated(tx, workspace_id, wanted)
        if count:
            told = _some(wanted.entity, count, names)
            faults.append(Fault(f"Expected no value twice: {told} share theirs with others.", pointer="/is_unique"))
    if faults:
        raise Conflict(faults=tuple(faults))


def _some(entity: str, count: int, names: Sequence[str]) -> str:
    return f"{count:,} {entity} ({', '.join(names)}{', …' if count > len(names) else ''})"


# -- indexes ---------------------------------------------------------------------------------------------------------------


async def _index(
    tx: Transaction, workspace_id: UUID, wanted: Attribute, standing: Attribute | None, made: _Made
) -> None:
    if not wanted.indexes and not (standing and standing.indexes):
        return
    await index_rows.want(tx, workspace_id, wanted)
    made.attribute_id, made.is_awaited = wanted.id, "unique" in wanted.indexes


async def _follow(db: Database, call: Call, written: Written, made: _Made) -> Written:
    """Indexes are built after COMMIT. An answer waits a little for a unique one, so that what it says is held to."""
    keys.forget(db)
    if made.attribute_id is None:
        return written
    workspace_id = call.principal.workspace.id
    if not made.is_awaited:
        attribute_indexes.begin(db, workspace_id, made.attribute_id, call.now)
        return written
    await attribute_indexes.seen_to(db, workspace_id, made.attribute_id, call.now, SOON)
    reader = replace(call.principal, scopes=call.principal.scopes | {"read"})
    found = await reads.one(db, reader, "attributes", "id", str(made.attribute_id))
    return replace(written, body=found.body)


# -- reading ---------------------------------------------------------------------------------------------------------------


def _read(body: object, *, partial: bool) -> dict[str, Value]:
    return records.read(ATTRIBUTES, body, minor_digits=0, attributes={}, partial=partial)


def _read_change(body: Mapping[str, object]) -> tuple[dict[str, Value], Instead]:
    given = _read({name: told for name, told in body.items() if name != "replace"}, partial=True)
    instead = body.get("replace", {})
    if not isinstance(instead, Mapping) or not all(v is None or isinstance(v, str) for v in instead.values()):
        message = "Expected an object: for each value that is removed another one, or null."
        raise Invalid(faults=(Fault(message, pointer="/replace"),))
    return given, instead
