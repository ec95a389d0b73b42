"""Users: who works in a workspace. Their teams come by import."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from app.domain import records
from app.domain.catalogue import USERS
from app.domain.criteria.coerce import identity
from app.domain.criteria.suggest import nearest
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.roles import Role
from app.domain.workspaces import Person
from app.persistence import users
from app.persistence.database import Database, Reader
from app.services.calls import new_id


async def create_user(
    db: Database,
    workspace_id: UUID,
    email: str,
    name: str,
    role: Role,
    team: str | None,
    now: datetime,
    external_id: str | None = None,
) -> UUID:
    """A new active user, in a team that exists or in none; its id. Raises Invalid, Conflict where the e-mail is taken."""
    body = {"email": email, "name": name, "role": role, "team": team, "external_id": external_id}
    given = records.read(USERS, body, minor_digits=0, attributes={}, partial=False)
    user_id = new_id()
    async with db.transaction() as tx:
        if given["team"] is not None:
            await _known_team(tx, workspace_id, str(given["team"]))
        values = tuple(given[name] for name in ("external_id", "name", "email", "role", "team"))
        if not await users.insert(tx, workspace_id, user_id, values, now):
            raise Conflict(
                faults=(Fault("Expected an e-mail address and external id that no other user has.", pointer="/email"),)
            )
    return user_id


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


async def _known_team(reader: Reader, workspace_id: UUID, team: str) -> None:
    known = await users.teams(reader, workspace_id)
    if team not in known:
        raise Invalid(faults=(Fault("Expected the slug of a team.", pointer="/team", suggestion=nearest(team, known)),))
