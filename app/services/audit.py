"""Reading the audit: what was done and refused, newest first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from app.domain import moments, values
from app.domain.audit import NOUNS, OPERATIONS, OUTCOMES, Outcome
from app.domain.catalogue import ENTITIES
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.roles import Principal, permit
from app.domain.values import MisfitError
from app.domain.workspaces import Workspace
from app.persistence import audit
from app.persistence.audit import Wanted
from app.persistence.database import Reader, Record
from app.services import effects
from app.services.calls import ENCODER

FILTERS = ("from", "to", "actor_id", "operation", "entity", "entity_id", "request_id", "outcome")
"""What a reader may ask by, all of it at once: called as entries call it."""
After: TypeAlias = tuple[datetime, UUID]
"""What a page goes on after: when an entry was made, and which it is."""
T = TypeVar("T")


async def page(
    db: Reader, principal: Principal, told: Mapping[str, str], after: After | None, limit: int
) -> tuple[list[dict[str, Any]], list[After], bool]:
    """What was done and refused in the workspace, the key of each entry, which the next page begins after, and whether
    there is one. `told`: FILTERS as text; `from` is part of it, `to` is not, days begin in the workspace's zone. One
    statement. Raises Forbidden, Invalid."""
    permit(principal, "audit.read")
    workspace = principal.workspace
    found = await audit.page(db, workspace.id, _wanted(told, workspace.zone), after, limit + 1)
    shown = found[:limit]
    return [_shown(row, workspace) for row in shown], [(row["at"], row["id"]) for row in shown], len(found) > limit


def _shown(row: Record, workspace: Workspace) -> dict[str, Any]:
    """An entry. `before` and `after` hold the members that changed: None where the thing was made, or is gone. Where it
    tells of many records, they are those of the one that was asked for."""
    before, after = _sides(row, workspace) if row["is_row"] else (_raw(row["before"]), _raw(row["after"]))
    return {
        "id": row["id"], "at": row["at"], "outcome": row["outcome"], "reason": row["reason"], "door": row["door"],
        "request_id": row["request_id"], "actor_id": row["actor_id"], "actor_name": row["actor_name"],
        "role": row["role"], "credential_id": row["credential_id"], "operation": row["operation"],
        "entity": row["entity"], "entity_id": row["entity_id"], "before": before, "after": after,
        "times": row["times"],
    }  # fmt: skip


def _sides(row: Record, workspace: Workspace) -> Iterator[msgspec.Raw | None]:
    """What a record was and what it is, from values by column."""
    before, after = (None if row[side] is None else msgspec.json.decode(row[side]) for side in ("before", "after"))
    entity = ENTITIES.get(row["entity"])
    if entity is not None:
        before, after = (side and effects.read(entity, workspace, side) for side in (before, after))
    for side in effects.parted(before, after):
        yield None if side is None else msgspec.Raw(ENCODER.encode(side))


def _raw(told: bytes | None) -> msgspec.Raw | None:
    return None if told is None else msgspec.Raw(told)


def _wanted(told: Mapping[str, str], zone: ZoneInfo) -> Wanted:
    faults: list[Fault] = []

    def read(name: str, reader: Callable[[str], T]) -> T | None:
        try:
            return reader(told[name]) if name in told else None
        except MisfitError as misfit:
            faults.append(misfit.fault(parameter=name))
            return None

    wanted = Wanted(
        read("from", lambda text: moments.span(text, zone)[0]), read("to", lambda text: moments.span(text, zone)[0]),
        read("actor_id", values.identity), read("operation", lambda text: _one_of(text, OPERATIONS, "accounts.write")),
        read("entity", lambda text: _one_of(text, NOUNS, "accounts")), read("entity_id", values.identity),
        read("request_id", _request), read("outcome", _outcome),
    )  # fmt: skip
    if faults:
        raise Invalid(faults=tuple(faults))
    return wanted


def _one_of(told: str, known: Collection[str], example: str) -> str:
    if told not in known:
        raise MisfitError(f"a name that entries have, such as {example}", nearest(told, known))
    return told


def _request(told: str) -> str:
    return values.text(told)


def _outcome(told: str) -> Outcome:
    for outcome in OUTCOMES:
        if outcome == told:
            return outcome
    raise MisfitError(f"one of {', '.join(OUTCOMES)}", nearest(told, OUTCOMES))
