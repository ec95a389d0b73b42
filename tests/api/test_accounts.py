"""Accounts over REST: envelopes, versions, idempotency, and whose they are."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import quote

import httpx

from tests.api.conftest import House

USAGE = '{"rows": [{"feature": "reports", "day": "2026-01-20", "value": 1}]}'


async def made(client: httpx.AsyncClient, **said: Any) -> httpx.Response:
    answer = await client.post("/v1/accounts", json={"name": "Acme", **said})
    assert answer.status_code == 201, answer.text
    return answer


async def test_what_is_made_is_answered_found_and_where_it_is_said_to_be(house: House) -> None:
    answer = await made(house.manager, external_id="made/1", arr=1200.5, health=71)
    account = answer.json()
    assert answer.headers["location"] == f"/v1/accounts/{account['id']}"
    assert (account["arr"], account["mrr"], account["health_band"], account["version"]) == (1200.5, 100.04, "green", 1)
    for path in (answer.headers["location"], f"/v1/accounts/external/{quote('made/1', safe='')}"):
        read = await house.viewer.get(path)
        assert (read.status_code, read.content, read.headers["etag"]) == (200, answer.content, answer.headers["etag"])


async def test_an_etag_is_version_and_representation(house: House) -> None:
    path = (await made(house.manager)).headers["location"]
    whole, some = await house.viewer.get(path), await house.viewer.get(path, params={"fields": "name"})
    assert re.fullmatch('"1-[0-9a-f]{16}"', whole.headers["etag"])
    assert whole.headers["etag"] != some.headers["etag"]
    assert some.json() == {"name": "Acme"}
    for known in (whole.headers["etag"], "*", f"W/{whole.headers['etag']}", f'"x", {whole.headers["etag"]}'):
        same = await house.viewer.get(path, headers={"if-none-match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", whole.headers["etag"])
    assert (await house.viewer.get(path, headers={"if-none-match": some.headers["etag"]})).status_code == 200
    changed = await house.manager.patch(path, json={"health": 10}, headers={"if-match": some.headers["etag"]})
    assert (changed.status_code, changed.json()["health"], changed.json()["version"]) == (200, 10, 2)
    stale = await house.manager.patch(path, json={"health": 20}, headers={"if-match": whole.headers["etag"]})
    assert stale.status_code == 412
    assert (await house.viewer.get(path)).content == changed.content


async def test_archiving_and_bringing_back(house: House) -> None:
    path = (await made(house.manager, external_id="leaving")).headers["location"]
    tag = (await house.manager.get(path)).headers["etag"]
    gone = await house.manager.post(f"{path}/archive", headers={"if-match": tag})
    assert gone.status_code == 200
    assert gone.json()["archived_at"] is not None
    query = {"filter": 'external_id = "leaving"'}
    assert (await house.viewer.get("/v1/accounts", params=query)).json()["data"] == []
    assert len((await house.viewer.get("/v1/accounts", params={**query, "archived": "with"})).json()["data"]) == 1
    back = await house.manager.post(f"{path}/restore", headers={"if-match": gone.headers["etag"]})
    assert (back.status_code, back.json()["archived_at"]) == (200, None)


async def test_putting_under_an_external_id(house: House) -> None:
    path = "/v1/accounts/external/" + quote("put/ä b", safe="")
    first = await house.manager.put(path, json={"name": "One"})
    assert (first.status_code, first.json()["external_id"]) == (201, "put/ä b")
    assert first.headers["location"] == f"/v1/accounts/{first.json()['id']}"
    assert (await house.manager.put(path, json={"name": "Two"})).status_code == 428
    assert (await house.manager.put(path, json={"name": "Two"}, headers={"if-none-match": "*"})).status_code == 412
    second = await house.manager.put(path, json={"name": "Two"}, headers={"if-match": first.headers["etag"]})
    assert (second.status_code, second.json()["name"], second.json()["version"]) == (200, "Two", 2)


async def test_a_repeated_post_has_one_effect(house: House) -> None:
    key = {"idempotency-key": "once"}
    answers = await asyncio.gather(
        *(
            house.manager.post("/v1/accounts", json={"name": "Once over REST", "health": 5}, headers=key)
            for _ in range(8)
        )
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    bodies = {answer.content for answer in answers if answer.status_code == 201}
    assert len(bodies) == 1
    again = await house.manager.post(
        "/v1/accounts",
        content=b'{"health": 5,  "name": "Once over REST"}',
        headers={**key, "content-type": "application/json"},
    )
    assert again.content in bodies
    assert (await house.manager.post("/v1/accounts", json={"name": "Other"}, headers=key)).status_code == 422
    found = await house.viewer.get("/v1/accounts", params={"filter": 'name = "Once over REST"', "count": "exact"})
    assert found.json()["count"] == {"value": 1, "exact": True}


async def test_the_envelope_of_a_collection_and_its_pages(house: House) -> None:
    for n in range(5):
        await made(house.manager, name=f"Page {n}", arr=n)
    query = {
        "filter": 'starts_with(name, "Page") AND created_at IN last(1d)',
        "sort": "-arr",
        "fields": "name",
        "limit": "2",
    }
    names, answer = [], {}
    for _ in range(3):
        answer = (await house.viewer.get("/v1/accounts", params=query)).json()
        assert set(answer) == {"data", "page", "count", "as_of", "windows"}
        names += [one["name"] for one in answer["data"]]
        query["cursor"] = answer["page"]["next"]
    assert names == [f"Page {n}" for n in range(4, -1, -1)]
    assert answer["page"] == {"next": None, "limit": 2}
    window = answer["windows"][0]
    assert window["window"] == "last(1d)"
    assert window["hi"] == answer["as_of"]
    other = {**query, "cursor": (await house.viewer.get("/v1/accounts?limit=1")).json()["page"]["next"]}
    assert (await house.viewer.get("/v1/accounts", params=other)).status_code == 400


async def test_a_question_as_a_body_is_the_same_question(house: House) -> None:
    await made(house.manager, name="Asked twice")
    by_query = await house.viewer.get(
        "/v1/accounts", params={"filter": 'name = "Asked twice"', "fields": "name,health", "as_of": "2030-01-01"}
    )
    for said in (
        {"filter": 'name = "Asked twice"'},
        {"criteria": {"op": "cmp", "of": "name", "cmp": "eq", "value": "Asked twice"}},
    ):
        body = {**said, "fields": ["name", "health"], "as_of": "2030-01-01", "cursor": None}
        by_body = await house.viewer.post("/v1/accounts/query", json=body)
        assert by_body.content == by_query.content


async def test_a_row_s_version_is_enough_to_change_its_record(house: House) -> None:
    account_id = (await made(house.manager, name="From a page")).json()["id"]
    query = {"filter": 'name = "From a page"', "fields": "version"}
    for version in (1, 2):
        (row,) = (await house.manager.get("/v1/accounts", params=query)).json()["data"]
        assert row["version"] == version
        tag = {"if-match": f'"{row["version"]}"'}
        changed = await house.manager.patch(f"/v1/accounts/{account_id}", json={"health": version}, headers=tag)
        assert (changed.status_code, changed.json()["version"]) == (200, version + 1)
    stale = await house.manager.patch(f"/v1/accounts/{account_id}", json={"health": 9}, headers={"if-match": '"2"'})
    assert stale.status_code == 412
    gone = await house.admin.delete(f"/v1/accounts/{account_id}", headers={"if-match": '"3"'})
    assert gone.status_code == 204


async def test_anothers_account_cannot_be_told_from_none(house: House, stranger: House) -> None:
    theirs = (await made(stranger.manager, external_id="theirs")).json()["id"]
    absent = theirs[:-4] + "0000"
    tag = {"if-match": '"1-0123456789abcdef"', "content-type": "application/json"}
    for method, path, body in (
        ("GET", "/v1/accounts/{}", None), ("PATCH", "/v1/accounts/{}", "{}"), ("DELETE", "/v1/accounts/{}", None),
        ("GET", "/v1/accounts/{}/contacts", None), ("POST", "/v1/accounts/{}/restore", None),
        ("POST", "/v1/accounts/{}/archive", None), ("POST", "/v1/accounts/{}/usage", USAGE),
    ):  # fmt: skip
        answers = [
            await house.admin.request(method, path.format(one), content=body, headers=tag) for one in (theirs, absent)
        ]
        assert [answer.status_code for answer in answers] == [404, 404], path
        told = [{**answer.json(), "request_id": None} for answer in answers]
        assert told[0] == told[1]
    assert (await house.admin.get("/v1/accounts/external/theirs")).status_code == 404
    parent = await house.admin.post("/v1/accounts", json={"name": "x", "parent_id": theirs})
    missing = await house.admin.post("/v1/accounts", json={"name": "x", "parent_id": absent})
    assert (parent.status_code, parent.json()["errors"]) == (422, missing.json()["errors"])


async def test_roles(house: House) -> None:
    mine = await made(house.manager, csm_id=str(house.users["csm"]))
    others = await made(house.manager)
    for answer, client, status in (
        (mine, house.csm, 200), (others, house.csm, 403), (mine, house.viewer, 403), (others, house.service, 200),
    ):  # fmt: skip
        path, tag = answer.headers["location"], answer.headers["etag"]
        changed = await client.patch(path, json={"health": 33}, headers={"if-match": tag})
        assert changed.status_code == status
    assert (await house.csm.post("/v1/accounts", json={"name": "x"})).status_code == 403
    assert (await house.manager.get("/v1/api-keys")).status_code == 403
