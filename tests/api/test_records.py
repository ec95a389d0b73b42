"""Records over REST: every address that writes, versions, keys, whose they are, what is refused."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.api.rest import directory, related
from app.domain.catalogue import ENTITIES
from tests.api.conftest import House

EACH = pytest.mark.parametrize("entity", related.EXAMPLES)
NAMED = pytest.mark.parametrize("entity", directory.EXAMPLES)
JSON = {"content-type": "application/json"}
_numbers = itertools.count(1)


def new(entity: str, account: str) -> dict[str, Any]:
    """The documented example, of this account and with an external id of its own."""
    return {**related.EXAMPLES[entity][0], "account": account, "external_id": f"x-{next(_numbers)}"}


def named(entity: str) -> dict[str, Any]:
    return {**directory.EXAMPLES[entity][0], "slug": f"s-{next(_numbers)}"}


async def account(house: House, **said: Any) -> tuple[str, str]:
    """The external id and the id of a new account."""
    name = f"a-{next(_numbers)}"
    answer = await house.manager.post("/v1/accounts", json={"name": "Acme", "external_id": name, **said})
    assert answer.status_code == 201, answer.text
    return name, answer.json()["id"]


def tag(answer: httpx.Response) -> dict[str, str]:
    return {"if-match": answer.headers["etag"]}


@EACH
async def test_made_read_changed_and_gone(house: House, entity: str) -> None:
    name, account_id = await account(house)
    body = new(entity, name)
    made = await house.manager.post(f"/v1/{entity}", json=body)
    assert made.status_code == 201, made.text
    path = made.headers["location"]
    assert path == f"/v1/{entity}/{made.json()['id']}"
    by_name = f"/v1/{entity}/external/{body['external_id']}"
    for address in (path, by_name):
        read = await house.viewer.get(address)
        assert (read.status_code, read.content, read.headers["etag"]) == (200, made.content, made.headers["etag"])
    below = await house.viewer.get(f"/v1/accounts/{account_id}/{entity}")
    assert [one["id"] for one in below.json()["data"]] == [made.json()["id"]]
    change = dict(related.EXAMPLES[entity][1])
    assert (await house.manager.patch(path, json=change)).status_code == 428
    changed = await house.manager.patch(path, json=change, headers=tag(made))
    assert (changed.status_code, changed.json()["version"]) == (200, 2), changed.text
    stale = await house.manager.patch(path, json=change, headers=tag(made))
    assert (stale.status_code, (await house.manager.delete(path)).status_code) == (412, 428)
    assert (await house.manager.request("DELETE", path, headers=tag(changed), content=b"{}")).status_code == 400
    gone = await house.manager.delete(path, headers=tag(changed))
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await house.viewer.get(path)).status_code == (await house.viewer.get(by_name)).status_code == 404


@EACH
async def test_below_its_account_and_under_an_external_id(house: House, entity: str) -> None:
    name, account_id = await account(house)
    body = new(entity, name)
    told = {member: value for member, value in body.items() if member not in ("account", "external_id")}
    made = await house.manager.post(f"/v1/accounts/{account_id}/{entity}", json=told)
    assert (made.status_code, made.json()["account_id"]) == (201, account_id), made.text
    path = f"/v1/{entity}/external/" + quote(f"put/{body['external_id']} ä", safe="")
    first = await house.manager.put(path, json={**told, "account": name})
    assert (first.status_code, first.headers["location"]) == (201, f"/v1/{entity}/{first.json()['id']}")
    change = dict(related.EXAMPLES[entity][1])
    assert (await house.manager.put(path, json=change)).status_code == 428
    assert (await house.manager.put(path, json=change, headers={"if-none-match": "*"})).status_code == 412
    second = await house.manager.put(path, json=change, headers=tag(first))
    assert (second.status_code, second.json()["id"], second.json()["version"]) == (200, first.json()["id"], 2)
    for other in (account_id[:-4] + "0000", "nothing"):
        assert (await house.manager.post(f"/v1/accounts/{other}/{entity}", json=told)).status_code == 404


@EACH
async def test_roles(house: House, stranger: House, entity: str) -> None:
    mine, mine_id = await account(house, csm_id=str(house.users["csm"]))
    others, _ = await account(house)
    path = f"/v1/{entity}"
    made = await house.csm.post(path, json=new(entity, mine))
    assert made.status_code == 201, made.text
    assert (await house.csm.post(path, json=new(entity, others))).status_code == 403
    assert (await house.viewer.post(path, json=new(entity, mine))).status_code == 403
    said = {**new(entity, others), **({"author": "admin@ours.example"} if entity == "sentiments" else {})}
    assert (await house.service.post(path, json=said)).status_code == 201
    address, body = made.headers["location"], dict(related.EXAMPLES[entity][1])
    assert (await house.viewer.patch(address, json=body, headers=tag(made))).status_code == 403
    absent = address[:-4] + "0000"
    answers = [
        await client.request(method, at, json=body if method == "PATCH" else None, headers=tag(made))
        for client, at in ((stranger.admin, address), (house.admin, absent))
        for method in ("PATCH", "DELETE")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text.replace(answer.json()["request_id"], "") for answer in answers}) == 1
    foreign = await stranger.admin.post(path, json={**new(entity, ""), "account": mine_id})
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (422, "/account")


@EACH
async def test_fifty_equal_requests_have_one_effect(house: House, entity: str) -> None:
    name, account_id = await account(house)
    body = {**new(entity, name), "external_id": None}
    key = {"idempotency-key": f"once-{entity}-{name}"}
    answers = await asyncio.gather(*(house.manager.post(f"/v1/{entity}", json=body, headers=key) for _ in range(50)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    found = await house.viewer.get(f"/v1/accounts/{account_id}/{entity}")
    assert len(found.json()["data"]) == 1
    other = await house.manager.post(f"/v1/{entity}", json={**body, "external_id": "y"}, headers=key)
    assert other.status_code == 422


@NAMED
async def test_the_directory_is_written_by_slug(house: House, entity: str) -> None:
    body = named(entity)
    made = await house.manager.post(f"/v1/{entity}", json=body)
    path = f"/v1/{entity}/{body['slug']}"
    assert (made.status_code, made.headers.get("location")) == (201, path), made.text
    read = await house.viewer.get(path)
    assert (read.content, read.headers["etag"]) == (made.content, made.headers["etag"])
    assert (await house.manager.post(f"/v1/{entity}", json=body)).status_code == 409
    change = dict(directory.EXAMPLES[entity][1])
    for client in (house.csm, house.viewer):
        assert (await client.patch(path, json=change, headers=tag(made))).status_code == 403
    changed = await house.manager.patch(path, json=change, headers=tag(made))
    assert (changed.status_code, changed.json()["version"]) == (200, 2), changed.text
    renamed = await house.manager.patch(path, json={"slug": "other"}, headers=tag(changed))
    assert (renamed.status_code, renamed.json()["errors"][0]["pointer"]) == (422, "/slug")
    put = await house.manager.put(path, json={"name": "Put"}, headers=tag(changed))
    assert (put.status_code, put.json()["name"], put.json()["version"]) == (200, "Put", 3)
    fresh = await house.manager.put(f"{path}-2", json={"name": "Fresh"})
    assert (fresh.status_code, fresh.headers["location"]) == (201, f"{path}-2")
    assert (await house.manager.put(f"{path}-2", json={"name": "Fresh"})).status_code == 428
    assert (await house.manager.delete(path, headers=tag(put))).status_code == 204
    assert (await house.viewer.get(path)).status_code == 404


async def test_a_refused_deletion_says_what_depends(house: House) -> None:
    industry = await house.manager.post("/v1/industries", json=named("industries"))
    await account(house, name="Depends", industry=industry.json()["slug"])
    refused = await house.manager.delete(industry.headers["location"], headers=tag(industry))
    assert refused.status_code == 409
    assert "1 account (Depends)" in refused.json()["errors"][0]["message"]


async def test_usage_is_said_replaced_and_taken_away(house: House) -> None:
    feature = (await house.manager.post("/v1/features", json=named("features"))).json()["slug"]
    name, account_id = await account(house, csm_id=str(house.users["csm"]))
    row = {"account": name, "feature": feature, "day": "2026-01-20", "value": 2.5}
    said = await house.csm.post("/v1/usage", json={"rows": [row, row]})
    shown = {"account_id": account_id, "contact_id": None, "feature": feature, "day": "2026-01-20", "value": 5}
    assert (said.status_code, said.json()) == (200, {"rows": [shown]}), said.text
    below = {"rows": [{"feature": feature, "day": "2026-01-20", "value": 7}]}
    path = f"/v1/accounts/{account_id}/usage"
    assert (await house.csm.post(path, json=below)).json()["rows"][0]["value"] == 7
    assert [one["value"] for one in (await house.viewer.get(path)).json()["data"]] == [7]
    wrong = await house.csm.post("/v1/usage", json={"rows": [row, {**row, "value": "x"}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/rows/1/value")
    key = {"feature": feature, "day": "2026-01-20"}
    assert (await house.viewer.delete(path, params=key)).status_code == 403
    for params, status, parameter in (
        ({"feature": feature}, 422, "day"), ({**key, "day": "x"}, 422, "day"), ({**key, "contact": "nobody"}, 422, "contact"),
        ({**key, "value": "1"}, 422, "value"),
    ):  # fmt: skip
        refused = await house.csm.delete(path, params=params)
        assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (status, parameter)
    assert [(await house.csm.delete(path, params=key)).status_code for _ in range(2)] == [204, 404]
    assert (await house.viewer.get(path)).json()["data"] == []


async def test_an_account_is_archived_or_deleted_for_good(house: House) -> None:
    name, account_id = await account(house)
    await house.manager.post("/v1/contacts", json=new("contacts", name))
    path = f"/v1/accounts/{account_id}"
    read = await house.manager.get(path)
    assert (await house.manager.delete(path, headers=tag(read))).status_code == 403
    refused = await house.admin.delete(path, headers=tag(read))
    assert (refused.status_code, "1 contact" in refused.json()["detail"]) == (409, True)
    for query, status in (({"with": "all"}, 422), ({"with": ""}, 400), ({"without": "records"}, 422)):
        assert (await house.admin.delete(path, params=query, headers=tag(read))).status_code == status
    archived = await house.manager.post(f"{path}/archive", headers=tag(read))
    assert (archived.status_code, archived.json()["archived_at"] is None) == (200, False)
    gone = await house.admin.delete(path, params={"with": "records"}, headers=tag(archived))
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await house.viewer.get(path)).status_code == 404


HOSTILE: tuple[tuple[bytes, int], ...] = (
    (b"", 400), (b"[]", 422), (b"null", 422), (b"{", 400), (b'{"name": NaN}', 400), (b'{"name": "\\u0000"}', 400),
    (b'{"name": "a", "name": "b"}', 400), (b'{"\\ud800": 1}', 400), (b'{"name": ' + b"[" * 70 + b"]" * 70 + b"}", 400),
    (b'{"external_id": ' + b"9" * 30 + b"}", 400), (b'{"no such member": 1}', 422), (b'{"custom": {"a/b~c": 1}}', 422),
    (b'{"id": "x", "version": 1, "created_at": null}', 422), (b'{"name": "' + b"x" * (1 << 20) + b'"}', 413),
)  # fmt: skip


@pytest.mark.parametrize("entity", [*related.EXAMPLES, *directory.EXAMPLES])
async def test_hostile_bodies_are_refused_everywhere(house: House, entity: str) -> None:
    _, account_id = await account(house)
    slug = ENTITIES[entity].key == "slug"
    addresses = [("POST", f"/v1/{entity}"), ("PUT", f"/v1/{entity}/new" if slug else f"/v1/{entity}/external/new")]
    addresses += [] if slug else [("POST", f"/v1/accounts/{account_id}/{entity}")]
    for method, path in addresses:
        for body, status in HOSTILE:
            answer = await house.admin.request(method, path, content=body, headers=JSON)
            assert answer.status_code == status, (method, path, body[:80], answer.text)
