"""Trees of accounts over HTTP."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import House


async def _tree(house: House) -> dict[str, str]:
    """Group > (North > Oslo, South); ids by name."""
    ids: dict[str, str] = {}
    for name, parent, arr in (
        ("Group", None, 1000.5),
        ("North", "Group", 200),
        ("South", "Group", 300),
        ("Oslo", "North", 40),
    ):
        body: dict[str, Any] = {"name": name, "arr": arr, "health": 80 if name == "Group" else 30}
        if parent:
            body["parent_id"] = ids[parent]
        ids[name] = (await house.admin.post("/v1/accounts", json=body)).json()["id"]
    return ids


async def test_a_tree_is_shown_with_what_it_comes_to(house: House, stranger: House) -> None:
    ids = await _tree(house)
    shown = (await house.viewer.get(f"/v1/accounts/{ids['Group']}/hierarchy")).json()
    assert [(one["name"], one["depth"], one["parent_id"], one["children"]) for one in shown["data"]] == [
        ("North", 1, ids["Group"], 1), ("South", 1, ids["Group"], 0), ("Oslo", 2, ids["North"], 0),
    ]  # fmt: skip
    assert shown["ancestors"] == []
    assert shown["account"] | {"children": 2, "depth": 0, "arr": 1000.5, "parent_id": None} == shown["account"]
    assert shown["roll_up"] | {
        "accounts": 4, "customers": 4, "arr": 1540.5, "health": 62.4732, "health_minimum": 30.0, "red_arr_share": 0.3505,
    } == shown["roll_up"]  # fmt: skip
    inner = (await house.viewer.get(f"/v1/accounts/{ids['Oslo']}/hierarchy")).json()
    assert ([one["name"] for one in inner["ancestors"]], inner["data"], inner["roll_up"]["arr"]) == (
        ["Group", "North"],
        [],
        40,
    )
    for path in ("hierarchy", "children"):
        assert (await stranger.admin.get(f"/v1/accounts/{ids['Group']}/{path}")).status_code == 404
    assert all(one["id"] not in ids.values() for one in (await stranger.admin.get("/v1/accounts/roots")).json()["data"])


async def test_pages_go_on_where_they_ended(house: House) -> None:
    ids = await _tree(house)
    path = f"/v1/accounts/{ids['Group']}/hierarchy?limit=1"
    names, cursor = [], ""
    while True:
        page = (await house.viewer.get(path + cursor)).json()
        names += [one["name"] for one in page["data"]]
        if page["page"]["next"] is None:
            break
        cursor = f"&cursor={page['page']['next']}"
    assert names == ["North", "South", "Oslo"]
    assert (await house.viewer.get(f"/v1/accounts/{ids['North']}/hierarchy?limit=1{cursor}")).status_code == 400


async def test_siblings_are_rolled_up(house: House) -> None:
    ids = await _tree(house)
    children = (await house.viewer.get(f"/v1/accounts/{ids['Group']}/children")).json()["data"]
    assert [(one["name"], one["roll_up"]["arr"], one["roll_up"]["accounts"]) for one in children] == [
        ("North", 240, 2), ("South", 300, 1),
    ]  # fmt: skip
    roots, cursor = [], ""
    while True:
        page = (await house.viewer.get(f"/v1/accounts/roots?groups=true&limit=2{cursor}")).json()
        roots += page["data"]
        if page["page"]["next"] is None:
            break
        cursor = f"&cursor={page['page']['next']}"
    assert [one["roll_up"]["arr"] for one in roots if one["id"] == ids["Group"]] == [1540.5]
    assert all(one["children"] > 0 for one in roots)
    assert (await house.viewer.get("/v1/accounts/roots?groups=yes")).status_code == 400
