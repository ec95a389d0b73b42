"""Stages over REST: in order, guarded by versions, and accounts moved through them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

USUAL = ["trial", "onboarding", "adoption", "established", "advocate"]


@pytest.fixture
async def own(server: Server, database: Database, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A workspace for one test: others need the usual stages."""
    made = await furnished(database, server, f"Stages-{abs(hash(request.node.name))}")
    yield made
    for each in made.clients.values():
        await each.aclose()


async def order(house: House) -> list[str]:
    answer = await house.viewer.get("/v1/stages", params={"sort": "position"})
    assert [one["position"] for one in answer.json()["data"]] == list(range(1, len(answer.json()["data"]) + 1))
    return [one["slug"] for one in answer.json()["data"]]


async def tag(house: House, path: str) -> dict[str, str]:
    return {"if-match": (await house.viewer.get(path)).headers["etag"]}


async def account(house: House, **said: Any) -> str:
    answer = await house.manager.post("/v1/accounts", json={"name": "Acme", **said})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


async def test_a_stage_from_making_to_its_end(own: House) -> None:
    made = await own.manager.post("/v1/stages", json={"slug": "signed", "name": "Signed", "position": 2})
    assert (made.status_code, made.headers["location"]) == (201, "/v1/stages/signed")
    read = await own.viewer.get("/v1/stages/signed")
    assert (read.content, read.headers["etag"]) == (made.content, made.headers["etag"])
    assert await order(own) == ["trial", "signed", *USUAL[1:]]
    moved = await own.manager.patch(
        "/v1/stages/signed", json={"position": 1}, headers={"if-match": made.headers["etag"]}
    )
    assert (moved.status_code, moved.json()["position"], moved.json()["version"]) == (200, 1, 2)
    stale = await own.manager.patch("/v1/stages/signed", json={"name": "X"}, headers={"if-match": made.headers["etag"]})
    assert stale.status_code == 412
    assert (await own.manager.delete("/v1/stages/signed")).status_code == 428
    gone = await own.manager.delete("/v1/stages/signed", headers={"if-match": moved.headers["etag"]})
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await own.viewer.get("/v1/stages/signed")).status_code == 404
    assert await order(own) == USUAL


async def test_putting_all_in_order(own: House) -> None:
    answer = await own.manager.put("/v1/stages/order", json={"stages": USUAL[::-1]})
    assert (answer.status_code, [one["slug"] for one in answer.json()["data"]]) == (200, USUAL[::-1])
    assert await order(own) == USUAL[::-1]
    short = await own.manager.put("/v1/stages/order", json={"stages": USUAL[:4]})
    assert (short.status_code, short.json()["errors"][0]["pointer"]) == (422, "/stages")
    assert "advocate" in short.json()["detail"]
    assert (await own.csm.put("/v1/stages/order", json={"stages": USUAL})).status_code == 403


async def test_a_slug_is_made_or_changed(own: House) -> None:
    path = "/v1/stages/renewal"
    made = await own.manager.put(path, json={"name": "Renewal"}, headers={"if-none-match": "*"})
    assert (made.status_code, made.headers["location"], made.json()["position"]) == (201, path, 6)
    assert (await own.manager.put(path, json={"name": "X"})).status_code == 428
    assert (await own.manager.put(path, json={"name": "X"}, headers={"if-none-match": "*"})).status_code == 412
    changed = await own.manager.put(path, json={"name": "Renewals"}, headers={"if-match": made.headers["etag"]})
    assert (changed.status_code, changed.json()["name"]) == (200, "Renewals")


async def test_deleting_names_what_depends_or_moves_it(own: House) -> None:
    acme = await account(own, stage="adoption")
    tagged = await tag(own, "/v1/stages/adoption")
    refused = await own.manager.delete("/v1/stages/adoption", headers=tagged)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
    assert [one["message"] for one in refused.json()["errors"]] == [
        "Expected no accounts that depend on it: 1 account (Acme)."
    ]
    wrong = await own.manager.delete("/v1/stages/adoption", params={"move_to": "advocat"}, headers=tagged)
    fault = wrong.json()["errors"][0]
    assert (wrong.status_code, fault["parameter"], fault["suggestion"]) == (422, "move_to", "advocate")
    gone = await own.manager.delete("/v1/stages/adoption", params={"move_to": "advocate"}, headers=tagged)
    assert gone.status_code == 204
    assert (await own.viewer.get(acme)).json()["stage"] == "advocate"
    history = (await own.viewer.get(f"{acme}/stages")).json()["data"]
    assert [one["stage"] for one in history] == ["advocate", "adoption"]


async def test_an_account_moves_with_a_note(own: House) -> None:
    acme = await account(own, stage="trial")
    path = f"{acme}/stage"
    moved = await own.manager.post(
        path, json={"stage": "adoption", "note": "Live."}, headers={"idempotency-key": "m-1"}
    )
    again = await own.manager.post(
        path, json={"stage": "adoption", "note": "Live."}, headers={"idempotency-key": "m-1"}
    )
    assert (moved.status_code, moved.json()["stage"], moved.content) == (200, "adoption", again.content)
    assert (await own.viewer.get(acme)).headers["etag"] == moved.headers["etag"]
    standing = (await own.viewer.get(path)).json()
    assert standing == {"stage": "adoption", "stage_since": moved.json()["stage_since"], "days": 0}
    first = (await own.viewer.get(f"{acme}/stages", params={"limit": 1})).json()
    assert [(one["stage"], one["to_at"], one["note"], one["actor_name"]) for one in first["data"]] == [
        ("adoption", None, "Live.", "Manager")
    ]
    second = (await own.viewer.get(f"{acme}/stages", params={"limit": 1, "cursor": first["page"]["next"]})).json()
    assert [(one["stage"], one["to_at"]) for one in second["data"]] == [("trial", first["data"][0]["from_at"])]
    assert second["page"]["next"] is None


async def test_a_move_compares_the_version_where_one_is_told(own: House) -> None:
    acme = await account(own)
    tagged = await tag(own, acme)
    first = await own.manager.post(f"{acme}/stage", json={"stage": "trial"}, headers=tagged)
    second = await own.manager.post(f"{acme}/stage", json={"stage": "adoption"}, headers=tagged)
    third = await own.manager.post(f"{acme}/stage", json={"stage": None})
    assert (first.status_code, second.status_code, third.status_code, third.json()["stage"]) == (200, 412, 200, None)


async def test_who_may_move_whom(own: House) -> None:
    mine = await account(own, csm_id=str(own.users["csm"]))
    others = await account(own)
    for client, path, status in (
        (own.csm, mine, 200),
        (own.csm, others, 403),
        (own.viewer, mine, 403),
        (own.service, others, 200),
    ):
        answer = await client.post(f"{path}/stage", json={"stage": "trial"})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("body", "pointer", "suggestion"),
    [
        ({"stage": "trail"}, "/stage", "trial"),
        ({"note": "x"}, "/stage", None),
        ({"stage": "trial", "notes": "x"}, "/notes", "note"),
    ],
)
async def test_what_is_no_move(house: House, body: dict[str, Any], pointer: str, suggestion: str | None) -> None:
    acme = await account(house)
    answer = await house.manager.post(f"{acme}/stage", json=body)
    fault = answer.json()["errors"][0]
    assert (answer.status_code, fault["pointer"], fault["suggestion"]) == (422, pointer, suggestion)


async def test_the_summary(own: House) -> None:
    acme = await account(own, stage="trial", arr=100.5)
    await account(own, arr=7)
    await own.manager.post(f"{acme}/stage", json={"stage": "onboarding"})
    told = (await own.viewer.get("/v1/stages/summary")).json()
    shown = [(one["slug"], one["accounts"], one["arr"], one["advanced"], one["conversion"]) for one in told["data"][:2]]
    assert shown == [("trial", 0, 0, 1, 1), ("onboarding", 1, 100.5, 0, None)]
    assert told["without"] == {"accounts": 1, "arr": 7}


async def test_another_workspaces_account_and_cursor_are_not_there(house: House, stranger: House) -> None:
    theirs, ours = await account(stranger, stage="trial"), await account(house, stage="trial")
    await stranger.manager.post(f"{theirs}/stage", json={"stage": "adoption"})
    cursor = (await stranger.viewer.get(f"{theirs}/stages", params={"limit": 1})).json()["page"]["next"]
    nowhere = "/v1/accounts/01930000-0000-7000-8000-000000000000"

    async def answers(path: str) -> list[tuple[int, Any]]:
        client: httpx.AsyncClient = house.manager
        sent = [
            await client.get(f"{path}/stage"),
            await client.get(f"{path}/stages"),
            await client.post(f"{path}/stage", json={"stage": "trial"}),
        ]
        return [(one.status_code, one.json()["detail"]) for one in sent]

    assert await answers(theirs) == await answers(nowhere)
    assert {status for status, _ in await answers(theirs)} == {404}
    assert (await house.viewer.get(f"{ours}/stages", params={"cursor": cursor})).status_code == 400
