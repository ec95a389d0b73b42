"""Imports and mappings over GraphQL: what REST has of them, but for the files themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

FILE = "external_id,name,arr\na,A,1\nb,B,many\nc,C,x\n"
MAPPING = {"kind": "accounts", "columns": {"external_id": {"from": "id"}, "name": "name"}}
MEMBERS = "id kind state rows created updated unchanged rejected warned summary detail startedAt finishedAt"
PUT = "mutation($name: String!, $input: ImportMappingInput!) { putImportMapping(name: $name, input: $input) { mapping { name mapping } } }"


@pytest.fixture(scope="module")
async def house(server: Server, database: Database) -> AsyncIterator[House]:
    made = await furnished(database, server, "Importing")
    yield made
    for each in made.clients.values():
        await each.aclose()


async def ask(house: House, query: str, role: str = "manager", **variables: Any) -> Any:
    answer = await house.clients[role].post("/graphql", json={"query": query, "variables": variables})
    return answer.json()


async def imported(house: House) -> dict[str, Any]:
    """An import that is over."""
    headers = {"content-type": "text/csv"}
    answer = await house.manager.post("/v1/imports?kind=accounts", content=FILE, headers=headers)
    shown: dict[str, Any] = answer.json()
    while shown["state"] in ("staged", "running"):
        shown = (await house.manager.get(f"/v1/imports/{shown['id']}")).json()
    return shown


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


async def test_an_import_is_what_rest_has(house: House) -> None:
    made = await imported(house)
    query = f"""query($id: ID!, $after: String) {{ import(id: $id) {{ {MEMBERS} errors(first: 1, after: $after) {{
      edges {{ cursor }} nodes {{ line column code message is_warning: isWarning }} pageInfo {{ hasNextPage }} }} }} }}"""
    first = (await ask(house, query, id=made["id"]))["data"]["import"]
    after = first["errors"]["edges"][0]["cursor"]
    second = (await ask(house, query, id=made["id"], after=after))["data"]["import"]
    told = [one["errors"] for one in (first, second)]
    assert [one["pageInfo"]["hasNextPage"] for one in told] == [True, False]
    errors = (await house.manager.get(f"/v1/imports/{made['id']}/errors")).json()["data"]
    assert [node for one in told for node in one["nodes"]] == errors
    shown = {snake(name): value for name, value in first.items() if name != "errors"}
    assert shown == {name: value for name, value in made.items() if name != "errors"}


async def test_imports_follow_one_another(house: House) -> None:
    made = [(await imported(house))["id"] for _ in range(2)]
    query = "query($after: String) { imports(first: 1, after: $after) { nodes { id } pageInfo { endCursor } } }"
    first = (await ask(house, query))["data"]["imports"]
    second = (await ask(house, query, after=first["pageInfo"]["endCursor"]))["data"]["imports"]
    assert [first["nodes"][0]["id"], second["nodes"][0]["id"]] == made[::-1]


async def test_a_mapping_is_kept_and_read(house: House) -> None:
    assert (await ask(house, PUT, name="crm", input=MAPPING))["data"]["putImportMapping"]["mapping"] == {
        "name": "crm", "mapping": MAPPING,
    }  # fmt: skip
    rest = (await house.manager.get("/v1/imports/mappings/crm")).json()
    query = '{ importMapping(name: "crm") { name mapping } importMappings { name mapping } }'
    data = (await ask(house, query))["data"]
    assert data == {"importMapping": rest, "importMappings": [rest]}


@pytest.mark.parametrize(("name", "told", "wrong"), [
    ("Not a slug", MAPPING, {"parameter": "name"}), ("crm-2", {"kind": "acounts"}, {"pointer": "/input/kind", "suggestion": "accounts"}),
])  # fmt: skip
async def test_a_mapping_that_is_none(house: House, name: str, told: Any, wrong: dict[str, str]) -> None:
    errors = (await ask(house, PUT, name=name, input=told))["errors"]
    assert errors[0]["extensions"]["status"] == 422
    assert wrong.items() <= errors[0]["extensions"]["errors"][0].items()


async def test_what_is_not_there_and_who_may_not(house: House) -> None:
    for query in ('{ importMapping(name: "none") { name } }', '{ import(id: "x") { id } }'):
        assert (await ask(house, query))["errors"][0]["extensions"]["status"] == 404
        assert (await ask(house, query, "csm"))["errors"][0]["extensions"]["status"] == 403


async def test_errors_of_many_imports_are_asked_for_one_by_one(house: House) -> None:
    await imported(house)
    answer = await ask(house, "{ imports { nodes { errors { nodes { line } } } } }")
    assert answer["errors"][0]["extensions"]["status"] in (400, 422)
