"""Who somebody is: an active user by whatever name they go by."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from app.domain.criteria.coerce import identity
from app.domain.errors import NotFound
from app.domain.roles import Role
from app.domain.workspaces import Person
from app.persistence import users
from app.persistence.database import Reader


async def person(reader: Reader, workspace_id: UUID, name: str) -> Person:
    """Who `for_user` is: an active user by id, external id or e-mail. Raises NotFound."""
    row = await users.named(reader, workspace_id, identity(name), name)
    found = await users.person(reader, workspace_id, row["id"]) if row else None
    if found is None:
        raise NotFound
    return found


async def member(reader: Reader, workspace_id: UUID, name: str) -> tuple[UUID, Role]:
    """The id and role of an active user by id, external id or e-mail. Raises NotFound."""
    found = await person(reader, workspace_id, name)
    return found.id, cast(Role, await users.role(reader, workspace_id, found.id))
