"""Writes of every entity of the catalogue: over GraphQL they do what they do over REST, and are refused alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from app.api.graphql.build import camel
from app.api.graphql.types import type_name
from app.api.rest import directory, related
from app.domain.catalogue import ENTITIES, Entity
from tests.api.conftest import House
from tests.api.graphql.conftest import Ask

EXAMPLES = {**related.EXAMPLES, **directory.EXAMPLES}
OWN = ("id", "external_id", "slug", "account_id", "created_at", "updated_at")
"""What differs between two records that were made alike."""


@pytest.fixture(scope="module")
async def accounts(house: House) -> tuple[str, str]:
    """The external ids of two accounts, the csm's own: one is written to over REST, the other over GraphQL."""
    for name in ("written-rest", "written-graphql"):
        body = {"name": name, "csm": "csm@ours.example"}
        answer = await house.admin.put(f"/v1/accounts/external/{name}", json=body)
        assert answer.status_code == 201, answer.text
    return "written-rest", "written-graphql"


def columns(entity: Entity) -> str:
    return " ".join(camel(field.column) for field in entity.fields.values())


def in_rest(row: Mapping[str, Any], entity: Entity) -> dict[str, Any]:
    names = {camel(field.column): field.column for field in entity.fields.values()}
    return {names[key]: value for key, value in row.items()}


def alike(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in OWN}


def bodies(name: str, accounts: tuple[str, str], which: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same record twice, under names of their own."""
    made = []
    for door, account in zip(("rest", "graphql"), accounts, strict=True):
        body = {**EXAMPLES[name][0], "external_id": f"{which}-{name}-{door}"}
        body |= {"account": account} if "account" in ENTITIES[name].fields else {}
        body |= {"slug": f"{which}-{door}"} if ENTITIES[name].key == "slug" else {}
        made.append(body)
    return made[0], made[1]


def said(body: Mapping[str, Any]) -> dict[str, Any]:
    return {camel(name): value for name, value in body.items()}


class Doors:
    """An entity's writes over GraphQL, answered as REST answers them."""

    def __init__(self, ask: Ask, client: httpx.AsyncClient, name: str):
        self.ask, self.client, self.entity = ask, client, ENTITIES[name]
        self.type = type_name(self.entity)
        self.key = "slug" if self.entity.key == "slug" else "external_id"
        payload = f"{{ created {self.entity.singular} {{ {columns(self.entity)} }} }}"
        self.create_ = (
            f"mutation($input: Create{self.type}Input!) {{ made: create{self.type}(input: $input) {payload} }}"
        )
        self.update_ = f"""mutation($id: ID!, $version: Int!, $input: Update{self.type}Input!) {{
          made: update{self.type}(id: $id, expectedVersion: $version, input: $input) {payload} }}"""
        self.upsert_ = f"""mutation($key: String!, $version: Int, $input: Update{self.type}Input!) {{
          made: upsert{self.type}({camel(self.key)}: $key, expectedVersion: $version, input: $input) {payload} }}"""
        self.delete_ = f"mutation($id: ID!, $version: Int!) {{ made: delete{self.type}(id: $id, expectedVersion: $version) {{ id }} }}"

    async def made(self, query: str, **variables: Any) -> tuple[bool, dict[str, Any]]:
        payload = (await self.ask(self.client, query, **variables))["made"]
        return payload["created"], in_rest(payload[self.entity.singular], self.entity)

    def path(self, row: Mapping[str, Any]) -> str:
        return f"/v1/{self.entity.name}/{row['slug'] if self.key == 'slug' else row['id']}"

    def external(self, key: str) -> str:
        return f"/v1/{self.entity.name}/{key if self.key == 'slug' else f'external/{key}'}"


def version(number: int) -> dict[str, str]:
    return {"if-match": f'"{number}-0123456789abcdef"'}


async def sent(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("name", EXAMPLES)
async def test_from_making_to_deleting(house: House, accounts: tuple[str, str], ask: Ask, name: str) -> None:
    client = house.csm if name in related.EXAMPLES else house.manager
    doors = Doors(ask, client, name)
    rest, graphql = bodies(name, accounts, "made")
    there = await sent(await client.post(f"/v1/{name}", json=rest), 201)
    created, here = await doors.made(doors.create_, input=said(graphql))
    assert created is True
    assert alike(here) == alike(there)
    assert here == await sent(await client.get(doors.path(here)), 200)

    change = EXAMPLES[name][1]
    there = await sent(await client.patch(doors.path(there), json=change, headers=version(1)), 200)
    created, here = await doors.made(doors.update_, id=here["id"], version=1, input=said(change))
    assert created is False
    assert alike(here) == alike(there)
    assert here["version"] == 2

    for query, more in ((doors.update_, {"id": here["id"]}), (doors.delete_, {"id": here["id"]})):
        stale = await house.admin.post(
            "/graphql", json={"query": query, "variables": {**more, "version": 1, "input": {}}}
        )
        assert stale.json()["errors"][0]["extensions"]["status"] == 412

    assert (await client.delete(doors.path(there), headers=version(2))).status_code == 204
    gone = await doors.ask(doors.client, doors.delete_, id=here["id"], version=2)
    assert gone == {"made": {"id": here["id"]}}
    for row in (here, there):
        assert (await client.get(doors.path(row))).status_code == 404
    left = f'{{ {doors.entity.singular}(id: "{here["id"]}") {{ id }} }}'
    assert (await client.post("/graphql", json={"query": left})).json()["errors"][0]["extensions"]["status"] == 404


@pytest.mark.parametrize("name", EXAMPLES)
async def test_upsert(house: House, accounts: tuple[str, str], ask: Ask, fail: Ask, name: str) -> None:
    doors = Doors(ask, house.manager, name)
    rest, graphql = bodies(name, accounts, "put")
    there = await sent(await house.manager.put(doors.external(rest[doors.key]), json=rest), 201)
    created, here = await doors.made(doors.upsert_, key=graphql[doors.key], input=said(graphql))
    assert created is True
    assert alike(here) == alike(there)
    change = {**EXAMPLES[name][1]}
    unguarded = await fail(house.manager, doors.upsert_, key=graphql[doors.key], input=said(change))
    assert unguarded["status"] == 428
    answer = await house.manager.put(doors.external(rest[doors.key]), json=change, headers=version(1))
    there = await sent(answer, 200)
    created, here = await doors.made(doors.upsert_, key=graphql[doors.key], version=1, input=said(change))
    assert created is False
    assert alike(here) == alike(there)


def wrong(entity: Entity) -> list[dict[str, Any]]:
    """Bodies that mean nothing, each in another way; their types are right, so that both doors read them."""
    made: list[dict[str, Any]] = []
    for field in entity.fields.values():
        if not field.writable:
            continue
        match field.kind:
            case "ref":
                made += [
                    {field.name: "nobody"},
                    {field.column: "00000000-0000-7000-8000-000000000000"},
                    {field.column: "x"},
                ]
            case "slug":
                made.append({field.name: "no-such-slug"})
            case "text":
                made.append({field.name: "x" * 10_001})
            case "number" | "integer" if field.high is not None and field.high < 2**31 - 1:
                made.append({field.name: field.high + 1})
            case "money":
                made.append({field.name: 0.001})
            case "json":
                made.append({field.name: {"nope": 1}})
        if not field.optional and field.kind not in ("bool", "ref"):
            made.append({field.name: None})
    return made


@pytest.mark.parametrize("name", EXAMPLES)
async def test_refused_alike(house: House, accounts: tuple[str, str], ask: Ask, name: str) -> None:
    """Every fault of a change over REST is one over GraphQL, at the same place in other words."""
    doors = Doors(ask, house.manager, name)
    body = bodies(name, accounts, "kept")[0]
    standing = await sent(await house.manager.post(f"/v1/{name}", json=body), 201)
    for change in wrong(doors.entity):
        rest = await house.manager.patch(doors.path(standing), json=change, headers=version(1))
        variables = {"id": standing["id"], "version": 1, "input": said(change)}
        answer = await house.manager.post("/graphql", json={"query": doors.update_, "variables": variables})
        same(rest.json(), answer.json()["errors"][0]["extensions"])


@pytest.mark.parametrize("name", EXAMPLES)
async def test_taken_absent_and_foreign(
    house: House, stranger: House, accounts: tuple[str, str], ask: Ask, name: str
) -> None:
    doors = Doors(ask, house.manager, name)
    body = bodies(name, accounts, "taken")[0]
    standing = await sent(await house.manager.post(f"/v1/{name}", json=body), 201)
    again = await house.manager.post(f"/v1/{name}", json=body)
    taken = await house.manager.post("/graphql", json={"query": doors.create_, "variables": {"input": said(body)}})
    same(again.json(), taken.json()["errors"][0]["extensions"])
    assert again.status_code == 409
    for client, identity in (
        (stranger.admin, standing["id"]),
        (house.admin, "00000000-0000-7000-8000-000000000000"),
        (house.admin, "x"),
    ):
        for query in (doors.update_, doors.delete_):
            variables = {"id": identity, "version": 1, "input": EXAMPLES[name][1] and said(EXAMPLES[name][1])}
            answer = await client.post("/graphql", json={"query": query, "variables": variables})
            error = answer.json()["errors"][0]["extensions"]
            assert (error["status"], error["errors"]) == (404, [])


@pytest.mark.parametrize("name", EXAMPLES)
async def test_roles(house: House, accounts: tuple[str, str], ask: Ask, fail: Ask, name: str) -> None:
    doors = Doors(ask, house.manager, name)
    body = bodies(name, accounts, "roles")[0]
    assert (await fail(house.viewer, doors.create_, input=said(body)))["status"] == 403
    other = await house.admin.post("/v1/accounts", json={"name": "Somebody else's"})
    theirs = {**body, "account_id": other.json()["id"]} if "account" in doors.entity.fields else body
    theirs.pop("account", None)
    assert (await fail(house.csm, doors.create_, input=said(theirs)))["status"] == 403
    body |= {"author": "csm@ours.example"} if name == "sentiments" else {}
    created, _ = await Doors(ask, house.service, name).made(doors.create_, input=said(body))
    assert created is True


def same(rest: Mapping[str, Any], graphql: Mapping[str, Any]) -> None:
    """The same problem, its places as each door has them."""
    for member in ("type", "status", "title", "detail"):
        assert graphql[member] == rest[member]
    assert [fault["message"] for fault in graphql["errors"]] == [fault["message"] for fault in rest["errors"]]
    for here, there in zip(graphql["errors"], rest["errors"], strict=True):
        assert here.get("suggestion") == there.get("suggestion")
        if there.get("pointer"):
            _, first, *deeper = there["pointer"].split("/")
            assert here["pointer"] == "/".join(["/input", camel(first), *deeper])


@pytest.mark.parametrize("name", EXAMPLES)
async def test_one_effect_of_a_key(house: House, accounts: tuple[str, str], ask: Ask, name: str) -> None:
    doors = Doors(ask, house.manager, name)
    body = said(bodies(name, accounts, "once")[0])
    headers = {"idempotency-key": f"once-{name}"}
    first = await ask(house.manager, doors.create_, headers, input=body)
    assert await ask(house.manager, doors.create_, headers, input=body) == first
