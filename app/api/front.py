"""What stands in front: every request passes here, and no answer leaves without id, limits and a count."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import Headers, Refused, document
from app.api.exchange import CLOSE, Door, Exchange, begin
from app.api.requests import Request, decoded
from app.api.responses import Answer
from app.api.routes import PUBLIC, Route, Table, allowed
from app.domain.errors import NotFound, Unreadable
from app.domain.roles import permit

log = logging.getLogger("app.api")

PATH_LIMIT = 2_048
QUERY_LIMIT = 60_000
HEADERS_LIMIT = 32_768
LINGER_SECONDS = 2.0
LINGER_BYTES = 256 << 20
PROBLEM = (b"content-type", b"application/problem+json")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OTHER = "OTHER"
MOUNTED = "GET, HEAD, OPTIONS, POST"


class Front:
    """The outermost ASGI application: declared routes are answered here, `mounts` by who is mounted at their address.

    `behind` is the application whose lifespan this is.
    """

    def __init__(self, door: Door, table: Table, behind: ASGIApp, mounts: Mapping[str, ASGIApp]):
        self.door = door
        self.table = table
        self.behind = behind
        self.mounts = mounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing raises through."""
        if scope["type"] != "http":
            await self.behind(scope, receive, send)
            return
        if scope["method"] not in METHODS:
            scope["method"] = OTHER  # a name of the caller's own making has no place in logs and counts
        exchange = begin(self.door, scope)
        self.door.metrics.in_flight += 1
        try:
            mounted = self.mounts.get(scope["path"])
            if mounted is not None and scope["method"] != "OPTIONS":
                await _pass_on(mounted, exchange, receive, send)
            else:
                await self._answer(exchange, receive, send)
        finally:
            self.door.metrics.in_flight -= 1
            exchange.finish()

    async def _answer(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        door = self.door
        request = Request(door.database, exchange.scope, receive, exchange.id, exchange.now, secret=door.secret)
        try:
            answer = await self._routed(exchange, request)
        except Exception as error:  # the last resort: whatever it is becomes a problem document
            answer = problem(exchange, error)
        await deliver(exchange, request, answer, send)

    async def _routed(self, exchange: Exchange, request: Request) -> Answer:
        scope = exchange.scope
        _bounded(scope)
        if scope["path"] in self.mounts:
            exchange.route = scope["path"]
            exchange.charge_address()
            return self._options(exchange, MOUNTED)
        routes, raw_values = self.table.find(scope["raw_path"])
        if not routes:
            exchange.charge_address()
            raise Refused("not-found", "There is nothing at this address: /openapi.json lists what there is.")
        method = scope["method"]
        route = routes.get("GET" if method == "HEAD" else method)
        if route is None:
            exchange.route = next(iter(routes.values())).path
            exchange.charge_address()
            return self._without_route(exchange, routes)
        if raw_values:
            request.values = tuple(map(_variable, raw_values))
        return await serve(exchange, route, request)

    def _without_route(self, exchange: Exchange, routes: Mapping[str, Route]) -> Answer:
        allow = allowed(routes)
        if exchange.scope["method"] == "OPTIONS":
            return self._options(exchange, allow)
        raise Refused("method-not-allowed", f"Allowed here: {allow}.", headers=[(b"allow", allow.encode())])

    def _options(self, exchange: Exchange, allow: str) -> Answer:
        more = self.door.origins.preflight(exchange.scope, allow)
        return Answer(b"", 204, [(b"allow", allow.encode()), *more])


async def _pass_on(mounted: ASGIApp, exchange: Exchange, receive: Receive, send: Send) -> None:
    """Let another application answer: its headers are completed, its exceptions become a problem."""
    exchange.route = exchange.scope["path"]
    exchange.scope["strata"] = exchange

    async def completed(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *exchange.headers()]
        await send(message)

    try:
        _bounded(exchange.scope)
        await mounted(exchange.scope, receive, completed)
    except Exception as error:
        if exchange.status:
            raise
        request = Request(exchange.door.database, exchange.scope, receive, exchange.id, exchange.now)
        await deliver(exchange, request, problem(exchange, error), send)


async def serve(exchange: Exchange, route: Route, request: Request) -> Answer:
    """Answer a declared route: who asks, how much is left, whether they may, then the handler."""
    exchange.route = route.path
    if route.operation == PUBLIC:
        exchange.charge_address()
        return await route.handle(request)
    request.who = await exchange.authenticate()
    # Whether the thing is theirs only the use case knows; who may not even then goes no further.
    permit(request.who, route.operation, own=True)
    return await route.handle(request)


def problem(exchange: Exchange, error: Exception) -> Answer:
    """Any exception as an answer; those we did not expect are logged, without what they say."""
    status, body, headers = document(error, exchange.id)
    if status == 500:
        log.error("unexpected", exc_info=error, extra={"request_id": exchange.id, "route": exchange.route})
    return Answer(body, status, [PROBLEM, *headers])


async def deliver(exchange: Exchange, request: Request, answer: Answer, send: Send) -> None:
    """Send an answer, completed by what every answer carries."""
    exchange.status = answer.status
    headers: Headers = answer.headers + exchange.headers()
    if answer.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(answer.body)))
    unread = answer.status >= 400 and request.unread
    if unread:
        headers.append(CLOSE)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if unread:
        await _linger(answer.body, request.receive, send)
    else:
        await send({"type": "http.response.body", "body": answer.body})


def _bounded(scope: Scope) -> None:
    if len(scope["raw_path"]) > PATH_LIMIT or len(scope["query_string"]) > QUERY_LIMIT:
        raise Refused("uri-too-long", f"A path may have {PATH_LIMIT:,} bytes, a query string {QUERY_LIMIT:,}.")
    if sum([len(name) + len(value) for name, value in scope["headers"]]) > HEADERS_LIMIT:
        raise Refused("headers-too-large", f"All headers together may have {HEADERS_LIMIT:,} bytes.")


def _variable(raw: bytes) -> str:
    """A segment of the path as text; what no id, slug or name can be names nothing."""
    try:
        return decoded(raw.replace(b"+", b"%2B"))
    except Unreadable as error:
        raise NotFound from error


async def _linger(body: bytes, receive: Receive, send: Send) -> None:
    """Answer while a body is still coming, and read on a little, so that a reset does not overtake the answer."""
    await send({"type": "http.response.body", "body": body, "more_body": True})
    more, read = True, 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while more and read < LINGER_BYTES:
                message = await receive()
                read += len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})
