"""Handing over: what a user looks after becomes another's, all of it in one transaction and with its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.catalogue import USERS
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.records import MisfitError, Named, identity, only, text
from app.domain.roles import permit
from app.persistence import hand_overs, users, workspaces
from app.persistence import records as rows
from app.persistence.database import Database, Transaction
from app.persistence.hand_overs import OWNER, Table
from app.services import references, settle
from app.services.calls import ENCODER, Call, Effect, Written, once

WHAT: tuple[Table, ...] = ("accounts", "opportunities", "lists")
"""What can be handed over: accounts as their csm, open opportunities and saved lists as their owner."""
MEMBERS = ("to", "to_id", "what")


@dataclass(frozen=True, slots=True)
class Wanted:
    """To whom, and what of it all."""

    heir: UUID | Named
    pointer: str
    what: tuple[Table, ...]


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
        counts = {table: len(moved.get(table, ())) for table in WHAT}
        effects = tuple(
            Effect(table, one, {OWNER[table]: user_id}, {OWNER[table]: heir_id})
            for table, ids in moved.items()
            for one in ids
        )
        body = ENCODER.encode({"user_id": user_id, "to_id": heir_id, **counts})
        return Written(user_id, standing["version"], body, False, effects)

    return await once(db, call, f"users.hand_over {user_id}", act)


async def _move(
    tx: Transaction, call: Call, user_id: UUID, heir_id: UUID, what: tuple[Table, ...]
) -> dict[Table, list[UUID]]:
    workspace = call.principal.workspace
    touched = await hand_overs.lock_accounts(
        tx, workspace.id, user_id, own="accounts" in what, opportunities="opportunities" in what
    )
    moved = {table: await hand_overs.move(tx, table, workspace.id, user_id, heir_id, call.now) for table in what}
    if moved.get("lists"):
        await hand_overs.forget_defaults(tx, workspace.id, user_id, moved["lists"])
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
    told = only(body, MEMBERS)
    named = [member for member in ("to", "to_id") if told.get(member) is not None]
    if len(named) != 1:
        message = "Expected to or to_id, one of them: an id, external id or e-mail, or an id."
        raise Invalid(faults=(Fault(message, pointer="/to"),))
    pointer = f"/{named[0]}"
    try:
        heir = Named(text(told["to"]), pointer) if named[0] == "to" else identity(told["to_id"])
    except MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(pointer),)) from None
    return Wanted(heir, pointer, _what(told.get("what")))


def _what(told: Any) -> tuple[Table, ...]:
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
