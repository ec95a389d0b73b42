"""Own attributes over both doors: one rule, one error, known at once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tests.api.conftest import House


async def defined(client: httpx.AsyncClient, slug: str, type_: str = "text", **more: Any) -> httpx.Response:
    body = {"entity": "accounts", "slug": slug, "name": slug, "type": type_, **more}
    answer = await client.post("/v1/attributes", json=body)
    assert answer.status_code == 201, answer.text
    return answer


async def asked(client: httpx.AsyncClient, document: str, **variables: Any) -> dict[str, Any]:
    answer = await client.post("/graphql", json={"query": document, "variables": variables})
    told: dict[str, Any] = answer.json()
    return told


async def ready(client: httpx.AsyncClient, path: str) -> None:
    for _ in range(100):
        if (await client.get(path)).json()["index_state"] == "ready":
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the index is not ready")


async def test_from_definition_to_deletion(house: House) -> None:
    answer = await defined(house.admin, "rest-region", "enum", values=["emea", "apac"], is_promoted=True)
    path = answer.headers["location"]
    assert answer.headers["etag"].startswith('"1-')
    await ready(house.admin, path)
    account = await house.manager.post("/v1/accounts", json={"name": "Acme", "custom": {"rest-region": "emea"}})
    assert account.json()["custom"]["rest-region"] == "emea"
    query = {
        "filter": 'custom.rest-region = "emea"',
        "fields": "name,custom.rest-region",
        "sort": "-custom.rest-region",
    }
    found = await house.viewer.get("/v1/accounts", params=query)
    assert found.json()["data"] == [{"name": "Acme", "custom": {"rest-region": "emea"}}]
    catalog = (await house.viewer.get("/v1/catalog")).json()
    fields = {f["path"]: f for entity in catalog["entities"] if entity["name"] == "accounts" for f in entity["fields"]}
    assert (fields["custom.rest-region"]["values"], fields["custom.rest-region"]["operators"]) == (
        ["emea", "apac"], ["eq", "ne", "in", "not_in", "is_empty", "is_not_empty"],
    )  # fmt: skip
    tag = (await house.admin.get(path)).headers["etag"]
    renamed = await house.admin.patch(path, json={"slug": "rest-area"}, headers={"if-match": tag})
    assert (renamed.status_code, renamed.json()["slug"], renamed.json()["version"]) == (200, "rest-area", 2)
    assert (await house.viewer.get("/v1/accounts", params=query)).status_code == 422
    read = await house.viewer.get(account.headers["location"])
    assert read.json()["custom"]["rest-area"] == "emea"
    refused = await house.admin.delete(path, headers={"if-match": renamed.headers["etag"]})
    assert refused.status_code == 409
    retired = await house.admin.patch(
        path, json={"retired_at": "2026-01-01T00:00:00Z"}, headers={"if-match": renamed.headers["etag"]}
    )
    assert retired.status_code == 200, retired.text
    gone = await house.admin.delete(path, headers={"if-match": retired.headers["etag"]})
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await house.admin.get(path)).status_code == 404
    assert "rest-area" not in ((await house.viewer.get(account.headers["location"])).json()["custom"] or {})


async def test_preconditions_and_rights(house: House, stranger: House) -> None:
    path = (await defined(house.admin, "rest-guarded")).headers["location"]
    assert (await house.admin.patch(path, json={"name": "x"})).status_code == 428
    assert (
        await house.admin.patch(path, json={"name": "x"}, headers={"if-match": '"9-0123456789abcdef"'})
    ).status_code == 412
    for role in ("manager", "csm", "viewer", "service"):
        client = house.clients[role]
        assert (await client.post("/v1/attributes", json={})).status_code == 403
        assert (await client.patch(path, json={}, headers={"if-match": "*"})).status_code in (403, 428)
        assert (await client.get(path)).status_code == 200
    other = await stranger.admin.patch(path, json={"name": "x"}, headers={"if-match": '"1-0123456789abcdef"'})
    nothing = await stranger.admin.patch(
        "/v1/attributes/01900000-0000-7000-8000-000000000000", json={"name": "x"}, headers={"if-match": '"1-0123456789abcdef"'}
    )  # fmt: skip
    assert (
        (other.status_code, other.json()["detail"])
        == (nothing.status_code, nothing.json()["detail"])
        == (404, nothing.json()["detail"])
    )


async def test_upserting_under_an_external_id(house: House) -> None:
    path = "/v1/attributes/external/attr%2F7"
    body = {"entity": "contacts", "slug": "rest-topic", "name": "Topic", "type": "text"}
    made = await house.admin.put(path, json=body)
    assert (made.status_code, made.json()["external_id"]) == (201, "attr/7")
    changed = await house.admin.put(path, json={"name": "Subject"}, headers={"if-match": made.headers["etag"]})
    assert (changed.status_code, changed.json()["name"], changed.json()["id"]) == (200, "Subject", made.json()["id"])


MAKE = "mutation($input: CreateAttributeInput!) { createAttribute(input: $input) { created attribute { id slug type version } } }"
CHANGE = "mutation($id: ID!, $v: Int!, $input: UpdateAttributeInput!) { updateAttribute(id: $id, expectedVersion: $v, input: $input) { attribute { slug retiredAt version } } }"
DELETE = "mutation($id: ID!, $v: Int!) { deleteAttribute(id: $id, expectedVersion: $v) { id } }"


async def test_the_same_by_graphql(house: House) -> None:
    told = {"entity": "accounts", "slug": "gql-score", "name": "Score", "type": "number"}
    made = (await asked(house.admin, MAKE, input=told))["data"]["createAttribute"]
    assert (made["created"], made["attribute"]["slug"], made["attribute"]["version"]) == (True, "gql-score", 1)
    create = 'mutation { createAccount(input: {name: "G", custom: {gql_none: 1}}) { created } }'
    assert (await asked(house.manager, create))["errors"][0]["extensions"]["errors"][0][
        "pointer"
    ] == "/input/custom/gql_none"
    create = 'mutation($c: JSON) { createAccount(input: {name: "G", custom: $c}) { account { custom(slug: "gql-score") all: custom } } }'
    account = (await asked(house.manager, create, c={"gql-score": 2.5}))["data"]["createAccount"]["account"]
    assert (account["custom"], account["all"]["gql-score"]) == (2.5, 2.5)
    found = await asked(
        house.viewer, '{ accounts(filter: "custom.gql-score > 2") { nodes { name custom(slug: "gql-score") } } }'
    )
    assert found["data"]["accounts"]["nodes"] == [{"name": "G", "custom": 2.5}]
    identity = made["attribute"]["id"]
    wrong = await asked(house.admin, CHANGE, id=identity, v=1, input={"type": "text"})
    assert wrong["errors"][0]["extensions"]["errors"][0]["pointer"] == "/input/type"
    retired = await asked(house.admin, CHANGE, id=identity, v=1, input={"retiredAt": "2026-01-01T00:00:00Z"})
    assert retired["data"]["updateAttribute"]["attribute"]["version"] == 2
    assert (await asked(house.admin, DELETE, id=identity, v=2))["data"]["deleteAttribute"] == {"id": identity}


async def test_both_doors_refuse_alike(house: House) -> None:
    told = {"entity": "accounts", "slug": "Not A Slug", "name": "", "type": "colour"}
    rest = (await house.admin.post("/v1/attributes", json=told)).json()
    assert {e["pointer"] for e in rest["errors"]} == {"/slug", "/type", "/name"}
    forbidden = await asked(house.manager, MAKE, input={"entity": "accounts", "slug": "x", "name": "x", "type": "text"})
    assert (
        forbidden["errors"][0]["extensions"]["status"]
        == (await house.manager.post("/v1/attributes", json={})).status_code
    )
