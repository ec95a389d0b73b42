"""REST: one file per capability, each a tuple of declared routes; here they become one table."""

from __future__ import annotations

from typing import Any

from app.api import document
from app.api.door import Door
from app.api.responses import encoded
from app.api.rest import (
    accounts,
    attributes,
    audit,
    bulk,
    calendars,
    catalog,
    changes,
    criteria,
    defaults,
    directory,
    drafts,
    explain,
    exports,
    forecasts,
    hierarchies,
    imports,
    keys,
    lists,
    me,
    memberships,
    operations,
    problems,
    related,
    scenarios,
    segmentations,
    stages,
    start,
    summaries,
    usage,
    users,
    watches,
    workspace,
)  # fmt: skip
from app.api.routes import Table

ROUTES = (
    *accounts.ROUTES, *changes.ROUTES, *hierarchies.ROUTES, *users.ROUTES, *related.ROUTES, *usage.ROUTES, *directory.ROUTES, *stages.ROUTES, *scenarios.ROUTES, *bulk.ROUTES, *attributes.ROUTES, *lists.ROUTES, *summaries.ROUTES, *exports.ROUTES, *watches.ROUTES, *defaults.ROUTES, *segmentations.ROUTES, *drafts.ROUTES, *memberships.ROUTES, *forecasts.ROUTES,
    *imports.ROUTES, *workspace.ROUTES, *calendars.ROUTES, *me.ROUTES, *keys.ROUTES, *audit.ROUTES, *catalog.ROUTES, *criteria.ROUTES, *explain.ROUTES, *problems.ROUTES,
)  # fmt: skip


def table(door: Door) -> tuple[Table, dict[str, Any]]:
    """Every route of the service, the OpenAPI document's own among them, and that document."""
    routes = (*ROUTES, *operations.routes(door), *start.routes(ROUTES))
    made = document.build((*routes, operations.description(b"")))
    return Table((*routes, operations.description(encoded(made)))), made
