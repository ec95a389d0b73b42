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
from app.domain.audit import NOUNS
from app.domain.catalogue import ENTITIES
from app.domain.criteria.coerce import identity
from app.domain.errors import Forbidden
from app.services import bulk, refusals
from app.services.calls import Call

SPELT = {"keys": "api-keys"}
"""Where the first word of an operation is not the noun of the address."""


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
            said = reading.arguments(of, node)
            operation, noun = _named(of, node.name.value, said)
            thing = identity(str(said.get("id")))
            await refusals.keep(caller.db, tried, operation, problem_of(refused).name, noun, thing)


def _named(of: GraphQLObjectType, name: str, said: Mapping[str, Any]) -> tuple[str, str]:
    """The operation and the noun of a mutation, as what it does is kept. Those on any entity have it in their name, a
    bulk upsert in its arguments."""
    declared: Any = of.fields[name].extensions["strawberry-definition"]
    operation: str = declared.operation
    if operation == "records.bulk":
        kind: str = said["entity"].value
        return bulk.operation(kind), kind
    head = operation.partition(".")[0]
    noun = SPELT.get(head, head)
    return operation, noun if noun in NOUNS else next(e.name for e in ENTITIES.values() if name.endswith(type_name(e)))
