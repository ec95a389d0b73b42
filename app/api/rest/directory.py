"""Who works here and what the organisation has named: users, teams, industries, products, features, stages,
scenarios, attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.rest import reading, writing
from app.api.rest.parameters import IDENTITY, SLUG, path
from app.api.routes import Parameter, Route
from app.domain.catalogue import ENTITIES

TAG = "directory"
WRITE = "directory.write"
EXAMPLES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "teams": ({"slug": "north", "name": "North"}, {"name": "Northern Europe"}),
    "industries": ({"slug": "retail", "name": "Retail"}, {"name": "Retail and trade"}),
    "products": ({"slug": "suite", "name": "Suite", "list_price": 12000}, {"list_price": 13500}),
    "features": ({"slug": "reports", "name": "Reports", "module": "analytics", "is_key": True}, {"is_key": False}),
}
"""What a new one and a change may say; the others have addresses of their own."""
GONE = "Refused with 409 where anything depends on it; `errors` says what does."
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
    return (*reading.collection_routes(name, f"/v1/{name}", TAG), one, *_writes(name, key))


def _writes(name: str, key: Parameter) -> tuple[Route, ...]:
    if name not in EXAMPLES:
        return ()
    here = f"/v1/{name}/{{slug}}"
    new, changed = EXAMPLES[name]
    return (
        writing.create_route(name, WRITE, TAG, new),
        *writing.change_routes(name, WRITE, here, "slug", key, TAG, changed, GONE),
        writing.upsert_route(name, WRITE, here, key, TAG, {k: v for k, v in new.items() if k != "slug"}),
    )


ROUTES = tuple(route for name in NAMES for route in _routes(name))
