"""What a saved list holds, asked as any other question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain import list_bodies, lists, values
from app.domain.criteria.nodes import Me, MyTeam, Node
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.lists import List, ListEntity
from app.domain.roles import Principal, permit
from app.domain.segmentation.parts import parts
from app.domain.values import MisfitError
from app.persistence import lists as rows
from app.persistence.database import Reader
from app.services import listings, nested, uses
from app.services.asks import Ask


async def ask(
    db: Reader,
    principal: Principal,
    list_id: UUID,
    now: datetime,
    told: Mapping[str, Any] | None = None,
    *,
    addressed: bool = False,
) -> Ask:
    """The question for the records that the list holds: its criteria, columns and sort, unless told otherwise.

    `told`: members of Ask (limit, cursor, count, as_of, tz, for_user, archived, fields, include, sort, selection …);
    `filter` narrows what the list holds, `search` to what its text is in the name of; `params` gives values to the list's
    parameters, as text or in their types. `addressed`: its own columns come after the id and the version of each record. Raises NotFound, Invalid, and Conflict
    where the list is broken.
    """
    permit(principal, "lists.read")
    of = listings.seen(principal, await rows.one(db, principal.workspace.id, list_id), whole=True)
    _somebody(principal, of, told or {})
    (listing,) = await nested.looked_at(db, principal, [of], now)
    if listing.reason is not None:
        raise Conflict(f"The list is broken and holds nothing until it is mended: {listing.reason}")
    columns = lists.row_fields(of.columns, past=bool((told or {}).get("on"))) if addressed else of.columns
    given: dict[str, Any] = {"fields": columns, "sort": of.sort or None}
    given |= {name: value for name, value in (told or {}).items() if value is not None}
    given["params"] = listings.parameters(of.params, (told or {}).get("params")) or None
    uses.note(db, principal.workspace.id, list_id, now)
    criteria = lists.asked(of.entity, of.criteria, of.mine)
    if (search := given.pop("search", None)) is not None:
        criteria = lists.both(criteria, _searched(of.entity, search))
    if given.get("filter") is None:
        return Ask(of.entity, criteria=criteria, **given)
    return Ask(of.entity, within=criteria, **given)


def of_asker(of: List) -> bool:
    """Whether what the list itself says depends on who looks."""
    return of.mine or any(isinstance(part, Me | MyTeam) for part in parts(of.criteria))


def _somebody(principal: Principal, of: List, told: Mapping[str, Any]) -> None:
    """Raises Invalid where a service asks for what is somebody's own, and does not say whose."""
    if principal.person is not None or told.get("for_user") is not None:
        return
    if of_asker(of):
        message = "Expected for_user: this list holds what belongs to whoever asks, and a service is nobody."
        raise Invalid(faults=(Fault(message, parameter="for_user"),))


def _searched(entity: ListEntity, told: str) -> Node:
    try:
        return lists.searched(entity, values.text(told, list_bodies.NAME_LENGTH))
    except MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(parameter="search"),)) from None
