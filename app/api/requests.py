"""A request as handlers see it: path, query, headers and body, each read strictly and bounded before it is parsed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

from app.api.bodies import JSON_LIMIT, decode
from app.api.errors import Refused
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, NotFound, TooLarge, Unreadable
from app.domain.roles import Principal

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from app.persistence.database import Database

PARAMETERS = 200
KEPT, LONGEST_KEPT = 2_000, 1_000
"""Query strings that are kept as they were read, and bytes up to which they are."""
SMALL = 100
"""Characters that an id, a slug or a number may have."""


@dataclass(slots=True)
class Request:
    """One request of a declared route. `values` are the path's variables in order, `now` is in UTC, `secret` seals cursors.

    `principal` is set before a handler of a route that is not public is called.
    """

    db: Database
    scope: Scope
    receive: Receive
    id: str
    now: datetime
    values: tuple[str, ...] = ()
    secret: bytes = b""
    who: Principal | None = None
    ended: bool = False

    @property
    def principal(self) -> Principal:
        """Who asks."""
        if self.who is None:
            raise LookupError("a public route asked who is asking")
        return self.who

    @property
    def unread(self) -> bool:
        """Whether some of a body may still be on its way."""
        return not self.ended and any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.scope["headers"]
        )

    def header(self, name: bytes) -> str | None:
        """A header by its lower-case name; Unreadable when it is given twice."""
        found: bytes | None = None
        for key, value in self.scope["headers"]:
            if key == name:
                if found is not None:
                    shown = name.decode().title()
                    raise unreadable(shown, f"{shown} is given twice.")
                found = value
        return None if found is None else found.decode("latin-1")

    def query(self, known: Collection[str], open_prefix: str | None = None) -> Mapping[str, str]:
        """The query string. Invalid for a name that is not `known` (nor begins with `open_prefix`),
        Unreadable for a name given twice, bad percent-encoding, NUL, or a value left empty."""
        raw: bytes = self.scope["query_string"]
        if not raw:
            return {}
        if len(raw) > LONGEST_KEPT:
            return _query(raw, known, open_prefix)
        return _kept(raw, tuple(known), open_prefix)

    def uuid(self, index: int) -> UUID:
        """A path variable that is an id; what is no UUID names nothing."""
        return as_uuid(self.values[index])

    async def body(self) -> bytes:
        """The body, whole; TooLarge beyond JSON_LIMIT, without reading on."""
        announced = self.header(b"content-length")
        if announced is not None and (len(announced) > 18 or int(announced) > JSON_LIMIT):
            raise _too_large()
        parts, length = [], 0
        async for part in self.stream():
            length += len(part)
            if length > JSON_LIMIT:
                raise _too_large()
            parts.append(part)
        return b"".join(parts)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in parts as they come; Unreadable when the client goes away before its end."""
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Unreadable("The body ended before it was whole.")
            self.ended = not message.get("more_body", False)
            if part := message.get("body", b""):
                yield part
            if self.ended:
                return

    async def json(self) -> object:
        """The value of a JSON body; 415 for any other content type."""
        self.content_type("application/json")
        return decode(await self.body())

    async def object(self) -> Mapping[str, Any]:
        """The members of a body that is a JSON object."""
        value = await self.json()
        if type(value) is not dict:
            raise Invalid(faults=(Fault("The body must be a JSON object.", pointer=""),))
        return value

    async def nothing(self) -> None:
        """Refuses a body where none is taken."""
        if self.unread and await self.body():
            raise Unreadable("This request takes no body.", (Fault("This request takes no body.", pointer=""),))

    def content_type(self, *taken: str) -> str:
        """The body's media type, which must be one of `taken`, in UTF-8."""
        given = self.header(b"content-type") or ""
        media, _, rest = given.partition(";")
        media = media.strip().lower()
        charset = rest.strip().lower().replace('"', "").replace(" ", "")
        if media not in taken or charset not in ("", "charset=utf-8"):
            expected = " or ".join(taken)
            message = f"The body must be {expected} in UTF-8."
            accept = (b"accept", ", ".join(taken).encode())
            raise Refused("unsupported-media-type", message, (Fault(message, parameter="Content-Type"),), [accept])
        return media


def as_uuid(text: str) -> UUID:
    """An id from an address; NotFound for what is none, as for an id that nothing has."""
    if len(text) == 36:
        try:
            return UUID(text)
        except ValueError:
            pass
    raise NotFound


def _too_large() -> TooLarge:
    return TooLarge(f"A JSON body may have {JSON_LIMIT:,} bytes.")


@lru_cache(KEPT)
def _kept(raw: bytes, known: tuple[str, ...], open_prefix: str | None) -> Mapping[str, str]:
    return MappingProxyType(_query(raw, known, open_prefix))


def _query(raw: bytes, known: Collection[str], open_prefix: str | None) -> dict[str, str]:
    parts = raw.split(b"&")
    if len(parts) > PARAMETERS:
        raise Unreadable(f"More than {PARAMETERS} query parameters.")
    found: dict[str, str] = {}
    for part in parts:
        if not part:
            continue
        name, _, value = part.partition(b"=")
        key = decoded(name)
        if key not in known and not (open_prefix and key.startswith(open_prefix)):
            raise _unknown(key, known)
        if key in found:
            raise unreadable(key, f"{key} is given twice.")
        found[key] = decoded(value, key)
        if not found[key]:
            raise unreadable(key, f"{key} is empty: leave it out or give it a value.")
    return found


def decoded(raw: bytes, parameter: str | None = None) -> str:
    """Percent-encoded UTF-8 as text, `+` as a space; Unreadable where it is not."""
    if b"%" in raw or b"+" in raw:
        raw = unquote_to_bytes(raw.replace(b"+", b" "))
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise unreadable(parameter, "The query string is not UTF-8.") from None
    if "\0" in text:
        raise unreadable(parameter, "The query string holds NUL.")
    return text


def unreadable(parameter: str | None, message: str) -> Unreadable:
    """The error of one parameter that cannot be read."""
    return Unreadable(message, (Fault(message, parameter=parameter),))


def _unknown(name: str, known: Collection[str]) -> Invalid:
    expected = ", ".join(sorted(known))
    message = f"Unknown query parameter; known here: {expected}." if expected else "No query parameters are taken here."
    # The name is the caller's own text: it is pointed at only where it is short and plain.
    shown = name if len(name) <= SMALL and name.isprintable() else None
    return Invalid(message, (Fault(message, parameter=shown, suggestion=nearest(name[:SMALL], known)),))


def whole(text: str | None, parameter: str, default: int, least: int, most: int) -> int:
    """A whole number from a query parameter."""
    if text is None:
        return default
    message = f"{parameter} must be a whole number from {least:,} to {most:,}."
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise Invalid(message, (Fault(message, parameter=parameter),))
    return int(text)
