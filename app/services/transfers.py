"""Lists handed over to another owner, and what that takes away from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from app.domain.errors import Fault, Invalid
from app.domain.lists import Visibility
from app.domain.records import only
from app.domain.roles import permit
from app.domain.values import MisfitError, Named, identity, text
from app.persistence import defaults, favourites, users
from app.persistence import lists as rows
from app.persistence.database import Database, Transaction
from app.services import effects, listings, references
from app.services.calls import Call, Written, once

HEIR = ("to", "to_id")


async def transfer(db: Database, call: Call, list_id: UUID, body: Mapping[str, object]) -> Written:
    """Gives the list to another: `{to | to_id}`, an id, external id or e-mail, or an id. Its owner's and an admin's to do.

    Raises Invalid for an heir who cannot have it, NotFound, Forbidden.
    """
    told, pointer = heir(only(body, HEIR))

    async def act(tx: Transaction) -> Written:
        principal, workspace_id = call.principal, call.principal.workspace.id
        of = listings.seen(principal, await rows.locked(tx, workspace_id, list_id, principal.user_id))
        permit(principal, "lists.transfer", own=listings.is_own(principal, of))
        heir_id = await references.user(tx, workspace_id, told, pointer)
        if isinstance(heir_id, Fault):
            raise Invalid(faults=(heir_id,))
        if heir_id == of.owner_id:
            return listings.written(principal, of)
        await check_heir(tx, workspace_id, heir_id, of.visibility, pointer)
        await give(tx, call, [list_id], heir_id)
        changed = replace(of, owner_id=heir_id, version=of.version + 1, updated_at=call.now)
        done = effects.differing("lists", list_id, listings.told(of), listings.told(changed))
        return listings.written(principal, changed, done)

    return await once(db, call, f"lists.transfer {list_id}", act)


async def check_heir(tx: Transaction, workspace_id: UUID, heir_id: UUID, visibility: Visibility, pointer: str) -> None:
    """Raises Invalid unless the user may own a list that is so visible."""
    role = await users.role(tx, workspace_id, heir_id)
    if role is None or (role == "viewer" and visibility == "public"):
        message = "Expected an active user of this workspace, who for a public list is no viewer."
        raise Invalid(faults=(Fault(message, pointer=pointer),))


async def give(tx: Transaction, call: Call, list_ids: Sequence[UUID], heir_id: UUID) -> None:
    """Gives lists, locked before, to somebody who may own them."""
    workspace_id = call.principal.workspace.id
    await hide(tx, workspace_id, await rows.give(tx, workspace_id, list_ids, heir_id, call.now), heir_id)


async def hide(tx: Transaction, workspace_id: UUID, list_ids: Sequence[UUID], owner_id: UUID) -> None:
    """Private lists are gone for everybody but their owner: nobody else begins with one or has it at hand."""
    if list_ids:
        await defaults.forget(tx, workspace_id, list_ids, owner_id)
        await favourites.forget(tx, workspace_id, list_ids, owner_id)


def heir(told: Mapping[str, object]) -> tuple[UUID | Named, str]:
    """Who is to have something, of HEIR one: an id, external id or e-mail, or an id; and where that was said. Raises
    Invalid."""
    named = [member for member in HEIR if told.get(member) is not None]
    if len(named) != 1:
        message = "Expected to or to_id, one of them: an id, external id or e-mail, or an id."
        raise Invalid(faults=(Fault(message, pointer="/to"),))
    pointer = f"/{named[0]}"
    try:
        return (Named(text(told["to"]), pointer) if named[0] == "to" else identity(told["to_id"])), pointer
    except MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(pointer),)) from None
