"""Writes over GraphQL as somebody new to it sends them: names mistyped, empty texts, references told by name."""

from __future__ import annotations

from typing import Any

import httpx

from tests.api.conftest import House


async def ask(client: httpx.AsyncClient, query: str, **variables: Any) -> list[dict[str, Any]]:
    """The faults of what was refused."""
    told = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    return [fault for error in told["errors"] for fault in error["extensions"]["errors"]]


async def test_a_mistyped_member_is_told_what_was_meant_and_not_repeated(house: House) -> None:
    document = 'mutation { createAccount(input: {name: "A", helth: 1234}) { created } }'
    (fault,) = await ask(house.admin, document)
    assert fault["suggestion"] == "health"
    assert "1234" not in fault["message"]


async def test_an_empty_key_is_no_key(house: House) -> None:
    (fault,) = await ask(house.admin, 'mutation { upsertAccount(externalId: "", input: {name: "A"}) { created } }')
    assert (fault["parameter"], fault["message"]) == ("externalId", "Expected the external id: it cannot be empty.")
    (fault,) = await ask(house.admin, 'mutation { createAccount(input: {name: "A", externalId: ""}) { created } }')
    assert fault["pointer"] == "/input/externalId"


async def test_a_parent_that_makes_a_circle_is_pointed_to_as_it_was_told(house: House) -> None:
    made = (await house.admin.post("/v1/accounts", json={"name": "A", "external_id": "circle-1"})).json()
    document = "mutation($id: ID!) { updateAccount(id: $id, expectedVersion: 1, input: {%s}) { created } }"
    for said, pointer in (('parent: "circle-1"', "/input/parent"), (f'parentId: "{made["id"]}"', "/input/parentId")):
        (fault,) = await ask(house.admin, document % said, id=made["id"])
        assert fault["pointer"] == pointer


async def test_stages_come_by_position_unless_told_otherwise(house: House) -> None:
    rest = (await house.admin.get("/v1/stages?fields=position")).json()["data"]
    assert [one["position"] for one in rest] == sorted(one["position"] for one in rest)
    answer = await house.admin.post("/graphql", json={"query": "{ stages { edges { node { position } } } }"})
    found = [edge["node"] for edge in answer.json()["data"]["stages"]["edges"]]
    assert found == rest


async def test_what_has_a_slug_is_changed_and_deleted_by_either_name(house: House) -> None:
    for kind, path in (("Product", "products"), ("Stage", "stages"), ("Scenario", "scenarios")):
        made = (await house.admin.post(f"/v1/{path}", json={"name": "N", "slug": f"by-either-{path}"})).json()
        for name, version in ((made["slug"], 1), (made["id"], 2)):
            change = f'mutation {{ update{kind}(id: "{name}", expectedVersion: {version}, input: {{name: "V{version}"}}) {{ created }} }}'
            told = (await house.admin.post("/graphql", json={"query": change})).json()
            assert "errors" not in told, told
        gone = f'mutation {{ delete{kind}(id: "{made["slug"]}", expectedVersion: 3) {{ id }} }}'
        told = (await house.admin.post("/graphql", json={"query": gone})).json()
        assert told["data"][f"delete{kind}"]["id"] == made["id"], told
