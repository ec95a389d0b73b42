"""The FastAPI application behind the front: it hosts what is mounted, documents every route, and can serve them all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.door import Door
from app.api.errors import Refused
from app.api.front import deliver, problem, serve
from app.api.requests import begin
from app.api.routes import Route, Table

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def application(door: Door, table: Table, document: dict[str, Any], lifespan: Lifespan) -> FastAPI:
    """Every declared route as a route of FastAPI, with the same handler and the document made from the declarations."""
    app = FastAPI(title="Strata", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.extend(DeclaredRoute(door, route) for route in (*table.routes, *table.others))
    app.openapi = lambda: document  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    return app


class DeclaredRoute(APIRoute):
    """A route of FastAPI that calls the declared handler without dependencies, models or response classes."""

    def __init__(self, door: Door, route: Route):
        super().__init__(
            route.path, _documented, methods=[route.method], name=route.operation, summary=route.summary,
            response_class=Response, response_model=None,
        )  # fmt: skip
        self.app = _Bare(door, route)


class _Bare:
    """The ASGI application of one declared route."""

    def __init__(self, door: Door, route: Route):
        self.door = door
        self.route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = begin(self.door, scope, receive)
        request.route = self.route.path
        request.values = tuple(scope["path_params"][name] for name in self.route.variables)
        try:
            answer = await serve(self.route, request)
        except Exception as error:  # becomes a problem document, as in front
            answer = problem(request, error)
        await deliver(request, answer, send)


async def _documented() -> None:
    """Never called: a declared handler answers."""
    raise Refused("internal")
