"""The envelope of collections that are small: their items are JSON already, and no windows were used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.api.requests import Request, as_uuid, whole
from app.api.responses import Answer, encoded
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT

PAGED = ("limit", "cursor")


def page_of(request: Request) -> tuple[int, UUID | None]:
    """`limit` and `cursor`, the id of the last item seen."""
    told = request.query(PAGED)
    limit = whole(told.get("limit"), "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    try:
        return limit, as_uuid(told["cursor"]) if "cursor" in told else None
    except NotFound:
        message = "The cursor is none of this collection: take `page.next` as it was given."
        raise Invalid(message, (Fault(message, parameter="cursor"),)) from None


def envelope(items: Sequence[bytes], now: datetime, limit: int, following: str | None = None) -> Answer:
    """A page of items."""
    tail = encoded({"page": {"next": following, "limit": limit}, "count": None, "as_of": now, "windows": []})
    return Answer(b'{"data":[' + b",".join(items) + b"]," + tail[1:])
