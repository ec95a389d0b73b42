"""Writes over GraphQL: the same use cases, rules and errors as REST."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.conftest import House
from tests.api.graphql.conftest import Ask

CREATE = "mutation($input: CreateAccountInput!, $key: String) { createAccount(input: $input, idempotencyKey: $key) { created account { id name arr version csm { name } } } }"
UPDATE = "mutation($id: ID!, $version: Int!, $input: UpdateAccountInput!) { updateAccount(id: $id, expectedVersion: $version, input: $input) { account { name arr health region version } } }"


async def create(ask: Ask, house: House, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = (await ask(house.admin, CREATE, input={"name": "Acme", **body}))["createAccount"]
    return made


async def test_account_from_making_to_restoring(house: House, ask: Ask, fail: Ask) -> None:
    made = await create(ask, house, arr=12345678901.25, csm="csm@ours.example", region="emea")
    assert made["created"] is True
    assert {**made["account"], "id": 0} == {
        "id": 0,
        "name": "Acme",
        "arr": 12345678901.25,
        "version": 1,
        "csm": {"name": "Csm"},
    }
    account = made["account"]["id"]
    changed = await ask(house.csm, UPDATE, id=account, version=1, input={"region": None, "health": 55.5})
    assert changed["updateAccount"]["account"] == {
        "name": "Acme",
        "arr": 12345678901.25,
        "health": 55.5,
        "region": None,
        "version": 2,
    }
    stale = await fail(house.csm, UPDATE, id=account, version=1, input={"health": 1})
    assert (stale["status"], stale["path"], stale["data"]) == (412, ["updateAccount"], {"updateAccount": None})
    for name, version, archived in (("archiveAccount", 2, True), ("restoreAccount", 3, False)):
        query = f"mutation($id: ID!, $v: Int!) {{ {name}(id: $id, expectedVersion: $v) {{ account {{ archivedAt version }} }} }}"
        found = (await ask(house.manager, query, id=account, v=version))[name]["account"]
        assert (found["archivedAt"] is not None, found["version"]) == (archived, version + 1)
    rest = await house.viewer.get(f"/v1/accounts/{account}?fields=version,health")
    assert rest.json() == {"version": 4, "health": 55.5}


async def test_money_is_exact_in_documents_and_variables(house: House, ask: Ask, fail: Ask) -> None:
    literal = 'mutation { createAccount(input: {name: "M", arr: 90071992547409.93}) { account { id } } }'
    account = (await ask(house.admin, literal))["createAccount"]["account"]["id"]
    raw = await house.viewer.get(f"/v1/accounts/{account}?fields=arr")
    assert raw.text == '{"arr":90071992547409.93}'
    assert (await fail(house.admin, CREATE, input={"name": "M", "arr": 0.001}))["errors"][0]["pointer"] == "/input/arr"
    body = '{"query": "mutation($m: Money) { createAccount(input: {name: \\"M\\", arr: $m}) { account { arr } } }", "variables": {"m": 90071992547409.93}}'
    answer = await house.admin.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert '"arr":90071992547409.93' in answer.text


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"name": "x", "country": "Germany", "renewalDate": "2026-02-30"}, None),
        (
            {"name": "x", "country": "Germany", "parentId": "x", "health": 200},
            {"/input/country", "/input/parentId", "/input/health"},
        ),
        ({"name": "x", "industry": "nope"}, {"/input/industry"}),
        ({"name": "x", "custom": {"nope": 1}}, {"/input/custom/nope"}),
        ({"name": "x", "csm": "nobody@ours.example"}, {"/input/csm"}),
        ({"name": "x\x00"}, None),
        ({"name": ""}, {"/input/name"}),
        ({}, None),
        ({"name": "x", "arr": "1"}, None),
        ({"name": "x", "mrr": 1}, None),
        ({"name": 1}, None),
        ({"name": "x", "employees": 2**40}, None),
    ],
)
async def test_refuses_what_means_nothing(house: House, body: dict[str, Any], pointers: set[str] | None) -> None:
    answer = await house.admin.post("/graphql", json={"query": CREATE, "variables": {"input": body}})
    assert answer.status_code in (200, 400)
    error = answer.json()["errors"][0]["extensions"]
    assert 400 <= error["status"] < 500
    if pointers:
        assert {fault["pointer"] for fault in error["errors"]} == pointers


async def test_upsert(house: House, ask: Ask, fail: Ask) -> None:
    query = 'mutation($name: String!, $v: Int) { upsertAccount(externalId: "ups-1", expectedVersion: $v, input: {name: $name}) { created account { name version } } }'
    assert (await ask(house.manager, query, name="A"))["upsertAccount"] == {
        "created": True,
        "account": {"name": "A", "version": 1},
    }
    assert (await fail(house.manager, query, name="B"))["status"] == 428
    assert (await ask(house.manager, query, name="B", v=1))["upsertAccount"] == {
        "created": False,
        "account": {"name": "B", "version": 2},
    }


async def test_keys(house: House, ask: Ask, fail: Ask) -> None:
    made = await asyncio.gather(
        *(ask(house.admin, CREATE, input={"name": "Once"}, key="once-1") for _ in range(3)), return_exceptions=True
    )
    done = {one["createAccount"]["account"]["id"] for one in made if isinstance(one, dict)}
    assert len(done) == 1
    again = await ask(house.admin, CREATE.replace("version", ""), input={"name": "Once"}, key="once-1")
    assert {again["createAccount"]["account"]["id"]} == done
    assert (await fail(house.admin, CREATE, input={"name": "Other"}, key="once-1"))["status"] == 422
    double = 'mutation { a: createAccount(input: {name: "D"}) { account { id } } b: createAccount(input: {name: "D"}) { account { id } } }'
    first = await ask(house.admin, double, {"idempotency-key": "header-1"})
    second = await ask(house.admin, double, {"idempotency-key": "header-1"})
    assert first == second
    assert first["a"] != first["b"]


async def test_deleting_an_account(house: House, ask: Ask, fail: Ask) -> None:
    query = "mutation($id: ID!, $v: Int!, $with: Boolean! = false) { deleteAccount(id: $id, expectedVersion: $v, withRecords: $with) { id } }"
    bare = (await create(ask, house))["account"]["id"]
    assert (await fail(house.manager, query, id=bare, v=1))["status"] == 403
    assert (await fail(house.admin, query, id=bare, v=2))["status"] == 412
    assert (await ask(house.admin, query, id=bare, v=1))["deleteAccount"] == {"id": bare}
    held = (await create(ask, house))["account"]["id"]
    contact = await house.admin.post("/v1/contacts", json={"account_id": held, "name": "Ada"})
    refused = await fail(house.admin, query, id=held, v=1)
    assert (refused["status"], refused["data"]) == (409, {"deleteAccount": None})
    assert "contact" in refused["errors"][0]["message"]
    assert (await ask(house.admin, query, **{"id": held, "v": 1, "with": True}))["deleteAccount"] == {"id": held}
    for path in (f"/v1/accounts/{held}", f"/v1/accounts/{bare}", f"/v1/contacts/{contact.json()['id']}"):
        assert (await house.admin.get(path)).status_code == 404


async def test_usage(house: House, ask: Ask, fail: Ask) -> None:
    await house.admin.post("/v1/features", json={"slug": "gql-reports", "name": "Reports"})
    account = (await create(ask, house, externalId="used", csm="csm@ours.example"))["account"]["id"]
    contact = await house.admin.post(
        "/v1/contacts", json={"account_id": account, "name": "Eve", "email": "eve@used.example"}
    )
    key = {"feature": "gql-reports", "day": "2026-11-02"}
    put = "mutation($rows: [UsageInput!]!) { putUsage(input: {rows: $rows}) { rows { accountId contactId feature day value } } }"
    rows = [{**key, "account": "used", "value": value} for value in (0.1, 0.2)]
    rows.append({**key, "accountId": account, "contact": "eve@used.example", "value": 5})
    put_there = (await ask(house.csm, put, rows=rows))["putUsage"]["rows"]
    assert put_there == [
        {"accountId": account, "contactId": None, **key, "value": 0.3},
        {"accountId": account, "contactId": contact.json()["id"], **key, "value": 5},
    ]
    read = 'query($of: String) { usage(filter: $of, orderBy: ["value"]) { totalCount nodes { accountId contactId feature day value } } }'
    found = (await ask(house.viewer, read, of='account = "used"'))["usage"]
    assert (found["nodes"], found["totalCount"]) == (put_there, 2)
    wrong = [
        {**key, "account": "used", "value": 1},
        {**key, "accountId": account, "contact": "nobody", "feature": "nope", "value": 1},
    ]
    rest = await house.csm.post(
        "/v1/usage",
        json={"rows": [{"account_id" if k == "accountId" else k: v for k, v in row.items()} for row in wrong]},
    )
    refused = await fail(house.csm, put, rows=wrong)
    assert [one["message"] for one in refused["errors"]] == [one["message"] for one in rest.json()["errors"]]
    pointers = [one["pointer"] for one in refused["errors"]]
    assert "/input/rows/1/feature" in pointers
    assert {one.replace("contactId", "contact") for one in pointers} == {
        "/input" + one["pointer"].replace("contact_id", "contact") for one in rest.json()["errors"]
    }
    assert (await fail(house.viewer, put, rows=rows))["status"] == 403
    delete = "mutation($key: UsageKeyInput!) { deleteUsage(input: $key) { account { externalId } } }"
    gone = await ask(house.csm, delete, key={**key, "accountId": account, "contact": "eve@used.example"})
    assert gone["deleteUsage"] == {"account": {"externalId": "used"}}
    assert (await fail(house.csm, delete, key={**key, "accountId": account, "contact": "eve@used.example"}))[
        "status"
    ] == 404
    assert (await ask(house.viewer, read, of='account = "used"'))["usage"]["totalCount"] == 1


async def test_one_failure_leaves_the_others(house: House) -> None:
    query = 'mutation { a: createAccount(input: {name: "Kept"}) { account { name } } b: createAccount(input: {name: ""}) { account { name } } }'
    body = (await house.admin.post("/graphql", json={"query": query})).json()
    assert body["data"] == {"a": {"account": {"name": "Kept"}}, "b": None}
    assert [error["path"] for error in body["errors"]] == [["b"]]


async def test_roles(house: House, stranger: House, ask: Ask, fail: Ask) -> None:
    for client in (house.csm, house.viewer):
        assert (await fail(client, CREATE, input={"name": "x"}))["status"] == 403
    account = (await create(ask, house))["account"]["id"]
    assert (await fail(house.csm, UPDATE, id=account, version=1, input={"health": 1}))["status"] == 403
    assert (await fail(stranger.admin, UPDATE, id=account, version=1, input={"health": 1}))["status"] == 404
    assert (await ask(house.service, UPDATE, id=account, version=1, input={"health": 1}))["updateAccount"]["account"][
        "version"
    ] == 2


LIST = "mutation($input: CreateListInput!) { createList(input: $input) { created list { id name version criteria { text tree } columns sort visibility state } } }"


async def test_lists(house: House, ask: Ask, fail: Ask) -> None:
    body = {"entity": "accounts", "name": "Large", "criteria": {"text": "arr >= $least AND name : \"lis\""}, "columns": ["name", "arr", "csm.name"],
            "sort": ["-arr"], "visibility": "public", "params": [{"name": "least", "type": "number", "default": 100}]}  # fmt: skip
    made = (await ask(house.csm, LIST, input=body))["createList"]["list"]
    assert (made["version"], made["state"], made["columns"]) == (1, "ok", body["columns"])
    listed = [(await create(ask, house, name=f"Listed {arr}", arr=arr))["account"]["id"] for arr in (50, 150, 250)]
    rows = """query($id: ID!, $params: JSON) { list(id: $id) { name rows(first: 1, params: $params) { totalCount nodes edges { cursor node } pageInfo { hasNextPage endCursor } }
      accounts(first: 5) { nodes { name } } contacts { totalCount } } }"""
    found = (await ask(house.viewer, rows, id=made["id"]))["list"]
    assert found["rows"]["nodes"] == [{"id": listed[-1], "version": 1, "name": "Listed 250", "arr": 250, "csm": None}]
    assert found["rows"]["edges"][0]["node"] == found["rows"]["nodes"][0]
    assert (found["rows"]["totalCount"], found["rows"]["pageInfo"]["hasNextPage"]) == (2, True)
    assert [one["name"] for one in found["accounts"]["nodes"]] == ["Listed 250", "Listed 150"]
    assert found["contacts"] is None
    assert (await ask(house.viewer, rows, id=made["id"], params={"least": 10}))["list"]["rows"]["totalCount"] == 3
    rest = (await house.viewer.get(f"/v1/lists/{made['id']}/rows?limit=1")).json()
    assert rest["data"] == found["rows"]["nodes"]
    update = 'mutation($id: ID!, $v: Int!) { updateList(id: $id, expectedVersion: $v, input: {name: "Larger"}) { list { name version } } }'
    assert (await ask(house.csm, update, id=made["id"], v=1))["updateList"]["list"] == {"name": "Larger", "version": 2}
    assert (await fail(house.csm, update, id=made["id"], v=1))["status"] == 412
    assert (await fail(house.viewer, update, id=made["id"], v=2))["status"] == 403
    copied = (
        await ask(
            house.viewer, "mutation($id: ID!) { copyList(id: $id) { list { id name visibility } } }", id=made["id"]
        )
    )["copyList"]["list"]
    assert copied["visibility"] == "private"
    assert (await fail(house.csm, rows, id=copied["id"]))["status"] == 404
    default = "mutation($id: ID) { setDefaultList(entity: accounts, listId: $id) { defaults { accounts contacts } } }"
    assert (await ask(house.viewer, default, id=copied["id"]))["setDefaultList"]["defaults"] == {
        "accounts": copied["id"],
        "contacts": None,
    }
    assert (await ask(house.viewer, default))["setDefaultList"]["defaults"]["accounts"] is None
    delete = "mutation($id: ID!) { deleteList(id: $id, expectedVersion: 1) { id } }"
    assert (await ask(house.viewer, delete, id=copied["id"]))["deleteList"] == {"id": copied["id"]}
    every = await ask(
        house.viewer, "{ lists(entity: accounts) { nodes { id name } } listTemplates { slug criteria { text } } }"
    )
    assert made["id"] in [one["id"] for one in every["lists"]["nodes"]]
    assert len(every["listTemplates"]) >= 7
    for refused in ("nodes { rows { totalCount } }", "edges { node { accounts { totalCount } } }"):
        assert (await fail(house.viewer, f"{{ lists {{ {refused} }} }}"))["status"] == 422


@pytest.mark.parametrize(
    ("field", "narrower", "path"),
    [
        ("lists", "entity: contacts", "/v1/lists?limit=1000&entity=contacts"),
        ("forecasts", "", "/v1/forecasts?limit=1000"),
    ],
)
async def test_walks_through_resources(house: House, ask: Ask, fail: Ask, field: str, narrower: str, path: str) -> None:
    for n in range(3):
        if field == "lists":
            await ask(
                house.admin, LIST, input={"entity": "contacts", "name": f"Walked {n % 2}", "criteria": {"text": "ALL"}}
            )
        else:
            await ask(house.admin, "mutation { createForecast(input: {}) { forecast { id } } }")
    rest = (await house.admin.get(path)).json()["data"]
    query = f"""query($after: String) {{ found: {field}({narrower} first: 2, after: $after) {{
      edges {{ cursor node {{ id }} }} nodes {{ id }} page: pageInfo {{ __typename more: hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
    seen: list[str] = []
    after, more = None, True
    while more:
        page = (await ask(house.admin, query, after=after))["found"]
        assert [edge["node"] for edge in page["edges"]] == page["nodes"]
        assert page["page"]["startCursor"] == page["edges"][0]["cursor"]
        assert page["page"]["endCursor"] == page["edges"][-1]["cursor"]
        assert (page["page"]["__typename"], page["page"]["hasPreviousPage"]) == ("PageInfo", after is not None)
        seen += [one["id"] for one in page["nodes"]]
        after, more = page["page"]["endCursor"], page["page"]["more"]
    assert seen == [one["id"] for one in rest]
    other = f'{{ {"forecasts" if field == "lists" else "lists"}(after: "{after}") {{ nodes {{ id }} }} }}'
    assert (await fail(house.admin, other))["errors"][0]["parameter"] == "after"


async def test_list_that_means_nothing(house: House, fail: Ask) -> None:
    error = await fail(house.csm, LIST, input={"entity": "accounts", "name": "x", "criteria": {"text": "arrr > 1"}})
    assert (error["status"], error["errors"][0]["pointer"], error["errors"][0]["suggestion"]) == (
        422,
        "/input/criteria/text",
        "arr",
    )


PUT = """mutation($slug: String!, $input: SegmentationInput!, $v: Int) { putSegmentation(slug: $slug, input: $input, expectedVersion: $v) {
  created segmentation { slug version rules { slug criteria { text } } segments { slug accounts arr } } } }"""


async def test_segmentations(house: House, ask: Ask, fail: Ask) -> None:
    spec = {"field": "arr", "cuts": {"by": "absolute", "at": [100, 1000.5]}}
    body = {
        "name": "Size",
        "kind": "bands",
        "spec": spec,
        "segments": [{"slug": s, "name": s} for s in ("big", "mid", "small")],
    }
    made = (await ask(house.manager, PUT, slug="size-gql", input=body))["putSegmentation"]
    assert made["created"] is True
    assert [rule["slug"] for rule in made["segmentation"]["rules"]] == ["big", "mid", "small"]
    assert (await fail(house.manager, PUT, slug="size-gql", input=body))["status"] == 428
    for name, version in (("Size", 1), ("Sizes", 2)):
        again = await ask(house.manager, PUT, slug="size-gql", input=body | {"name": name}, v=1)
        assert again["putSegmentation"]["segmentation"]["version"] == version, (
            "what stands is put again without a version"
        )
    assert (await fail(house.csm, PUT, slug="other", input=body))["status"] == 403
    await create(ask, house, name="Segmented", arr=2000)
    query = """{ segmentation(slug: "size-gql") { segments { slug accounts } accounts(segment: "big", first: 1000) { totalCount nodes { name segment(segmentation: "size-gql") } } }
      segmentations { slug state } segmentationPresets { slug definition } accounts(filter: "segment.size-gql = \\"big\\"") { totalCount } }"""
    found = await ask(house.viewer, query)
    stands = {one["slug"]: one["accounts"] for one in found["segmentation"]["segments"]}
    assert found["segmentation"]["accounts"]["totalCount"] == stands["big"] == found["accounts"]["totalCount"]
    assert {"name": "Segmented", "segment": "big"} in found["segmentation"]["accounts"]["nodes"]
    rules = {"name": "R", "kind": "rules", "segments": [{"slug": "a", "name": "A", "criteria": {"text": "arrr > 1"}}]}
    assert (await fail(house.manager, PUT, slug="rules-gql", input=rules))["errors"][0]["pointer"].startswith(
        "/input/segments/0/criteria"
    )
    assert (await fail(house.viewer, '{ segmentation(slug: "nope") { slug } }'))["status"] == 404


async def test_forecasts(house: House, ask: Ask, fail: Ask) -> None:
    query = """mutation($input: ForecastInput!) { createForecast(input: $input) { forecast { id from to asOf due { renewals accounts arr } expected
      p05 p50 p95 target targetProbability skill { verdict } groups { key due { accounts } } rates { basis segment n } } } }"""
    made = (await ask(house.manager, query, input={"groupBy": ["month"], "filter": "arr > 0", "target": 5}))[
        "createForecast"
    ]["forecast"]
    again = await ask(
        house.manager,
        "query($id: ID!) { forecast(id: $id) { id asOf due { renewals accounts arr } } forecasts(first: 1) { nodes { id } } }",
        id=made["id"],
    )
    assert again["forecast"] == {name: made[name] for name in ("id", "asOf", "due")}
    assert again["forecasts"] == {"nodes": [{"id": made["id"]}]}
    rest = (await house.manager.get(f"/v1/forecasts/{made['id']}")).json()
    assert (rest["expected"], rest["due"]) == (made["expected"], made["due"])
    where = {"cmp": {"of": "arr", "cmp": "gt", "value": 0}}
    same = (await ask(house.manager, query, input={"where": where}))["createForecast"]["forecast"]
    assert same["due"] == made["due"]
    assert (await fail(house.manager, query, input={"where": where, "filter": "ALL"}))["status"] == 422
    assert (await fail(house.manager, query, input={"filter": "arrr > 0"}))["status"] == 422
    assert (await fail(house.viewer, query, input={}))["status"] == 403
