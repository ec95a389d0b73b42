"""What is told of segments over both doors with the same numbers: their criteria, where their history begins, which lanes order the queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.api.test_segmentations import ask, sent
from tests.servers import Server


@pytest.fixture(scope="module")
async def house(server: Server, database: Database) -> House:
    """Accounts made three days ago, and segmentations put now: within books, and two of lanes."""
    made = await furnished(database, server, "Histories")
    for n in range(1, 7):
        owner = {"csm": str(made.users["csm"])} if n > 1 else {}
        body = {"name": f"Account {n}", "arr": 100 * n, "growth_potential": 70 - 10 * n, **owner}
        await sent(made.manager, "POST", "/v1/accounts", body)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE accounts SET created_at = created_at - interval '3 days' WHERE workspace_id = $1", made.id
        )
    ready = (await sent(made.manager, "GET", "/v1/segmentations/presets")).json()["data"]
    for slug, preset in (("book", "book"), ("reaction", "lanes"), ("calm", "lanes")):
        await sent(made.manager, "PUT", f"/v1/segmentations/{slug}", ready[preset])
    return made


@pytest.fixture(scope="module")
async def days(house: House) -> tuple[str, str]:
    """The day before the history of `book` begins, and the day on which it does."""
    begins = (await sent(house.viewer, "GET", "/v1/segmentations/book")).json()["history_begins"]
    today = datetime.fromisoformat(begins).date()
    return (today - timedelta(days=1)).isoformat(), today.isoformat()


async def test_criteria_and_filters_are_told_alike_and_find_the_segment(house: House) -> None:
    rest = (await sent(house.viewer, "GET", "/v1/segmentations/book")).json()
    query = '{ segmentation(slug: "book") { historyBegins rules { slug filter detail criteria { text tree } } segments { slug accounts } } }'
    over = (await ask(house.viewer, query))["segmentation"]
    names = ("slug", "filter", "detail", "criteria")
    assert over["rules"] == [{name: one[name] for name in names} for one in rest["segments"]]
    assert datetime.fromisoformat(over["historyBegins"]) == datetime.fromisoformat(rest["history_begins"])
    held = {one["slug"]: one["accounts"] for one in over["segments"]}
    for one in rest["segments"]:
        for told in (one["filter"], one["criteria"]["text"]):
            params = {"filter": told, "count": "exact", "limit": 1}
            found = (await house.viewer.get("/v1/accounts", params=params)).json()
            assert found["count"]["value"] == held[one["slug"]], told
    (version,) = (await sent(house.viewer, "GET", "/v1/segmentations/book/versions")).json()["data"]
    assert [one["criteria"] for one in version["segments"]] == [one["criteria"] for one in rest["segments"]]


async def test_both_doors_say_of_which_day_nothing_is_known(house: House, days: tuple[str, str]) -> None:
    day, today = days
    said = f"The history of book begins on {today}: where accounts stood on {day} is not known."
    path = "/v1/segmentations/book"
    rest = (await sent(house.viewer, "GET", f"{path}/moves?from={day}")).json()
    query = f"""{{ segmentation(slug: "book") {{ historyBegins historyDetail(on: "{day}") today: historyDetail(on: "{today}")
      moves(from: "{day}") {{ historyBegins detail entered {{ accounts }} unknown {{ accounts arr }} after {{ accounts }} flow {{ becomes unknown accounts }} }}
      movedAccounts(from: "{day}") {{ historyBegins detail nodes {{ name }} }} }} }}"""
    over = (await ask(house.viewer, query))["segmentation"]
    moves = over["moves"]
    assert moves["unknown"] == rest["unknown"]
    assert moves["unknown"]["accounts"] == moves["after"]["accounts"] == rest["after"]["accounts"] > 0
    assert moves["entered"]["accounts"] == rest["entered"]["accounts"] == 0
    assert moves["flow"] == [{name: one[name] for name in ("becomes", "unknown", "accounts")} for one in rest["flow"]]
    moved = (await sent(house.viewer, "GET", f"{path}/moves/accounts?from={day}")).json()
    assert moved["data"] == over["movedAccounts"]["nodes"] == []
    asked = f"{path}/moves/accounts?from={day}&was=unknown&limit=100"
    unknown = (await sent(house.viewer, "GET", asked)).json()["data"]
    query = f'{{ segmentation(slug: "book") {{ movedAccounts(from: "{day}", was: "unknown", first: 100) {{ nodes {{ id was }} }} }} }}'
    nodes = (await ask(house.viewer, query))["segmentation"]["movedAccounts"]["nodes"]
    assert nodes == [{name: one[name] for name in ("id", "was")} for one in unknown]
    assert (len(unknown), {one["was"] for one in unknown}) == (rest["unknown"]["accounts"], {None})
    counted = (await sent(house.viewer, "GET", f"{path}/segments?on={day}")).json()
    members = (await sent(house.viewer, "GET", f"{path}/accounts?on={day}&limit=1")).json()
    for one in (rest, moved, counted, members):
        assert (one["detail"], one["history_begins"]) == (said, rest["history_begins"])
    for other in (moves["detail"], over["movedAccounts"]["detail"], over["historyDetail"]):
        assert other == said
    assert over["today"] is None
    known = (await sent(house.viewer, "GET", f"{path}/accounts?on={today}&limit=1")).json()
    assert (known["detail"], known["history_begins"]) == (None, rest["history_begins"])
    assert "history_begins" not in (await sent(house.viewer, "GET", f"{path}/accounts?limit=1")).json()


async def test_an_account_s_segments_say_it_too(house: House, days: tuple[str, str]) -> None:
    day, today = days
    account = (await sent(house.viewer, "GET", "/v1/accounts?limit=1")).json()["data"][0]["id"]
    rest = (await sent(house.viewer, "GET", f"/v1/accounts/{account}/segments?on={day}")).json()["data"]
    query = f'{{ accountSegments(id: "{account}", on: "{day}") {{ segmentation segment detail historyBegins }} }}'
    over = (await ask(house.viewer, query))["accountSegments"]
    assert [one["segmentation"] for one in over] == [one["segmentation"] for one in rest]
    for one, other in zip(over, rest, strict=True):
        assert (one["segment"], one["detail"]) == (other["segment"], other["detail"])
        assert other["detail"].startswith(f"The history of {one['segmentation']} begins on {today}")
        assert datetime.fromisoformat(one["historyBegins"]) == datetime.fromisoformat(other["history_begins"])


@pytest.mark.parametrize("named", [None, "reaction", "calm"])
async def test_the_queue_says_which_lanes_order_it(house: House, named: str | None) -> None:
    params: dict[str, Any] = {} if named is None else {"segmentation": named}
    rest = (await house.viewer.get("/v1/requests/queue", params=params)).json()["summary"]
    query = "query($named: String) { requestQueue(segmentation: $named) { summary { segmentation segmentations } } }"
    over = (await ask(house.viewer, query, named=named))["requestQueue"]["summary"]
    assert over == {"segmentation": named or "reaction", "segmentations": ["reaction", "calm"]}
    assert {name: rest[name] for name in over} == over


async def test_the_queue_refuses_what_is_no_lanes_over_either_door(house: House) -> None:
    rest = (await house.viewer.get("/v1/requests/queue", params={"segmentation": "clam"})).json()["errors"]
    query = '{ requestQueue(segmentation: "clam") { nodes { place } } }'
    over = (await house.viewer.post("/graphql", json={"query": query})).json()["errors"][0]["extensions"]["errors"]
    for one in (rest, over):
        assert [(fault["parameter"], fault["suggestion"]) for fault in one] == [("segmentation", "calm")]


async def test_a_cursor_is_of_its_own_order(house: House) -> None:
    """One of a queue by other lanes is refused."""
    account = (await sent(house.viewer, "GET", "/v1/accounts?limit=1")).json()["data"][0]["id"]
    for n in (1, 2):
        body = {"account_id": account, "kind": "discount", "status": "open", "asked_at": f"2026-01-0{n}T00:00:00Z"}
        await sent(house.manager, "POST", "/v1/requests", body)
    first = (await house.viewer.get("/v1/requests/queue", params={"limit": 1})).json()["page"]["next"]
    other = await house.viewer.get("/v1/requests/queue", params={"limit": 1, "segmentation": "calm", "cursor": first})
    assert other.status_code == 400
    assert (await house.viewer.get("/v1/requests/queue", params={"limit": 1, "cursor": first})).status_code == 200
