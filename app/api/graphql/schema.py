"""The schema: every type, every field of Query and Mutation."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.api.graphql import (
    accounts,
    attributes,
    audit,
    bulk,
    calendars,
    catalog,
    changes,
    criteria,
    directory,
    drafts,
    explain,
    filters,
    forecasts,
    hierarchies,
    imports,
    keys,
    lists,
    me,
    memberships,
    records,
    related,
    scenarios,
    segmentations,
    stages,
    summaries,
    usage,
    users,
    workspace,
)
from app.api.graphql.build import NAMES, Resolved, extend, output
from app.api.graphql.scalars import SCALARS
from app.api.graphql.types import type_name
from app.domain.catalogue import ENTITIES

_PARTS = (
    records,
    summaries,
    stages,
    lists,
    segmentations,
    drafts,
    memberships,
    forecasts,
    hierarchies,
    imports,
    calendars,
    workspace,
    me,
    keys,
    audit,
    catalog,
    criteria,
    explain,
)
_WRITES = (
    accounts,
    related,
    usage,
    directory,
    stages,
    scenarios,
    bulk,
    attributes,
    lists,
    segmentations,
    drafts,
    memberships,
    forecasts,
    imports,
    keys,
    users,
    calendars,
    workspace,
)


for _beside in (changes.OF_ACCOUNT, stages.OF_ACCOUNT):
    extend("Account", _beside)


def _root(name: str, fields: Iterable[Resolved]) -> type:
    """Query or Mutation: a field without an operation that roles are told for is no field of theirs."""
    found = list(fields)
    for field in found:
        if field.operation is None:
            raise LookupError(f"{name}.{field.python_name}: no operation is declared")
    return output(name, found)


SCHEMA = strawberry.Schema(
    query=_root("Query", (field for part in _PARTS for field in part.QUERIES)),
    mutation=_root("Mutation", (field for part in _WRITES for field in part.MUTATIONS)),
    types=[NAMES[name] for name in (*map(type_name, ENTITIES.values()), *filters.FILTERS)],
    config=StrawberryConfig(scalar_map=dict(SCALARS)),
)
"""The schema that documents are validated against; `schema.graphql` is its text."""


def sdl() -> str:
    """The schema as text, as it is committed."""
    return SCHEMA.as_str()
