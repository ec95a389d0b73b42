"""/v1/users over HTTP: made, changed, put, deleted, handed over; keys follow their users."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import httpx

from app.persistence.database import Database
from app.services import keys
from tests.api.conftest import House, client
from tests.servers import Server


async def _made(house: House, name: str, **more: object) -> httpx.Response:
    answer = await house.admin.post(
        "/v1/users", json={"name": name, "email": f"{name}@users.example", "role": "csm", **more}
    )
    assert answer.status_code == 201, answer.text
    return answer


async def test_a_user_lives_and_goes(house: House) -> None:
    made = await _made(house, "lives", external_id="hr/1")
    address = made.headers["location"]
    assert address == f"/v1/users/{made.json()['id']}"
    read = await house.viewer.get("/v1/users/external/hr%2F1")
    assert (read.json(), read.headers["etag"]) == (made.json(), made.headers["etag"])
    assert (await house.admin.patch(address, json={"role": "viewer"})).status_code == 428
    changed = await house.admin.patch(address, json={"role": "viewer"}, headers={"if-match": made.headers["etag"]})
    assert (changed.status_code, changed.json()["role"], changed.json()["version"]) == (200, "viewer", 2)
    stale = await house.admin.delete(address, headers={"if-match": made.headers["etag"]})
    assert stale.status_code == 412
    refused = await house.manager.delete(address, headers={"if-match": changed.headers["etag"]})
    assert refused.status_code == 403
    gone = await house.admin.delete(address, headers={"if-match": changed.headers["etag"]})
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await house.viewer.get(address)).status_code == 404


async def test_a_user_is_put_under_an_external_id(house: House) -> None:
    path, body = "/v1/users/external/put-1", {"name": "Put", "email": "put@users.example", "role": "csm"}
    made = await house.admin.put(path, json=body, headers={"if-none-match": "*"})
    assert (made.status_code, made.json()["external_id"]) == (201, "put-1")
    assert (await house.admin.put(path, json=body)).status_code == 428
    assert (await house.admin.put(path, json=body, headers={"if-none-match": "*"})).status_code == 412
    changed = await house.admin.put(path, json={"name": "Put again"}, headers={"if-match": made.headers["etag"]})
    assert (changed.status_code, changed.json()["name"], changed.json()["email"]) == (
        200,
        "Put again",
        "put@users.example",
    )


async def test_the_same_key_makes_one_user(house: House) -> None:
    body = {"name": "Once", "email": "once@users.example", "role": "csm"}
    told = [await house.admin.post("/v1/users", json=body, headers={"idempotency-key": "one-user"}) for _ in range(2)]
    assert [one.status_code for one in told] == [201, 201]
    assert told[0].content == told[1].content
    taken = await house.admin.post("/v1/users", json={**body, "email": "ONCE@users.example"})
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "/email")


async def test_a_key_follows_its_user(house: House, server: Server, database: Database) -> None:
    made = await _made(house, "follows", role="admin")
    user_id, now = UUID(made.json()["id"]), datetime.now(UTC)
    _, token = await keys.create_key(database, house.id, "k", "admin", user_id, (), now)
    async with client(server, token) as own:
        assert (await own.get("/v1/me")).json()["role"] == "admin"
        weaker = await house.admin.patch(
            made.headers["location"], json={"role": "viewer"}, headers={"if-match": made.headers["etag"]}
        )
        me = (await own.get("/v1/me")).json()
        assert (me["role"], me["name"], me["email"], me["team"]) == ("viewer", "follows", "follows@users.example", None)
        assert (await own.post("/v1/accounts", json={"name": "X"})).status_code == 403
        ended = await house.admin.patch(
            made.headers["location"], json={"is_active": False}, headers={"if-match": weaker.headers["etag"]}
        )
        assert ended.json()["is_active"] is False
        assert (await own.get("/v1/me")).status_code == 401
    refused = await house.admin.delete(made.headers["location"], headers={"if-match": ended.headers["etag"]})
    assert refused.status_code == 409
    assert "API key" in refused.json()["errors"][0]["message"]


async def test_a_book_of_business_is_handed_over(house: House, stranger: House) -> None:
    leaving, heir = await _made(house, "leaving"), await _made(house, "heir")
    account = (await house.admin.post("/v1/accounts", json={"name": "Book", "csm_id": leaving.json()["id"]})).json()
    path = f"{leaving.headers['location']}/hand-over"
    assert (await house.manager.post(path, json={"to": "heir@users.example"})).status_code == 403
    assert (await stranger.admin.post(path, json={"to": "admin@theirs.example"})).status_code == 404
    wrong = await house.admin.post(path, json={"to": "viewer@ours.example"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/to")
    done = await house.admin.post(path, json={"to": "heir@users.example"})
    assert (done.status_code, done.json()) == (
        200,
        {"user_id": leaving.json()["id"], "to_id": heir.json()["id"], "accounts": 1, "opportunities": 0, "lists": 0},
    )
    shown = (await house.viewer.get(f"/v1/accounts/{account['id']}")).json()
    assert (shown["csm_id"], shown["version"]) == (heir.json()["id"], account["version"] + 1)
    history = (await house.viewer.get(f"/v1/accounts/{account['id']}/changes?field=csm")).json()["data"]
    assert [(one["name"], one["to_at"] is None, one["actor_name"]) for one in history] == [
        ("heir", True, "Admin"), ("leaving", False, "Admin"),
    ]  # fmt: skip
