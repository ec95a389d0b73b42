"""Routes as values: each declares its operation and documents itself; the table finds them by address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from app.api.requests import Request
from app.api.responses import Answer
from app.domain.criteria.suggest import nearest
from app.domain.roles import RULES

Schema: TypeAlias = Mapping[str, Any]
"""A JSON Schema as OpenAPI 3.1 takes it."""
Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]

VERSION: Final = b"v1"
PUBLIC: Final = "public"
"""The operation of what needs no credential: health, documentation, problem pages."""
OWN: Final = "own"
"""The operation of a door that finds out by itself who asks, and for what."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query, the path or a header."""

    name: str
    description: str
    schema: Schema
    where: str = "query"
    required: bool = False
    example: Any = None


@dataclass(frozen=True, slots=True)
class Payload:
    """A body: its schema per media type, and an example."""

    schema: Schema
    media: tuple[str, ...] = ("application/json",)
    description: str = ""
    example: Any = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address. `operation` is a key of RULES, PUBLIC or OWN; `problems` are names of PROBLEMS."""

    method: str
    path: str
    operation: str
    handle: Handler
    summary: str
    tag: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Payload | None = None
    answer: Payload | None = None
    status: int = 200
    headers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.operation not in (PUBLIC, OWN) and self.operation not in RULES:
            raise LookupError(f"{self.method} {self.path}: no rule is declared for {self.operation!r}")

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the path's variables in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


@dataclass(slots=True)
class _Place:
    """What the table knows at one point of an address."""

    routes: dict[str, Route] = field(default_factory=dict)
    fixed: dict[bytes, _Place] = field(default_factory=dict)
    variable: _Place | None = None

    def near(self, part: bytes) -> _Place | None:
        """What lies behind a name that is nearly this one."""
        name = nearest(part.decode("ascii", "replace"), (one.decode() for one in self.fixed if one))
        return None if name is None else self.fixed[name.encode()]


class Table:
    """All routes, found by the segments of an address as it came, so that `%2F` stays inside its segment. `others` are
    further addresses of some of them."""

    def __init__(self, routes: Iterable[Route], others: Iterable[Route] = ()):
        self.routes, self.others = tuple(routes), tuple(others)
        self._root = _Place()
        for route in (*self.routes, *self.others):
            self._add(route)

    def _add(self, route: Route) -> None:
        place = self._root
        for part in route.path.encode().split(b"/")[1:]:
            if part.startswith(b"{"):
                place.variable = place.variable or _Place()
                place = place.variable
            else:
                place = place.fixed.setdefault(part, _Place())
        if route.method in place.routes:
            raise LookupError(f"{route.method} {route.path} is declared twice")
        place.routes[route.method] = route

    def find(self, raw_path: bytes) -> tuple[Mapping[str, Route], list[bytes]]:
        """The routes of an address by method, empty when there is none, and the values of its variables."""
        place, values = self._root, []
        for part in raw_path.split(b"/")[1:]:
            inner = place.fixed.get(part)
            if inner is None:
                inner = place.variable
                if inner is None or not part:
                    return {}, []
                values.append(part)
            place = inner
        return place.routes, values

    def nearest(self, raw_path: bytes) -> str | None:
        """The known address that one which is not there most likely means, with the names of its variables."""
        parts = [part for part in raw_path.split(b"/") if part]
        if parts and self._root.near(parts[0]) is None:
            parts = [VERSION, *parts]  # only that may be missing
        place, known = self._root, None
        for part in parts:
            inner = place.fixed.get(part) or place.variable or place.near(part)
            if inner is None:
                break
            place = inner
            known = next(iter(place.routes.values())).path if place.routes else known
        return known


def allowed(routes: Mapping[str, Route]) -> str:
    """The Allow header of an address."""
    methods = {*routes, "OPTIONS"} | ({"HEAD"} if "GET" in routes else set())
    return ", ".join(sorted(methods))
