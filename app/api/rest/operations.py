"""What operators ask: is it alive, is it ready, what has it counted; and the documentation itself."""

from __future__ import annotations

import asyncio
import gzip
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from app.api.door import Door
from app.api.errors import Refused
from app.api.metrics import CONTENT_TYPE
from app.api.requests import Request
from app.api.responses import JSON, Answer, json
from app.api.rest.parameters import path
from app.api.rest.problems import HTML
from app.api.routes import PUBLIC, Handler, Payload, Route
from app.domain.errors import NotFound, Unavailable

READY_SECONDS = 2.0
ASSETS = {
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui.css": b"text/css; charset=utf-8",
    "favicon.png": b"image/png",
}
START = b"""window.onload = () => SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#documentation", deepLinking: true, persistAuthorization: true, tryItOutEnabled: true,
  displayRequestDuration: true, docExpansion: "list", defaultModelsExpandDepth: 0, validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
});
"""
PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Strata: REST API</title>
<link rel="icon" href="/docs/favicon.png"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="documentation"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>
"""
POLICY = (
    b"content-security-policy",
    b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
)
TEXT = {"type": "string"}


def routes(door: Door) -> tuple[Route, ...]:
    """The routes of one process."""
    state = Payload(
        {"type": "object", "properties": {"status": TEXT}, "required": ["status"]}, example={"status": "ok"}
    )
    plain = Payload(TEXT, ("text/plain",))
    return (
        Route("GET", "/livez", PUBLIC, alive, "Is the process alive", "operations", answer=state),
        Route("GET", "/readyz", PUBLIC, _ready(door), "Does it answer questions", "operations",
              "503 while the database does not answer, and from the moment that the process is asked to end.",
              answer=state, problems=("unavailable",)),
        Route("GET", "/metrics", PUBLIC, _metrics(door), "Counters in the text format of Prometheus", "operations", answer=plain),
        Route("GET", "/docs", PUBLIC, documentation, "This documentation as a page", "operations",
              answer=Payload(TEXT, ("text/html",))),
        Route("GET", "/docs/{asset}", PUBLIC, asset, "What the page is made of", "operations",
              parameters=(path("asset", "file", {"type": "string", "enum": ["start.js", *ASSETS]}, "start.js"),),
              answer=Payload(TEXT, ("text/javascript", "text/css", "image/png"))),
    )  # fmt: skip


async def alive(request: Request) -> Answer:
    """Nothing is asked but the process itself."""
    request.query(())
    return json({"status": "ok"})


def _ready(door: Door) -> Handler:
    async def ready(request: Request) -> Answer:
        request.query(())
        if door.draining:
            raise Refused("unavailable", "This process is about to end.", headers=[(b"retry-after", b"2")])
        try:
            async with asyncio.timeout(READY_SECONDS):
                await request.db.ping()
        except TimeoutError as error:
            raise Unavailable from error
        return json({"status": "ok"})

    return ready


def _metrics(door: Door) -> Handler:
    async def metrics(request: Request) -> Answer:
        request.query(())
        door.settle()
        return Answer(door.metrics.render(request.db.connections), 200, [(b"content-type", CONTENT_TYPE)])

    return metrics


def description(document: bytes) -> Route:
    """The route of the OpenAPI document itself."""
    tag = _tag(document)

    async def openapi(request: Request) -> Answer:
        request.query(())
        return _cached(request, document, tag, [JSON])

    return Route(
        "GET", "/openapi.json", PUBLIC, openapi, "This document", "operations", answer=Payload({"type": "object"})
    )


async def documentation(request: Request) -> Answer:
    """Swagger UI, from this server alone."""
    request.query(())
    return Answer(PAGE, 200, [HTML, POLICY])


async def asset(request: Request) -> Answer:
    """A script or style of the documentation page."""
    request.query(())
    name = request.values[0]
    if name == "start.js":
        return Answer(START, 200, [(b"content-type", ASSETS["swagger-ui-bundle.js"])])
    if name not in ASSETS:
        raise NotFound
    body, packed = _asset(name)
    headers = [(b"content-type", ASSETS[name]), (b"vary", b"Accept-Encoding")]
    if "gzip" in (request.header(b"accept-encoding") or ""):
        return _cached(request, packed, _tag(packed), [*headers, (b"content-encoding", b"gzip")])
    return _cached(request, body, _tag(body), headers)


@cache
def _asset(name: str) -> tuple[bytes, bytes]:
    body = (files("fastapi_offline") / "static" / name).read_bytes()
    return body, gzip.compress(body, mtime=0)


@cache
def _tag(body: bytes) -> bytes:
    return b'"%s"' % blake2b(body, digest_size=8).hexdigest().encode()


def _cached(request: Request, body: bytes, tag: bytes, headers: list[tuple[bytes, bytes]]) -> Answer:
    if (request.header(b"if-none-match") or "").encode() == tag:
        return Answer(b"", 304, [(b"etag", tag)])
    return Answer(body, 200, [*headers, (b"etag", tag), (b"cache-control", b"no-cache")])
