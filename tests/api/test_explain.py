"""Explaining on both doors: leaf by leaf, of lists and segments, and the document's example, which is true."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from app.api.rest.accounts import EXAMPLE as ACCOUNT
from app.api.rest.explanation import ANSWER, ASKED, PLACED
from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

RULES = {
    "name": "Care", "kind": "rules", "rest": "calm",
    "segments": [
        {"slug": "alarm", "name": "Alarm", "criteria": 'any(tickets WHERE status = "open")'},
        {"slug": "watch", "name": "Watch", "criteria": "renewal_date IN next(90d) OR arr >= 500000"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
async def office(server: Server, database: Database) -> AsyncIterator[House]:
    """A workspace with the account and the interaction of the example."""
    made = await furnished(database, server, "Explained")
    account = await sent(made.admin, "/v1/accounts", ACCOUNT)
    await sent(made.admin, "/v1/contacts", {"account_id": account["id"], "name": "Ann", "email": "ann@acme.example"})
    await sent(made.admin, "/v1/interactions", {"account_id": account["id"], **PLACED})
    assert (await made.admin.put("/v1/segmentations/care", json=RULES)).status_code == 201
    yield made
    for each in made.clients.values():
        await each.aclose()


async def sent(client: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def explained(house: House, **body: Any) -> Any:
    return await sent(house.viewer, "/v1/criteria/explain", {"external_id": ACCOUNT["external_id"], **body})


async def asked(house: House, document: str, **variables: Any) -> Any:
    answer = await house.viewer.post("/graphql", json={"query": document, "variables": variables})
    assert answer.status_code == 200, answer.text
    return answer.json()


def without_ids(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: "…" if name == "id" else without_ids(value) for name, value in told.items()}
    return [without_ids(one) for one in told] if isinstance(told, list) else told


async def test_the_example_of_the_document_is_true(office: House) -> None:
    answer = await office.viewer.post("/v1/criteria/explain", json=ASKED)
    assert without_ids(answer.json()) == without_ids(ANSWER)


async def test_both_doors_say_the_same(office: House) -> None:
    rest = await explained(office, filter=ASKED["filter"], as_of=ASKED["as_of"])
    document = """query($id: ID!, $filter: String!, $asOf: String!) { explainAccount(id: $id, filter: $filter, asOf: $asOf) {
      entity id externalId name archived asOf zone text english result flipsAt flipsKnown fewest { pointer text } tree
      leaves { op pointer text english result becauseEmpty value threshold windows { window lo hi zone }
        ranks { rank at computedAt } evidence { entity inside passes values } flipsAt flipsKnown } } }"""
    told = await asked(office, document, id=rest["id"], filter=ASKED["filter"], asOf=ASKED["as_of"])
    found = told["data"]["explainAccount"]
    assert found["tree"] == rest["tree"]
    assert [leaf["pointer"] for leaf in rest["leaves"]] == [leaf["pointer"] for leaf in found["leaves"]]
    assert rest["leaves"][0] == rest["tree"]["args"][0]
    assert [leaf["pointer"] for leaf in found["leaves"]] == ["/args/0", "/args/1/arg", "/args/2"]
    assert found["fewest"] == rest["fewest"]
    assert (found["result"], found["flipsAt"]) == (rest["result"], rest["flips_at"])
    where = '{ and: [{ cmp: { of: "arr", cmp: ge, value: 50000 } }, { empty: { of: "health" } }] }'
    told = await asked(
        office, f'{{ explainAccount(externalId: "{rest["external_id"]}", where: {where}) {{ result text }} }}'
    )
    assert told["data"]["explainAccount"] == {"result": True, "text": "arr >= 50000 AND health IS EMPTY"}
    told = await asked(office, '{ explainContact(externalId: "nobody", filter: "ALL") { result } }')
    assert told["errors"][0]["extensions"]["status"] == 404


async def test_criteria_of_a_list(office: House) -> None:
    body = {"entity": "accounts", "name": "Big", "criteria": {"text": "arr >= $least"}, "visibility": "public",
            "params": [{"name": "least", "type": "number", "default": 200000}]}  # fmt: skip
    made = await sent(office.admin, "/v1/lists", body)
    told = await explained(office, list=made["id"])
    assert (told["result"], told["tree"]["value"], told["tree"]["threshold"]) == (
        False,
        120000.5,
        {"cmp": "ge", "value": 200000},
    )
    assert told["fewest"] == [{"pointer": "", "text": "arr >= $least"}]
    assert (await explained(office, list=made["id"], params={"least": 100}))["result"]
    inner = await explained(office, filter=f'NOT in_list("{made["id"]}")')
    listed = inner["tree"]["args"][0]
    assert (inner["result"], listed["op"], listed["name"], listed["result"]) == (True, "list", "Big", False)
    assert listed["args"][0]["pointer"] == "/arg/list"


async def test_a_list_that_waits_for_a_value_says_where(office: House) -> None:
    body = {"entity": "accounts", "name": "Open", "criteria": {"text": "arr >= $least"}, "visibility": "public",
            "params": [{"name": "least", "type": "number"}]}  # fmt: skip
    made = await sent(office.admin, "/v1/lists", body)
    asked_ = {"external_id": ASKED["external_id"], "list": made["id"]}
    answer = await office.viewer.post("/v1/criteria/explain", json=asked_)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/params/least")
    assert (await explained(office, list=made["id"], params={"least": 100}))["result"]


async def test_more_leaves_than_a_row_has_columns(office: House) -> None:
    many = " OR ".join(f"arr = {n}" for n in range(99))
    made = await sent(
        office.admin,
        "/v1/lists",
        {"entity": "accounts", "name": "Many", "criteria": {"text": many}, "visibility": "public"},
    )
    told = await explained(office, filter=" OR ".join([f'in_list("{made["id"]}")'] * 9))
    assert told["result"] is False
    assert [len(one["args"][0]["args"]) for one in told["tree"]["args"]] == [99] * 9
    assert told["fewest"] == [{"pointer": "/args/0/list/args/0", "text": "arr = 0"}]


async def test_contacts(office: House) -> None:
    contact = (await office.viewer.get("/v1/contacts")).json()["data"][0]
    told = await sent(office.viewer, "/v1/criteria/explain", {
        "entity": "contacts", "id": contact["id"], "filter": 'account.arr > 5 AND email : "nobody"',
    })  # fmt: skip
    assert [leaf["value"] for leaf in told["tree"]["args"]] == [120000.5, "ann@acme.example"]
    assert [one["pointer"] for one in told["fewest"]] == ["/args/1"]


async def test_where_an_account_stands_and_why(office: House) -> None:
    account = (await explained(office, filter="ALL"))["id"]
    every = (await office.viewer.get(f"/v1/accounts/{account}/segments")).json()["data"]
    assert [one["segmentation"] for one in every] == ["care", "portfolio", "tier"]
    stands = every[0]
    assert (stands["segmentation"], stands["segment"], stands["segment_name"]) == ("care", "calm", "Calm")
    assert (stands["reason"], stands["state"]) == ("definition", "fresh")
    told = (await office.viewer.get(f"/v1/accounts/{account}/segments/care/explain")).json()
    assert (told["segment"], told["stands"]["segment"], told["becomes"], told["flips_at"]) == (
        "calm",
        "calm",
        None,
        None,
    )
    assert [one["decides"] for one in told["segments"]] == [False, False]
    assert [len(one["fewest"]) for one in told["segments"]] == [1, 1]
    one = await explained(office, segmentation="care", segment="watch")
    assert one["text"] == "renewal_date IN next(90d) OR arr >= 500000"
    document = 'query($id: ID!) { accountSegments(id: $id) { segmentation segment } explainSegments(id: $id, segmentation: "care") { segment segments { segment decides text leaves { op } } } }'
    found = (await asked(office, document, id=account))["data"]
    assert found["accountSegments"][0] == {"segmentation": "care", "segment": "calm"}
    assert [len(one["leaves"]) for one in found["explainSegments"]["segments"]] == [1, 2]


async def test_when_it_comes_into_another_segment(office: House) -> None:
    body = {"name": "Soon", "external_id": "soon", "renewal_date": "2199-06-30"}
    account = (await sent(office.admin, "/v1/accounts", body))["id"]
    told = (await office.viewer.get(f"/v1/accounts/{account}/segments/care/explain")).json()
    assert (told["segment"], told["becomes"], told["flips_at"]) == ("calm", "watch", "2199-04-02T00:00:00Z")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 422, "/filter"),
        ({"filter": "ALL", "criteria": {"op": "all"}}, 422, "/criteria"),
        ({"filter": "arr >"}, 400, "/filter"),
        ({"filter": "ar > 5"}, 422, "/filter"),
        ({"criteria": {"op": "cmp", "of": "ar", "cmp": "gt", "value": 5}}, 422, "/criteria"),
        ({"filter": "ALL", "id": "x"}, 422, "/id"),
        ({"filter": 5}, 422, "/filter"),
        ({"filter": "ALL", "fliter": "ALL"}, 422, "/fliter"),
        ({"filter": "ALL", "entity": "invoices"}, 422, "/entity"),
        ({"filter": "ALL", "tz": "Berlin"}, 422, "/tz"),
        ({"filter": "ALL", "as_of": "soon"}, 422, "/as_of"),
        ({"filter": "ALL", "params": {"x": []}}, 422, "/params/x"),
        ({"segmentation": "care"}, 422, "/segment"),
        ({"segmentation": "care", "segment": "watch", "tz": "UTC"}, 422, "/tz"),
        ({"segmentation": "care", "segment": "watch", "entity": "contacts"}, 422, "/entity"),
        ({"segmentation": "care", "segment": "nothing"}, 404, None),
        ({"segmentation": "nothing", "segment": "watch"}, 404, None),
        ({"list": "nothing"}, 404, None),
        ({"external_id": "\x00", "filter": "ALL"}, 400, None),
        ({"external_id": "nobody", "filter": "ALL"}, 404, None),
    ],
)
async def test_what_is_no_question(office: House, body: Mapping[str, Any], status: int, pointer: str | None) -> None:
    answer = await office.viewer.post("/v1/criteria/explain", json={"external_id": ACCOUNT["external_id"], **body})
    assert answer.status_code == status, answer.text
    pointers = [fault["pointer"] for fault in answer.json()["errors"]]
    assert pointer is None or any(one is not None and one.startswith(pointer) for one in pointers), pointers


async def test_faults_point_into_the_arguments(office: House) -> None:
    told = await asked(
        office,
        '{ explainAccount(externalId: "x", where: { and: [{ cmp: { of: "ar", cmp: gt, value: 5 } }] }) { result } }',
    )
    (fault,) = told["errors"][0]["extensions"]["errors"]
    assert fault["pointer"].startswith("/where/and/0/cmp")
    assert fault["suggestion"] == "arr"


async def test_another_workspace_has_no_such_account(office: House, stranger: House) -> None:
    account = (await explained(office, filter="ALL"))["id"]
    for path in (f"/v1/accounts/{account}/segments", f"/v1/accounts/{account}/segments/care/explain"):
        assert (await stranger.viewer.get(path)).status_code == 404
    body = {"id": account, "filter": "ALL"}
    assert (await stranger.viewer.post("/v1/criteria/explain", json=body)).status_code == 404
