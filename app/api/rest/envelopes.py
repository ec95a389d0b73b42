"""The envelope of collections that are small: their items are JSON already, and no windows were used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.api.requests import Request, whole
from app.api.responses import Answer, encoded
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT
from app.services.cursors import Key, seal, unseal

PAGED = ("limit", "cursor")


@dataclass(frozen=True, slots=True)
class Paging:
    """What a request says of its page. `after` are the keys of the last item seen; `told` are further parameters."""

    request: Request
    limit: int
    after: tuple[Key, ...] | None
    told: Mapping[str, str]
    bound: bytes

    def cursor(self, keys: Sequence[Key] | None) -> str | None:
        """The cursor behind the item with these keys."""
        return None if keys is None else seal(self.request.secret, self.bound, self.request.now, keys)


def paging(request: Request, *more: str) -> Paging:
    """`limit`, `cursor` and the parameters named; a cursor is bound to workspace, address and those, but for `count`."""
    told = request.query((*PAGED, *more))
    limit = whole(told.get("limit"), "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    others = sorted((name, value) for name, value in told.items() if name not in (*PAGED, "count"))
    bound = repr((request.scope["path"], request.principal.workspace.id, others)).encode()
    after = unseal(request.secret, bound, told["cursor"])[1] if "cursor" in told else None
    return Paging(request, limit, after, told, bound)


def with_members(answer: Answer, members: Mapping[str, Any]) -> Answer:
    """The same object with some members more."""
    return replace(answer, body=answer.body[:-1] + b"," + encoded(members)[1:])


def envelope(items: Sequence[bytes], now: datetime, limit: int, following: str | None = None) -> Answer:
    """A page of items."""
    tail = encoded({"page": {"next": following, "limit": limit}, "count": None, "as_of": now, "windows": []})
    return Answer(b'{"data":[' + b",".join(items) + b"]," + tail[1:])
