"""The table of routes: finding, what is not there, and that no operation goes without a rule."""

from __future__ import annotations

import pytest

from app.api.requests import Request
from app.api.responses import Answer, nothing
from app.api.routes import PUBLIC, Route, Table, allowed


async def _handle(_: Request) -> Answer:
    return nothing()


def _route(method: str, path: str, operation: str = PUBLIC) -> Route:
    return Route(method, path, operation, _handle, "", "")


def test_an_operation_without_a_rule_cannot_be_declared() -> None:
    with pytest.raises(LookupError, match=r"accounts\.explode"):
        _route("GET", "/v1/accounts", "accounts.explode")


def test_an_address_cannot_be_declared_twice() -> None:
    with pytest.raises(LookupError, match="twice"):
        Table((_route("GET", "/a/{id}"), _route("GET", "/a/{slug}")))


def test_addresses_are_found_by_their_segments_as_they_came() -> None:
    table = Table(
        (_route("GET", "/a/{id}"), _route("DELETE", "/a/{id}"), _route("POST", "/a/query"), _route("GET", "/a/b/{x}/c"))
    )
    found, values = table.find(b"/a/1%2F2")
    assert values == [b"1%2F2"]
    assert allowed(found) == "DELETE, GET, HEAD, OPTIONS"
    assert allowed(table.find(b"/a/query")[0]) == "OPTIONS, POST"
    assert table.find(b"/a/b/%20/c")[1] == [b"%20"]
    for nowhere in (b"", b"/", b"/a", b"/a/", b"/a/1/", b"/a/1/2", b"/a/b//c", b"a/1"):
        assert not table.find(nowhere)[0]
