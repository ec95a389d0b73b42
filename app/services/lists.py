"""Saved lists: made, changed, copied, found; what one holds is asked as any other question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from app.domain import list_bodies, lists, values
from app.domain.dependents import EXAMPLES, Dependent, dependent, refuse
from app.domain.errors import Conflict, Fault, Forbidden, Invalid
from app.domain.list_templates import TEMPLATES
from app.domain.lists import DEFAULT_COLUMNS, List, ListEntity
from app.domain.roles import Principal, permit
from app.domain.values import MisfitError
from app.persistence import defaults, favourites, named, users, workspaces
from app.persistence import lists as rows
from app.persistence import watches as histories
from app.persistence.database import Database, Transaction
from app.services import dependents as depending
from app.services import effects, listings, nested, reads, transfers, watches
from app.services.asks import Ask
from app.services.calls import Call, Effect, Written, keep, new_id, once, versioned
from app.services.list_search import SORTS, After, Search, all_lists, folders, place
from app.services.listings import Listing, body, document

__all__ = [
    "SORTS", "After", "Listing", "Search", "all_lists", "body", "change", "copy", "create", "delete", "dependents",
    "document", "folders", "get", "install_templates", "place", "read", "templates",
]  # fmt: skip
NOUN = "lists"
MOST, MOST_OF_ALL = 1_000, 20_000
"""Lists of one person, and of one workspace: who is handed more keeps them, and makes no other."""
REASON = 500
"""Characters of a reason."""
COPIED = ("entity", "name", "description", "folder", "criteria", "columns", "sort", "mine", "params")


async def create(db: Database, call: Call, body: Mapping[str, object]) -> Written:
    """A new list of the caller's; private unless told otherwise. Raises Invalid or Unreadable with all that is wrong, Forbidden."""
    said = list_bodies.said(body, partial=False)
    if said.error is not None:
        permit(call.principal, "lists.create", own=True)
        raise type(said.error)(faults=(*said.error.faults, *await nested.misfits(db, call, said)))
    _no_owner(said.given)
    return await once(db, call, "lists.create", lambda tx: _make(tx, call, said.given))


async def copy(db: Database, call: Call, list_id: UUID, body: Mapping[str, object] | None = None) -> Written:
    """A private list of the caller's own with what another one says; `body` may say members differently. Raises NotFound."""
    given = list_bodies.read(body or {}, partial=True)
    _no_owner(given)

    async def act(tx: Transaction) -> Written:
        source = listings.seen(call.principal, await rows.one(tx, call.principal.workspace.id, list_id), whole=True)
        copied = {name: getattr(source, name) for name in COPIED}
        return await _make(tx, call, {**copied, **given})

    return await once(db, call, f"lists.create copy {list_id}", act)


async def change(
    db: Database, call: Call, list_id: UUID, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Changes the members that are given. `owner_id` hands the list over: its owner's and an admin's to do, and all
    that an admin may change of another's private list. Raises Invalid, NotFound, Forbidden, Conflict, VersionRequired, VersionStale."""
    given = list_bodies.read(body, partial=True)

    async def act(tx: Transaction) -> Written:
        workspace = call.principal.workspace
        await workspaces.hold(tx, workspace.id)  # before the list, as everybody who needs both
        standing = listings.seen(call.principal, await rows.locked(tx, workspace.id, list_id, call.principal.user_id))
        await _may_change(tx, call.principal, standing, given)
        versioned(standing.version, expected_version)
        changed = replace(standing, **_as_stored(given))
        if changed == standing:
            return listings.written(call.principal, standing)
        if not listings.is_hidden(call.principal, standing):
            await nested.verify(tx, changed, workspace, call.now)
        await watches.redefine(tx, workspace, standing, changed, call.now)
        async with nested.changing(tx, standing, changed, workspace, call.now):
            await rows.update(tx, workspace.id, list_id, listings.columns(changed, workspace), call.now)
        changed = replace(changed, version=standing.version + 1, updated_at=call.now)
        if changed.visibility == "private" and (standing.visibility, standing.owner_id) != (
            "private",
            changed.owner_id,
        ):
            await transfers.hide(tx, workspace.id, [list_id], changed.owner_id)
        done = effects.differing(NOUN, list_id, listings.told(standing), listings.told(changed))
        return listings.written(call.principal, changed, done or (Effect(NOUN, list_id, {}, {}),))

    return await once(db, call, f"lists.write change {list_id}", act)


async def delete(db: Database, call: Call, list_id: UUID, expected_version: int | None) -> Written:
    """Removes the list, also from where people begin with it. Raises NotFound, Forbidden, VersionRequired, VersionStale,
    and Conflict where lists or segmentations name it or the workspace begins with it. Favourites and what people chose to
    begin with go along."""

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        standing = listings.seen(call.principal, await rows.locked(tx, workspace_id, list_id))
        permit(call.principal, "lists.write", own=listings.is_own(call.principal, standing))
        versioned(standing.version, expected_version)
        await nested.refuse(tx, list_id, call.principal.workspace)
        begun = [entity for entity, one in (await defaults.shared(tx, workspace_id)).items() if one == list_id]
        refuse(dependent("workspace defaults", begun), "depend on it", "; choose another default first")
        await histories.forget(tx, workspace_id, list_id)
        await defaults.forget(tx, workspace_id, [list_id])
        await favourites.forget(tx, workspace_id, [list_id])
        await rows.delete(tx, workspace_id, list_id)
        done = (Effect(NOUN, list_id, listings.told(standing), None),)
        return Written(list_id, standing.version, b"", created=False, effects=done)

    return await once(db, call, f"lists.write delete {list_id}", act)


async def read(db: Database, call: Call, list_id: UUID, reason: str | None) -> Listing:
    """A list as `get` gives it. `reason` says why an admin reads what somebody else keeps private: it is shown then, and
    the audit keeps that it was. Raises NotFound, Invalid."""
    if reason is None:
        return await get(db, call.principal, list_id, call.now)
    permit(call.principal, "lists.read")
    why = _reason(reason)
    async with db.transaction() as tx:
        of = listings.seen(
            call.principal, await rows.one(tx, call.principal.workspace.id, list_id, call.principal.user_id)
        )
        if listings.is_hidden(call.principal, of):
            await keep(tx, call, "lists.read", (Effect(NOUN, list_id, None, {"reason": why}),))
    (listing,) = await nested.looked_at(db, call.principal, [of], call.now)
    return replace(listing, hidden=False)


async def get(db: Database, principal: Principal, list_id: UUID, now: datetime) -> Listing:
    """A list, looked at anew: what it names may be gone since it was saved. Raises NotFound."""
    permit(principal, "lists.read")
    of = listings.seen(principal, await rows.one(db, principal.workspace.id, list_id, principal.user_id))
    (listing,) = await nested.looked_at(db, principal, [of], now)
    if not listing.hidden or listing.reason is not None:
        return listing
    return replace(listing, size=await _size(db, principal, of, now))


def _reason(told: str) -> str:
    try:
        reason = values.text(told, REASON).strip()
    except MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(parameter="reason"),)) from None
    if not reason:
        raise Invalid(faults=(Fault("Expected why you read what is private.", parameter="reason"),))
    return reason


async def dependents(db: Database, principal: Principal, list_id: UUID) -> list[Dependent]:
    """What would miss the list: people and the workspace that begin with it, and lists that name it, or name such a list,
    as far as the principal can see them. Raises NotFound."""
    permit(principal, "lists.read")
    workspace_id = principal.workspace.id
    async with db.transaction() as tx:
        listings.seen(principal, await rows.one(tx, workspace_id, list_id), whole=True)
        shared = list_id in (await defaults.shared(tx, workspace_id)).values()
        naming = [
            row["name"]
            for row in await named.naming(tx, workspace_id, list_id)
            if lists.sight(principal, row["visibility"], row["owner_id"]) != "nothing"
        ]
        others = [one for one in await depending.of(tx, principal, NOUN, list_id, None) if one.what != "saved lists"]
    found = [
        Dependent("saved lists", len(naming), tuple(sorted(naming)[:EXAMPLES])),
        Dependent("workspace defaults", int(shared)),
        *others,
    ]
    return [one for one in found if one.count]


async def _size(db: Database, principal: Principal, of: List, now: datetime) -> int | None:
    """How many records somebody else's list holds for its owner; None where it is broken, waits for a parameter, or the
    owner is not active."""
    owner = await users.person(db, principal.workspace.id, of.owner_id)
    if owner is None or any(one.default is None for one in of.params):
        return None
    asker = replace(principal, role="viewer", person=owner)
    question = Ask(
        of.entity, criteria=lists.asked(of.entity, of.criteria, of.mine), fields="id", limit=1, count="exact",
        params=listings.parameters(of.params),
    )  # fmt: skip
    answer = await reads.collection(db, asker, question, now, secret=b"")  # its cursor goes nowhere
    return answer.count[0] if answer.count else None


def templates(principal: Principal) -> list[dict[str, Any]]:
    """The ready-made lists, each as the body that makes it, with its `slug`."""
    permit(principal, "lists.read")
    return [listings.template_body(template) for template in TEMPLATES]


# -- writing -----------------------------------------------------------------------------------------------------------


async def _make(tx: Transaction, call: Call, given: Mapping[str, Any]) -> Written:
    principal, workspace = call.principal, call.principal.workspace
    permit(principal, "lists.create", own=given.get("visibility", "private") == "private")
    if principal.user_id is None:
        raise Forbidden("A list has a person as its owner.")
    await workspaces.hold(tx, workspace.id)
    own, of_all = await rows.count(tx, workspace.id, principal.user_id)
    if own >= MOST or of_all >= MOST_OF_ALL:
        whose, most = ("A person", MOST) if own >= MOST else ("A workspace", MOST_OF_ALL)
        raise Conflict(f"{whose} has at most {most:,} lists: delete one first.")
    stored = {
        "description": None,
        "sort": (),
        "visibility": "private",
        "mine": False,
        "params": (),
        **_as_stored(given),
    }
    stored.setdefault("columns", DEFAULT_COLUMNS[cast(ListEntity, given["entity"])])
    made = List(id=new_id(), owner_id=principal.user_id, version=1, created_at=call.now, updated_at=call.now, **stored)
    await nested.verify(tx, made, workspace, call.now)
    await rows.insert(tx, workspace.id, made.id, listings.columns(made, workspace), call.now)
    return listings.written(principal, made, (Effect(NOUN, made.id, None, listings.told(made)),), created=True)


async def install_templates(tx: Transaction, call: Call) -> None:
    """Makes every ready-made list that means something in the workspace a public one of the caller's."""
    known = (None, *call.principal.workspace.segmentations)
    for template in (one for one in TEMPLATES if one.segmentation in known):
        told = {
            "entity": template.entity, "name": template.name, "description": template.description, "visibility": "public",
            "criteria": {"text": template.criteria}, "columns": list(template.columns), "sort": list(template.sort),
        }  # fmt: skip
        await _make(tx, call, list_bodies.read(told, partial=False))


async def _may_change(tx: Transaction, principal: Principal, standing: List, given: Mapping[str, Any]) -> None:
    """Raises Forbidden, Conflict or Invalid unless the principal may make of the list what is given."""
    own = listings.is_own(principal, standing)
    becomes = given.get("visibility", standing.visibility)
    handed_over = given.get("owner_id", standing.owner_id) != standing.owner_id
    permit(principal, "lists.write", own=own)
    if listings.is_hidden(principal, standing) and set(given) != {"owner_id"}:
        raise Forbidden("Of another's private list an admin can only change the owner.")
    if given.get("entity", standing.entity) != standing.entity:
        raise Invalid(faults=(Fault("A list keeps its entity: make another list.", pointer="/entity"),))
    permit(principal, "lists.create", own=becomes == "private")  # what is kept is no more than could be made
    if becomes == "public" and standing.visibility == "private" and not own:
        raise Forbidden("Only its owner makes a list public.")
    if becomes == "private" and standing.visibility == "public":
        if not own:
            raise Forbidden("Only its owner makes a list private.")
        await _stays_public(tx, principal.workspace.id, standing)
    if handed_over:
        permit(principal, "lists.transfer", own=own)
        await transfers.check_heir(tx, principal.workspace.id, given["owner_id"], becomes, "/owner_id")


async def _stays_public(tx: Transaction, workspace_id: UUID, of: List) -> None:
    """Raises Conflict where others begin with the list; what names it is looked at when it is changed."""
    used = await defaults.used(tx, workspace_id, of.id, of.owner_id)
    reasons = {
        "Others begin with this list": "people" in used,
        "The workspace begins with this list": "workspace" in used,
    }
    faults = tuple(Fault(f"{why}: it stays public.", pointer="/visibility") for why, so in reasons.items() if so)
    if faults:
        raise Conflict(faults=faults)


def _no_owner(given: Mapping[str, Any]) -> None:
    if "owner_id" in given:
        raise Invalid(faults=(Fault("Expected no owner: a new list is the caller's own.", pointer="/owner_id"),))


def _as_stored(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
        for name, value in given.items()
    }
