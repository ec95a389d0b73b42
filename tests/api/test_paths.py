"""The front and FastAPI behind it answer declared routes alike; lists, segmentations, imports and the rest answer at all."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from app import settings
from app.api import documented
from app.api.cors import Origins
from app.api.door import Door
from app.api.front import Front
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest import table
from app.api.routes import PUBLIC, Route, Table
from app.persistence.database import Database
from tests.api.conftest import House

READ = (
    "/v1/accounts?limit=2&sort=-arr&count=exact&as_of=2026-01-31",
    "/v1/accounts/external/alike",
    "/v1/accounts/external/nobody",
    "/v1/accounts?limit=-1",
    "/v1/contacts?as_of=2026-01-31",
    "/v1/stages?as_of=2026-01-31",
    "/v1/stages/trial",
    "/v1/segmentations/presets",
    "/v1/lists/templates",
    "/v1/workspace",
    "/v1/me",
    "/v1/catalog",
    "/problems/invalid",
)


@pytest.mark.parametrize("path", READ)
async def test_both_ways_give_the_same(house: House, database: Database, path: str) -> None:
    await house.manager.put("/v1/accounts/external/alike", json={"name": "Alike"})
    door = Door(database, settings.read({"STRATA_SECRET": "s" * 40}).secret)
    routes, document = table(door)
    behind = documented.application(door, routes, document, lambda _: None)  # type: ignore[arg-type,return-value]  # no lifespan is run
    told = []
    headers = {**house.viewer.headers, "x-request-id": "alike"}
    for app in (Front(door, routes, behind), behind):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://x", headers=headers
        ) as client:
            answer = await client.get(path)
            kept = {
                name: value for name, value in answer.headers.items() if name not in ("ratelimit", "content-length")
            }
            told.append((answer.status_code, kept, answer.content))
    assert told[0] == told[1]


async def test_origins_that_are_allowed(house: House, database: Database) -> None:
    door = Door(database, origins=Origins(("https://app.example",)))
    app = Front(door, table(door)[0], httpx.ASGITransport)  # type: ignore[arg-type]  # nothing reaches what is behind
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        asked = {"origin": "https://app.example", "access-control-request-method": "PATCH"}
        preflight = await client.options("/v1/workspace", headers=asked)
        assert preflight.headers["access-control-allow-origin"] == "https://app.example"
        assert "PATCH" in preflight.headers["access-control-allow-methods"]
        assert "If-Match" in preflight.headers["access-control-allow-headers"]
        read = await client.get("/v1/workspace", headers={**house.viewer.headers, "origin": "https://app.example"})
        assert "ETag" in read.headers["access-control-expose-headers"]
        assert read.headers["vary"] == "Origin"
        other = await client.get("/v1/workspace", headers={**house.viewer.headers, "origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


async def test_who_still_waits_when_the_process_ends_is_told(database: Database) -> None:
    waits = asyncio.Event()

    async def wait(_: Request) -> Answer:
        waits.set()
        await asyncio.Event().wait()
        raise AssertionError("nothing wakes it")

    app = Front(Door(database), Table((Route("GET", "/v1/long", PUBLIC, wait, "Long", "x"),)), httpx.ASGITransport)  # type: ignore[arg-type]  # nothing reaches what is behind
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        asked = asyncio.create_task(client.get("/v1/long"))
        await waits.wait()
        asked.cancel()
        answer = await asked
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/ending")
    assert {"retry-after", "x-request-id"} <= set(answer.headers)


async def test_a_list_from_its_making_to_its_end(house: House) -> None:
    for n in range(3):
        await house.manager.put(f"/v1/accounts/external/shelved-{n}", json={"name": f"Shelved {n}", "arr": n})
    body: dict[str, Any] = {
        "entity": "accounts", "name": "Shelved", "criteria": {"text": 'starts_with(name, "Shelved") AND arr >= $least'},
        "columns": ["name", "csm.name"], "sort": ["-arr"], "visibility": "public",
        "params": [{"name": "least", "type": "number", "default": 0}],
    }  # fmt: skip
    new = await house.csm.post("/v1/lists", json=body)
    assert new.status_code == 201, new.text
    path = new.headers["location"]
    assert (await house.viewer.get(path)).content == new.content
    rows = (await house.viewer.get(f"{path}/rows")).json()
    assert [row["name"] for row in rows["data"]] == ["Shelved 2", "Shelved 1", "Shelved 0"]
    assert list(rows["data"][0]) == ["id", "version", "name", "csm"]
    some = (await house.viewer.get(f"{path}/rows?param.least=1&limit=1&fields=arr&count=exact")).json()
    assert (some["data"], some["count"]) == ([{"arr": 2.0}], {"value": 2, "exact": True})
    assert (await house.viewer.get(f"{path}/count")).json() == {"value": 3, "exact": True}
    wrong = await house.viewer.get(f"{path}/rows?param.most=1")
    assert (wrong.status_code, wrong.json()["errors"][0]["parameter"]) == (422, "param.most")
    mine = await house.viewer.post(f"{path}/copy", json={"name": "Mine"})
    assert (mine.status_code, mine.json()["visibility"]) == (201, "private")
    assert (await house.csm.get(mine.headers["location"])).status_code == 404
    default = await house.viewer.put("/v1/me/defaults/accounts", json={"list_id": mine.json()["id"]})
    assert default.json() == {"accounts": mine.json()["id"], "contacts": None}
    assert (await house.viewer.get("/v1/me")).json()["defaults"]["accounts"] == mine.json()["id"]
    page = (await house.viewer.get("/v1/lists?limit=1&entity=accounts")).json()
    following = (
        await house.viewer.get("/v1/lists", params={"limit": 1, "entity": "accounts", "cursor": page["page"]["next"]})
    ).json()
    assert page["data"][0]["id"] != following["data"][0]["id"]
    changed = await house.csm.patch(path, json={"name": "Renamed"}, headers={"if-match": new.headers["etag"]})
    assert changed.json()["version"] == 2
    assert (await house.csm.delete(path, headers={"if-match": changed.headers["etag"]})).status_code == 204
    assert (await house.csm.get(path)).status_code == 404


async def test_a_segmentation_and_its_picture(house: House) -> None:
    presets = (await house.manager.get("/v1/segmentations/presets")).json()["data"]
    for slug, body in presets.items():
        made = await house.manager.put(f"/v1/segmentations/own_{slug}", json=body)
        assert made.status_code == 201, made.text
        assert (await house.viewer.get(f"/v1/segmentations/own_{slug}")).headers["etag"] == made.headers["etag"]
        assert (await house.manager.put(f"/v1/segmentations/own_{slug}", json=body)).status_code == 428
        assert (await house.viewer.get(f"/v1/segmentations/own_{slug}/segments")).json()["data"]
    answer = await house.viewer.get("/v1/segmentations/own_portfolio/chart.svg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml; charset=utf-8")
    assert answer.text.startswith("<svg")
    tier = (await house.viewer.get("/v1/accounts?fields=segment.own_tier&limit=1")).json()["data"][0]
    assert set(tier["segment"]) == {"own_tier"}
    await house.manager.put("/v1/accounts/external/placed", json={"name": "Placed", "arr": 999999})
    page = (await house.viewer.get("/v1/segmentations/own_tier/accounts?segment=high&limit=1")).json()
    assert page["data"][0]["segment"] == {"own_tier": "high"}
    assert (await house.viewer.get("/v1/segmentations/own_tier/accounts?segment=none")).status_code == 422


async def test_an_import_from_file_to_rows(house: House) -> None:
    file = b"external_id,name,arr\nfile-1,First,10.50\nfile-2,Second,x\nfile-3,Third,3\n"
    sent = await house.manager.post("/v1/imports?kind=accounts", content=file, headers={"content-type": "text/csv"})
    assert sent.status_code == 202, sent.text
    key = {"content-type": "text/csv", "idempotency-key": "file"}
    once = [
        await house.manager.post("/v1/imports?kind=industries", content=b"slug,name\nore,Ore\n", headers=key)
        for _ in "12"
    ]
    assert once[0].json()["id"] == once[1].json()["id"]
    told: dict[str, Any] = {}
    for _ in range(100):
        told = (await house.manager.get(sent.headers["location"])).json()
        if told["state"] in ("done", "failed"):
            break
        await asyncio.sleep(0.05)
    assert (told["state"], told["created"], told["rejected"]) == ("done", 2, 1)
    wrong = (await house.manager.get(f"{sent.headers['location']}/errors")).json()["data"]
    assert (wrong[0]["line"], wrong[0]["column"]) == (3, "arr")
    assert (await house.viewer.get("/v1/accounts/external/file-1")).json()["arr"] == 10.5
    mapping = {"kind": "accounts", "columns": {"external_id": {"from": "key"}, "name": {"from": "label"}}}
    assert (await house.manager.put("/v1/imports/mappings/crm", json=mapping)).status_code == 200
    assert (await house.manager.get("/v1/imports/mappings/crm")).json()["mapping"] == mapping
    renamed = b"key,label\nfile-4,Fourth\n"
    sent = await house.manager.post(
        "/v1/imports?kind=accounts&mapping=crm", content=renamed, headers={"content-type": "text/csv; charset=utf-8"}
    )
    assert sent.status_code == 202, sent.text
    for target, media, status in (
        ("?kind=acounts", "text/csv", 422),
        ("", "text/csv", 400),
        ("?kind=accounts", "text/html", 415),
    ):
        answer = await house.manager.post(f"/v1/imports{target}", content=file, headers={"content-type": media})
        assert answer.status_code == status


async def test_a_forecast_is_kept(house: House) -> None:
    made = await house.manager.post(
        "/v1/forecasts", json={"from": "2026-01-01", "to": "2026-03-31", "group_by": ["month"]}
    )
    assert made.status_code == 201, made.text
    kept = await house.manager.get(made.headers["location"])
    assert (kept.content, kept.headers["etag"]) == (made.content, made.headers["etag"])
    assert (await house.manager.get("/v1/forecasts?limit=1")).json()["data"][0]["id"] == made.json()["id"]
    assert (await house.viewer.get(made.headers["location"])).status_code == 403


async def test_a_key_lives_until_it_is_revoked(house: House) -> None:
    made = await house.admin.post("/v1/api-keys", json={"name": "short", "role": "service", "scopes": ["read"]})
    assert made.status_code == 201, made.text
    token, path = made.json()["token"], made.headers["location"]
    assert (await house.admin.get(path)).json()["token"] is None
    async with httpx.AsyncClient(base_url=house.admin.base_url, headers={"authorization": f"Bearer {token}"}) as client:
        assert (await client.get("/v1/accounts?limit=1")).status_code == 200
        assert (await client.post("/v1/accounts", json={"name": "x"})).status_code == 403
        assert (await house.admin.delete(path)).json()["revoked_at"] is not None
        assert (await client.get("/v1/accounts?limit=1")).status_code == 401


async def test_settings_change_by_version(house: House) -> None:
    before = await house.admin.get("/v1/workspace")
    changed = await house.admin.patch(
        "/v1/workspace", json={"week_start": 7}, headers={"if-match": before.headers["etag"]}
    )
    assert (changed.status_code, changed.json()["week_start"]) == (200, 7)
    stale = await house.admin.patch(
        "/v1/workspace", json={"week_start": 1}, headers={"if-match": before.headers["etag"]}
    )
    assert stale.status_code == 412
