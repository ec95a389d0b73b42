"""What a write changed, spelt as answers spell it: for the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from app.domain.attributes import spelled as own_spelled
from app.domain.catalogue import CUSTOM, Entity, Field
from app.domain.workspaces import Workspace
from app.persistence.database import Record
from app.services.calls import Effect

Row = Mapping[str, Any] | Record
"""A record by column, as it stood."""
BY_HAND = "_by_hand"
"""What a column that is set by hand is called behind its field's name."""
NAMED = 20
"""Ids that an entry names of things that were changed alike."""


def made(entity: Entity, workspace: Workspace, record_id: UUID, values: Mapping[str, Any]) -> tuple[Effect, ...]:
    """A record that was made of these values by column; what is empty is left out."""
    after = spelled(entity, workspace, {column: value for column, value in values.items() if value is not None})
    return (Effect(entity.name, record_id, None, after),)


def changed(
    entity: Entity, workspace: Workspace, record_id: UUID, standing: Row, values: Mapping[str, Any]
) -> tuple[Effect, ...]:
    """A record whose columns took these values; none where each had its value before."""
    before = spelled(entity, workspace, {column: standing[column] for column in values})
    return differing(entity.name, record_id, before, spelled(entity, workspace, values))


def gone(entity: Entity, workspace: Workspace, record_id: UUID, standing: Row) -> tuple[Effect, ...]:
    """A record that was deleted, as it stood."""
    known = {field.column for field in entity.fields.values() if field.writable}
    left = {column: value for column, value in standing.items() if column in known and value is not None}
    return (Effect(entity.name, record_id, spelled(entity, workspace, left), None),)


def several(
    noun: str, thing_ids: Sequence[UUID], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Effect, ...]:
    """Things that one write changed alike, as one: `count` says how many, `ids` which were the first; each is found by
    its id. Nothing where there are none."""
    if not thing_ids:
        return ()
    told = {**after, "count": len(thing_ids), "ids": list(thing_ids[:NAMED])}
    return (Effect(noun, None, before, told, tuple(thing_ids)),)


def differing(
    noun: str, thing_id: UUID | None, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[Effect, ...]:
    """From two documents the members that differ; nothing where none does."""
    if before is None or after is None:
        return (Effect(noun, thing_id, before, after),) if before is not after else ()
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return ()
    was, now = ({name: _part(name, *sides) for name in names} for sides in ((before, after), (after, before)))
    return (Effect(noun, thing_id, was, now),)


def _part(name: str, side: Mapping[str, Any], other: Mapping[str, Any]) -> Any:
    """A member; of own attributes those alone that are otherwise on the other side."""
    if name != "custom":
        return side.get(name)
    own, others = side.get(name) or {}, other.get(name) or {}
    return {slug: own.get(slug) for slug in sorted({*own, *others}) if own.get(slug) != others.get(slug)}


def spelled(entity: Entity, workspace: Workspace, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by column as members of an answer: money in major units, own attributes as an object."""
    fields = {field.column: field for field in entity.fields.values()}
    shown: dict[str, Any] = {}
    for column, value in values.items():
        name = column.removesuffix(BY_HAND)
        field = fields.get(name)
        if field == CUSTOM and value is not None:
            shown[name] = own_spelled(workspace, entity, msgspec.json.decode(value))
        elif field is not None:
            shown[name] = _shown(field, workspace, value)
    return shown


def parted(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """Two documents of one record with those own attributes alone that are otherwise on the other side."""
    if before is None or after is None:
        return before, after
    return (
        {name: _part(name, before, after) for name in before},
        {name: _part(name, after, before) for name in after},
    )


def read(entity: Entity, workspace: Workspace, told: Mapping[str, Any]) -> dict[str, Any]:
    """The same as `spelled` of values as PostgreSQL writes them as text; what is none is spelt already."""
    kinds = {field.column: field.kind for field in entity.fields.values()}
    shown: dict[str, Any] = {}
    for column, value in told.items():
        name = column.removesuffix(BY_HAND)
        if name == CUSTOM.name and isinstance(value, str):
            shown[name] = own_spelled(workspace, entity, msgspec.json.decode(value))
        else:
            shown[name] = _from_text(kinds.get(name), workspace, value) if isinstance(value, str) else value
    return shown


def _from_text(kind: str | None, workspace: Workspace, value: str) -> Any:
    match kind:
        case "money":
            return workspace.major(int(value))
        case "integer":
            return int(value)
        case "number":
            return float(value)
        case "bool":
            return value in ("t", "true")
        case "instant":
            return datetime.fromisoformat(value).astimezone(UTC)
        case "json" | "tags":
            return msgspec.json.decode(value) if value[:1] in "[{" else value
        case _:
            return value


def _shown(field: Field, workspace: Workspace, value: Any) -> Any:
    if value is None:
        return None
    if field.kind == "money":
        return workspace.major(value)
    return msgspec.json.decode(value) if isinstance(value, bytes) else value
