"""What stands in front: every request passes here, and no answer leaves without id, limits and a count."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from itertools import chain

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import refusals, streams
from app.api.door import Door
from app.api.errors import Headers, Refused, document
from app.api.requests import CLOSE, Request, begin, decoded
from app.api.responses import Answer
from app.api.routes import OWN, PUBLIC, Route, Table, allowed
from app.domain.errors import Fault, Forbidden, NotFound, Unreadable
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
ENDING = "The process that took this request ends before it is answered."


class Front:
    """The outermost ASGI application: declared routes are answered here; `behind` is the application whose lifespan this is."""

    def __init__(self, door: Door, table: Table, behind: ASGIApp):
        self.door = door
        self.table = table
        self.behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing raises through."""
        if scope["type"] != "http":
            await self.behind(scope, receive, send)
            return
        if scope["method"] not in METHODS:
            scope["method"] = OTHER  # a name of the caller's own making has no place in logs and counts
        request, status = begin(self.door, scope, receive), 0
        self.door.metrics.in_flight += 1
        try:
            try:
                found = self._find(request)
                answer = found if isinstance(found, Answer) else await serve(found, request)
            except asyncio.CancelledError:  # nobody cancels a request but the server, when its time to end is over
                answer = problem(request, Refused("ending", ENDING, headers=[(b"retry-after", b"2")]))
            except Exception as error:  # the last resort: whatever it is becomes a problem document
                if isinstance(error, Forbidden):
                    await refusals.keep(self.table, request, error)
                answer = problem(request, error)
            status = answer.status
            status = await deliver(request, answer, send)
        finally:
            self.door.metrics.in_flight -= 1
            request.finish(status)

    def _find(self, request: Request) -> Route | Answer:
        """The route of a request, or the answer where the address and the method alone decide it. Raises Refused."""
        scope = request.scope
        _bounded(scope)
        routes, raw_values = self.table.find(scope["raw_path"])
        if not routes:
            request.charge_address()
            fault = Fault(
                "Expected an address that /openapi.json lists.", suggestion=self.table.nearest(scope["raw_path"])
            )
            raise Refused("not-found", "There is nothing at this address: /openapi.json lists what there is.", (fault,))
        method = scope["method"]
        route = routes.get("GET" if method == "HEAD" else method)
        if route is None:
            request.route = next(iter(routes.values())).path
            request.charge_address()
            return self._without_route(request, routes)
        request.route = route.path
        if raw_values:
            request.values = tuple(map(_variable, raw_values))
        return route

    def _without_route(self, request: Request, routes: Mapping[str, Route]) -> Answer:
        allow = allowed(routes)
        if request.scope["method"] != "OPTIONS":
            raise Refused("method-not-allowed", f"Allowed here: {allow}.", headers=[(b"allow", allow.encode())])
        more = self.door.origins.preflight(request.scope, allow)
        return Answer(b"", 204, [(b"allow", allow.encode()), *more])


async def serve(route: Route, request: Request) -> Answer:
    """Answer a declared route: who asks, how much is left, whether they may, then the handler."""
    if route.operation == PUBLIC:
        request.charge_address()
    elif route.operation != OWN:
        who = await request.authenticate()
        # Whether the thing is theirs only the use case knows; who may not even then goes no further.
        permit(who, route.operation, own=True)
    return await route.handle(request)


def problem(request: Request, error: Exception) -> Answer:
    """Any exception as an answer; those we did not expect are logged, without what they say."""
    status, body, headers = document(error, request.id)
    if status == 500:
        log.error("unexpected", exc_info=error, extra={"request_id": request.id, "route": request.route})
    return Answer(body, status, [PROBLEM, *headers])


async def deliver(request: Request, answer: Answer, send: Send) -> int:
    """Send an answer, completed by what every answer carries; its status. A stream may turn out to be a problem."""
    if answer.stream is not None:
        try:
            return await streams.deliver(request, answer, answer.stream, send)
        except Exception as error:  # nothing of it was sent
            answer = problem(request, error)
    headers: Headers = answer.headers + request.answering()
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
    return answer.status


def _bounded(scope: Scope) -> None:
    if len(scope["raw_path"]) > PATH_LIMIT or len(scope["query_string"]) > QUERY_LIMIT:
        raise Refused("uri-too-long", f"A path may have {PATH_LIMIT:,} bytes, a query string {QUERY_LIMIT:,}.")
    if sum(map(len, chain.from_iterable(scope["headers"]))) > HEADERS_LIMIT:
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
