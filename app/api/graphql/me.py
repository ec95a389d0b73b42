"""Who asks, and the workspace that they ask in."""

from __future__ import annotations

from typing import Any

from app.api.graphql.accounts import Arguments
from app.api.graphql.build import choices, member, operated, output, resolved
from app.api.graphql.resources import body, record
from app.domain.lists import ENTITIES
from app.domain.roles import ROLES
from app.services import lists, workspaces

choices("Role", ROLES)


async def _user(source: Any, info: Any, _said: Arguments) -> Any:
    user_id = source["user_id"]
    return None if user_id is None else await record(info, "users", user_id)


output("Workspace", [
    member("id", "ID"), member("slug", "str"), member("name", "str"), member("currency", "str", "ISO 4217"),
    member("zone", "str", "IANA time zone"), member("week_start", "int", "ISO: Monday is 1"), member("fiscal_month", "int"),
    member("health_yellow", "float"), member("health_green", "float"), member("arr_per_csm", "Money"), member("version", "int"),
])  # fmt: skip
output("Me", [
    member("user_id", "Optional[ID]"), resolved("user", "Optional[User]", _user, description="Null for a service."),
    member("role", "Role"), member("scopes", "list[str]"), member("workspace", "Workspace"),
    member("defaults", "DefaultLists", "The lists that you begin with."),
])  # fmt: skip


async def _me(_: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    principal = caller.principal
    return {
        "user_id": principal.user_id,
        "role": principal.role,
        "scopes": sorted(principal.scopes),
        "workspace": body(workspaces.get(principal)),
        "defaults": {**dict.fromkeys(ENTITIES), **await lists.defaults(caller.db, principal)},
    }


QUERIES = [operated("me.read", "me", "Me", _me)]
