"""GraphQL over HTTP: what the public audits ask, whether with a credential or without."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.api.conftest import House

JSON, RESPONSE = "application/json", "application/graphql-response+json"
TYPENAME = {"query": "{ __typename }"}
TYPE = {"query": "query Type($name: String!) { __type(name: $name) { name } }", "variables": {"name": "sometype"}}
WRONG = ({"obj": "ect"}, 0, False, ["array"])
MUTATION = {"query": "mutation { __typename }"}
COERCION = {"query": "query C($id: ID!){ __typename }", "variables": {"id": None}}
UNKNOWN = {"query": "{ a8f31403dfe404bccbb0e835f2629c6a7 }"}


@pytest.fixture(params=["known", "nobody"])
def client(request: pytest.FixtureRequest, house: House, nobody: httpx.AsyncClient) -> httpx.AsyncClient:
    """With a credential, and without."""
    return house.viewer if request.param == "known" else nobody


async def post(
    client: httpx.AsyncClient, body: Any, accept: str | None = None, kind: str | None = JSON
) -> httpx.Response:
    content = body if isinstance(body, str) else json.dumps(body)
    headers = {"content-type": kind} if kind else {}
    # What is left out here would be filled in by the client.
    request = client.build_request("POST", "/graphql", content=content, headers=headers)
    request.headers.pop("accept")
    if accept:
        request.headers["accept"] = accept
    return await client.send(request)


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (RESPONSE, RESPONSE), (JSON, JSON), ("*/*", JSON), (None, JSON), ("application/*", JSON),
        (f"{RESPONSE};q=0.5, {JSON}", JSON), (f"{RESPONSE}, {JSON};q=0.9", RESPONSE), ("text/html", JSON),
    ],
)  # fmt: skip
async def test_negotiates(client: httpx.AsyncClient, accept: str | None, answered: str) -> None:
    answer = await post(client, TYPENAME, accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{answered}; charset=utf-8"
    assert answer.json() == {"data": {"__typename": "Query"}}


async def test_not_acceptable(client: httpx.AsyncClient) -> None:
    assert (await post(client, TYPENAME, "image/png")).status_code == 406


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/graphql", f"{JSON}; charset=latin-1"]
)
async def test_takes_json_alone(client: httpx.AsyncClient, kind: str | None) -> None:
    assert (await post(client, TYPENAME, kind=kind)).status_code == 415


async def test_takes_utf8(client: httpx.AsyncClient) -> None:
    body = {"query": '{ __type(name: "Run🏃Swim🏊") { name } }'}
    answer = await post(client, body, kind=f"{JSON}; charset=utf-8")
    assert answer.json() == {"data": {"__type": None}}


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
@pytest.mark.parametrize("body", [
    {"notquery": "{ __typename }"}, *({"query": one} for one in WRONG), {"query": ""}, {**TYPENAME, "more": 1},
    *({**TYPENAME, name: one} for name in ("operationName", "variables", "extensions") for one in (*WRONG[1:], "string") if (name, one) != ("operationName", "string")),
    {**TYPENAME, "operationName": {"obj": "ect"}}, '{ "not a JSON', "", "[]", "null", '"text"', f"[{json.dumps(TYPENAME)}]",
])  # fmt: skip
async def test_unreadable(client: httpx.AsyncClient, body: Any, accept: str) -> None:
    answer = await post(client, body, accept)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"]["status"] == 400


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
@pytest.mark.parametrize("more", [
    {"operationName": None}, {"variables": None}, {"extensions": None}, {"extensions": {"some": "value"}}, {"variables": {}},
])  # fmt: skip
async def test_parameters(client: httpx.AsyncClient, more: dict[str, Any], accept: str) -> None:
    answer = await post(client, {**TYPENAME, **more}, accept)
    assert (answer.status_code, answer.json()) == (200, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
async def test_operation_name_and_variables(client: httpx.AsyncClient, accept: str) -> None:
    named = {"query": "query A { a: __typename } query B { b: __typename }", "operationName": "B"}
    assert (await post(client, named, accept)).json() == {"data": {"b": "Query"}}
    answer = await post(client, TYPE, accept)
    assert (answer.status_code, answer.json()) == (200, {"data": {"__type": None}})


@pytest.mark.parametrize("body", [
    {"query": "{"}, UNKNOWN, COERCION, {"query": "query A { __typename } query B { __typename }"},
    {"query": "query A { __typename }", "operationName": "C"}, {"query": "subscription { __typename }"},
    {"query": "fragment F on Query { __typename }"},
])  # fmt: skip
async def test_what_cannot_be_executed(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    plain, own = await post(client, body, JSON), await post(client, body, RESPONSE)
    assert (plain.status_code, own.status_code) == (200, 400)
    for answer in (plain, own):
        assert "data" not in answer.json()
        assert answer.json()["errors"][0]["extensions"]["type"] == "/problems/unreadable"


async def test_get(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": "{ __typename }"}, headers={"accept": "*/*"})
    assert (answer.status_code, answer.json()) == (200, {"data": {"__typename": "Query"}})
    asked = {"query": str(TYPE["query"]), "variables": json.dumps(TYPE["variables"])}
    for accept in (JSON, RESPONSE):
        answer = await client.get("/graphql", params=asked, headers={"accept": accept})
        assert (answer.status_code, answer.json()) == (200, {"data": {"__type": None}})
    head = await client.head("/graphql", params={"query": "{ __typename }"}, headers={"accept": JSON})
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "params", [{}, {"query": ""}, {"query": "{ __typename }", "variables": "{"}, {"query": "{__typename}", "more": "1"}]
)
async def test_get_unreadable(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    answer = await client.get("/graphql", params=params, headers={"accept": RESPONSE})
    assert 400 <= answer.status_code < 500


async def test_mutations_do_not_come_by_get(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params=MUTATION, headers={"accept": RESPONSE})
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_other_methods(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/graphql")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")


async def test_options(client: httpx.AsyncClient) -> None:
    answer = await client.options("/graphql")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


@pytest.mark.parametrize(
    "query",
    [
        "{ me { role } }",
        "{ accounts { totalCount } }",
        "{ __schema { queryType { name } } }",
        "{ __typename catalog { people } }",
    ],
)
async def test_nobody_learns_nothing(nobody: httpx.AsyncClient, query: str) -> None:
    answer = await post(nobody, {"query": query})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["errors"][0]["extensions"]["type"] == "/problems/unauthenticated"
    assert (await post(nobody, {"query": '{ __type(name: "Account") { fields { name } } }'})).json() == {
        "data": {"__type": None}
    }


async def test_a_credential_that_is_none(nobody: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer strata_none"}
    answer = await nobody.post("/graphql", json=TYPENAME, headers=headers)
    assert answer.status_code == 401


async def test_suggestions(house: House, nobody: httpx.AsyncClient) -> None:
    body = {"query": "{ acounts { totalCount } }"}
    known, unknown = await post(house.viewer, body), await post(nobody, body)
    assert "accounts" in known.json()["errors"][0]["message"]
    assert "accounts" not in unknown.json()["errors"][0]["message"]


async def test_too_large(client: httpx.AsyncClient) -> None:
    answer = await post(client, {**TYPENAME, "variables": {"a": "x" * 1_100_000}})
    assert answer.status_code == 413


async def test_answers_carry_what_every_answer_does(house: House) -> None:
    answer = await house.viewer.post("/graphql", json=TYPENAME, headers={"x-request-id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_page_needs_no_internet(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "http://" not in answer.text.replace("http://www.w3.org", "")
    assert "https://" not in answer.text
