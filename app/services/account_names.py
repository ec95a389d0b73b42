"""How answers name an account, and which account an external id means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.roles import Principal
from app.domain.values import UNSTORABLE
from app.persistence import account_names as rows
from app.persistence.database import Reader


def named(account: Mapping[str, Any]) -> dict[str, Any]:
    """An account as rows about it name it: `id`, `external_id`, `name`."""
    return {name: account[name] for name in ("id", "external_id", "name")}


async def identified(db: Reader, principal: Principal, external_id: str) -> UUID:
    """The id of the workspace's account of this external id; whoever asks is permitted what they ask of it. Raises NotFound."""
    told = None if UNSTORABLE.search(external_id) else external_id
    found = None if told is None else await rows.of_external(db, principal.workspace.id, told)
    if found is None:
        raise NotFound("There is no such account in this workspace.")
    return found
