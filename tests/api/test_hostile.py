"""Hostile inputs at every route: a table made of the declared routes, so that a new one is covered by itself.

Whatever comes is answered by a status that is documented, by a problem that says where, and never by what was sent.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from app.api.door import Door
from app.api.rest import table
from app.api.routes import PUBLIC, Parameter, Route
from app.persistence.database import Database
from tests.api.conftest import apart
from tests.api.inhabited import addressed, inhabit
from tests.servers import Server

TABLE, DOCUMENT = table(Door())
CANARY = "c4n4ry"
"""Stands in what is sent, and in no answer that refuses it."""
STALE = '"2147483646-0123456789abcdef"'

SEGMENTS = (
    "%00", "%FF", "%ED%A0%80", "%2E%2E%2F%2E%2E", f"{CANARY}%F0%9F%92%A9", "%E2%80%AE", CANARY * 60, "null", "-1",
    "9223372036854775808", "%27%20OR%201=1--", "%20", "{id}", "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
VALUES = (
    "", "%00", "%FF", "-1", "99999999999999999999", f"{CANARY}%F0%9F%92%A9%E2%80%AE", "%28" * 2_000,
)  # fmt: skip
TAGS = (
    "",
    "*",
    "1",
    '"',
    f'"{CANARY}"',
    'W/"1-0123456789abcdef"',
    '"99999999999999999999-0123456789abcdef"',
    "é",
    "x" * 9000,
)
KEYS = ("", "x" * 256, "é", "a b", "x" * 9000)
QUERIES = (f"{CANARY[::-1]}=1", "=1", "%00=1", "%FF=1", "&".join(["limit=1"] * 300), "limit=1&limit=2")
KINDS = ("text/plain", "application/json; charset=latin-1", "application/xml", f"{CANARY}/*", "")
HEADERS: Mapping[str, tuple[str, ...]] = {"If-Match": TAGS, "If-None-Match": TAGS, "Idempotency-Key": KEYS}
BODIES: Mapping[str, bytes] = {
    "empty": b"", "no JSON": CANARY.encode(), "half": b'{"name":', "not UTF-8": b'{"name":"\xff"}', "a mark": b"\xef\xbb\xbf{}",
    "null": b"null", "a list": b"[]", "a text": b'"%s"' % CANARY.encode(), "a number": b"1", "true": b"true",
    "NUL": b'{"name":"a\\u0000"}', "NUL in a name": b'{"a\\u0000":1}', "half a pair": b'{"name":"\\ud800"}',
    "twice": b'{"name":1,"name":1}', "NaN": b'{"name":NaN}', "infinity": b'{"name":-Infinity}', "2^63": b'{"name":9223372036854775808}',
    "digits": b'{"name":%s}' % (b"9" * 5000), "exponent": b'{"name":1e99999}', "deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "deep lists": b"[" * 100_000, "unknown": b'{"%s":1}' % (CANARY[::-1] * 50).encode(), "many": json.dumps({f"m{n}": n for n in range(20_000)}).encode(),
    "no name": b'{"":1}', "a path": b'{"a/b~c":{"__proto__":1}}', "2 MB": b'{"name":"' + b"a" * (2 << 20) + b'"}',
}  # fmt: skip
"""Bodies that no route takes, whatever it is about."""
SAMPLES: Mapping[str, Any] = {
    "object": {"x": [CANARY]},
    "boolean": True,
    "array": [[CANARY]],
    "number": -7.25,
    "string": CANARY * 3,
}
"""A value of each type, meaningless where a member is not free."""
EXTREMES: Mapping[str, tuple[Any, ...]] = {
    "string": ("", CANARY * 20_000, f"{CANARY}\u202e💩", "9999-12-31"),
    "integer": (-(2**63), 2**63 - 1, 2**31),
    "number": (-(2**63), 1e39, 0.00000001, -0.0),
    "array": ([], [None], [CANARY] * 3000),
    "object": ({}, {"x": None}, {str(n): {} for n in range(3000)}),
}
"""Values of the right type at its edges."""


Headers = Mapping[str, str | None]
"""By name; None takes one away."""
WRITES = [route for route in TABLE.routes if route.body is not None and "application/json" in route.body.media]


@dataclass(frozen=True, slots=True)
class Inhabited:
    """A client that may do everything in a workspace that has one of everything, and what stands in its addresses."""

    client: httpx.AsyncClient
    told: Mapping[str, str]

    def address(self, route: Route) -> str:
        """A route's address of what is there."""
        values = iter(addressed(route.path, self.told))
        return "/".join(next(values) if part.startswith("{") else part for part in route.path.split("/"))

    def sound(self, route: Route) -> str:
        """The same with its required parameters."""
        return self.address(route) + required(route)


def queried(route: Route) -> list[Parameter]:
    return [parameter for parameter in route.parameters if parameter.where == "query"]


def required(route: Route) -> str:
    """The query string that a route cannot do without."""
    needed = [f"{p.name}={p.example}" for p in queried(route) if p.required]
    return "?" + "&".join(needed) if needed else ""


@pytest.fixture(scope="module")
async def inhabited(server: Server, database: Database) -> AsyncIterator[Inhabited]:
    """A workspace that has one of everything."""
    async with apart(database, server, "Hostile") as house:
        yield Inhabited(house.admin, await inhabit(house.admin))


def named(routes: list[Route]) -> pytest.MarkDecorator:
    """Each route as a case of its own."""
    return pytest.mark.parametrize(
        "route", [pytest.param(route, id=f"{route.method} {route.path}") for route in routes]
    )


def checked(route: Route, answer: httpx.Response, at: str | None = None) -> None:
    """Fails unless the answer is documented; one that refuses is a problem that says where and does not echo."""
    answers = DOCUMENT["paths"][route.path][route.method.lower()]["responses"]
    assert answer.status_code < 500, answer.text
    assert str(answer.status_code) in answers, answer.text
    if answer.status_code < 400:
        return
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(told) == {"type", "title", "status", "detail", "request_id", "errors"}
    assert CANARY not in answer.text, answer.text[:2000]
    assert len(answer.content) < 20_000
    if answer.status_code in (400, 422):
        assert told["errors"], told
        places = [fault["parameter"] if fault["pointer"] is None else fault["pointer"] for fault in told["errors"]]
        if at is not None:
            assert any(place is not None and place.startswith(at) for place in places), (at, told)


# -- addresses and headers ---------------------------------------------------------------------------------------------


@named([route for route in TABLE.routes if route.variables])
async def test_addresses(inhabited: Inhabited, route: Route) -> None:
    values = addressed(route.path, inhabited.told)
    targets = []
    for index in range(len(values)):
        for segment in SEGMENTS:
            filled = iter([*values[:index], segment, *values[index + 1 :]])
            path = "/".join(next(filled) if part.startswith("{") else part for part in route.path.split("/"))
            targets.append(path + required(route))
    for target in targets:
        checked(route, await _sent(inhabited, route, target))


@named([route for route in TABLE.routes if queried(route)])
async def test_query_parameters(inhabited: Inhabited, route: Route) -> None:
    here = inhabited.address(route)
    for parameter in queried(route):
        others = "".join(f"{p.name}={p.example}&" for p in queried(route) if p.required and p is not parameter)
        for value in VALUES:
            checked(route, await _sent(inhabited, route, f"{here}?{others}{parameter.name}={value}"), "")


@named(list(TABLE.routes))
async def test_parameters_that_are_unknown_or_twice(inhabited: Inhabited, route: Route) -> None:
    here = inhabited.address(route)
    for query in QUERIES:
        answer = await _sent(inhabited, route, f"{here}?{query}")
        checked(route, answer)
        assert answer.status_code >= 400 or route.operation == PUBLIC


@named([route for route in TABLE.routes if any(p.where == "header" for p in route.parameters)])
async def test_headers(inhabited: Inhabited, route: Route) -> None:
    here = inhabited.sound(route)
    for name in [p.name for p in route.parameters if p.where == "header"]:
        for value in HEADERS[name]:
            checked(route, await _sent(inhabited, route, here, {name: value}))


# -- bodies ------------------------------------------------------------------------------------------------------------


@named(WRITES)
async def test_bodies(inhabited: Inhabited, route: Route) -> None:
    assert route.body is not None
    here, version = inhabited.sound(route), await _version(inhabited, route)
    for what, body in BODIES.items():
        answer = await _sent(inhabited, route, here, version, body)
        checked(route, answer, "" if what != "2 MB" else None)
        assert answer.status_code >= 400 or (what == "empty" and not route.body.required), what
    for kind in KINDS:
        answer = await _sent(inhabited, route, here, {**version, "Content-Type": kind})
        checked(route, answer)
        assert answer.status_code == 415


@named([route for route in TABLE.routes if route.body is None and route.method != "GET"])
async def test_no_body_is_taken_where_none_is_documented(inhabited: Inhabited, route: Route) -> None:
    answer = await _sent(inhabited, route, inhabited.sound(route), body=b"{}")
    checked(route, answer, "")
    assert answer.status_code == 400


@named(WRITES)
async def test_members(inhabited: Inhabited, route: Route) -> None:
    """Each member that is documented, in turn as each type that it has not, and at the edges of those that it has."""
    assert route.body is not None
    version = await _version(inhabited, route)
    for pointer, schema in members(route.body.schema):
        kinds = types(schema)
        wrong = [value for kind, value in SAMPLES.items() if kinds and kind not in kinds]
        right = [None, *(value for kind in sorted(kinds) for value in EXTREMES.get(kind, ()))]
        for n, value in enumerate(wrong + right):
            body = json.dumps(said(route.body.example, pointer, value)).encode()
            answer = await _sent(inhabited, route, inhabited.sound(route), version, body)
            checked(route, answer, "/" + pointer[0].removesuffix("_id") if n < len(wrong) else None)
            assert answer.status_code >= 400 or n >= len(wrong), (pointer, wrong[n])
            assert answer.status_code != 412, "not under the version that is there"
            version = await _version(inhabited, route) if answer.is_success else version


def members(schema: Mapping[str, Any], depth: int = 3) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The members of a body and of what lies within, each with its schema."""
    for name, inner in resolved(schema).get("properties", {}).items():
        inner = resolved(inner)
        yield (name,), inner
        items = resolved(inner.get("items", {}))
        if depth:
            yield from (((name, "0", *below), one) for below, one in members(items, depth - 1))
            yield from (((name, *below), one) for below, one in members(inner, depth - 1))


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a reference names."""
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def types(schema: Mapping[str, Any]) -> set[str]:
    """The types of JSON that a schema takes; none where it takes whatever comes."""
    schema = resolved(schema)
    found = schema.get("type", [])
    kinds = {found} if isinstance(found, str) else set(found)
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        kinds |= types(one)
    return kinds


def said(example: Any, pointer: tuple[str, ...], value: Any) -> Any:
    """The example with another value at a place, made on the way where it is not there."""
    body: Any = copy.deepcopy(example) if isinstance(example, Mapping) else {}
    here = body
    for name, following in itertools.pairwise(pointer):
        empty: Any = [] if following == "0" else {}
        if isinstance(here, list):
            here += [empty] if not here else []
            here = here[0]
        else:
            if not isinstance(here.get(name), type(empty)):
                here[name] = empty
            here = here[name]
    if isinstance(here, list):
        here[:1] = [value]
    else:
        here[pointer[-1]] = value
    return body


async def _version(inhabited: Inhabited, route: Route) -> Headers:
    """`If-Match` of what is there, or of what an action is done to, where the route takes it; None where there is nothing."""
    if not any(p.name == "If-Match" for p in route.parameters):
        return {}
    answer = await inhabited.client.get(address := inhabited.address(route))
    if not answer.is_success and route.method == "POST":
        answer = await inhabited.client.get(address.rpartition("/")[0])
    return {"If-Match": answer.headers.get("etag") if answer.is_success else None}


async def _sent(
    inhabited: Inhabited,
    route: Route,
    target: str,
    headers: Headers = MappingProxyType({}),
    body: bytes | None = None,
) -> httpx.Response:
    """The answer to a request that is sound but for what is told; it changes nothing where a version is asked for."""
    taken = {p.name for p in route.parameters if p.where == "header"} | {"Content-Type"}
    told: dict[str, str | None] = {"If-Match": STALE, **headers}
    if route.body is not None:
        told = {"Content-Type": route.body.media[0], **told}
        sound = json.dumps(route.body.example) if "application/json" in route.body.media else route.body.example
        body = sound.encode() if body is None else body
    encoded = [(name.encode(), value.encode()) for name, value in told.items() if name in taken and value is not None]
    url = inhabited.client.base_url.copy_with(raw_path=target.encode())
    return await inhabited.client.request(route.method, url, headers=encoded, content=body)
