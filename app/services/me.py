"""Who asks: the person or service behind a credential, and the workspace that they ask in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.domain.lists import ENTITIES
from app.domain.roles import Principal, permit
from app.persistence import users
from app.persistence.database import Reader
from app.services import defaults, workspaces

NOBODY: dict[str, Any] = {"name": None, "email": None, "team": None, "defaults": None, "workspace_defaults": None}
"""What a service has no person for."""
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


async def get(db: Reader, principal: Principal) -> dict[str, Any]:
    """`{user_id, name, email, team, role, scopes, workspace, defaults, effective_defaults}`: `role` is what the credential
    may do, which is no more than the user's own; `team` is a slug; `defaults` are the lists that the caller has chosen to
    begin with, by entity, `effective_defaults` those and beneath them the workspace's. One statement."""
    permit(principal, "me.read")
    row = await users.profile(db, principal.workspace.id, principal.user_id) if principal.user_id else None
    person: dict[str, Any] = dict(row) if row else NOBODY
    chosen, shared = (
        msgspec.json.decode(person[name], type=dict[str, UUID]) if person[name] else {}
        for name in ("defaults", "workspace_defaults")
    )
    return {
        "user_id": principal.user_id,
        "name": person["name"],
        "email": person["email"],
        "team": person["team"],
        "role": principal.role,
        "scopes": sorted(principal.scopes),
        "workspace": _DECODER.decode(workspaces.get(principal)),
        "defaults": {**dict.fromkeys(ENTITIES), **chosen},
        "effective_defaults": {
            entity: None if one is None else {"list_id": one.list_id, "source": one.source}
            for entity, one in defaults.effective(chosen, shared).items()
        },
    }
