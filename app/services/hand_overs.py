"""Handing over: what a user looks after becomes another's, all of it in one transaction and with its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from app.domain.catalogue import USERS
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.records import only
from app.domain.roles import permit
from app.domain.values import Named
from app.persistence import hand_overs, lists, users, workspaces
from app.persistence import records as rows
from app.persistence.database import Database, Transaction
from app.services import effects, references, settle, transfers
from app.services.calls import ENCODER, Call, Effect, Written, once

What = Literal["accounts", "opportunities", "lists"]
WHAT: tuple[What, ...] = ("accounts", "opportunities", "lists")
"""What can be handed over: accounts as their csm, open opportunities and saved lists as their owner."""
OWNER: Mapping[What, str] = MappingProxyType({"accounts": "csm_id", "opportunities": "owner_id", "lists": "owner_id"})
"""The member that says whose a thing is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """To whom, and what of it all."""

    heir: UUID | Named
    pointer: str
    what: tuple[What, ...]


async def hand_over(db: Database, call: Call, user_id: UUID, body: Mapping[str, object]) -> Written:
    """Gives another what is this user's, who may be active or not: `{to | to_id, what?}`, `what` some of WHAT or all.

    Lists keep their visibility; accounts that are archived go along. `Written.body` is `{user_id, to_id, accounts,
    opportunities, lists}`, each how many. Raises NotFound, Forbidden, Invalid for an heir who cannot have them.
    """
    permit(call.principal, "users.write")
    wanted = _read(body)
    workspace_id = call.principal.workspace.id

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, workspace_id)
        standing = await rows.locked(tx, USERS, workspace_id, "id", user_id)
        if standing is None:
            raise NotFound
        heir_id = await _heir(tx, call, user_id, wanted)
        moved = await _move(tx, call, user_id, heir_id, wanted.what)
        counts: dict[str, int] = {what: len(moved.get(what, ())) for what in WHAT}
        moves = (
            effects.several(what, ids, {OWNER[what]: user_id}, {OWNER[what]: heir_id}) for what, ids in moved.items()
        )
        told: dict[str, object] = {"to_id": heir_id, **counts}
        done = (Effect(USERS.name, user_id, {}, told), *chain.from_iterable(moves)) if any(moved.values()) else ()
        body = ENCODER.encode({"user_id": user_id, **told})
        return Written(user_id, standing["version"], body, False, done)

    return await once(db, call, f"users.write hand_over {user_id}", act)


async def _move(
    tx: Transaction, call: Call, user_id: UUID, heir_id: UUID, what: tuple[What, ...]
) -> dict[What, list[UUID]]:
    workspace = call.principal.workspace
    touched = await hand_overs.lock_accounts(
        tx, workspace.id, user_id, own="accounts" in what, opportunities="opportunities" in what
    )
    moved: dict[What, list[UUID]] = {}
    if "accounts" in what:
        moved["accounts"] = await hand_overs.give_accounts(tx, workspace.id, user_id, heir_id, call.now)
    if "opportunities" in what:
        moved["opportunities"] = await hand_overs.give_opportunities(tx, workspace.id, user_id, heir_id, call.now)
    if "lists" in what:
        moved["lists"] = await lists.owned(tx, workspace.id, user_id)
        await transfers.give(tx, call, moved["lists"], heir_id)
    changed = None if moved.get("opportunities") else ("csm", "csm_id", "version", "updated_at")
    await settle.settle(tx, workspace, touched, call.now, changed=changed)
    return moved


async def _heir(tx: Transaction, call: Call, user_id: UUID, wanted: Wanted) -> UUID:
    workspace_id = call.principal.workspace.id
    found = await references.user(tx, workspace_id, wanted.heir, wanted.pointer)
    if isinstance(found, Fault):
        raise Invalid(faults=(found,))
    if found == user_id:
        raise Invalid(faults=(Fault("Expected somebody else.", pointer=wanted.pointer),))
    if await users.role(tx, workspace_id, found) == "viewer":
        message = "Expected an admin, manager or csm: a viewer looks after nothing."
        raise Invalid(faults=(Fault(message, pointer=wanted.pointer),))
    return found


def _read(body: Mapping[str, object]) -> Wanted:
    told = only(body, (*transfers.HEIR, "what"))
    return Wanted(*transfers.heir(told), _what(told.get("what")))


def _what(told: Any) -> tuple[What, ...]:
    if told is None:
        return WHAT
    if not isinstance(told, list) or not told:
        raise Invalid(faults=(Fault(f"Expected an array of {', '.join(WHAT)}.", pointer="/what"),))
    faults = tuple(
        Fault(f"Expected one of {', '.join(WHAT)}.", pointer=f"/what/{n}", suggestion=_near(one))
        for n, one in enumerate(told[: len(WHAT) + 1])
        if one not in WHAT
    )
    if faults:
        raise Invalid(faults=faults)
    return tuple(one for one in WHAT if one in told)


def _near(told: object) -> str | None:
    return nearest(told, WHAT) if isinstance(told, str) else None
