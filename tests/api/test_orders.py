"""Orders on both doors: of pages, by what a record leads to, and of the records that are nested within."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import House
from tests.api.graphql.conftest import ask

OURS = 'domain = "orders.example"'


@pytest.fixture(scope="module")
async def ids(house: House) -> dict[str, str]:
    """Three accounts, two with a CSM, one with interactions."""
    made = {}
    for name, csm in (("Ada", "csm"), ("Bob", None), ("Cyd", "admin")):
        body: dict[str, Any] = {"name": name, "domain": "orders.example", "csm_id": csm and str(house.users[csm])}
        answer = await house.admin.post("/v1/accounts", json=body)
        assert answer.status_code == 201, answer.text
        made[name] = answer.json()["id"]
    for kind, day in (("call", 3), ("email", 1), ("meeting", 2), ("call", 4)):
        body = {"kind": kind, "direction": "inbound", "occurred_at": f"2026-01-0{day}T10:00:00Z", "is_automated": False}
        answer = await house.admin.post(f"/v1/accounts/{made['Ada']}/interactions", json=body)
        assert answer.status_code == 201, answer.text
    return made


async def rows(client: httpx.AsyncClient, **asked: Any) -> list[Any]:
    answer = await client.get("/v1/accounts", params={"filter": OURS, **asked})
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["data"]
    return found


async def posted(client: httpx.AsyncClient, **asked: Any) -> list[Any]:
    answer = await client.post("/v1/accounts/query", json={"filter": OURS, **asked})
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["data"]
    return found


async def test_nested_records_have_an_order_on_both_doors(house: House, ids: dict[str, str]) -> None:
    def days(row: Any) -> list[tuple[str, str]]:
        return [(one["kind"], one.get("occurred_at", one.get("occurredAt"))[8:10]) for one in row["interactions"]]

    wanted = [("call", "04"), ("call", "03"), ("email", "01")]
    include = "csm,interactions(3,kind,-occurred_at)"
    (got,) = await rows(house.viewer, include=include, fields="name", sort="name", limit=1)
    (told,) = await posted(house.viewer, include=include, fields=["name"], sort=["name"], limit=1)
    (listed,) = await posted(
        house.viewer, include=["csm", "interactions(3,kind,-occurred_at)"], fields="name", sort="name", limit=1
    )
    alone = (await house.viewer.get(f"/v1/accounts/{ids['Ada']}", params={"include": include, "fields": "name"})).json()
    assert got == told == listed == alone
    assert days(got) == wanted
    assert got["csm"]["name"]
    query = 'query Q($f: String!) { accounts(filter: $f, orderBy: ["name"], first: 1) { nodes { interactions(first: 3, orderBy: ["kind", "-occurredAt"]) { kind occurredAt } } } }'
    found = await ask(house.viewer, query, f=OURS)
    assert days(found["data"]["accounts"]["nodes"][0]) == wanted
    refused = await house.viewer.get("/v1/accounts", params={"include": "interactions(3,-occured_at)"})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["parameter"], error["suggestion"]) == ("include", "occurred_at")


async def test_accounts_in_the_order_of_their_csm(house: House, ids: dict[str, str]) -> None:
    people = {
        name: (await house.viewer.get(f"/v1/accounts/{key}", params={"include": "csm"})).json()["csm"]
        for name, key in ids.items()
    }
    wanted = sorted((name for name in ids if people[name]), key=lambda name: str(people[name]["name"]))
    for sort, order in (("csm.name", wanted), ("-csm.name", wanted[::-1])):
        page = (await house.viewer.get("/v1/accounts", params={"filter": OURS, "sort": sort, "limit": 2})).json()
        rest = await rows(house.viewer, sort=sort, limit=2, cursor=page["page"]["next"])
        assert [row["name"] for row in page["data"] + rest] == [*order, "Bob"]
        query = "query Q($f: String!, $o: [String!]) { accounts(filter: $f, orderBy: $o) { nodes { name } } }"
        found = await ask(house.viewer, query, f=OURS, o=[sort])
        assert [one["name"] for one in found["data"]["accounts"]["nodes"]] == [*order, "Bob"]
    history = await house.viewer.get("/v1/accounts", params={"sort": "csm.name", "on": "2026-01-31"})
    assert (history.status_code, history.json()["errors"][0]["parameter"]) == (422, "on")


async def test_graphql_reads_fields_as_it_calls_them(house: House, ids: dict[str, str]) -> None:
    query = "query Q($f: String!, $o: [String!], $a: String) { accounts(filter: $f, orderBy: $o, first: 1, after: $a) { edges { cursor node { name } } } }"

    async def edge(order: str, after: str | None = None) -> Any:
        return (await ask(house.viewer, query, f=OURS, o=[order], a=after))["data"]["accounts"]["edges"][0]

    first, same = await edge("-lastInteractionAt"), await edge("-last_interaction_at")
    assert first["node"]["name"] == same["node"]["name"] == "Ada"
    assert (await edge("-last_interaction_at", first["cursor"]))["node"] == (
        await edge("-lastInteractionAt", same["cursor"])
    )["node"]
    where = '{ accounts(where: {and: [{cmp: {of: "domain", cmp: eq, value: "orders.example"}}, {not: {empty: {of: "lastInteractionAt"}}}]}) { nodes { name } } }'
    assert (await ask(house.viewer, where))["data"]["accounts"]["nodes"] == [{"name": "Ada"}]
    wrong = await ask(house.viewer, query, f=OURS, o=["lastIntraction"])
    assert wrong["errors"][0]["extensions"]["errors"][0]["suggestion"] == "last_interaction_at"
