"""REST: one file per capability, each a tuple of declared routes; here they become one table."""

from __future__ import annotations

from typing import Any

from app.api import document
from app.api.door import Door
from app.api.responses import encoded
from app.api.rest import (
    accounts,
    addressed,
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
    defaults,
    directory,
    drafts,
    engagements,
    explain,
    exports,
    forecast_accuracy,
    forecast_charts,
    forecasts,
    hierarchies,
    imports,
    keys,
    lists,
    me,
    memberships,
    operations,
    outlook,
    problems,
    related,
    renewal_calls,
    request_queue,
    retention,
    scenarios,
    scores,
    segment_moves,
    segmentations,
    stages,
    start,
    summaries,
    usage,
    users,
    validation,
    watches,
    waterfalls,
    workspace,
)  # fmt: skip
from app.api.routes import Table

ROUTES = (
    *accounts.ROUTES, *changes.ROUTES, *hierarchies.ROUTES, *users.ROUTES, *related.ROUTES, *usage.ROUTES, *directory.ROUTES, *stages.ROUTES, *scenarios.ROUTES, *scores.ROUTES, *bulk.ROUTES, *attributes.ROUTES, *lists.ROUTES, *summaries.ROUTES, *exports.ROUTES, *watches.ROUTES, *defaults.ROUTES, *segmentations.ROUTES, *charts.ROUTES, *segment_moves.ROUTES, *analysis.ROUTES, *validation.ROUTES, *clusters.ROUTES, *drafts.ROUTES, *memberships.ROUTES, *engagements.ROUTES, *capacity.ROUTES, *forecasts.ROUTES, *forecast_charts.ROUTES, *retention.ROUTES, *cohorts.ROUTES, *outlook.ROUTES, *renewal_calls.ROUTES, *waterfalls.ROUTES, *request_queue.ROUTES, *call_accuracy.ROUTES, *forecast_accuracy.ROUTES, *backtests.ROUTES,
    *imports.ROUTES, *workspace.ROUTES, *calendars.ROUTES, *me.ROUTES, *keys.ROUTES, *audit.ROUTES, *catalog.ROUTES, *criteria.ROUTES, *explain.ROUTES, *problems.ROUTES,
)  # fmt: skip


def table(door: Door) -> tuple[Table, dict[str, Any]]:
    """Every route of the service, the OpenAPI document's own among them, and that document."""
    routes, others = (*ROUTES, *operations.routes(door), *start.routes(ROUTES)), addressed.by_external_id(ROUTES)
    made = document.build((*routes, *others, operations.description(b"")))
    return Table((*routes, operations.description(encoded(made))), others), made
