"""GraphQL over HTTP: bytes in, bytes out; GraphiQL for browsers."""

from __future__ import annotations

from collections.abc import Callable

from app.api.errors import Headers, headers_of
from app.api.graphql import answers, requests
from app.api.graphql.callers import Caller
from app.api.graphql.documents import DocumentError
from app.api.graphql.engine import Engine
from app.api.graphql.page import PAGE, POLICY
from app.api.graphql.requests import HTML, JSON, PARAMETERS, RESPONSE, Asked
from app.api.requests import Request
from app.api.responses import Answer
from app.api.routes import OWN, Route
from app.domain.errors import StrataError

_UTF8 = b"; charset=utf-8"
_TYPES = {kind: (b"content-type", (kind if kind != HTML else JSON).encode() + _UTF8) for kind in (JSON, RESPONSE, HTML)}
_PAGE: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
    (b"vary", b"accept"),
]


def routes() -> tuple[Route, ...]:
    """The door of GraphQL: one address, which needs no page in the OpenAPI document."""
    engine = Engine()

    async def handle(request: Request) -> Answer:
        kind = JSON
        try:
            kind = _kind(request)
            return await _answered(engine, request, kind)
        except StrataError as error:
            status, body = answers.refused(error, request.id)
            return Answer(body, status, [_TYPES[kind], *headers_of(error)])

    return tuple(Route(method, "/graphql", OWN, handle, "GraphQL", "graphql") for method in ("GET", "POST"))


def _kind(request: Request) -> str:
    """The type to answer in; the page where a browser asks without a credential's help."""
    kind = requests.media(request.header(b"accept"))
    return JSON if kind == HTML and request.scope["method"] == "POST" else kind


async def _answered(engine: Engine, request: Request, kind: str) -> Answer:
    if request.scope["method"] == "POST":
        request.content_type(JSON)
        caller = await _caller(request)
        raw = await request.body()
        return await _executed(engine, caller, raw, lambda: requests.of_body(raw), kind)
    if kind == HTML:
        request.charge_address()
        return Answer(PAGE, 200, list(_PAGE))
    caller = await _caller(request)
    query: bytes = request.scope["query_string"]
    return await _executed(engine, caller, b"?" + query, lambda: requests.of_query(request.query(PARAMETERS)), kind)


async def _executed(engine: Engine, caller: Caller, raw: bytes, read: Callable[[], Asked], kind: str) -> Answer:
    """What cannot be executed is 400 in GraphQL's own type; in JSON it is an answer like any other."""
    try:
        return Answer(await engine.answer(caller, raw, read), 200, [_TYPES[kind]])
    except DocumentError as refused:
        status = 400 if kind == RESPONSE else 200
        return Answer(answers.failed(refused.errors, caller.request_id), status, [_TYPES[kind]])


async def _caller(request: Request) -> Caller:
    """Who asks; without a credential nobody, who may learn whether a document is well made, and nothing else."""
    who = None
    if b"authorization" in request.headers:
        who = await request.authenticate()
    else:
        request.charge_address()
    return Caller(request.db, request.now, request.id, who, request.header(b"idempotency-key"), request.secret)
