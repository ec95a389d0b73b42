"""Favourites: the lists that somebody wants at hand, each person's own."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.roles import permit
from app.persistence import favourites
from app.persistence import lists as rows
from app.persistence.database import Database, Transaction
from app.services import listings, nested
from app.services.calls import Call, Effect, Written, once


async def mark(db: Database, call: Call, list_id: UUID, favourite: bool) -> Written:
    """The list is one of the caller's favourites, or is not any more; the list. Raises NotFound for what the caller
    cannot see, Forbidden for a service."""
    principal = call.principal
    permit(principal, "lists.favourite")

    async def act(tx: Transaction) -> Written:
        workspace_id, user_id = principal.workspace.id, principal.user_id
        row = await rows.locked(tx, workspace_id, list_id, user_id)
        of = listings.seen(principal, row, whole=True)
        if user_id is None:
            raise NotFound
        done: tuple[Effect, ...] = ()
        if of.favourite != favourite:
            await (favourites.mark if favourite else favourites.unmark)(tx, workspace_id, user_id, list_id)
            done = (Effect("lists", list_id, {"favourite": of.favourite}, {"favourite": favourite}),)
        (listing,) = await nested.looked_at(tx, principal, [replace(of, favourite=favourite)], call.now)
        return Written(list_id, of.version, listings.body(listing), created=False, effects=done)

    return await once(db, call, f"lists.favourite {list_id} {favourite}", act)
