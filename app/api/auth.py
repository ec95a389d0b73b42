"""Who asks: the bearer credential of a request."""

from __future__ import annotations

from datetime import datetime

from starlette.types import Scope

from app.domain.errors import Unauthenticated
from app.domain.roles import Principal
from app.persistence.database import Database
from app.services import keys

TOKEN_LIMIT = 512


async def authenticate(db: Database, scope: Scope, now: datetime) -> Principal:
    """The principal of `Authorization: Bearer <API key>`; Unauthenticated without a valid one, or with two."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1 or len(given[0]) > TOKEN_LIMIT:
        raise Unauthenticated
    kind, _, token = given[0].partition(b" ")
    if kind.lower() != b"bearer" or not token.isascii():
        raise Unauthenticated
    return await keys.authenticate(db, token.strip().decode(), now)
