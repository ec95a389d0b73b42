"""What belongs to accounts: below each account, and as collections of their own."""

from __future__ import annotations

from app.api.rest import reading
from app.api.rest.parameters import IDENTITY, path
from app.api.routes import Route
from app.domain.catalogue import ENTITIES, OF_ACCOUNT

TAG = "related records"


def _routes(name: str) -> tuple[Route, ...]:
    entity = ENTITIES[name]
    routes = (
        *reading.collection_routes(name, f"/v1/{name}", TAG),
        reading.related_route(name, f"/v1/accounts/{{id}}/{name}", TAG),
    )
    if entity.key == "none":
        return routes
    one = reading.one_route(name, f"/v1/{name}/{{id}}", "id", path("id", f"of the {entity.singular}", IDENTITY), TAG)
    return (*routes, one)


ROUTES = tuple(route for name in OF_ACCOUNT for route in _routes(name))
