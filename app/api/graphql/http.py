"""GraphQL over HTTP as a bare ASGI application: bytes in, bytes out; GraphiQL for browsers."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.bodies import JSON_LIMIT
from app.api.errors import Headers, Refused, headers_of
from app.api.exchange import Exchange
from app.api.graphql import answers, requests
from app.api.graphql.callers import Caller
from app.api.graphql.documents import Refused as DocumentRefused
from app.api.graphql.engine import Engine, Failed
from app.api.graphql.page import PAGE, POLICY
from app.api.graphql.requests import HTML, JSON, PARAMETERS, RESPONSE, Asked
from app.api.requests import Request
from app.domain.errors import StrataError

ALLOW = (b"allow", b"GET, HEAD, OPTIONS, POST")
CHARSET = b"; charset=utf-8"
_TYPES = {kind: (b"content-type", kind.encode() + CHARSET) for kind in (JSON, RESPONSE)}
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
            if scope["method"] == "POST":
                kind = requests.media(request.header(b"accept"))
                kind = JSON if kind == HTML else kind
                request.content_type(JSON)
                status, body = await _post(engine, exchange, request, kind)
            else:
                kind = _readable(exchange, request)
                if kind == HTML:
                    await _send(send, scope, 200, list(_PAGE), PAGE)
                    return
                status, body = await _get(engine, exchange, request, kind)
            headers = [_TYPES[kind]]
        except (StrataError, Refused) as error:
            status, body = answers.refused(error, exchange.id)
            more = headers_of(error) if isinstance(error, StrataError) else error.headers
            headers = [_TYPES[JSON if kind == HTML else kind], *more]
        await _send(send, scope, status, headers, body)

    return app


def _readable(exchange: Exchange, request: Request) -> str:
    """The type to answer a GET in; a browser that asks for no document gets the page. Refuses other methods."""
    scope = exchange.scope
    if scope["method"] not in ("GET", "HEAD"):
        exchange.charge_address()
        raise Refused("method-not-allowed", "Allowed here: GET, HEAD, OPTIONS, POST.", headers=[ALLOW])
    kind = requests.media(request.header(b"accept"))
    if kind == HTML:
        exchange.charge_address()
    return kind


async def _post(engine: Engine, exchange: Exchange, request: Request, kind: str) -> tuple[int, bytes]:
    caller = await _caller(exchange, request)
    raw = await request.body()
    return await _answer(engine, caller, raw, lambda: requests.of_body(raw), kind)


async def _get(engine: Engine, exchange: Exchange, request: Request, kind: str) -> tuple[int, bytes]:
    caller = await _caller(exchange, request)
    raw: bytes = exchange.scope["query_string"]
    return await _answer(engine, caller, b"?" + raw, lambda: requests.of_query(request.query(PARAMETERS)), kind)


async def _caller(exchange: Exchange, request: Request) -> Caller:
    """Who asks; without a credential nobody, who may learn whether a document is well made, and nothing else."""
    who = None
    if request.header(b"authorization") is None:
        exchange.charge_address()
    else:
        who = await exchange.authenticate()
    return Caller(exchange.door.database, exchange.now, exchange.id, who, request.header(b"idempotency-key"), exchange.door.secret)


async def _send(send: Send, scope: Scope, status: int, headers: Headers, body: bytes) -> None:
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
