"""A request: who asks, path, query, headers and body, each read strictly and bounded before it is parsed."""

from __future__ import annotations

import random
import re
import time
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

from app.api.accesslog import Answered
from app.api.auth import authenticate
from app.api.bodies import JSON_LIMIT, decode
from app.api.door import Door
from app.api.errors import Headers, Refused
from app.api.limits import Buckets
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, NotFound, StrataError, TooLarge, Unreadable
from app.domain.roles import Principal

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from app.persistence.database import Database

PARAMETERS = 200
KEPT, LONGEST_KEPT = 2_000, 1_000
"""Query strings that are kept as they were read, and bytes up to which they are."""
SMALL = 100
"""Characters that an id, a slug or a number may have."""
UNMATCHED = "unmatched"
CLOSE = (b"connection", b"close")
NO_SNIFF = (b"x-content-type-options", b"nosniff")
REVALIDATE = (b"cache-control", b"private, no-cache")

_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


@dataclass(slots=True)
class Request:
    """One request while it is answered. `values` are the path's variables in order, `now` is in UTC.

    `headers` are by lower-case name, of one that was sent twice the last. `route` and `limit` are what its log line and
    its answer say; of an answer that is a stream `sent` counts the bytes, and `whole` says whether it came to its end.
    `principal` is set before a handler of a route that is not public is called.
    """

    door: Door
    scope: Scope
    receive: Receive
    headers: Mapping[bytes, bytes]
    id: str
    began: float
    now: datetime
    values: tuple[str, ...] = ()
    who: Principal | None = None
    route: str = UNMATCHED
    limit: Headers | None = None
    ended: bool = False
    sent: int | None = None
    whole: bool = True

    @property
    def db(self) -> Database:
        """The open database."""
        return self.door.database

    @property
    def secret(self) -> bytes:
        """What seals cursors."""
        return self.door.secret

    @property
    def principal(self) -> Principal:
        """Who asks."""
        if self.who is None:
            raise LookupError("a public route asked who is asking")
        return self.who

    @property
    def unread(self) -> bool:
        """Whether some of a body may still be on its way."""
        headers = self.headers
        return not self.ended and (b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0")

    def twice(self, name: bytes) -> bool:
        """Whether a header was sent more than once."""
        sent = self.scope["headers"]
        return len(sent) != len(self.headers) and sum(key == name for key, _ in sent) > 1

    def header(self, name: bytes) -> str | None:
        """A header by its lower-case name; Unreadable when it is given twice."""
        found = self.headers.get(name)
        if found is None:
            return None
        if self.twice(name):
            shown = name.decode().title()
            raise unreadable(shown, f"{shown} is given twice.")
        return found.decode("latin-1")

    async def authenticate(self) -> Principal:
        """Who asks, charged for one request; Unauthenticated without a valid credential."""
        try:
            self.who = who = await authenticate(self.door.database, self, self.now)
        except StrataError:
            self.charge_address()
            raise
        self._charge(self.door.per_credential, who.credential_id)
        return who

    def charge_address(self) -> None:
        """Count a request that no credential answers for."""
        client = self.scope.get("client")
        self._charge(self.door.per_address, client[0] if client else "")

    def _charge(self, buckets: Buckets, key: object) -> None:
        left = buckets.take(key, self.began)
        self.limit = buckets.headers(left)
        if left < 0:
            told = "More requests than RateLimit-Policy says: send this again after the time in Retry-After."
            raise Refused("too-many-requests", told, headers=[(b"retry-after", b"%d" % buckets.wait(left))])

    def answering(self) -> Headers:
        """What every answer carries."""
        headers = [*(self.limit or ()), (b"x-request-id", self.id.encode()), NO_SNIFF]
        if self.door.origins.named:
            headers += self.door.origins.headers(self.scope)
        if self.who is not None:
            headers.append(REVALIDATE)
        if self.door.draining:
            headers.append(CLOSE)
        return headers

    def finish(self, status: int) -> None:
        """It is answered."""
        ms = round((time.perf_counter() - self.began) * 1000, 2)
        workspace = self.who.workspace.id if self.who else None
        answered = Answered(self.now, self.scope["method"], self.route, status, ms, self.id, workspace)
        if self.sent is not None:
            answered.sent, answered.whole = self.sent, self.whole
        self.door.note(answered)

    def query(self, known: Collection[str], open_prefix: str | None = None) -> Mapping[str, str]:
        """The query string. Invalid for a name that is not `known` (nor begins with `open_prefix`),
        Unreadable for a name given twice, bad percent-encoding, NUL, or a value left empty."""
        raw: bytes = self.scope["query_string"]
        if not raw:
            return {}
        if len(raw) > LONGEST_KEPT:
            return read(raw, known, open_prefix)
        return _kept(raw, tuple(known), open_prefix)

    def uuid(self, index: int) -> UUID:
        """A path variable that is an id; what is no UUID names nothing."""
        return as_uuid(self.values[index])

    async def body(self, limit: int = JSON_LIMIT) -> bytes:
        """The body, whole; TooLarge beyond `limit` bytes, without reading on."""
        announced = self.header(b"content-length")
        if announced is not None and (len(announced) > 18 or int(announced) > limit):
            raise _too_large(limit)
        parts, length = [], 0
        while not self.ended:
            parts.append(await self._part())
            length += len(parts[-1])
            if length > limit:
                raise _too_large(limit)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in parts as they come; Unreadable when the client goes away before its end."""
        while not self.ended:
            if part := await self._part():
                yield part

    async def _part(self) -> bytes:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise Unreadable("The body ended before it was whole.")
        self.ended = not message.get("more_body", False)
        part: bytes = message.get("body", b"")
        return part

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


def begin(door: Door, scope: Scope, receive: Receive) -> Request:
    """A request has come."""
    headers = dict(scope["headers"])
    return Request(door, scope, receive, headers, _request_id(headers), time.perf_counter(), datetime.now(UTC))


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """The caller's X-Request-Id where it is short and plain, else a new one."""
    told = headers.get(b"x-request-id")
    if told is not None and _ID.fullmatch(told):
        return str(told, "ascii")
    return f"{random.getrandbits(96):024x}"


def as_uuid(text: str) -> UUID:
    """An id from an address; NotFound for what is none, as for an id that nothing has."""
    if len(text) == 36:
        try:
            return UUID(text)
        except ValueError:
            pass
    raise NotFound


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"A JSON body may have {limit:,} bytes.")


@lru_cache(KEPT)
def _kept(raw: bytes, known: tuple[str, ...], open_prefix: str | None) -> Mapping[str, str]:
    return MappingProxyType(read(raw, known, open_prefix))


def read(raw: bytes, known: Collection[str], open_prefix: str | None = None) -> dict[str, str]:
    """A query string by name; raises as `Request.query` does."""
    if not raw:
        return {}
    parts = raw.split(b"&")
    if len(parts) > PARAMETERS:
        raise unreadable(None, f"Expected at most {PARAMETERS} query parameters.")
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
