"""Engagements and capacity over both doors: the same rows, sums and pages, by each way to ask."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.persistence.database import Database
from tests.api.conftest import House, furnished
from tests.servers import Server

TIER = {
    "name": "Tier", "kind": "rules",
    "segments": [
        {"slug": "high", "name": "High", "criteria": {"text": "arr >= 1000"}, "engagement": {
            "touch": "high", "cadence": {"meeting": "30d", "email": "2w"}, "hours": {"month": 50},
            "playbook": {"name": "Start", "steps": [{"name": "Sponsor", "owner": "executive", "day": 3}]}}},
        {"slug": "low", "name": "Low", "criteria": {"text": "arr > 0"}, "engagement": {"touch": "low", "cadence": {"any": "60d"}}},
    ],
}  # fmt: skip
DUE = """{ engagements(until: "2100-01-01" %s) { nodes { state what accountId account { id externalId name } csmId csmName arr segment segmentName kind phase
  step owner lastAt dueOn daysOverdue nextOn renewalDate } totalCount pageInfo { hasNextPage endCursor }
  summary { until due overdue segmentation { slug version } byCsm { csmId csmName due overdue accounts accountsOverdue longestOverdue }
    left { accounts arr noTouchPlanned afterRenewal } } } }"""
NEEDED = "csms planned byArr { csms planned bound teams } byHours { csms planned bound teams }"
CAPACITY = """{ capacity(%s) { by targetUse arrPerCsm hoursPerCsm accounts arr hours touches needed { N } present
  segments { slug name touch accounts arr hours touches needed { N } }
  csms { csmId csmName isActive accounts arr hours touches teams use state room accountsAfter useAfter stateAfter }
  unowned { accounts arr hours touches } missing
  moves { count fewest stillOver hires teams why data { accountId account { id externalId name } fromId fromName toId toName arr hours } } } }""".replace(
    "N }", f"{NEEDED} }}"
)


@pytest.fixture(scope="module")
async def house(server: Server, database: Database) -> House:
    made = await furnished(database, server, "Care")
    now = datetime.now(UTC)
    etag = (await made.admin.get("/v1/segmentations/tier")).headers["etag"]
    assert (await made.admin.put("/v1/segmentations/tier", json=TIER, headers={"if-match": etag})).is_success
    for n, arr in enumerate((1_900_000, 1_800_000, 5_000_000, 10, 0)):
        body = {
            "name": f"A{n}",
            "arr": arr,
            "renewal_date": str(now.date() + timedelta(days=20 * n)),
            "became_customer_at": "2025-01-01",
        }
        owner = {"csm_id": str(made.users["csm"])} if n != 1 else {}
        account = (await made.admin.post("/v1/accounts", json={**body, **owner})).json()
        for kind, ago in (("email", 20), ("meeting", 3)):
            at = (now - timedelta(days=ago)).isoformat()
            told = {
                "account_id": account["id"],
                "kind": kind,
                "direction": "outbound",
                "occurred_at": at,
                "is_automated": False,
            }
            assert (await made.admin.post("/v1/interactions", json=told)).is_success
    return made


async def ask(client: httpx.AsyncClient, document: str) -> Any:
    answer = (await client.post("/graphql", json={"query": document})).json()
    assert "errors" not in answer, answer
    return answer["data"]


def snaked(told: Any) -> Any:
    """The same with names as REST has them."""
    if isinstance(told, list):
        return [snaked(one) for one in told]
    if isinstance(told, dict):
        return {re.sub("([A-Z])", r"_\1", name).lower(): snaked(one) for name, one in told.items()}
    return told


def only(whole: Any, shown: Any) -> Any:
    """Of a document what the other shows of it."""
    if isinstance(shown, list):
        assert len(whole) == len(shown)
        return [only(one, other) for one, other in zip(whole, shown, strict=True)]
    return {name: only(whole[name], one) for name, one in shown.items()} if isinstance(shown, dict) else whole


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("", ""), ("&state=overdue", "state: overdue"), ("&state=left", "state: left"), ("&kind=meeting&segment=high", 'kind: meeting, segment: "high"'),
        ("&what=playbook", "what: playbook"),
        ("&filter=arr+%3E+100&mine=true", 'filter: "arr > 100", mine: true'), ("&csm=csm@care.example", 'csm: "csm@care.example"'),
    ],
)  # fmt: skip
async def test_engagements_are_the_same_over_both_doors(house: House, query: str, arguments: str) -> None:
    query = query.replace("csm@care.example", str(house.users["csm"]))
    arguments = arguments.replace("csm@care.example", str(house.users["csm"]))
    client = house.csm
    until = str(datetime.now(UTC).date() + timedelta(days=100))
    rest = (await client.get(f"/v1/engagements?until={until}{query}&count=exact")).json()
    found = (await ask(client, (DUE % arguments).replace("2100-01-01", until)))["engagements"]
    assert snaked(found["nodes"]) == rest["data"]
    assert rest["data"]
    assert rest["count"] == {"value": found["totalCount"], "exact": True}
    assert len(rest["data"]) == found["totalCount"]
    summary = snaked(found["summary"])
    assert summary == only(rest["summary"], summary)


async def test_pages_of_either_door_come_to_the_whole(house: House) -> None:
    whole = (await house.viewer.get("/v1/engagements")).json()["data"]
    pages: list[Any] = []
    following: str | None = ""
    while following is not None:
        page = (await house.viewer.get(f"/v1/engagements?limit=2{following and '&cursor=' + following}")).json()
        pages += page["data"]
        following = page["page"]["next"]
    assert pages == whole
    first = (await ask(house.viewer, "{ engagements(first: 3) { nodes { mark: dueOn } pageInfo { endCursor } } }"))[
        "engagements"
    ]
    cursor = first["pageInfo"]["endCursor"]
    rest = (await ask(house.viewer, f'{{ engagements(first: 100, after: "{cursor}") {{ nodes {{ mark: dueOn }} }} }}'))[
        "engagements"
    ]
    assert [one["mark"] for one in first["nodes"] + rest["nodes"]] == [one["due_on"] for one in whole]
    foreign = await house.viewer.get(f"/v1/engagements?limit=2&state=due&cursor={cursor}")
    assert foreign.status_code == 400


@pytest.mark.parametrize(
    ("query", "arguments"), [("", "mine: false"), ("?by=hours&target_use=1", "by: hours, targetUse: 1")]
)
async def test_capacity_is_the_same_over_both_doors(house: House, query: str, arguments: str) -> None:
    rest = (await house.viewer.get(f"/v1/capacity{query}")).json()
    found = snaked((await ask(house.viewer, CAPACITY % arguments))["capacity"])
    assert found == only(rest, found)
    assert rest["accounts"] == 5
    assert sum(one["accounts"] for one in rest["segments"]) == 5


async def test_a_step_is_done_over_either_door(house: House) -> None:
    due = (await house.admin.get("/v1/engagements?state=due")).json()["data"]
    first, second = [one for one in due if one["what"] == "playbook"][:2]
    body = {"plan": "playbook", "step": "Sponsor", "note": "Done."}
    rest = await house.admin.put(f"/v1/accounts/{first['account_id']}/segments/tier/steps", json=body)
    document = 'mutation { markStep(id: "%s", segmentation: "tier", input: {plan: playbook, step: "Sponsor", note: "Done."}) { step { done plan step note segment } } }'
    found = (await ask(house.admin, document % second["account_id"]))["markStep"]["step"]
    assert {name: rest.json()[name] for name in found} == found
    left = (await house.admin.get("/v1/engagements?state=due")).json()["data"]
    assert {one["account_id"] for one in left if one["what"] == "playbook"}.isdisjoint(
        (first["account_id"], second["account_id"])
    )


async def test_faults_of_arguments_are_told_by_their_names(house: House) -> None:
    answer = (await house.viewer.get("/v1/capacity?target_use=2")).json()
    assert [one["parameter"] for one in answer["errors"]] == ["target_use"]
    told = (await house.viewer.post("/graphql", json={"query": "{ capacity(targetUse: 2) { by } }"})).json()
    assert [one["parameter"] for one in told["errors"][0]["extensions"]["errors"]] == ["targetUse"]
    answer = (await house.viewer.get("/v1/engagements?mine=yes")).json()
    assert [one["parameter"] for one in answer["errors"]] == ["mine"]


async def test_the_load_of_a_draft_is_the_same_over_both_doors(house: House) -> None:
    rest = (await house.viewer.post("/v1/segmentations/tier/simulate", json={})).json()
    load = "{ before { accounts touches hours needed { N } } after { accounts touches hours needed { N } } }".replace(
        "N }", f"{NEEDED} }}"
    )
    found = await ask(
        house.viewer, f'{{ simulateSegmentation(slug: "tier") {{ load {load} segments {{ slug load {load} }} }} }}'
    )
    told = snaked(found["simulateSegmentation"])
    assert told == only(rest, told)
