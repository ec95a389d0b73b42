"""Saved lists looked for: by folder, owner, words and favourites, in an order; and the folders that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from app.domain import list_bodies, lists, values
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.roles import Principal, permit
from app.domain.values import MisfitError, Named
from app.persistence import lists as rows
from app.persistence.database import Reader
from app.services import listings, nested, references
from app.services.listings import Listing

After: TypeAlias = tuple[str | datetime, UUID]
"""What a page of lists goes on after: what the last one is sorted by, and its id."""
SORTS = ("name", "updated_at", "used_at")


@dataclass(frozen=True, slots=True)
class Search:
    """Which lists are looked for, as a door was told it; None is what was left out. `owner` is an id, external id or
    e-mail; `sort` is one of SORTS, with `-` before it for descending."""

    entity: str | None = None
    folder: str | None = None
    owner: str | None = None
    favourite: bool = False
    search: str | None = None
    sort: str | None = None


async def all_lists(
    db: Reader,
    principal: Principal,
    now: datetime,
    search: Search | None = None,
    after: After | None = None,
    limit: int = 50,
) -> tuple[list[Listing], After | None]:
    """The lists that the principal can see and looks for, and where the next page begins: one statement.

    Of what others keep private an admin finds the names alone. Raises Invalid.
    """
    permit(principal, "lists.read")
    search = search or Search()
    sought = await _sought(db, principal, search)
    found = await rows.page(db, principal.workspace.id, sought, after, limit + 1)
    standing = [listings.loaded(row, principal.workspace) for row in found[:limit]]
    page = await nested.looked_at(db, principal, standing, now)
    return page, (place(page[-1], search) if len(found) > limit else None)


def place(listing: Listing, search: Search) -> After:
    """Where a list stands in the order that was asked for."""
    of, key = listing.list, (search.sort or "name").removeprefix("-")
    if key == "name":
        return of.name, of.id
    empty = datetime(1000 if (search.sort or "").startswith("-") else 9999, 1, 1, tzinfo=UTC)
    return (of.updated_at if key == "updated_at" else of.used_at or empty), of.id


async def _sought(db: Reader, principal: Principal, told: Search) -> rows.Sought:
    entity = _known("entity", told.entity, lists.ENTITIES)
    key = _known("sort", told.sort and told.sort.removeprefix("-"), SORTS) or "name"
    descending = told.sort is not None and told.sort.startswith("-")
    for name, text, longest in (
        ("folder", told.folder, list_bodies.FOLDER_LENGTH), ("search", told.search, list_bodies.NAME_LENGTH)
    ):  # fmt: skip
        try:
            values.text(text or "", longest)
        except MisfitError as misfit:
            raise Invalid(faults=(misfit.fault(parameter=name),)) from None
    owner = None if told.owner is None else await _owner(db, principal, told.owner)
    if key == "used_at" and not descending:
        key = "used_at_last"
    return rows.Sought(
        principal.user_id, lists.knows_names(principal), entity, told.folder, owner, told.favourite, told.search, key,
        descending,
    )  # fmt: skip


async def _owner(db: Reader, principal: Principal, told: str) -> UUID:
    found = await references.user(db, principal.workspace.id, Named(told, ""), "", active=False)
    if isinstance(found, Fault):
        raise Invalid(faults=(replace(found, pointer=None, parameter="owner"),))
    return found


def _known(name: str, told: str | None, known: Sequence[str]) -> str | None:
    if told is None or told in known:
        return told
    raise Invalid(
        faults=(Fault(f"Expected one of {', '.join(known)}.", parameter=name, suggestion=nearest(told, known)),)
    )


async def folders(db: Reader, principal: Principal, entity: str | None = None) -> list[dict[str, Any]]:
    """`{folder, lists}`: the folders of the lists that the principal can see whole, by name, and how many are in each;
    last, as null, those in none."""
    permit(principal, "lists.read")
    entity = _known("entity", entity, lists.ENTITIES)
    found = await rows.folders(db, principal.workspace.id, entity, principal.user_id)
    return [dict(row) for row in found]
