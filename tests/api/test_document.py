"""The OpenAPI document tells the truth about what is sent along and what may be said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.api import document
from app.api.door import Door
from app.api.errors import PROBLEMS
from app.api.rest import table
from tests.api.conftest import House

READS = (
    "/query",
    "/summary",
    "/export",
    "/simulate",
    "/parse",
    "/format",
    "/check",
    "/preview",
    "/explain",
    "/suggest",
    "/compare",
)
"""What is asked by POST and writes nothing."""
NAMED = ("teams", "industries", "products", "features", "stages", "scenarios")
"""What is known by a slug that stays."""
ROUTINE = {"content-type", "content-length", "date", "server", "vary", "connection", "x-content-type-options", "cache-control", "content-encoding", "transfer-encoding"}  # fmt: skip
"""Headers that HTTP itself explains."""


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return document.build(table(Door())[0].routes)


def operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in told["paths"].items():
        for method, one in methods.items():
            yield method.upper(), path, one


def named(one: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in one.get("parameters", ())}


def properties(told: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """The members of a body."""
    schema = one["requestBody"]["content"]["application/json"]["schema"]
    found = told["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    members: dict[str, Any] = found["properties"]
    return members


def test_every_write_takes_an_idempotency_key(told: dict[str, Any]) -> None:
    for method, path, one in operations(told):
        assert ("Idempotency-Key" in named(one)) == (method != "GET" and not path.endswith(READS)), (method, path)


@pytest.mark.parametrize("name", NAMED)
def test_a_slug_that_stays_is_not_offered_to_a_change(told: dict[str, Any], name: str) -> None:
    here = told["paths"][f"/v1/{name}/{{slug}}"]
    assert "slug" not in properties(told, here["patch"])
    assert "slug" not in properties(told, here["put"])
    assert "slug" in properties(told, told["paths"][f"/v1/{name}"]["post"])


async def test_a_slug_that_stays_stays(house: House) -> None:
    await house.admin.post("/v1/teams", json={"slug": "staying", "name": "S"})
    standing = await house.admin.get("/v1/teams/staying")
    answer = await house.admin.patch(
        "/v1/teams/staying", json={"slug": "gone"}, headers={"if-match": standing.headers["etag"]}
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/slug")


async def test_every_header_of_an_answer_is_told(house: House, nobody: httpx.AsyncClient, told: dict[str, Any]) -> None:
    made = await house.admin.post("/v1/teams", json={"slug": "told", "name": "T"}, headers={"idempotency-key": "told"})
    answers = [
        ("/v1/teams", made), ("/v1/teams", await nobody.get("/v1/teams")), ("/v1/teams", await house.viewer.post("/v1/teams", json={})),
        ("/v1/teams", await house.admin.put("/v1/teams")), ("/v1/teams/{slug}", await house.admin.get("/v1/teams/told")),
        ("/v1/teams/{slug}", await house.admin.get("/v1/teams/told", headers={"if-none-match": (await house.admin.get("/v1/teams/told")).headers["etag"]})),
        ("/v1/teams/{slug}", await house.admin.delete("/v1/teams/told")), ("/v1/teams/{slug}", await house.admin.get("/v1/teams/none")),
        ("/v1/accounts/export", await house.admin.post("/v1/accounts/export", json={"format": "csv"})), ("/", await nobody.get("/")),
    ]  # fmt: skip
    assert {answer.status_code for _, answer in answers} == {200, 201, 304, 401, 403, 404, 405, 428}
    shared = told["components"]["responses"]
    for path, answer in answers:
        status = str(answer.status_code)
        methods = told["paths"][path]
        found = methods.get(answer.request.method.lower(), {}).get("responses", {}).get(status, {})
        known = {
            *found.get("headers", {}),
            *(shared[f"Problem{status}"]["headers"] if f"Problem{status}" in shared else ()),
        }
        if status == "304":
            known |= {"X-Request-Id", "RateLimit", "RateLimit-Policy"}
        assert {name for name in answer.headers if name not in ROUTINE} <= {name.lower() for name in known}, (
            path,
            status,
        )


def test_problems_tell_what_comes_with_them(told: dict[str, Any]) -> None:
    responses = told["components"]["responses"]
    assert {f"Problem{problem.status}" for problem in PROBLEMS.values()} == set(responses)
    for one in responses.values():
        assert {"X-Request-Id", "RateLimit", "RateLimit-Policy"} <= set(one["headers"])
        for header in one["headers"].values():
            assert header["$ref"].rpartition("/")[2] in told["components"]["headers"]
    assert "WWW-Authenticate" in responses["Problem401"]["headers"]


async def test_the_beginning_tells_the_way(nobody: httpx.AsyncClient, told: dict[str, Any]) -> None:
    begin = (await nobody.get("/")).json()
    for address in begin["links"].values():
        answer = await nobody.get(address, headers={"accept": "text/html"})
        assert answer.status_code == 200, address
    page = await nobody.get("/", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert all(address in page.text for address in begin["links"].values())
    collections = (await nobody.get("/v1")).json()["data"]
    assert {"/v1/accounts", "/v1/lists", "/v1/me"} <= set(collections) <= set(told["paths"])


@pytest.mark.parametrize(
    ("path", "suggestion"),
    [
        ("/v1/acounts", "/v1/accounts"), ("/v1/acounts/x/contact", "/v1/accounts/{id}/contacts"), ("/accounts", "/v1/accounts"), ("/v1/accounts/", "/v1/accounts"),
        ("/graphiql", "/graphql"), ("/doc", "/docs"), ("/V1/Accounts", "/v1/accounts"), ("/v1/%3Cscript%3E", "/v1"), ("/" + "x/" * 500, "/v1"),
    ],
)  # fmt: skip
async def test_an_unknown_address_suggests_the_nearest(nobody: httpx.AsyncClient, path: str, suggestion: str) -> None:
    answer = await nobody.get(path)
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["type"], fault["suggestion"]) == (404, "/problems/not-found", suggestion)
    assert "script" not in answer.text
