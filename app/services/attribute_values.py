"""Values of own attributes on their way into a record: put among those that stand, and refused where another has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.domain.attributes import kept
from app.domain.catalogue import Entity
from app.domain.errors import Conflict, Fault, escape
from app.domain.workspaces import Workspace
from app.persistence import attributes
from app.persistence.database import Transaction
from app.services.effects import Row


async def put(tx: Transaction, workspace: Workspace, entity: Entity, standing: Row | None, given: Any) -> bytes | None:
    """What the record keeps in `custom`: values by slug put among those that stand, those given as None taken out; None
    where none is left. Raises Conflict that names who else has the value of a unique attribute: two at once are told
    apart by its index."""
    await _refuse_taken(tx, workspace, entity, standing["id"] if standing else None, given)
    before = standing["custom"] if standing else None
    stored = {**(msgspec.json.decode(before) if before else {}), **kept(workspace, entity, given)}
    left = {key: value for key, value in sorted(stored.items()) if value is not None}
    return msgspec.json.encode(left) if left else None


async def _refuse_taken(
    tx: Transaction, workspace: Workspace, entity: Entity, record_id: UUID | None, given: Mapping[str, Any]
) -> None:
    faults = []
    for slug, value in given.items():
        field = workspace.attributes[entity.name, slug]
        if not field.unique or value is None:
            continue
        holder = await attributes.holder(tx, workspace.id, entity.name, field, value, record_id)
        if holder is not None:
            message = f"Expected a value of its own: {entity.singular} {holder} has it."
            faults.append(Fault(message, pointer=f"/custom/{escape(slug)}"))
    if faults:
        raise Conflict(faults=tuple(faults))
