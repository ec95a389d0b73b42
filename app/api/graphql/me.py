"""Who asks, and the workspace that they ask in."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import choices, member, operated, output, resolved
from app.api.graphql.resources import record
from app.api.graphql.writing import Arguments
from app.domain.roles import ROLES
from app.services import me

choices("Role", ROLES)


async def _user(source: Any, info: Any, _said: Arguments) -> Any:
    user_id = source["user_id"]
    return None if user_id is None else await record(info, "users", user_id)


output("Me", [
    member("user_id", "Optional[ID]"), member("name", "Optional[str]"), member("email", "Optional[str]"),
    member("team", "Optional[str]", "Its slug."), resolved("user", "Optional[User]", _user, description="Null for a service."),
    member("role", "Role", "What the credential may do: no more than the user's own role."), member("scopes", "list[str]"), member("workspace", "Workspace"),
    member("defaults", "DefaultLists", "The lists that you have chosen to begin with."),
    member("effective_defaults", "EffectiveDefaults", "What you begin with: your own choice, else the workspace's."),
])  # fmt: skip


async def _me(_: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    return await me.get(caller.db, caller.principal)


QUERIES = [operated("me.read", "me", "Me", _me)]
