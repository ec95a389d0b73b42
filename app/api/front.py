"""What stands in front: every request passes here, and no answer leaves without id, limits and a count."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.accesslog import AccessLog
from app.api.auth import authenticate
from app.api.cors import Origins
from app.api.errors import Headers, Refused, document
from app.api.limits import Buckets
from app.api.metrics import Metrics
from app.api.requests import Request, decoded
from app.api.responses import Answer
from app.api.routes import PUBLIC, Route, Table, allowed
from app.domain.errors import NotFound, TooLarge, Unauthenticated
from app.domain.roles import Principal, permit
from app.persistence.database import Database

log = logging.getLogger("app.api")

PATH_LIMIT = 2_048
QUERY_LIMIT = 65_536
HEADERS_LIMIT = 32_768
LINGER_SECONDS = 1.0
PROBLEM = (b"content-type", b"application/problem+json")
NO_SNIFF = (b"x-content-type-options", b"nosniff")
REVALIDATE = (b"cache-control", b"private, no-cache")
UNMATCHED = "unmatched"

_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_clock = time.perf_counter


@dataclass(slots=True)
class Door:
    """What requests of one process share."""

    db: Database | None = None
    metrics: Metrics = field(default_factory=Metrics)
    access: AccessLog = field(default_factory=lambda: AccessLog(enabled=False))
    per_credential: Buckets = field(default_factory=lambda: Buckets("credential", 0))
    per_address: Buckets = field(default_factory=lambda: Buckets("address", 0))
    origins: Origins = field(default_factory=lambda: Origins(()))
    draining: bool = False

    @property
    def database(self) -> Database:
        """The open database."""
        if self.db is None:
            raise LookupError("the database is not open yet")
        return self.db


@dataclass(slots=True)
class _Exchange:
    """One request while it is answered: what its log line, count and headers need."""

    scope: Scope
    id: str
    began: float
    now: datetime
    route: str = UNMATCHED
    status: int = 0
    who: Principal | None = None
    limit: Headers = field(default_factory=list)


class Front:
    """The outermost ASGI application: declared routes are answered here, everything else by `behind`."""

    def __init__(self, door: Door, table: Table, behind: ASGIApp, mounts: tuple[str, ...] = ()):
        self.door = door
        self.table = table
        self.behind = behind
        self.mounts = mounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing raises through."""
        if scope["type"] != "http":
            await self.behind(scope, receive, send)
            return
        exchange = _Exchange(scope, _request_id(scope), _clock(), datetime.now(UTC))
        metrics = self.door.metrics
        metrics.in_flight += 1
        try:
            if scope["path"].startswith(self.mounts) and self.mounts:
                await self._pass_on(exchange, receive, send)
            else:
                await self._answer(exchange, receive, send)
        finally:
            metrics.in_flight -= 1
            seconds = _clock() - exchange.began
            metrics.observe(scope["method"], exchange.route, exchange.status, seconds)
            if self.door.access.enabled:
                workspace = str(exchange.who.workspace.id) if exchange.who else None
                self.door.access.add(
                    exchange.now, scope["method"], exchange.route, exchange.status, seconds, exchange.id, workspace
                )

    async def _answer(self, exchange: _Exchange, receive: Receive, send: Send) -> None:
        refused: Exception | None = None
        try:
            answer = await self._routed(exchange, receive)
        except Exception as error:  # noqa: BLE001 - the last resort: whatever it is becomes a problem document
            refused = error
            answer = self._problem(exchange, error)
        exchange.status = answer.status
        await send({"type": "http.response.start", "status": answer.status, "headers": self._headers(exchange, answer)})
        if isinstance(refused, TooLarge | Refused):
            await _linger(answer.body, receive, send)
        else:
            await send({"type": "http.response.body", "body": answer.body})

    async def _routed(self, exchange: _Exchange, receive: Receive) -> Answer:
        scope = exchange.scope
        _bounded(scope)
        routes, raw_values = self.table.find(scope["raw_path"])
        if not routes:
            raise Refused("not-found", "There is nothing at this address: /openapi.json lists what there is.")
        method = scope["method"]
        route = routes.get("GET" if method == "HEAD" else method)
        if route is None:
            exchange.route = next(iter(routes.values())).path
            return self._without_route(exchange, routes)
        exchange.route = route.path
        return await self.serve(exchange, route, tuple(map(_variable, raw_values)) if raw_values else (), receive)

    async def serve(self, exchange: _Exchange, route: Route, values: tuple[str, ...], receive: Receive) -> Answer:
        """Answer a declared route: who asks, how much is left, whether they may, then the handler."""
        door = self.door
        request = Request(door.database, exchange.scope, receive, exchange.id, exchange.now, values)
        if route.operation == PUBLIC:
            self._charge(exchange, door.per_address, _client(exchange.scope))
            return await route.handle(request)
        try:
            principal = exchange.who = request.who = await authenticate(door.database, exchange.scope, exchange.now)
        except Unauthenticated:
            self._charge(exchange, door.per_address, _client(exchange.scope))
            raise
        self._charge(exchange, door.per_credential, principal.credential_id)
        # Whether the thing is theirs only the use case knows; who may not even then goes no further.
        permit(principal, route.operation, own=True)
        return await route.handle(request)

    def _charge(self, exchange: _Exchange, buckets: Buckets, key: object) -> None:
        left = buckets.take(key, exchange.began)
        exchange.limit = buckets.headers(left)
        if left < 0:
            raise Refused("too-many-requests", headers=[(b"retry-after", b"%d" % buckets.wait(left))])

    def _without_route(self, exchange: _Exchange, routes: Mapping[str, Route]) -> Answer:
        allow = allowed(routes)
        if exchange.scope["method"] == "OPTIONS":
            more = self.door.origins.preflight(exchange.scope, allow)
            return Answer(b"", 204, [(b"allow", allow.encode()), *more])
        raise Refused("method-not-allowed", f"Allowed here: {allow}.", headers=[(b"allow", allow.encode())])

    def _problem(self, exchange: _Exchange, error: Exception) -> Answer:
        status, body, headers = document(error, exchange.id)
        if status == 500:
            log.error("unexpected", exc_info=error, extra={"request_id": exchange.id, "route": exchange.route})
        return Answer(body, status, [PROBLEM, *headers])

    def _headers(self, exchange: _Exchange, answer: Answer) -> Headers:
        headers = [*answer.headers, *exchange.limit, *self._common(exchange)]
        if answer.status not in (204, 304):
            headers.append((b"content-length", b"%d" % len(answer.body)))
        return headers

    def _common(self, exchange: _Exchange) -> Headers:
        headers = [(b"x-request-id", exchange.id.encode()), NO_SNIFF, *self.door.origins.headers(exchange.scope)]
        if exchange.who is not None:
            headers.append(REVALIDATE)
        return headers

    async def _pass_on(self, exchange: _Exchange, receive: Receive, send: Send) -> None:
        """Let `behind` answer: its headers are completed, its exceptions become a problem."""

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                # What is behind may know who asks, and what the answer may say about limits.
                exchange.who = exchange.scope.get("strata.principal")
                message["headers"] = [*message.get("headers", ()), *exchange.limit, *self._common(exchange)]
            await send(message)

        exchange.route = exchange.scope["path"] if exchange.scope["path"] in self.mounts else UNMATCHED
        exchange.scope["strata.exchange"] = exchange
        try:
            _bounded(exchange.scope)
            await self.behind(exchange.scope, receive, completed)
        except Exception as error:
            if exchange.status:
                raise
            answer = self._problem(exchange, error)
            exchange.status = answer.status
            headers: Any = self._headers(exchange, answer)
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body})


def _request_id(scope: Scope) -> str:
    """The caller's X-Request-Id where it is short and plain, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            if _ID.fullmatch(value):
                return str(value, "ascii")
            break
    return f"{random.getrandbits(96):024x}"


def _bounded(scope: Scope) -> None:
    if len(scope["raw_path"]) > PATH_LIMIT or len(scope["query_string"]) > QUERY_LIMIT:
        raise Refused("uri-too-long", f"A path may have {PATH_LIMIT:,} bytes, a query string {QUERY_LIMIT:,}.")
    if sum([len(name) + len(value) for name, value in scope["headers"]]) > HEADERS_LIMIT:
        raise Refused("headers-too-large", f"All headers together may have {HEADERS_LIMIT:,} bytes.")


def _variable(raw: bytes) -> str:
    """A segment of the path as text; what no id, slug or name can be names nothing."""
    try:
        return decoded(raw.replace(b"+", b"%2B"))
    except Exception as error:
        raise NotFound from error


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


async def _linger(body: bytes, receive: Receive, send: Send) -> None:
    """Send an answer to a body that is still coming, and read on a little, so that a reset does not overtake it."""
    await send({"type": "http.response.body", "body": body, "more_body": True})
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})
