"""Which list people begin with: their own choice, and beneath it the workspace's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import msgspec

from app.domain import lists
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.roles import Principal, permit
from app.persistence import defaults
from app.persistence import lists as rows
from app.persistence.database import Database, Reader, Transaction
from app.services import effects
from app.services.calls import ENCODER, Call, Written, once

DEFAULTS = msgspec.json.Decoder(dict[str, UUID])
UNVERSIONED = 0


@dataclass(frozen=True, slots=True)
class Effective:
    """The list that somebody begins with, and who has chosen it."""

    list_id: UUID
    source: Literal["me", "workspace"]


async def choose(db: Database, call: Call, entity: str, list_id: UUID | None) -> Mapping[str, UUID]:
    """The list that the caller begins with for accounts or contacts, None for none; all of the caller's own choices.

    Raises NotFound for an entity without lists, Invalid for a list that the caller cannot see or of another entity.
    """
    principal = call.principal
    permit(principal, "me.defaults.write")
    if entity not in lists.ENTITIES or principal.user_id is None:
        raise NotFound
    user_id, workspace_id = principal.user_id, principal.workspace.id

    async def act(tx: Transaction) -> Written:
        if list_id is not None:
            row = await rows.locked(tx, workspace_id, list_id)
            if (
                row is None
                or lists.sight(principal, row["visibility"], row["owner_id"]) != "whole"
                or row["entity"] != entity
            ):
                raise Invalid(faults=(Fault(f"Expected a list of {entity} that you can see.", pointer="/list_id"),))
        before = await defaults.own(tx, workspace_id, user_id)
        await defaults.choose(tx, workspace_id, user_id, entity, list_id)
        after = await defaults.own(tx, workspace_id, user_id)
        done = effects.differing("me", user_id, before, after)
        return Written(user_id, UNVERSIONED, ENCODER.encode(after), created=False, effects=done)

    written = await once(db, call, f"me.defaults.write {entity}", act)
    return DEFAULTS.decode(written.body)


async def choose_shared(db: Database, call: Call, entity: str, list_id: UUID | None) -> Mapping[str, UUID]:
    """The list that those begin with who have chosen nothing, None for none; all of the workspace's.

    Raises NotFound for an entity without lists, Forbidden, Invalid for a list that not everybody sees.
    """
    principal = call.principal
    permit(principal, "workspace.write")
    if entity not in lists.ENTITIES:
        raise NotFound
    workspace_id = principal.workspace.id

    async def act(tx: Transaction) -> Written:
        if list_id is not None:
            row = await rows.locked(tx, workspace_id, list_id)
            if row is None or row["visibility"] != "public" or row["entity"] != entity:
                raise Invalid(faults=(Fault(f"Expected a public list of {entity}.", pointer="/list_id"),))
        before = await defaults.shared(tx, workspace_id)
        await defaults.choose_shared(tx, workspace_id, entity, list_id)
        after = await defaults.shared(tx, workspace_id)
        done = effects.differing("workspace", workspace_id, _spelled(before), _spelled(after))
        return Written(workspace_id, UNVERSIONED, ENCODER.encode(after), created=False, effects=done)

    written = await once(db, call, f"workspace.write defaults {entity}", act)
    return DEFAULTS.decode(written.body)


async def own(db: Reader, principal: Principal) -> Mapping[str, UUID]:
    """The lists that the caller has chosen to begin with, by entity."""
    permit(principal, "me.read")
    if principal.user_id is None:
        return {}
    return await defaults.own(db, principal.workspace.id, principal.user_id)


async def shared(db: Reader, principal: Principal) -> Mapping[str, UUID]:
    """The workspace's, by entity."""
    permit(principal, "workspace.read")
    return await defaults.shared(db, principal.workspace.id)


def effective(chosen: Mapping[str, UUID], shared: Mapping[str, UUID]) -> dict[str, Effective | None]:
    """What somebody begins with who has chosen so, for each entity that has lists."""
    found: dict[str, Effective | None] = {}
    for entity in lists.ENTITIES:
        if entity in chosen:
            found[entity] = Effective(chosen[entity], "me")
        else:
            found[entity] = Effective(shared[entity], "workspace") if entity in shared else None
    return found


def _spelled(by_entity: Mapping[str, UUID]) -> dict[str, UUID]:
    return {f"default_{entity}": list_id for entity, list_id in by_entity.items()}
