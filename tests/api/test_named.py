"""Ranks, moves, lists in lists and days that have been, through both doors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.persistence.database import Database
from tests.api.conftest import House, apart
from tests.servers import Server


@pytest.fixture(name="house", scope="module")
async def apart_from_others(server: Server, database: Database) -> AsyncIterator[House]:
    """With few accounts, so that one page has all of them."""
    async with apart(database, server, "Named") as made:
        yield made


@pytest.fixture
async def filled(house: House) -> list[str]:
    """Ids of three accounts of a country of their own, the last with the most ARR."""
    ids = []
    for n, name in enumerate(("Ask", "Bid", "Cap"), 1):
        body = {"name": name, "arr": 1000.5 * n + 9_000_000, "country": "MC"}
        answer = await house.manager.post("/v1/accounts", json=body)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    return ids


async def ask(client: httpx.AsyncClient, criteria: str, **more: str) -> Any:
    answer = await client.get("/v1/accounts", params={"filter": criteria, **more})
    return answer.json()


async def test_a_rank_tells_its_cut_off(house: House, filled: list[str]) -> None:
    answer = await ask(house.viewer, "rank_desc(arr) <= 1 AND arr > 1", fields="id")
    (echo,) = answer["ranks"]
    assert (echo["rank"], echo["at"]) == ("rank_desc(arr)", 1)
    (group,) = echo["groups"]
    assert (group["group"], group["reaches"]) == (None, None)
    assert isinstance(group["passes"], (int, float))
    assert group["records"] >= 3
    assert "ranks" not in await ask(house.viewer, "arr > 1", fields="id")


async def test_both_doors_say_the_same(house: House, filled: list[str]) -> None:
    where = {"and": [
        {"cmp": {"rank": {"fn": "rank_desc", "field": "arr", "by": "country"}, "cmp": "le", "value": 2}},
        {"cmp": {"of": "country", "cmp": "eq", "value": "MC"}},
    ]}  # fmt: skip
    document = """query ($where: AccountFilter) { accounts(where: $where) {
      ranks { rank at computed_at: computedAt groups { group records reaches passes kind: __typename } } nodes { id } } }"""
    graphql = (await house.viewer.post("/graphql", json={"query": document, "variables": {"where": where}})).json()
    rest = await ask(house.viewer, 'rank_desc(arr BY country) <= 2 AND country = "MC"', fields="id")
    (rank,) = graphql["data"]["accounts"]["ranks"]
    assert {group.pop("kind") for group in rank["groups"]} == {"RankGroup"}
    assert [rank] == rest["ranks"]
    assert "MC" in {group["group"] for group in rank["groups"]}
    assert {one["id"] for one in graphql["data"]["accounts"]["nodes"]} == {one["id"] for one in rest["data"]}
    assert 2 <= len(rest["data"]) <= 3


async def test_lists_in_lists(house: House, filled: list[str]) -> None:
    body = {"entity": "accounts", "name": "Inner", "criteria": {"text": 'country = "MC"'}, "visibility": "public"}
    inner = (await house.manager.post("/v1/lists", json=body)).json()["id"]
    outer = {**body, "name": "Outer", "criteria": {"text": f'in_list("{inner}") AND arr > 9002000'}}
    made = await house.manager.post("/v1/lists", json=outer)
    assert made.status_code == 201, made.text
    rows = (await house.viewer.get(f"/v1/lists/{made.json()['id']}/rows", params={"fields": "id"})).json()
    assert set(filled[1:]) <= {one["id"] for one in rows["data"]}
    nested = "query ($list: ID!) { account(id: $id) { contacts(where: {not: {list: $list}}) { id } } }"
    people = {"entity": "contacts", "name": "People", "criteria": {"text": "ALL"}, "visibility": "public"}
    contacts = (await house.manager.post("/v1/lists", json=people)).json()["id"]
    document = nested.replace("$list: ID!", "$list: ID!, $id: ID!")
    answer = await house.viewer.post(
        "/graphql", json={"query": document, "variables": {"list": contacts, "id": filled[0]}}
    )
    assert "errors" not in answer.json(), answer.text
    tag = (await house.manager.get(f"/v1/lists/{inner}")).headers["etag"]
    gone = await house.manager.delete(f"/v1/lists/{inner}", headers={"if-match": tag})
    assert gone.status_code == 409, gone.text
    assert "1 saved list (Outer)" in gone.json()["detail"]


async def test_somebody_elses_list_and_nobodys_answer_alike(house: House, filled: list[str]) -> None:
    body = {"entity": "accounts", "name": "Mine", "criteria": {"text": "ALL"}}
    private = (await house.manager.post("/v1/lists", json=body)).json()["id"]
    answers = []
    for name in (private, "01900000-0000-7000-8000-000000000000"):
        answer = await house.csm.get("/v1/accounts", params={"filter": f'in_list("{name}")'})
        assert answer.status_code == 422
        answers.append(answer.json()["errors"])
    assert answers[0] == answers[1]
    assert (await house.manager.get("/v1/accounts", params={"filter": f'in_list("{private}")'})).status_code == 200


async def test_a_day_that_has_been(house: House, filled: list[str]) -> None:
    today = datetime.now(UTC).date().isoformat()
    answer = await ask(house.viewer, "stage IS EMPTY", on=today, limit="1000")
    assert set(filled) <= {one["id"] for one in answer["data"]}
    assert set(answer["data"][0]) == {"id", "external_id", "stage", "segment"}
    body = {"filter": "arr > 5", "on": today}
    refused = await house.viewer.post("/v1/accounts/query", json=body)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["pointer"], error["message"].split(" ")[0]) == ("/on", "arr")


async def test_a_list_on_a_day_that_has_been(house: House, filled: list[str]) -> None:
    body = {
        "entity": "accounts",
        "name": "Then",
        "criteria": {"text": "stage IS EMPTY"},
        "columns": ["id", "stage", "segment.tier"],
    }
    held = (await house.manager.post("/v1/lists", json={**body, "sort": ["id"], "visibility": "public"})).json()["id"]
    days = {"on": datetime.now(UTC).date().isoformat()}
    rest = (await house.viewer.get(f"/v1/lists/{held}/rows", params={**days, "limit": "1000"})).json()
    count = (await house.viewer.get(f"/v1/lists/{held}/count", params=days)).json()
    document = """query ($id: ID!, $on: String, $filter: String) { list(id: $id) {
      rows(on: $on, first: 1000) { nodes } count(on: $on, filter: $filter) { value } accounts(on: $on, first: 1000) { nodes { id } } } }"""
    graphql = (await house.viewer.post("/graphql", json={"query": document, "variables": {"id": held, **days}})).json()
    told = graphql["data"]["list"]
    assert set(filled) <= {one["id"] for one in rest["data"]}
    assert told["rows"]["nodes"] == rest["data"]
    assert told["accounts"]["nodes"] == [{"id": one["id"]} for one in rest["data"]]
    assert told["count"]["value"] == count["value"] == len(rest["data"])
    refused = (await house.viewer.get(f"/v1/lists/{held}/count", params={**days, "filter": "arr > 5"})).json()["errors"]
    variables = {"id": held, **days, "filter": "arr > 5"}
    (error,) = (await house.viewer.post("/graphql", json={"query": document, "variables": variables})).json()["errors"]
    assert error["extensions"]["errors"] == refused
    assert refused[0]["parameter"] == "on"


async def test_moves(house: House, filled: list[str]) -> None:
    answer = await ask(house.viewer, 'entered("tier", "high", last(1h)) AND country = "MC"', fields="id")
    assert answer.get("status") is None, answer
    assert [one["window"] for one in answer["windows"]] == ["last(1h)"]
    refused = await house.viewer.get("/v1/accounts", params={"filter": 'left("tier", "hihg", last(1h))'})
    assert (refused.status_code, refused.json()["errors"][0]["suggestion"]) == (422, "high")
