"""What stands against an attribute as it is to be: names that others have, records without a value or with the same."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.attributes import MOST_INDEXED, Attribute
from app.domain.errors import Conflict, Fault
from app.persistence import attributes as rows
from app.persistence.database import Transaction


def free(wanted: Attribute, known: Sequence[Attribute]) -> None:
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


def few_indexed(wanted: Attribute, known: Sequence[Attribute]) -> None:
    """Raises Conflict where it would be one promoted or unique attribute too many."""
    if wanted.indexes and sum(bool(one.indexes) for one in known) >= MOST_INDEXED:
        pointer = "/is_promoted" if wanted.is_promoted else "/is_unique"
        message = f"Expected at most {MOST_INDEXED} promoted and unique attributes in a workspace."
        raise Conflict(faults=(Fault(message, pointer=pointer),))


async def allowed(tx: Transaction, workspace_id: UUID, wanted: Attribute, standing: Attribute | None) -> None:
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
