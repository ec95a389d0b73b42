"""Where to begin: the address of the service itself, and that of the REST interface."""

from __future__ import annotations

from collections.abc import Iterable

from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.problems import HTML, PAGE, POLICY, VARY
from app.api.routes import PUBLIC, Handler, Payload, Route

LINKS = {
    "documentation": "/docs",
    "openapi": "/openapi.json",
    "rest": "/v1",
    "graphql": "/graphql",
    "problems": "/problems",
}
START = {"name": "Strata", "version": "1", "links": LINKS}
WORDS = (
    ("/docs", "REST, documented"), ("/graphql", "GraphQL, tried out"), ("/openapi.json", "the OpenAPI document"),
    ("/v1", "the collections of REST"), ("/problems", "what problems mean"),
)  # fmt: skip
_ITEMS = "".join(f'<li><a href="{to}">{to}</a> <span class=s>{words}</span></li>' for to, words in WORDS)
_PAGE = PAGE.format(title="Strata", body=f"<h1>Strata</h1><ul>{_ITEMS}</ul>").encode()
_TEXT = {"type": "string"}


async def start(request: Request) -> Answer:
    """The way to everything else: a page for a browser, JSON for a program."""
    request.query(())
    if "text/html" in (request.header(b"accept") or ""):
        return Answer(_PAGE, 200, [HTML, POLICY, VARY])
    answer = json(START)
    return Answer(answer.body, 200, [*answer.headers, VARY])


def _collections(addresses: list[str]) -> Handler:
    async def collections(request: Request) -> Answer:
        request.query(())
        return json({"data": addresses})

    return collections


def routes(others: Iterable[Route]) -> tuple[Route, ...]:
    """The routes of both; the second tells which of the `others` can be read without knowing more."""
    found = (one.path for one in others if one.method == "GET" and one.path.startswith("/v1/"))
    addresses = sorted(path for path in found if path.count("/") == 2 and "{" not in path)
    links = {"type": "object", "properties": dict.fromkeys(LINKS, _TEXT)}
    begin = {"type": "object", "required": [*START], "properties": {"name": _TEXT, "version": _TEXT, "links": links}}
    every = {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": _TEXT}}}
    return (
        Route("GET", "/", PUBLIC, start, "Where to begin", "operations", "A page for a browser.", answer=Payload(begin, example=START)),
        Route("GET", "/v1", PUBLIC, _collections(addresses), "What REST has", "operations", answer=Payload(every, example={"data": ["/v1/accounts"]})),
    )  # fmt: skip
