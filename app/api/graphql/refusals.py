"""Mutations that were refused for the caller's rights: kept in the audit before they are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError, GraphQLObjectType
from graphql.language import FieldNode

from app.api.errors import problem_of
from app.api.graphql.callers import Caller
from app.api.graphql.selections import Reading
from app.api.graphql.types import type_name
from app.domain.catalogue import ENTITIES
from app.domain.criteria.coerce import identity
from app.domain.errors import Forbidden
from app.services import refusals
from app.services.calls import Call

NOUNS = {"keys": "api-keys"}
"""Where the first word of an operation is not the noun of the address."""
OF_ANY = ("records", "directory")
"""Operations on any entity: the mutation's name says which."""


async def keep(
    caller: Caller,
    reading: Reading,
    of: GraphQLObjectType | None,
    fields: Mapping[str, Sequence[FieldNode]],
    errors: Sequence[GraphQLError],
) -> None:
    """Keeps each field of the mutation that was refused. `fields` are the document's, by the key of their answer."""
    tried = Call(caller.principal, caller.now, door="graphql", request_id=caller.request_id)
    for error in errors:
        refused = error.original_error
        if isinstance(refused, Forbidden) and error.path and of is not None:
            node = fields[str(error.path[0])][0]
            name = node.name.value
            operation = _operation(of, name)
            thing = identity(str(reading.arguments(of, node).get("id")))
            await refusals.keep(caller.db, tried, operation, problem_of(refused).name, _noun(name, operation), thing)


def _operation(of: GraphQLObjectType, name: str) -> str:
    declared: Any = of.fields[name].extensions["strawberry-definition"]
    operation: str = declared.operation
    return operation


def _noun(name: str, operation: str) -> str:
    head = operation.partition(".")[0]
    if head in OF_ANY:
        return next((e.name for e in ENTITIES.values() if name.endswith(type_name(e))), head)
    return NOUNS.get(head, head)
