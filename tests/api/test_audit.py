"""The audit over both doors: every write and refused attempt, found by filters, read by admins alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.api.door import Door
from app.api.rest import table
from app.domain.audit import NOUNS, OPERATIONS
from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server


@pytest.fixture(scope="module")
async def house(server: Server, database: Database) -> AsyncIterator[House]:
    """A workspace of its own: what others are refused within the same minute would be counted together with it."""
    made = await furnished(database, server, "Audited")
    yield made
    for each in made.clients.values():
        await each.aclose()


async def found(client: httpx.AsyncClient, **told: Any) -> list[dict[str, Any]]:
    """The first page of entries that meet the filters."""
    answer = await client.get("/v1/audit", params=told)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["data"]
    return entries


async def made(house: House, **told: Any) -> dict[str, Any]:
    """A new account."""
    answer = await house.manager.post("/v1/accounts", json={"name": "Audited", **told})
    assert answer.status_code == 201, answer.text
    account: dict[str, Any] = answer.json()
    return account


CREATE = 'mutation($key: String) { createAccount(input: {name: "Twice"}, idempotencyKey: $key) { account { id } } }'


async def test_a_write_is_kept_with_who_what_and_how(house: House) -> None:
    answer = await house.manager.post(
        "/v1/accounts", json={"name": "Acme", "arr": 10.5}, headers={"x-request-id": "audited-1"}
    )
    account = answer.json()
    etag = {"if-match": answer.headers["etag"]}
    assert (await house.admin.patch(f"/v1/accounts/{account['id']}", json={"arr": 20}, headers=etag)).status_code == 200
    changed, created = await found(house.admin, entity_id=account["id"])
    assert created == {
        "id": created["id"], "at": created["at"], "outcome": "done", "reason": None, "door": "rest",
        "request_id": "audited-1", "actor_id": str(house.users["manager"]), "actor_name": "Manager", "role": "manager",
        "credential_id": created["credential_id"], "operation": "accounts.create", "entity": "accounts",
        "entity_id": account["id"], "before": None, "after": {"name": "Acme", "arr": 10.5}, "times": 1,
    }  # fmt: skip
    assert (changed["operation"], changed["role"]) == ("accounts.write", "admin")
    assert (changed["before"], changed["after"]) == ({"arr": 10.5}, {"arr": 20})


async def test_a_service_is_its_key(house: House) -> None:
    account = (await house.service.post("/v1/accounts", json={"name": "By a service"})).json()
    entry = (await found(house.admin, entity_id=account["id"]))[0]
    assert (entry["role"], entry["actor_name"], entry["actor_id"]) == ("service", "all", entry["credential_id"])
    assert entry in await found(house.admin, actor_id=entry["actor_id"])


async def test_over_graphql_it_is_the_same(house: House) -> None:
    asked = {"query": CREATE, "variables": {"key": "audited-2"}}
    first, again = [(await house.manager.post("/graphql", json=asked)).json() for _ in range(2)]
    assert again == first
    account = first["data"]["createAccount"]["account"]["id"]
    entries = await found(house.admin, entity_id=account)
    assert [(e["door"], e["operation"], e["after"]) for e in entries] == [
        ("graphql", "accounts.create", {"name": "Twice"})
    ]
    query = """query($id: ID, $first: Int!, $after: String) { audit(entityId: $id, outcome: done, entity: "accounts", first: $first, after: $after) {
      edges { cursor node { id } } nodes { id at outcome door role actorId actorName operation entity entityId before after times requestId credentialId reason }
      more: pageInfo { next: hasNextPage hasPreviousPage endCursor startCursor } } }"""
    told = {"query": query, "variables": {"id": account, "first": 1}}
    data = (await house.admin.post("/graphql", json=told)).json()["data"]["audit"]
    shown = {_snake(name): value for name, value in data["nodes"][0].items()}
    assert shown == entries[0]
    assert data["edges"][0]["node"] == {"id": entries[0]["id"]}
    assert data["more"] == {
        "next": False, "hasPreviousPage": False, "endCursor": data["edges"][0]["cursor"], "startCursor": data["edges"][0]["cursor"],
    }  # fmt: skip


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


async def test_what_one_request_did(house: House) -> None:
    told = {"records": [{"external_id": f"asked-{n}", "name": "Asked"} for n in range(3)]}
    answer = await house.manager.post("/v1/accounts/bulk", json=told, headers={"x-request-id": "audited-bulk"})
    ids = [one["id"] for one in answer.json()["results"]]
    (entry,) = await found(house.admin, request_id="audited-bulk")
    assert (entry["operation"], entry["after"]["ids"]) == ("records.bulk", ids)
    (row,) = await found(house.admin, entity_id=ids[1])
    assert (row["id"], row["entity"], row["entity_id"], row["before"], row["after"]) == (
        entry["id"], "accounts", ids[1], None, {"external_id": "asked-1", "name": "Asked"},
    )  # fmt: skip
    query = 'query($id: ID!) { audit(entityId: $id, requestId: "audited-bulk") { nodes { id entityId after } } }'
    asked = {"query": query, "variables": {"id": ids[1]}}
    (node,) = (await house.admin.post("/graphql", json=asked)).json()["data"]["audit"]["nodes"]
    assert node == {"id": entry["id"], "entityId": ids[1], "after": row["after"]}
    for name in ("id", "actor"):
        assert (await house.admin.get("/v1/audit", params={name: ids[1]})).status_code == 422


async def test_what_changes_nothing_or_fails_leaves_no_entry(house: House) -> None:
    account = await made(house)
    tag = {"if-match": f'"{account["version"]}-0123456789abcdef"'}
    assert (
        await house.admin.patch(f"/v1/accounts/{account['id']}", json={"name": "Audited"}, headers=tag)
    ).status_code == 200
    wrong = await house.admin.patch(f"/v1/accounts/{account['id']}", json={"industry": "none"}, headers=tag)
    assert wrong.status_code == 422
    stale = await house.admin.patch(
        f"/v1/accounts/{account['id']}", json={"name": "B"}, headers={"if-match": '"9-0123456789abcdef"'}
    )
    assert stale.status_code == 412
    assert [e["operation"] for e in await found(house.admin, entity_id=account["id"])] == ["accounts.create"]


async def test_refused_attempts_of_both_doors(house: House) -> None:
    account = await made(house)
    tag = {"if-match": f'"{account["version"]}-0123456789abcdef"', "x-request-id": "refused-1"}
    refused = await house.csm.patch(f"/v1/accounts/{account['id']}", json={"name": "Mine"}, headers=tag)
    assert refused.status_code == 403
    mutation = 'mutation($id: ID!) { mine: updateAccount(id: $id, expectedVersion: 1, input: {name: "Mine"}) { account { id } } }'
    answer = await house.csm.post("/graphql", json={"query": mutation, "variables": {"id": account["id"]}})
    assert answer.json()["errors"][0]["extensions"]["status"] == 403
    coarse = await house.viewer.post("/v1/accounts", json={"name": "x"})
    assert coarse.status_code == 403
    entries = await found(house.admin, entity_id=account["id"], outcome="refused")
    assert [(e["door"], e["operation"], e["entity"], e["reason"], e["role"], e["after"]) for e in entries] == [
        ("graphql", "accounts.write", "accounts", "forbidden", "csm", None),
        ("rest", "accounts.write", "accounts", "forbidden", "csm", None),
    ]
    assert entries[1]["request_id"] == "refused-1"
    viewer = await found(house.admin, actor_id=house.users["viewer"], outcome="refused", operation="accounts.create")
    assert [(e["entity"], e["entity_id"]) for e in viewer] == [("accounts", None)]


async def test_equal_refusals_are_not_kept_again_at_once(house: House) -> None:
    account = await made(house)
    for _ in range(20):
        assert (
            await house.viewer.delete(f"/v1/accounts/{account['id']}", headers={"if-match": "x"})
        ).status_code == 403
    assert len(await found(house.admin, entity_id=account["id"], outcome="refused")) == 1
    for _ in range(60):
        assert (await house.viewer.delete(f"/v1/accounts/{uuid4()}")).status_code == 403
    assert len(await found(house.admin, actor_id=house.users["viewer"], outcome="refused", limit=1000)) <= 20


async def test_reads_that_are_refused_leave_no_entry(house: House) -> None:
    for path in ("/v1/audit", "/v1/api-keys"):
        assert (await house.csm.get(path)).status_code == 403
    kept = await found(house.admin, outcome="refused", actor_id=house.users["csm"])
    assert {e["operation"] for e in kept} <= {"accounts.write"}


async def test_pages_follow_one_another(house: House) -> None:
    account = await made(house)
    for version in range(1, 6):
        tag = {"if-match": f'"{version}-0123456789abcdef"'}
        changed = await house.manager.patch(f"/v1/accounts/{account['id']}", json={"health": version}, headers=tag)
        assert changed.status_code == 200, changed.text
    whole = await found(house.admin, entity_id=account["id"])
    assert len(whole) == 6
    assert [e["at"] for e in whole] == sorted((e["at"] for e in whole), reverse=True)
    paged: list[Any] = []
    told: dict[str, Any] = {"entity_id": account["id"], "limit": 4}
    while True:
        answer = (await house.admin.get("/v1/audit", params=told)).json()
        paged += answer["data"]
        if answer["page"]["next"] is None:
            break
        told["cursor"] = answer["page"]["next"]
    assert paged == whole
    other = await house.admin.get("/v1/audit", params={**told, "outcome": "done"})
    assert (other.status_code, other.json()["errors"][0]["parameter"]) == (400, "cursor")


async def test_from_is_part_of_it_and_to_is_not(house: House) -> None:
    account = await made(house)
    entry = (await found(house.admin, entity_id=account["id"]))[0]
    for told, there in (({"from": entry["at"]}, 1), ({"to": entry["at"]}, 0), ({"from": entry["at"][:10]}, 1)):
        assert len(await found(house.admin, entity_id=account["id"], **told)) == there


async def test_a_time_is_asked_for_alike_over_graphql(house: House) -> None:
    account = await made(house)
    entry = (await found(house.admin, entity_id=account["id"]))[0]
    query = "query($id: ID, $from: String, $to: String) { audit(entityId: $id, from: $from, to: $to) { nodes { id } } }"
    for told, there in (
        ({"from": entry["at"]}, 1),
        ({"to": entry["at"]}, 0),
        ({"from": "2999-01-01"}, 0),
        ({"to": "2999-01-01"}, 1),
    ):
        asked = {"query": query, "variables": {"id": account["id"], **told}}
        answer = (await house.admin.post("/graphql", json=asked)).json()
        assert len(answer["data"]["audit"]["nodes"]) == there, told


async def test_names_that_no_entry_has(house: House) -> None:
    for name, value, near in (
        ("operation", "foo", None),
        ("operation", "account.write", "accounts.write"),
        ("entity", "acounts", "accounts"),
    ):
        answer = await house.admin.get("/v1/audit", params={name: value})
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert (fault["parameter"], fault["suggestion"]) == (name, near)
        query = f'{{ audit({name}: "{value}") {{ nodes {{ id }} }} }}'
        errors = (await house.admin.post("/graphql", json={"query": query})).json()["errors"]
        assert errors[0]["extensions"]["errors"] == [fault]


def test_every_write_has_a_noun() -> None:
    """What is refused is kept under the noun under which it would have been done."""
    routes = [
        r
        for r in table(Door())[0].routes
        if r.method != "GET" and r.operation in OPERATIONS and not r.operation.endswith(".read")
    ]
    assert len(routes) > 100
    for route in routes:
        assert any(part in NOUNS for part in route.path.split("/")), route.path


async def test_what_is_refused_below_an_account_is_what_it_would_have_been(house: House) -> None:
    account = await made(house)
    refused = await house.csm.post(f"/v1/accounts/{account['id']}/contacts", json={"name": "Nobody"})
    assert refused.status_code == 403, refused.text
    query = "mutation($records: [JSON!]!) { bulkUpsert(entity: contacts, records: $records) { created } }"
    answer = await house.csm.post("/graphql", json={"query": query, "variables": {"records": [{}]}})
    assert answer.json()["errors"][0]["extensions"]["status"] == 403
    kept = await found(house.admin, actor_id=house.users["csm"], outcome="refused", entity="contacts")
    assert sorted((e["door"], e["operation"], e["entity_id"]) for e in kept) == [
        ("graphql", "records.bulk", None), ("rest", "records.write", None),
    ]  # fmt: skip


async def test_filters_that_mean_nothing(house: House) -> None:
    for name, value in (
        ("from", "yesterday"),
        ("to", "2026-02-30"),
        ("actor_id", "me"),
        ("entity_id", "1"),
        ("outcome", "don"),
    ):
        answer = await house.admin.get("/v1/audit", params={name: value})
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, name), answer.text
    query = "query($first: Int!) { audit(first: $first) { nodes { id } } }"
    answer = (await house.admin.post("/graphql", json={"query": query, "variables": {"first": 0}})).json()
    assert answer["errors"][0]["extensions"]["errors"][0]["parameter"] == "first"


async def test_admins_alone_read_it_and_only_their_own(house: House, stranger: House) -> None:
    account = await made(house)
    for role in ("manager", "csm", "viewer", "service"):
        assert (await house.clients[role].get("/v1/audit")).status_code == 403
        answer = (await house.clients[role].post("/graphql", json={"query": "{ audit { nodes { id } } }"})).json()
        assert answer["errors"][0]["extensions"]["status"] == 403
    assert await found(stranger.admin, entity_id=account["id"]) == []
    assert await found(stranger.admin, actor_id=house.users["manager"]) == []
    cursor = (await house.admin.get("/v1/audit", params={"limit": 1})).json()["page"]["next"]
    foreign = await stranger.admin.get("/v1/audit", params={"limit": 1, "cursor": cursor})
    assert foreign.status_code == 400


LIST = {
    "entity": "accounts",
    "name": "Mine alone",
    "criteria": {"text": 'name = "very secret"'},
    "description": "very secret",
}


async def test_a_private_list_is_read_for_a_reason(house: House) -> None:
    made = (await house.csm.post("/v1/lists", json=LIST)).json()
    path = f"/v1/lists/{made['id']}"
    assert (await house.admin.get(path)).json()["criteria"] is None
    assert (await house.manager.get(path, params={"reason": "curious"})).status_code == 404
    for reason in (" ", "x" * 501):
        assert (await house.admin.get(path, params={"reason": reason})).status_code == 422
    told = (await house.admin.get(path, params={"reason": "the owner left"})).json()
    assert told["criteria"]["text"] == LIST["criteria"]["text"]  # type: ignore[index]  # the literal above
    query = "query($id: ID!, $reason: String) { list(id: $id, reason: $reason) { description } }"
    variables = {"id": made["id"], "reason": "asked by legal"}
    answer = (await house.admin.post("/graphql", json={"query": query, "variables": variables})).json()
    assert answer["data"]["list"] == {"description": "very secret"}
    assert (await house.csm.get(path, params={"reason": "it is mine"})).status_code == 200
    entries = await found(house.admin, entity_id=made["id"])
    assert [(e["operation"], e["role"], e["door"], e["after"]) for e in entries[:2]] == [
        ("lists.read", "admin", "graphql", {"reason": "asked by legal"}),
        ("lists.read", "admin", "rest", {"reason": "the owner left"}),
    ]
    assert len(entries) == 3
    assert "very secret" not in repr(entries)
