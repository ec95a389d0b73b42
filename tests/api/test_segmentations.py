"""Segmentations over both doors: presets, a draft from keeping to rollback, pins, history, who stood where on a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

SIZE: dict[str, Any] = {
    "name": "Size", "kind": "rules", "rest": "small",
    "segments": [{"slug": "big", "name": "Big", "criteria": {"text": "arr >= 100"}}],
}  # fmt: skip
TIERS: dict[str, Any] = {
    "name": "Tiers", "kind": "bands", "spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.99]}},
    "segments": [{"slug": "high", "name": "High"}, {"slug": "low", "name": "Low"}],
}  # fmt: skip
LOWER = SIZE | {
    "segments": [{"slug": "big", "name": "Big", "criteria": {"op": "cmp", "of": "arr", "cmp": "ge", "value": 10}}]
}


@pytest.fixture(scope="module")
async def house(server: Server, database: Database) -> House:
    return await furnished(database, server, "Segments")


async def sent(client: httpx.AsyncClient, method: str, path: str, body: Any = None, etag: str | None = None) -> Any:
    headers = {"if-match": etag} if etag else {}
    answer = await client.request(method, path, json=body, headers=headers)
    assert answer.is_success, f"{method} {path}: {answer.text}"
    return answer


async def ask(client: httpx.AsyncClient, document: str, **variables: Any) -> Any:
    answer = (await client.post("/graphql", json={"query": document, "variables": variables})).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def test_every_preset_can_be_put_over_either_door(house: House) -> None:
    found = (await sent(house.manager, "GET", "/v1/segmentations/presets")).json()
    listed = await ask(house.viewer, "{ segmentationPresets { slug definition source } }")
    assert {one["slug"]: one["definition"] for one in listed["segmentationPresets"]} == found["data"]
    put = """mutation($slug: String!, $input: SegmentationInput!) { putSegmentation(slug: $slug, input: $input) {
      segmentation { kind state rules { slug x lane } cuts { field at within books } segments { slug accounts } } } }"""
    for slug, body in found["data"].items():
        made = (await sent(house.manager, "PUT", f"/v1/segmentations/rest-{slug}", body)).json()
        given = {**body, "segments": [_input(one) for one in body["segments"]]}
        other = (await ask(house.manager, put, slug=f"gql-{slug}", input=given))["putSegmentation"]["segmentation"]
        assert other["cuts"] == [
            {name: cut[name] for name in ("field", "at", "within", "books")} for cut in made["cuts"]
        ]
        assert [rule["slug"] for rule in other["rules"]] == [one["slug"] for one in made["segments"]]
        assert (other["state"], made["state"]) == ("fresh", "fresh")
        counted = (await sent(house.viewer, "GET", f"/v1/segmentations/rest-{slug}/segments")).json()["data"]
        assert other["segments"] == [{"slug": one["slug"], "accounts": one["accounts"]} for one in counted]


def _input(segment: dict[str, Any]) -> dict[str, Any]:
    return segment | ({"criteria": {"text": segment["criteria"]}} if "criteria" in segment else {})


async def test_a_draft_from_keeping_to_rollback(house: House) -> None:
    path, admin = "/v1/segmentations/size", house.manager
    made = await sent(admin, "PUT", path, SIZE)
    draft = await sent(admin, "PUT", f"{path}/draft", LOWER)
    assert draft.status_code == 201
    read = await sent(house.viewer, "GET", f"{path}/draft")
    assert read.headers["etag"] == draft.headers["etag"]
    told = (await sent(house.viewer, "POST", f"{path}/simulate", {})).json()
    query = '{ simulateSegmentation(slug: "size") { moved { accounts arr } segments { slug before { accounts } after { accounts } } } }'
    same = (await ask(house.viewer, query))["simulateSegmentation"]
    assert same["moved"] == told["moved"]
    published = await sent(admin, "POST", f"{path}/publish", {"note": "Lower."}, made.headers["etag"])
    assert published.json()["version"] == 2
    back = await sent(admin, "POST", f"{path}/rollback", {"version": 1}, published.headers["etag"])
    assert back.json()["segments"][0]["criteria"]["text"] == "arr >= 100"
    page = (await sent(house.viewer, "GET", f"{path}/versions?limit=2")).json()
    rest = (await sent(house.viewer, "GET", f"{path}/versions?limit=2&cursor={page['page']['next']}")).json()
    listed = [(one["version"], one["cause"]) for one in page["data"] + rest["data"]]
    assert listed == [(3, "rollback"), (2, "publish"), (1, "put")]
    versions = await ask(
        house.viewer, '{ segmentationVersions(slug: "size", first: 9) { nodes { version cause note rules { slug } } } }'
    )
    assert [(one["version"], one["cause"]) for one in versions["segmentationVersions"]["nodes"]] == listed
    missing = await admin.post(f"{path}/publish", json={}, headers={"if-match": back.headers["etag"]})
    assert missing.status_code == 404


async def test_a_pin_and_the_way_that_an_account_went(house: House) -> None:
    await sent(house.manager, "PUT", "/v1/segmentations/way", SIZE)
    account = (await sent(house.manager, "POST", "/v1/accounts", {"name": "Pinned", "arr": 5})).json()["id"]
    path = f"/v1/accounts/{account}/segments"
    pin = await sent(house.manager, "PUT", f"{path}/way/pin", {"segment": "big", "reason": "A pilot."})
    assert (pin.status_code, pin.json()["segment"]) == (200, "big")
    stands = next(one for one in (await sent(house.viewer, "GET", path)).json()["data"] if one["segmentation"] == "way")
    assert (stands["segment"], stands["reason"], stands["pin"]["reason"]) == ("big", "pin", "A pilot.")
    explained = (await sent(house.viewer, "GET", f"{path}/way/explain")).json()
    assert (explained["segment"], explained["stands"]["segment"], explained["stands"]["reason"]) == (
        "small",
        "big",
        "pin",
    )
    gone = 'mutation($id: ID!) { unpinAccount(id: $id, segmentation: "way") { id } }'
    assert (await ask(house.manager, gone, id=account))["unpinAccount"] == {"id": account}
    went = (await sent(house.viewer, "GET", f"{path}/way/history")).json()["data"]
    assert [one["segment"] for one in went] == ["small", "big", "small"]
    query = """query($id: ID!, $on: String) { segmentHistory(id: $id, segmentation: "way") { nodes { segment reason } }
      accountSegments(id: $id, on: $on) { segmentation segment } }"""
    today = datetime.now(UTC).date().isoformat()
    found = await ask(house.viewer, query, id=account, on=today)
    assert [one["segment"] for one in found["segmentHistory"]["nodes"]] == ["small", "big", "small"]
    assert {"segmentation": "way", "segment": "small"} in found["accountSegments"]
    on = (await sent(house.viewer, "GET", f"/v1/segmentations/way/accounts?segment=small&on={today}&limit=1000")).json()
    assert account in [one["id"] for one in on["data"]]
    counted = (await sent(house.viewer, "GET", f"/v1/segmentations/way/segments?on={today}")).json()
    assert counted["on"] == today
    refused = await house.manager.put(f"{path}/way/pin", json={"segment": "bigg", "reason": "R"})
    assert refused.json()["errors"][0]["suggestion"] == "big"


async def test_a_band_and_a_confirmation_say_why_an_account_stays(house: House) -> None:
    bands = {
        "name": "Steady", "kind": "bands", "spec": {"field": "arr", "cuts": {"by": "absolute", "at": [1000]}},
        "segments": [{"slug": "high", "name": "High"}, {"slug": "low", "name": "Low"}], "band": 0.1, "confirm": "2d",
    }  # fmt: skip
    refused = await house.manager.put("/v1/segmentations/steady", json=bands | {"band": 10, "confirm": "2 days"})
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/band", "/confirm"]
    made = await sent(house.manager, "PUT", "/v1/segmentations/steady", bands)
    assert (made.json()["band"], made.json()["confirm"]) == (0.1, "2d")
    account = (await sent(house.manager, "POST", "/v1/accounts", {"name": "Wavering", "arr": 1000})).json()["id"]
    path = f"/v1/accounts/{account}"

    async def pending(arr: int) -> tuple[str, Any]:
        etag = (await sent(house.manager, "GET", path)).headers["etag"]
        await sent(house.manager, "PATCH", path, {"arr": arr}, etag)
        every = (await sent(house.viewer, "GET", f"{path}/segments")).json()["data"]
        one = next(one for one in every if one["segmentation"] == "steady")
        query = """query($id: ID!) { accountSegments(id: $id) { segmentation segment
          pending { segment segmentName heldBy since movesAt } } }"""
        same = (await ask(house.viewer, query, id=account))["accountSegments"]
        told = next(one for one in same if one["segmentation"] == "steady")["pending"]
        assert list((told or {}).values()) == list((one["pending"] or {}).values())
        explained = (await sent(house.viewer, "GET", f"{path}/segments/steady/explain")).json()
        assert explained["stands"]["pending"] == one["pending"]
        return one["segment"], one["pending"]

    assert await pending(950) == (
        "high", {"segment": "low", "segment_name": "Low", "held_by": "band", "since": None, "moves_at": None},
    )  # fmt: skip
    segment, waits = await pending(500)
    assert (segment, waits["segment"], waits["held_by"]) == ("high", "low", "confirmation")
    since, moves_at = (datetime.fromisoformat(waits[name]) for name in ("since", "moves_at"))
    assert moves_at - since == timedelta(days=2)
    assert await pending(1001) == ("high", None)
    versions = await ask(house.viewer, '{ segmentationVersions(slug: "steady", first: 1) { nodes { band confirm } } }')
    assert versions["segmentationVersions"]["nodes"] == [{"band": 0.1, "confirm": "2d"}]


async def test_the_definition_that_is_answered_is_put_back_over_either_door_and_changes_nothing(house: House) -> None:
    put = """mutation($slug: String!, $input: SegmentationInput!, $version: Int!) {
      putSegmentation(slug: $slug, input: $input, expectedVersion: $version) { segmentation { version definition } } }"""
    bodies = (await house.viewer.get("/v1/segmentations/presets")).json()["data"]
    for slug, body in {**bodies, "sized": SIZE}.items():
        path = f"/v1/segmentations/again-{slug}"
        made = await sent(house.manager, "PUT", path, body)
        told = (await sent(house.viewer, "GET", path)).json()
        again = await sent(house.manager, "PUT", path, told["definition"], made.headers["etag"])
        assert (again.status_code, again.json()) == (200, told), slug
        assert again.headers["etag"] == made.headers["etag"]
        query = f'{{ segmentation(slug: "again-{slug}") {{ version definition }} }}'
        shown = (await ask(house.viewer, query))["segmentation"]
        assert shown["definition"] == told["definition"]
        same = await ask(house.manager, put, slug=f"again-{slug}", input=shown["definition"], version=1)
        assert same["putSegmentation"]["segmentation"] == {"version": 1, "definition": told["definition"]}
        back = await sent(house.manager, "POST", f"{path}/rollback", {"version": 1}, made.headers["etag"])
        assert back.json() == told
        await sent(house.manager, "DELETE", path, None, made.headers["etag"])


async def test_both_doors_tell_and_refuse_what_leaves_a_named_segment_out(house: House) -> None:
    path = "/v1/segmentations/named"
    await sent(house.manager, "PUT", path, SIZE)
    said = {
        "entity": "accounts",
        "name": "The big ones",
        "visibility": "public",
        "criteria": {"text": 'segment.named = "big"'},
    }
    listed = (await sent(house.manager, "POST", "/v1/lists", said)).json()
    large = SIZE | {"segments": [{"slug": "large", "name": "Large", "criteria": {"text": "arr >= 100"}}]}
    put = """mutation($input: SegmentationInput!) { putSegmentation(slug: "named", input: $input, expectedVersion: 1) {
      segmentation { version } } }"""
    over = (await house.manager.post("/graphql", json={"query": put, "variables": {"input": large}})).json()
    refused = await house.manager.put(path, json=large, headers={"if-match": '"1"'})
    assert refused.status_code == 409
    (fault,) = refused.json()["errors"]
    assert fault["message"] == "Expected no saved lists that name the segment Big (big): 1 saved list (The big ones)."
    assert over["errors"][0]["extensions"]["errors"] == [fault | {"pointer": "/input/segments"}]
    query = """query($input: SegmentationInput!) { simulateSegmentation(slug: "named", input: $input) {
      removed { slug name becomes dependents { what count examples } } } }"""
    told = (await sent(house.viewer, "POST", f"{path}/simulate", large)).json()["removed"]
    assert told == [
        {
            "slug": "big",
            "name": "Big",
            "becomes": None,
            "dependents": [{"what": "saved lists", "count": 1, "examples": ["The big ones"]}],
        }
    ]
    assert (await ask(house.viewer, query, input=large))["simulateSegmentation"]["removed"] == told
    done = await ask(house.manager, put, input=large | {"replace": {"big": "large"}})
    assert done["putSegmentation"]["segmentation"]["version"] == 2
    follows = (await sent(house.manager, "GET", f"/v1/lists/{listed['id']}")).json()
    assert (follows["criteria"]["text"], follows["state"]) == ('segment.named = "large"', "ok")
    back = await sent(house.manager, "POST", f"{path}/rollback", {"version": 1, "with_dependents": True}, '"2"')
    assert back.json()["version"] == 3
    assert (await sent(house.manager, "GET", f"/v1/lists/{listed['id']}")).json()["state"] == "broken"


async def test_a_segment_that_is_not_there_is_named_with_the_nearest(house: House) -> None:
    path = "/v1/segmentations/near"
    await sent(house.manager, "PUT", path, SIZE)
    answer = await house.viewer.get(f"{path}/accounts?segment=bgi")
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["parameter"], fault["suggestion"]) == (422, "segment", "big")
    query = '{ segmentation(slug: "near") { accounts(segment: "bgi") { nodes { id } } } }'
    (told,) = (await house.viewer.post("/graphql", json={"query": query})).json()["errors"]
    assert [(one["pointer"], one["suggestion"]) for one in told["extensions"]["errors"]] == [("/segment", "big")]
    account = (await sent(house.manager, "POST", "/v1/accounts", {"name": "Near"})).json()["id"]
    pin = f"/v1/accounts/{account}/segments/near/pin"
    for segment in ("bgi", "Big"):
        refused = await house.manager.put(pin, json={"segment": segment, "reason": "Because"})
        (fault,) = refused.json()["errors"]
        assert (refused.status_code, fault["pointer"], fault["suggestion"]) == (422, "/segment", "big")
    refused = await house.manager.put(
        pin, json={"segment": "big", "reason": "Because", "until": "2030-01-01T00:00:00Z"}
    )
    assert refused.json()["errors"][0]["suggestion"] == "expires_at"
    missing = await house.manager.delete(pin)
    assert (missing.status_code, missing.json()["detail"]) == (404, "The account is not pinned in this segmentation.")


async def test_what_needs_nothing_told_takes_no_body(house: House) -> None:
    path = "/v1/segmentations/bare"
    await sent(house.manager, "PUT", f"{path}/draft", SIZE)
    assert (await house.viewer.post(f"{path}/simulate")).json()["segments"][0]["slug"] == "big"
    assert (await house.manager.post(f"{path}/publish")).json()["version"] == 1
    again = await house.manager.post(f"{path}/publish", headers={"if-match": '"1"'})
    assert (again.status_code, again.json()["detail"]) == (
        404,
        "There is no draft of this segmentation: put one first.",
    )


async def test_both_doors_say_what_was_expected_of_bands_without_cuts(house: House) -> None:
    body = TIERS | {"spec": {"field": "arr"}}
    refused = (await house.manager.put("/v1/segmentations/cutless", json=body)).json()["errors"]
    assert [(one["pointer"], one["message"][:26]) for one in refused] == [("/spec/cuts", "Expected where it is cut, ")]
    put = 'mutation($input: SegmentationInput!) { putSegmentation(slug: "cutless", input: $input) { created } }'
    over = (await house.manager.post("/graphql", json={"query": put, "variables": {"input": body}})).json()
    assert over["errors"][0]["extensions"]["errors"] == [
        one | {"pointer": f"/input{one['pointer']}"} for one in refused
    ]


async def test_both_doors_put_back_what_they_answered_and_take_cuts_anew_when_asked(house: House) -> None:
    path = "/v1/segmentations/thirds"
    await sent(house.manager, "POST", "/v1/accounts", {"name": "First", "arr": 5})
    await sent(house.manager, "PUT", path, TIERS)
    got = await sent(house.viewer, "GET", path)
    back = await house.manager.put(path, json=got.json()["definition"], headers={"if-match": got.headers["etag"]})
    assert (back.status_code, back.headers["etag"]) == (200, got.headers["etag"])
    await sent(house.manager, "POST", "/v1/accounts", {"name": "Newcomer", "arr": 10**9})
    change = """mutation($input: SegmentationInput!, $version: Int!) {
      putSegmentation(slug: "thirds", input: $input, expectedVersion: $version) { segmentation { version cuts { at taken } } } }"""
    wanted = got.json()["definition"] | {"name": "Called otherwise"}
    named = (await ask(house.manager, change, input=wanted, version=1))["putSegmentation"]["segmentation"]
    assert named == {"version": 2, "cuts": [{"at": got.json()["cuts"][0]["at"], "taken": [False]}]}
    assert (await house.manager.post(f"{path}/refreeze", headers={"if-match": '"1"'})).status_code == 412
    anew = """mutation { refreezeSegmentation(slug: "thirds", input: {note: "It grew"}, expectedVersion: 2) {
      segmentation { version cuts { at taken } } } }"""
    taken = (await ask(house.manager, anew))["refreezeSegmentation"]["segmentation"]
    assert (taken["version"], taken["cuts"][0]["taken"]) == (3, [True])
    assert taken["cuts"][0]["at"] > named["cuts"][0]["at"]
    same = (await sent(house.manager, "POST", f"{path}/refreeze", {}, '"3"')).json()
    assert (same["version"], same["cuts"][0]["at"]) == (3, taken["cuts"][0]["at"])
