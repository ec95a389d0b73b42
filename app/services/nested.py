"""Lists inside lists: checked with what they name, and kept from breaking what names them.

A list that everybody sees names lists that everybody sees; a private one names its owner's too. So whoever may see a
list may see all that it stands on, and what is handed over or hidden later breaks for whoever no longer sees it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from app.domain import dependents
from app.domain.criteria.coerce import identity
from app.domain.criteria.nodes import InList
from app.domain.errors import Fault, StrataError
from app.domain.list_bodies import Said
from app.domain.lists import List
from app.domain.roles import Principal
from app.domain.segmentation.parts import parts
from app.domain.workspaces import Workspace
from app.persistence import named as rows
from app.persistence import segments, workspaces
from app.persistence.database import Reader, Transaction
from app.services import listings, measures, named, prepared, settle
from app.services.calls import Call
from app.services.listings import Listing

SAID = ("criteria", "mine", "params", "visibility")
"""What of a list matters to those that name it. Whoever hands one over takes it away from the former owner's own."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Lists and segmentations that mean nothing, or would go round in circles, by id; of lists that somebody keeps private the name is None."""

    lists: dict[UUID, str | None]
    segmentations: dict[UUID, str]


async def verify(tx: Transaction, made: List, workspace: Workspace, now: datetime) -> None:
    """Raises Invalid unless everything that the list names is there, for all who will see the list."""
    if _ids(made.criteria):
        await workspaces.hold(tx, workspace.id)  # of two that would name each other the second sees the first
    viewer = made.owner_id if made.visibility == "private" else None
    await named.reading(tx, listings.setting_of(workspace, now), viewer, now, partial(listings.verify, made))


async def misfits(db: Reader, call: Call, said: Said) -> tuple[Fault, ...]:
    """What else is wrong about a new list that cannot be read whole: what its other members name, and is not there."""
    known = {name: one for name, one in said.given.items() if name != "criteria" or "params" not in said.wrong}
    if "entity" not in known:
        return ()
    principal = call.principal
    setting = replace(listings.setting_of(principal.workspace, call.now), person=principal.person)
    found = partial(listings.misfits, known["entity"], known)
    return await named.reading(db, setting, principal.user_id, call.now, found)


async def looked_at(reader: Reader, principal: Principal, lists: Sequence[List], now: datetime) -> list[Listing]:
    """The lists as they are now, broken where something that they name is gone, or is not there for the principal."""
    setting = listings.setting_of(principal.workspace, now)
    return await named.reading(
        reader,
        setting,
        principal.user_id,
        now,
        lambda within: [listings.looked_at(principal, of, within) for of in lists],
    )


@asynccontextmanager
async def changing(
    tx: Transaction, standing: List, changed: List, workspace: Workspace, now: datetime
) -> AsyncIterator[None]:
    """The block changes the list in the database. What names it stays whole, and segments that stand on it are placed
    anew. Raises Conflict that names what would break."""
    if all(getattr(standing, name) == getattr(changed, name) for name in SAID):
        yield
        return
    workspace = await workspaces.load(tx, workspace.id)  # held: what health weighs is what it was said to last
    outer = [listings.loaded(row, workspace) for row in await rows.naming(tx, workspace.id, standing.id)]
    before = await _broken(tx, outer, standing.id, workspace, now)
    yield
    after = await _broken(tx, outer, standing.id, workspace, now)
    lists = [name for key, name in after.lists.items() if key not in before.lists]
    segmentations = [name for key, name in after.segmentations.items() if key not in before.segmentations]
    _refuse(lists, segmentations, "what names it would mean nothing, or health that it weighs go round in circles")
    if await _stands(tx, {standing.id, *(of.id for of in outer)}, workspace):
        await settle.place(tx, workspace, now)


async def refuse(tx: Transaction, list_id: UUID, workspace: Workspace) -> None:
    """Raises Conflict that says how many lists and segmentations name the list, and which."""
    outer = [listings.loaded(row, workspace) for row in await rows.naming(tx, workspace.id, list_id)]
    found = await _stands(tx, {list_id}, workspace)
    _refuse([_public(of) for of in outer if list_id in _ids(of.criteria)], list(found.values()), "it stays")


def _refuse(lists: Sequence[str | None], segmentations: Sequence[str | None], why: str) -> None:
    found = (*dependents.dependent("saved lists", lists), *dependents.dependent("segmentations", segmentations))
    dependents.refuse(found, "name it", f"; {why}")


async def _broken(tx: Transaction, outer: Sequence[List], list_id: UUID, workspace: Workspace, now: datetime) -> Broken:
    lists: dict[UUID, str | None] = {}
    for of in outer:
        try:
            await verify(tx, of, workspace, now)
        except StrataError:
            lists[of.id] = _public(of)
    standing = await _stands(tx, {list_id, *(of.id for of in outer)}, workspace)
    if not standing:
        return Broken(lists, {})
    definitions = [prepared.definition(row) for row in await segments.all_of(tx, workspace.id) if row["id"] in standing]
    ready = await prepared.prepare(tx, definitions, workspace, now)
    asking = {rule.id for rule in ready.rules if prepared.asks_segments(rule)}
    circling = {
        rule.id
        for rule in ready.rules
        if measures.weighed_by(workspace, standing[rule.id]) and measures.comes_later(rule.cases)
    }
    lost = {*ready.broken, *asking, *circling}
    return Broken(lists, {key: slug for key, slug in standing.items() if key in lost})


async def _stands(tx: Transaction, list_ids: set[UUID], workspace: Workspace) -> dict[UUID, str]:
    """The segmentations that name one of the lists, by id."""
    return {
        row["id"]: row["slug"]
        for row in await segments.all_of(tx, workspace.id)
        if any(list_ids & _ids(node) for _, node in prepared.definition(row).cases)
    }


def _ids(node: object) -> set[UUID]:
    found = (identity(part.list) for part in parts(node) if isinstance(part, InList))
    return {key for key in found if key is not None}


def _public(of: List) -> str | None:
    return of.name if of.visibility == "public" else None
