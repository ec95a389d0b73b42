"""GraphQL over HTTP as a bare ASGI application: bytes in, bytes out; GraphiQL for browsers."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.errors import Headers, Refused, headers_of
from app.api.exchange import Exchange
from app.api.graphql import answers, requests
from app.api.graphql.callers import Caller
from app.api.graphql.documents import DocumentError
from app.api.graphql.engine import Engine
from app.api.graphql.page import PAGE, POLICY
from app.api.graphql.requests import HTML, JSON, PARAMETERS, RESPONSE, Asked
from app.api.requests import Request
from app.domain.errors import StrataError

READING = ("GET", "HEAD")
ALLOW = (b"allow", b"GET, HEAD, OPTIONS, POST")
_UTF8 = b"; charset=utf-8"
_TYPES = {kind: (b"content-type", (kind if kind != HTML else JSON).encode() + _UTF8) for kind in (JSON, RESPONSE, HTML)}
_PAGE: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
    (b"vary", b"accept"),
]


def graphql_app() -> ASGIApp:
    """The application for /graphql; it finds the request's exchange, and by it the database, in `scope["strata"]`."""
    engine = Engine()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope["strata"]
        request = Request(exchange.door.database, scope, receive, exchange.id, exchange.now)
        kind = JSON
        try:
            kind = _kind(exchange, request)
            status, headers, body = await _answered(engine, exchange, request, kind)
        except StrataError as error:
            headers, (status, body) = [_TYPES[kind], *headers_of(error)], answers.refused(error, exchange.id)
        if status != 204:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app


def _kind(exchange: Exchange, request: Request) -> str:
    """The type to answer in; the page where a browser asks without a credential's help."""
    kind = requests.media(request.header(b"accept"))
    return JSON if kind == HTML and exchange.scope["method"] not in READING else kind


async def _answered(engine: Engine, exchange: Exchange, request: Request, kind: str) -> tuple[int, Headers, bytes]:
    method = exchange.scope["method"]
    if method == "POST":
        request.content_type(JSON)
        caller = await _caller(exchange, request)
        raw = await request.body()
        return await _executed(engine, caller, raw, lambda: requests.of_body(raw), kind)
    if method in READING:
        if kind == HTML:
            exchange.charge_address()
            return 200, list(_PAGE), PAGE
        caller = await _caller(exchange, request)
        query: bytes = exchange.scope["query_string"]
        return await _executed(engine, caller, b"?" + query, lambda: requests.of_query(request.query(PARAMETERS)), kind)
    exchange.charge_address()
    if method == "OPTIONS":
        return 204, [ALLOW, *exchange.door.origins.preflight(exchange.scope, ALLOW[1].decode())], b""
    raise Refused("method-not-allowed", f"Allowed here: {ALLOW[1].decode()}.", headers=[ALLOW])


async def _executed(
    engine: Engine, caller: Caller, raw: bytes, read: Callable[[], Asked], kind: str
) -> tuple[int, Headers, bytes]:
    """What cannot be executed is 400 in GraphQL's own type; in JSON it is an answer like any other."""
    try:
        return 200, [_TYPES[kind]], await engine.answer(caller, raw, read)
    except DocumentError as refused:
        return 400 if kind == RESPONSE else 200, [_TYPES[kind]], answers.failed(refused.errors, caller.request_id)


async def _caller(exchange: Exchange, request: Request) -> Caller:
    """Who asks; without a credential nobody, who may learn whether a document is well made, and nothing else."""
    who = None
    if request.header(b"authorization") is None:
        exchange.charge_address()
    else:
        who = await exchange.authenticate()
    return Caller(
        exchange.door.database, exchange.now, exchange.id, who, request.header(b"idempotency-key"), exchange.door.secret
    )
