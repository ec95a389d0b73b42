"""Who works here and what the organisation has named: users, teams, industries, products, features, stages,
scenarios, attributes."""

from __future__ import annotations

from app.api.rest import reading
from app.api.rest.parameters import IDENTITY, SLUG, path
from app.api.routes import Route
from app.domain.catalogue import ENTITIES

TAG = "directory"
NAMES = ("users", "teams", "industries", "products", "features", "stages", "scenarios", "attributes")


def _routes(name: str) -> tuple[Route, ...]:
    entity = ENTITIES[name]
    by_slug = entity.key == "slug"
    key = (
        path("slug", f"of the {entity.singular}", SLUG)
        if by_slug
        else path("id", f"of the {entity.singular}", IDENTITY)
    )
    one = reading.one_route(name, f"/v1/{name}/{{{key.name}}}", "slug" if by_slug else "id", key, TAG)
    return (*reading.collection_routes(name, f"/v1/{name}", TAG), one)


ROUTES = tuple(route for name in NAMES for route in _routes(name))
