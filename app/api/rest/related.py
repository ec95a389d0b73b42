"""What belongs to accounts: below each account, and as collections of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.rest import reading, writing
from app.api.rest.parameters import IDENTITY, path
from app.api.routes import Route
from app.domain.catalogue import ENTITIES, OF_ACCOUNT

TAG = "related records"
WRITE = "records.write"
GONE = "For good: its account is as if it had never been."
EXAMPLES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "contacts": (
        {"account": "crm-1042", "external_id": "p-7", "name": "Ada Byron", "email": "ada@example.com", "role": "champion", "is_primary": True},
        {"title": "Head of Operations"},
    ),
    "contracts": (
        {"account": "crm-1042", "external_id": "c-2026", "arr": 24000, "start_date": "2026-01-01", "end_date": "2026-12-31", "auto_renew": True},
        {"outcome": "renewed", "decided_at": "2026-11-20"},
    ),
    "opportunities": (
        {"account": "crm-1042", "external_id": "o-1", "name": "More seats", "stage": "open", "amount": 6000, "opened_at": "2026-11-01"},
        {"stage": "won", "closed_at": "2026-11-20"},
    ),
    "interactions": (
        {"account": "crm-1042", "kind": "call", "direction": "outbound", "occurred_at": "2026-11-20T10:00:00Z", "subject": "Quarterly review"},
        {"attended": True},
    ),
    "invoices": (
        {"account": "crm-1042", "number": "2026-118", "status": "unpaid", "amount": 2000, "issued_at": "2026-11-01", "due_at": "2026-12-01"},
        {"status": "paid", "paid_at": "2026-11-20"},
    ),
    "surveys": (
        {"account": "crm-1042", "kind": "nps", "score": 9, "answered_at": "2026-11-20T10:00:00Z", "comment": "Does what it says."},
        {"comment": None},
    ),
    "tickets": (
        {"account": "crm-1042", "status": "open", "priority": "high", "opened_at": "2026-11-20T10:00:00Z"},
        {"status": "closed", "closed_at": "2026-11-20T16:00:00Z", "satisfaction": 5},
    ),
    "requests": (
        {"account": "crm-1042", "kind": "discount", "status": "open", "amount": 1500, "asked_at": "2026-11-20T10:00:00Z"},
        {"status": "granted", "resolved_at": "2026-11-21T10:00:00Z"},
    ),
    "sentiments": (
        {"account": "crm-1042", "score": 4, "recorded_at": "2026-11-20T10:00:00Z", "note": "Glad about the new reports."},
        {"score": 3},
    ),
    "churns": (
        {"account": "crm-1042", "churned_at": "2026-11-20", "reason": "price"},
        {"note": "May come back next year."},
    ),
}  # fmt: skip
"""What a new record and a change may say."""


def _routes(name: str) -> tuple[Route, ...]:
    entity = ENTITIES[name]
    routes = (
        *reading.collection_routes(name, f"/v1/{name}", TAG),
        reading.related_route(name, f"/v1/accounts/{{id}}/{name}", TAG),
    )
    if entity.key == "none":
        return routes
    here, there = f"/v1/{name}/{{id}}", f"/v1/{name}/external/{{external_id}}"
    by_id = path("id", f"of the {entity.singular}", IDENTITY)
    by_name = path(
        "external_id", f"of the {entity.singular}, percent-encoded", {"type": "string", "minLength": 1}, "x-1"
    )
    new, changed = EXAMPLES[name]
    return (
        *routes,
        reading.one_route(name, here, "id", by_id, TAG),
        reading.one_route(name, there, "external_id", by_name, TAG),
        writing.create_route(name, WRITE, TAG, new),
        writing.below_route(name, WRITE, TAG, new),
        *writing.change_routes(name, WRITE, here, "id", by_id, TAG, changed, GONE),
        writing.upsert_route(name, WRITE, there, by_name, TAG, {k: v for k, v in new.items() if k != "external_id"}),
    )


ROUTES = tuple(route for name in OF_ACCOUNT for route in _routes(name))
