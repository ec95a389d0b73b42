"""Scenarios and segmentations over REST: switched, and taken away when nothing depends on them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server


@pytest.fixture(scope="module")
async def own(server: Server, database: Database) -> AsyncIterator[House]:
    """A workspace with two industries and an account in each."""
    made = await furnished(database, server, "Economy")
    for slug in ("retail", "travel"):
        assert (await made.manager.post("/v1/industries", json={"slug": slug, "name": slug.title()})).status_code == 201
        assert (await made.manager.post("/v1/accounts", json={"name": slug, "industry": slug})).status_code == 201
    yield made
    for each in made.clients.values():
        await each.aclose()


async def impacts(house: House) -> dict[str, str | None]:
    answer = await house.viewer.get("/v1/accounts", params={"fields": "name,impact"})
    return {one["name"]: one["impact"] for one in answer.json()["data"]}


async def test_scenarios_from_making_to_switching_to_their_end(own: House) -> None:
    body = {"slug": "downturn", "name": "Downturn", "impacts": {"travel": "severe"}}
    made = await own.manager.post("/v1/scenarios", json=body)
    assert (made.status_code, made.headers["location"]) == (201, "/v1/scenarios/downturn")
    assert made.json()["lanes"] == {"severe": -1.2, "medium": -0.6, "low": 0}
    read = await own.viewer.get("/v1/scenarios/downturn")
    assert (read.content, read.headers["etag"]) == (made.content, made.headers["etag"])
    assert await impacts(own) == {"retail": None, "travel": "severe"}
    calm = await own.manager.put("/v1/scenarios/calm", json={"name": "Calm", "impacts": {"retail": "low"}})
    assert (calm.status_code, calm.json()["is_active"]) == (201, False)
    assert (await own.manager.patch("/v1/scenarios/calm", json={"is_active": True})).status_code == 428
    match = {"if-match": calm.headers["etag"]}
    switched = await own.manager.patch("/v1/scenarios/calm", json={"is_active": True}, headers=match)
    assert (switched.status_code, switched.json()["is_active"]) == (200, True)
    assert await impacts(own) == {"retail": "low", "travel": None}
    match = {"if-match": switched.headers["etag"]}
    assert (await own.manager.delete("/v1/scenarios/calm", headers=match)).status_code == 409
    match = {"if-match": (await own.viewer.get("/v1/scenarios/downturn")).headers["etag"]}
    assert (await own.manager.delete("/v1/scenarios/downturn", headers=match)).status_code == 204
    assert (await own.viewer.get("/v1/scenarios/downturn")).status_code == 404


async def test_what_is_no_scenario_names_the_nearest(own: House) -> None:
    body = {"slug": "x", "name": "X", "impacts": {"travl": "low", "retail": "sever"}, "lanes": {"lo": 1}}
    answer = await own.manager.post("/v1/scenarios", json=body)
    assert answer.status_code == 422
    assert [(one["pointer"], one["suggestion"]) for one in answer.json()["errors"]] == [
        ("/impacts/travl", "travel"), ("/impacts/retail", "severe"), ("/lanes/lo", "low"),
    ]  # fmt: skip
    assert (await own.csm.post("/v1/scenarios", json={"slug": "x", "name": "X"})).status_code == 403


async def test_a_segmentation_goes_when_no_list_asks_for_it(own: House) -> None:
    path = "/v1/segmentations/size"
    body = {"name": "Size", "kind": "rules", "rest": "small",
            "segments": [{"slug": "big", "name": "Big", "criteria": "employees > 500"}]}  # fmt: skip
    made = await own.manager.put(path, json=body)
    assert made.status_code == 201
    asked = {
        "entity": "accounts",
        "name": "Big ones",
        "visibility": "public",
        "criteria": {"text": 'segment.size = "big"'},
    }
    kept = await own.manager.post("/v1/lists", json=asked)
    assert kept.status_code == 201, kept.text
    match = {"if-match": made.headers["etag"]}
    assert (await own.manager.delete(path)).status_code == 428
    assert (await own.csm.delete(path, headers=match)).status_code == 403
    refused = await own.manager.delete(path, headers=match)
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (
        409, "Expected no saved lists that depend on it: 1 saved list (Big ones).",
    )  # fmt: skip
    unmade = await own.manager.delete(kept.headers["location"], headers={"if-match": kept.headers["etag"]})
    assert unmade.status_code == 204
    assert (await own.manager.delete(path, headers={"if-match": '"9-0123456789abcdef"'})).status_code == 412
    gone = await own.manager.delete(path, headers=match)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await own.viewer.get(path)).status_code == 404
    assert (await own.manager.post("/v1/accounts", json={"name": "After"})).status_code == 201
