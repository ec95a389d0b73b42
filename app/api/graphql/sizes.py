"""How much a field may answer, told from the schema: lists of records, and the schema's own description of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType

from app.api.graphql.schema import SCHEMA

CORE = SCHEMA._schema
WRAPPED = 0.7
"""Of types that fields have, how many are another one that may not be null, or a list of it: about so many."""


def _lists() -> frozenset[str]:
    objects = [made for made in CORE.type_map.values() if isinstance(made, GraphQLObjectType)]
    return frozenset(name for made in objects for name, field in made.fields.items() if "first" in field.args)


def _described() -> dict[str, float]:
    """On average over all types, since they are asked of all; of one type alone, of the largest."""
    types: list[Any] = list(CORE.type_map.values())
    fields = [made.fields for made in types if hasattr(made, "fields") and not isinstance(made, GraphQLInputObjectType)]
    inputs = [made.fields for made in types if isinstance(made, GraphQLInputObjectType)]
    count, each = len(types), sum(map(len, fields))
    one = count * max(map(len, fields)) / each
    return {
        "types": count,
        "fields": each / count,
        "args": sum(len(field.args) for of in fields for field in of.values()) / each,
        "inputFields": sum(map(len, inputs)) / count,
        "enumValues": sum(len(made.values) for made in types if isinstance(made, GraphQLEnumType)) / count,
        "directives": len(CORE.directives),
        "ofType": WRAPPED,
        "__type": one, "queryType": one, "mutationType": one,
    }  # fmt: skip


LISTS = _lists()
"""Fields that give many records, `first` of them."""
DESCRIBED: Mapping[str, float] = _described()
"""How many things a field of introspection gives."""
