"""Whatever stands under an account, by its external id too: the same route behind `/v1/accounts/external/{external_id}`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest.accounts import EXTERNAL_ID
from app.api.routes import Route
from app.services.account_names import identified

BY_ID = "/v1/accounts/{id}/"
BY_EXTERNAL_ID = "/v1/accounts/external/{external_id}/"


def by_external_id(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Of each route under an account the one that takes the account's external id instead of its id."""
    return tuple(_addressed(route) for route in routes if route.path.startswith(BY_ID))


def _addressed(route: Route) -> Route:
    async def handle(request: Request) -> Answer:
        external_id, *others = request.values
        found = await identified(request.db, request.principal, external_id)
        request.values, request.route = (str(found), *others), route.path
        return await route.handle(request)

    _, *others = route.parameters
    return replace(
        route, path=BY_EXTERNAL_ID + route.path.removeprefix(BY_ID), handle=handle,
        summary=f"{route.summary}, by its external id", parameters=(EXTERNAL_ID, *others),
    )  # fmt: skip
