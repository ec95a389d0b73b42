"""Who asks: the bearer credential of a request."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from app.domain.errors import Unauthenticated
from app.domain.roles import Principal
from app.persistence.database import Database
from app.services import keys, tokens

if TYPE_CHECKING:
    from app.api.requests import Request

KEY_LIMIT = 512


async def authenticate(db: Database, request: Request, now: datetime) -> Principal:
    """The principal of `Authorization: Bearer <API key or JWT>`; Unauthenticated without a valid one, or with two.

    A JWT has points in it and a key has none.
    """
    given = request.headers.get(b"authorization")
    if given is None or request.twice(b"authorization"):
        raise Unauthenticated
    kind, _, token = given.partition(b" ")
    if kind.lower() != b"bearer":
        raise Unauthenticated
    if b"." in token:
        return await tokens.authenticate(db, token.strip().decode("latin-1"), now)
    if not 0 < len(token) <= KEY_LIMIT or not token.isascii():
        raise Unauthenticated(presented=bool(token))
    return await keys.authenticate(db, token.strip().decode(), now)
