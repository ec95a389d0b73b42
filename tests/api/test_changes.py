"""/v1/accounts/{id}/changes over HTTP: pages, fields, strangers."""

from __future__ import annotations

from tests.api.conftest import House


async def test_changes_come_page_by_page(house: House, stranger: House) -> None:
    made = await house.admin.post("/v1/accounts", json={"name": "Changes", "csm_id": str(house.users["csm"])})
    path, tag = made.headers["location"], made.headers["etag"]
    for role in ("manager", "admin", "csm"):
        changed = await house.manager.patch(path, json={"csm_id": str(house.users[role])}, headers={"if-match": tag})
        tag = changed.headers["etag"]
    whole = (await house.viewer.get(f"{path}/changes")).json()
    assert [one["value_id"] for one in whole["data"]] == [
        str(house.users[r]) for r in ("csm", "admin", "manager", "csm")
    ]
    assert [one["to_at"] for one in whole["data"]] == [None, *(one["from_at"] for one in whole["data"][:-1])]
    assert {(one["field"], one["actor_name"]) for one in whole["data"][:-1]} == {("csm", "Manager")}
    found, cursor = [], ""
    while True:
        page = (await house.viewer.get(f"{path}/changes?field=csm&limit=1{cursor}")).json()
        found += page["data"]
        if page["page"]["next"] is None:
            break
        cursor = f"&cursor={page['page']['next']}"
    assert found == whole["data"]
    assert (await house.viewer.get(f"{path}/changes?limit=1{cursor}")).status_code == 400
    assert (await house.viewer.get(f"{path}/changes?field=parent")).json()["data"] == []
    wrong = await house.viewer.get(f"{path}/changes?field=csms")
    assert (wrong.status_code, wrong.json()["errors"][0]["suggestion"]) == (422, "csm")
    for query in ("", "?field=csm", "?limit=1"):
        assert (await stranger.admin.get(f"{path}/changes{query}")).status_code == 404
