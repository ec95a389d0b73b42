"""Writes over REST that were refused for the caller's rights: kept in the audit before they are answered."""

from __future__ import annotations

from uuid import UUID

from app.api.conditions import call
from app.api.errors import problem_of
from app.api.requests import Request
from app.api.routes import Table
from app.domain.audit import NOUNS
from app.domain.criteria.coerce import identity
from app.domain.errors import Forbidden
from app.services import refusals


async def keep(table: Table, request: Request, error: Forbidden) -> None:
    """Keeps the attempt where it was to change something; what only reads leaves no entry."""
    route = table.find(request.scope["raw_path"])[0].get(request.scope["method"])
    if route is None or route.method == "GET" or route.operation.endswith(".read"):
        return
    tried = call(request, keyed=False)
    await refusals.keep(request.db, tried, route.operation, problem_of(error).name, *_thing(request))


def _thing(request: Request) -> tuple[str, UUID | None]:
    """What the address names, as what is done there is kept: the last noun in it, and the id where one follows."""
    _, _, *parts = request.route.split("/")
    fixed = [n for n, part in enumerate(parts) if not part.startswith("{")]
    at, noun = next(
        (n, noun) for n in reversed(fixed) for noun in ("/".join(parts[: n + 1]), parts[n]) if noun in NOUNS
    )
    named = at == 0 and 1 not in fixed and bool(request.values)
    return noun, identity(request.values[0]) if named else None
