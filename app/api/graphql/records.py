"""Records at the root: of every entity a connection, one record by its names, and any node."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import Resolved, argument, operated
from app.api.graphql.plans import ONE
from app.api.graphql.resources import planned_value
from app.api.graphql.types import NAMED, naming, paging, type_name
from app.api.graphql.writing import ID, Arguments
from app.domain.catalogue import ENTITIES, Entity


async def _plain(_: Any, info: Any, _said: Arguments) -> Any:
    """A plain read beside fields that are none."""
    return await planned_value(info)


def _many(entity: Entity) -> Resolved:
    whole = "Every one that is not archived" if "account" in entity.fields or entity.name == "accounts" else "Every one"
    return operated(
        "records.read", entity.name, f"{type_name(entity)}Connection", _plain, *paging(entity.name),
        description=f"{whole}, where neither `where` nor `filter` is given.",
    )  # fmt: skip


def _one(name: str, entity: Entity) -> Resolved:
    ways = [argument(by, f"Optional[{NAMED[by]}]") for by in naming(entity)]
    return operated(
        "records.read", name, f"Optional[{type_name(entity)}]", _plain, *ways,
        description="By one of its names, archived or not.",
    )  # fmt: skip


QUERIES = [
    *map(_many, ENTITIES.values()),
    *(_one(name, entity) for name, entity in ONE.items()),
    operated("records.read", "node", "Optional[Node]", _plain, ID, description="Any record by its id."),
]
