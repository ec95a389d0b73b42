"""Records at the root: accounts and contacts as connections, one account, any node, and the directory."""

from __future__ import annotations

from typing import Any

from app.api.graphql.accounts import ID, Arguments
from app.api.graphql.build import argument, operated
from app.api.graphql.plans import DIRECTORY
from app.api.graphql.resources import planned_value
from app.api.graphql.types import CONNECTED, filtering, paging, type_name
from app.domain.catalogue import ENTITIES
from app.domain.questions import MAX_LIMIT


async def _plain(_: Any, info: Any, _said: Arguments) -> Any:
    """A plain read beside fields that are none."""
    return await planned_value(info)


QUERIES = [
    *(
        operated("records.read", name, f"{type_name(ENTITIES[name])}Connection", _plain, *paging(name),
                 description="Every one that is not archived, where neither `where` nor `filter` is given.")
        for name in CONNECTED
    ),
    operated(
        "records.read", "account", "Optional[Account]", _plain, argument("id", "Optional[ID]"), argument("external_id", "Optional[str]"),
        description="By `id` or `externalId`, archived or not.",
    ),
    operated("records.read", "node", "Optional[Node]", _plain, ID, description="Any record by its id."),
    *(
        operated("records.read", name, f"list[{type_name(ENTITIES[name])}]", _plain, *filtering(name, MAX_LIMIT))
        for name in DIRECTORY
    ),
]  # fmt: skip
