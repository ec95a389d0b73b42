"""What a write changed, spelt as answers spell it: for the audit."""

from __future__ import annotations

from collections.abc import Mapping
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


def differing(
    noun: str, thing_id: UUID | None, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[Effect, ...]:
    """From two documents the members that differ; nothing where none does."""
    if before is None or after is None:
        return (Effect(noun, thing_id, before, after),) if before is not after else ()
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return ()
    shown = ({name: _part(name, side, other) for name in names} for side, other in ((before, after), (after, before)))
    return (Effect(noun, thing_id, *shown),)


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


def _shown(field: Field, workspace: Workspace, value: Any) -> Any:
    if value is None:
        return None
    if field.kind == "money":
        return workspace.major(value)
    return msgspec.json.decode(value) if isinstance(value, bytes) else value
