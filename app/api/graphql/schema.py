"""The schema: every type, every field of Query and Mutation."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.api.graphql import (
    accounts,
    analysis,
    attributes,
    audit,
    backtests,
    bulk,
    calendars,
    call_accuracy,
    capacity,
    catalog,
    changes,
    charts,
    clusters,
    cohorts,
    criteria,
    directory,
    drafts,
    engagements,
    explain,
    filters,
    forecast_accuracy,
    forecast_charts,
    forecasts,
    hierarchies,
    imports,
    keys,
    lists,
    me,
    memberships,
    outlook,
    records,
    related,
    renewal_calls,
    request_queue,
    retention,
    scenarios,
    scores,
    segment_moves,
    segmentations,
    stages,
    summaries,
    usage,
    users,
    validation,
    waterfalls,
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
    scenarios,
    scores,
    lists,
    segmentations,
    drafts,
    clusters,
    memberships,
    engagements,
    capacity,
    forecasts,
    renewal_calls,
    waterfalls,
    call_accuracy,
    forecast_accuracy,
    backtests,
    retention,
    cohorts,
    outlook,
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
    request_queue,
)
_WRITES = (
    accounts,
    related,
    usage,
    directory,
    stages,
    scenarios,
    scores,
    bulk,
    attributes,
    lists,
    segmentations,
    drafts,
    memberships,
    engagements,
    forecasts,
    renewal_calls,
    imports,
    keys,
    users,
    calendars,
    workspace,
)


for _beside in (changes.OF_ACCOUNT, scores.OF_ACCOUNT, stages.OF_ACCOUNT):
    extend("Account", _beside)
for _proof in (
    *charts.OF_SEGMENTATION,
    *segment_moves.OF_SEGMENTATION,
    analysis.OF_SEGMENTATION,
    validation.OF_SEGMENTATION,
):
    extend("Segmentation", _proof)
extend("Forecast", forecast_charts.OF_FORECAST)
extend("Backtest", forecast_charts.OF_BACKTEST)
extend("Waterfall", forecast_charts.OF_WATERFALL)


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
