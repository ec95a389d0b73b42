"""Asking over GraphQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

Ask = Callable[..., Awaitable[Any]]


async def ask(
    client: httpx.AsyncClient, query: str, /, _headers: dict[str, str] | None = None, **variables: Any
) -> Any:
    """The body of an answer, which must be 200."""
    answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=_headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(name="ask")
def asking() -> Ask:
    """Asks a client and gives the data; there must be no errors."""

    async def data(
        client: httpx.AsyncClient, query: str, /, _headers: dict[str, str] | None = None, **variables: Any
    ) -> Any:
        body = await ask(client, query, _headers, **variables)
        assert "errors" not in body, body["errors"]
        return body["data"]

    return data


@pytest.fixture(name="fail")
def failing() -> Ask:
    """Asks a client and gives the first error's extensions, and what data there is."""

    async def error(
        client: httpx.AsyncClient, query: str, /, _headers: dict[str, str] | None = None, **variables: Any
    ) -> Any:
        body = await ask(client, query, _headers, **variables)
        assert body["errors"], body
        for one in body["errors"]:
            assert set(one["extensions"]) == {"type", "title", "status", "detail", "request_id", "errors"}
        return {**body["errors"][0]["extensions"], "path": body["errors"][0].get("path"), "data": body.get("data")}

    return error
