"""Bulk upserts over both doors: bodies, bounds, answers, roles, retries."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from app.api.rest.bulk import LIMIT
from app.domain.catalogue import ENTITIES
from tests.api.conftest import House
from tests.api.graphql.conftest import ask

UPSERT = """mutation($entity: BulkEntity!, $records: [JSON!]!, $mode: BulkMode, $key: String) {
  bulkUpsert(entity: $entity, records: $records, mode: $mode, idempotencyKey: $key) {
    created updated unchanged rejected results { index id outcome version errors { pointer message suggestion } }
  }
}"""


async def post(client: httpx.AsyncClient, kind: str, *records: object, **more: Any) -> httpx.Response:
    headers = more.pop("headers", None)
    return await client.post(f"/v1/{kind}/bulk", json={"records": records, **more}, headers=headers)


async def test_what_a_call_answers(house: House) -> None:
    first = await post(
        house.manager,
        "accounts",
        {"external_id": "bulk-1", "name": "One", "arr": 10.5},
        {"external_id": "bulk-2", "name": "Two"},
    )
    assert (first.status_code, {name: first.json()[name] for name in ("created", "updated", "unchanged", "rejected")}) == (
        200, {"created": 2, "updated": 0, "unchanged": 0, "rejected": 0},
    )  # fmt: skip
    read = (await house.viewer.get(f"/v1/accounts/{first.json()['results'][0]['id']}")).json()
    assert (read["external_id"], read["arr"], read["version"]) == ("bulk-1", 10.5, 1)
    second = await post(
        house.manager,
        "accounts",
        {"external_id": "bulk-2", "name": "Two", "helth": 1},
        {"external_id": "bulk-1", "domain": "one.example"},
        mode="rows",
    )
    assert second.json()["results"] == [
        {"index": 0, "id": None, "outcome": "rejected", "version": None, "errors": [
            {"message": MEMBERS, "pointer": "/records/0/helth", "parameter": None, "line": None, "column": None, "suggestion": "health"}
        ]},
        {"index": 1, "id": read["id"], "outcome": "updated", "version": 2, "errors": []},
    ]  # fmt: skip
    refused = await post(
        house.manager, "accounts", {"external_id": "bulk-2", "name": "2"}, {"external_id": "bulk-1", "health": 101}
    )
    assert (refused.status_code, [one["pointer"] for one in refused.json()["errors"]]) == (422, ["/records/1/health"])


MEMBERS = "Expected a field of accounts that can be written."


async def test_both_doors_say_the_same(house: House) -> None:
    told = [
        {"external_id": "both-1", "name": "One", "renewal_date": "2027-01-31", "arr": 0.1},
        {"external_id": "both-2", "nam": "Two"},
    ]
    rest = (await post(house.manager, "accounts", *told, mode="rows")).json()
    body = await ask(house.manager, UPSERT, entity="accounts", records=told, mode="rows")
    graph = body["data"]["bulkUpsert"]
    assert (rest["created"], graph["unchanged"], rest["rejected"], graph["rejected"]) == (1, 1, 1, 1)
    assert graph["results"][0]["id"] == rest["results"][0]["id"]
    shown = [{name: one[name] for name in ("pointer", "message", "suggestion")} for one in rest["results"][1]["errors"]]
    assert graph["results"][1]["errors"] == shown
    assert [one["pointer"] for one in shown] == ["/records/1/nam", "/records/1/name"]
    over_rest = (await post(house.manager, "accounts", *told)).json()
    over_graph = (await ask(house.manager, UPSERT, entity="accounts", records=told))["errors"][0]["extensions"]
    assert {**over_rest, "request_id": None} == {**over_graph, "request_id": None}


async def test_every_kind_has_its_address(house: House) -> None:
    for name, entity in ENTITIES.items():
        answer = await house.admin.post(f"/v1/{name}/bulk", json={"records": [{"nothing": 1}]})
        assert answer.status_code in ((422,) if entity.imported else (404, 405)), (name, answer.text)


async def test_bounds_of_a_body(house: House) -> None:
    headers = {"content-type": "application/json"}
    whole = json.dumps({"records": [{"external_id": f"wide-{n}", "name": "x" * 400} for n in range(5_000)]}).encode()
    assert len(whole) > 1 << 20
    assert (await house.manager.post("/v1/accounts/bulk", content=whole, headers=headers)).json()["created"] == 5_000
    beyond = b'{"records":[]' + b" " * LIMIT + b"}"
    assert (await house.manager.post("/v1/accounts/bulk", content=beyond, headers=headers)).status_code == 413
    many = [{"external_id": f"many-{n}"} for n in range(10_001)]
    assert (await post(house.manager, "accounts", *many)).status_code == 422
    assert (await house.manager.post("/v1/accounts", content=whole, headers=headers)).status_code == 413
    assert (
        await house.manager.post("/v1/accounts/bulk", content=b"{}", headers={"content-type": "text/csv"})
    ).status_code == 415


HOSTILE = (
    b"", b"[]", b"null", b"{", b'{"records":null}', b'{"records":[[[[]]]]}', b'{"records":[{}],"mode":"some"}', b'{"records":[{}],"mode":1}',
    b'{"records":[{"external_id":"\\u0000"}]}', b'{"records":[{"external_id":"\xff"}]}', b'{"records":[{"external_id":"a","external_id":"b"}]}',
    b'{"records":[{"external_id":"a","custom":{"x":1}}]}', b'{"records":[{"external_id":"a","custom":[]}]}', b'{"records":[{"external_id":{"a":1}}]}',
    b'{"records":[{"external_id":"a","name":"A","parent":"a"}]}', b'{"records":[{"external_id":"a","arr":1e40}]}', b'{"records":[{"":1}]}',
    b'{"records":' + b"[" * 5_000 + b"]" * 5_000 + b"}", b'{"records":[' + b"{}," * 20_000 + b"{}]}",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["accounts", "usage", "users", "stages", "contacts"])
async def test_nothing_that_is_sent_is_an_error_of_ours(house: House, kind: str) -> None:
    for body in HOSTILE:
        answer = await house.admin.post(f"/v1/{kind}/bulk", content=body, headers={"content-type": "application/json"})
        assert 400 <= answer.status_code < 500, (body[:80], answer.text)


async def test_hostile_records_over_graphql(house: House) -> None:
    for records in (
        '[{external_id: "a", name: "\\u0000"}]',
        "[1, null, true]",
        "[{external_id: 123456789012345678901234567890}]",
        "[]",
        "[{arr: 1e999}]",
    ):
        document = f"mutation {{ bulkUpsert(entity: accounts, records: {records}) {{ created }} }}"
        answer = await house.admin.post("/graphql", json={"query": document})
        assert answer.status_code == 200, answer.text
        assert "internal" not in answer.text
        assert answer.json()["errors"]


async def test_a_retried_call_has_one_effect(house: House) -> None:
    key = {"idempotency-key": "bulk-once"}
    told = [{"external_id": f"retried-{n}", "name": "R"} for n in range(50)]
    answers = await asyncio.gather(*(post(house.manager, "accounts", *told, headers=key) for _ in range(6)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert (await post(house.manager, "accounts", *told, headers=key)).json()["created"] == 50
    assert (await post(house.manager, "accounts", *told[:1], headers=key)).status_code == 422
    graph = [
        (await ask(house.manager, UPSERT, entity="teams", records=[{"slug": "once", "name": "O"}], key="k"))["data"]
        for _ in range(2)
    ]
    assert graph[0] == graph[1]
    assert graph[0]["bulkUpsert"]["created"] == 1


async def test_roles(house: House) -> None:
    told = {"external_id": "role", "name": "R"}
    for client, status in (
        (house.csm, 403),
        (house.viewer, 403),
        (house.service, 200),
        (house.manager, 200),
        (house.admin, 200),
    ):
        assert (await post(client, "accounts", told)).status_code == status
    user = {"external_id": "role", "name": "R", "email": "role@example.com", "role": "viewer"}
    for client, status in ((house.manager, 403), (house.service, 403), (house.admin, 200)):
        assert (await post(client, "users", user)).status_code == status
    refused = await ask(house.manager, UPSERT, entity="users", records=[user])
    assert refused["errors"][0]["extensions"]["status"] == 403


async def test_anothers_records_cannot_be_told_from_none(house: House, stranger: House) -> None:
    theirs = (await post(stranger.manager, "accounts", {"external_id": "theirs-bulk", "name": "T"})).json()["results"][
        0
    ]["id"]
    absent = theirs[:-4] + "ffff"
    for member in ("account", "account_id"):
        answers = [
            await post(house.manager, "contacts", {"external_id": "c", "name": "C", member: one})
            for one in (theirs, absent)
        ]
        assert [answer.status_code for answer in answers] == [422, 422]
        assert answers[0].json()["errors"] == answers[1].json()["errors"]
    mine = (await post(house.manager, "accounts", {"external_id": "theirs-bulk", "name": "M"})).json()
    assert mine["created"] == 1
    assert mine["results"][0]["id"] != theirs
