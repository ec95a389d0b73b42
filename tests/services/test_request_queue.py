"""The queue of requests: its order by rows against a plain reading of the same records, its pages, its reasons."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Invalid, Unreadable
from app.domain.segmentation.presets import presets
from app.persistence.database import Database
from app.services import accounts, pins, records, request_queue, scenarios, segmentations
from app.services.engagements import Answer, Whose
from app.services.request_queue import Asked
from tests.services.organisations import NOW, Organisation, organisation

IMPACTS = {"travel": "severe", "retail": "medium", "mining": "low"}
KINDS = ("stop_payment", "discount", "expansion")


async def furnished(db: Database, count: int = 24) -> Organisation:
    """Accounts of every impact and sentiment, some with open requests, some with requests that are answered."""
    org, rng = await organisation(db), random.Random(7)
    for slug in (*IMPACTS, "unsaid"):
        await org.industry(slug)
    await scenarios.create(db, org.call(), {"slug": "downturn", "name": "Downturn", "impacts": IMPACTS})
    for n in range(count):
        body = {"name": f"A{n:02}", "industry": rng.choice((*IMPACTS, "unsaid", None)), "arr": rng.choice((100, 5000, 90000)),
                "csm_id": str(org.user("csm")) if n % 2 else None}  # fmt: skip
        made = (await accounts.create(db, org.call(), body)).id
        if n % 3:
            score = {"account_id": str(made), "score": rng.randint(1, 5), "recorded_at": (NOW - timedelta(days=2)).isoformat(),
                     "author_id": str(org.user("csm"))}  # fmt: skip
            await records.create(db, org.call(), "sentiments", score)
        for _ in range(rng.choice((0, 1, 1, 2))):
            asked = NOW - timedelta(days=rng.randrange(1, 40))
            told = {"account_id": str(made), "kind": rng.choice(KINDS), "status": rng.choice(("open", "open", "granted")),
                    "amount": rng.choice((None, 50, 7000)), "asked_at": asked.isoformat()}  # fmt: skip
            await records.create(db, org.call(), "requests", told)
    gone = await accounts.create(db, org.call(), {"name": "Gone", "industry": "travel", "arr": 10**6})
    told = {"account_id": str(gone.id), "kind": "discount", "status": "open", "asked_at": NOW.isoformat()}
    await records.create(db, org.call(), "requests", told)
    await accounts.archive(db, org.call(), gone.id, 1)
    return org


async def queue(org: Organisation, who: str = "viewer", **asked: Any) -> Answer:
    return await request_queue.queue(org.db, org.people[who], Asked(**asked), NOW)


async def reference(org: Organisation, considerations: list[tuple[str, float, float]]) -> list[str]:
    """The ids of open requests, ordered by nothing but the definition."""
    fields = ", ".join(f"a.{field}" for field, _, _ in considerations) or "NULL"
    rows = await org.rows(
        f"SELECT r.id, r.asked_at, coalesce(r.amount, a.arr), a.impact, {fields} FROM requests r JOIN accounts a "
        "ON a.workspace_id = $1 AND a.id = r.account_id "
        "WHERE r.workspace_id = $1 AND r.status = 'open' AND a.archived_at IS NULL"
    )
    order = ["severe", "medium", "low"]
    keyed = []
    for identity, asked_at, money, impact, *values in rows:
        points = 0
        for (_, lifts, lowers), value in zip(considerations, values, strict=False):
            points += 0 if value is None else (value >= lifts) - (value < lowers)
        lane = 3
        if impact is not None:
            lane = min(max(order.index(impact) + (1 if points > 0 else -1 if points < 0 else 0), 0), 2)
        keyed.append((lane, points, -money, asked_at, str(identity)))
    return [key[-1] for key in sorted(keyed)]


def stated(body: dict[str, Any]) -> list[tuple[str, float, float]]:
    return [
        (one["field"], float(one["lifts_from"]), float(one["lowers_below"])) for one in body["spec"]["considerations"]
    ]


async def test_requests_stand_by_lane_considerations_money_and_age(db: Database) -> None:
    org = await furnished(db)
    found = await queue(org, limit=1000)
    assert [one["id"] for one in found.data] == await reference(org, stated(presets()["lanes"]))
    assert [one["place"] for one in found.data] == list(range(1, len(found.data) + 1))
    assert (found.summary["segmentation"], found.more, len(found.data) > 10) == (None, False, True)
    assert {one["lane"] for one in found.data} >= {"severe", "medium", None}


async def test_the_workspaces_own_lanes_decide_where_it_has_them(db: Database) -> None:
    org = await furnished(db)
    body = presets()["lanes"]
    body = {**body, "spec": {"considerations": [{"field": "arr", "lifts_from": 5000, "lowers_below": 500}]}}
    await segmentations.put(db, org.call(), "reaction", body, None)
    found = await queue(org, limit=1000)
    assert [one["id"] for one in found.data] == await reference(org, [("arr", 500_000.0, 50_000.0)])
    assert (found.summary["segmentation"], [one["field"] for one in found.summary["considerations"]]) == (
        "reaction",
        ["arr"],
    )
    stood = dict(await org.rows("SELECT account_id::text, segment FROM members WHERE workspace_id = $1 AND segment IN "
                                "('severe', 'medium', 'low')"))  # fmt: skip
    assert {one["account_id"]: one["lane"] for one in found.data if one["lane"]} == {
        account: lane for account, lane in stood.items() if account in {one["account_id"] for one in found.data}
    }
    values = {
        one["account_id"]: reason["value"] for one in found.data for reason in one["reasons"] if reason["by"] == "arr"
    }
    assert values == {one["account_id"]: one["arr"] for one in found.data}


def lanes(field: str, lifts: int, lowers: int) -> dict[str, Any]:
    return {
        **presets()["lanes"],
        "spec": {"considerations": [{"field": field, "lifts_from": lifts, "lowers_below": lowers}]},
    }


async def test_of_several_the_oldest_decides_unless_another_is_named(db: Database) -> None:
    """A second one does not take over, whatever it is called; the answer says which it was, and what else there is."""
    org = await furnished(db)
    for n, (slug, body) in enumerate(
        (("reaction", lanes("arr", 5000, 500)), ("lanes", lanes("sentiment", 4, 2)), ("calm", lanes("arr", 90000, 200)))
    ):
        await segmentations.put(db, org.call(now=NOW + timedelta(minutes=n)), slug, body, None)
    usual, by_mood = await queue(org, limit=1000), await queue(org, segmentation="lanes", limit=1000)
    assert [one["id"] for one in usual.data] == await reference(org, [("arr", 500_000.0, 50_000.0)])
    assert [one["id"] for one in by_mood.data] == await reference(org, [("sentiment", 4.0, 2.0)])
    assert [one["id"] for one in usual.data] != [one["id"] for one in by_mood.data]
    assert (usual.summary["segmentation"], by_mood.summary["segmentation"]) == ("reaction", "lanes")
    assert usual.summary["segmentations"] == by_mood.summary["segmentations"] == ["reaction", "lanes", "calm"]
    changed = lanes("arr", 6000, 500)
    await segmentations.put(db, org.call(now=NOW + timedelta(days=1)), "reaction", changed, 1)
    assert (await queue(org)).summary["segmentation"] == "reaction"


async def test_who_is_pinned_stands_in_the_lane_of_the_pin_until_it_ends(db: Database) -> None:
    org = await furnished(db)
    await segmentations.put(db, org.call(), "reaction", lanes("arr", 5000, 500), None)
    usual = await queue(org, limit=1000)
    worst = next(one for one in usual.data if one["lane"] == "severe")
    least = next(one for one in usual.data if one["lane"] is None)
    ends = NOW + timedelta(days=1)
    for one, to, until in ((worst, "low", ends), (least, "severe", None)):
        body = {"segment": to, "reason": "Talks", "expires_at": until and until.isoformat()}
        await pins.pin(db, org.call(), UUID(one["account_id"]), "reaction", body)
    found = await queue(org, limit=1000)
    lane = {one["id"]: one["lane"] for one in found.data}
    assert (lane[worst["id"]], lane[least["id"]]) == ("low", "severe")
    order = [("severe", "medium", "low", None).index(one["lane"]) for one in found.data]
    assert order == sorted(order)
    assert sum(one["requests"] for one in found.summary["by_lane"]) == len(found.data)
    said = {one["id"]: one["reasons"][0] for one in found.data}
    assert (said[worst["id"]]["by"], said[worst["id"]]["value"]) == ("lane", "low")
    assert said[worst["id"]]["says"] == (
        "The account is pinned in Low (Talks), whatever its industry and considerations say: without the pin severe."
    )
    assert said[least["id"]]["says"].endswith("without the pin no lane.")
    pages: list[str] = []
    after = None
    while len(pages) < len(found.data):
        page = await queue(org, limit=5, after=after)
        pages += [one["id"] for one in page.data]
        after = page.keys[-1]
    assert pages == [one["id"] for one in found.data]
    later = await request_queue.queue(db, org.people["viewer"], Asked(limit=1000), ends + timedelta(minutes=1))
    assert {one["id"]: one["lane"] for one in later.data}[worst["id"]] == "severe", "a pin that ended decides nothing"
    await segmentations.put(db, org.call(), "calm", lanes("arr", 5000, 500), None)
    other = await queue(org, limit=1000, segmentation="calm")
    assert [one["id"] for one in other.data] == [one["id"] for one in usual.data], "a pin is of its segmentation alone"


@pytest.mark.parametrize(("slug", "suggestion"), [("reactoin", "reaction"), ("tier", None), ("no\x00ne", None)])
async def test_what_is_named_is_of_the_kind_lanes(db: Database, slug: str, suggestion: str | None) -> None:
    org = await organisation(db)
    for named, body in (("reaction", lanes("arr", 5000, 500)), ("tier", presets("absolute")["tier"])):
        await segmentations.put(db, org.call(), named, body, None)
    with pytest.raises(Invalid) as refused:
        await queue(org, segmentation=slug)
    assert [(fault.parameter, fault.suggestion) for fault in refused.value.faults] == [("segmentation", suggestion)]
    assert refused.value.faults[0].message.startswith("Expected the slug of a segmentation of the kind lanes")


async def test_pages_are_the_whole_and_the_summary_is_of_all(db: Database) -> None:
    org = await furnished(db)
    whole = await queue(org, limit=1000)
    after, ids = None, []
    while True:
        page = await queue(org, limit=4, after=after)
        ids += [one["id"] for one in page.data]
        assert page.summary == whole.summary
        if not page.more:
            break
        after = page.keys[-1]
    assert ids == [one["id"] for one in whole.data]
    assert whole.summary["requests"] == len(ids) == sum(one["requests"] for one in whole.summary["by_lane"])
    assert whole.summary["money"] == sum((one["money"] for one in whole.data), Decimal(0))


async def test_it_is_narrowed_to_a_kind_a_book_and_criteria(db: Database) -> None:
    org = await furnished(db)
    whole = await queue(org, limit=1000)
    for kind in KINDS:
        found = await queue(org, kind=kind, limit=1000)
        assert [one["id"] for one in found.data] == [one["id"] for one in whole.data if one["kind"] == kind]
    own = await queue(org, "csm", whose=Whose(mine=True), limit=1000)
    assert [one["id"] for one in own.data] == [one["id"] for one in whole.data if one["csm_name"] == "Csm"]
    large = await queue(org, whose=Whose(filter="arr >= 5000"), limit=1000)
    assert [one["id"] for one in large.data] == [one["id"] for one in whole.data if one["arr"] >= 5000]
    with pytest.raises(Invalid) as refused:
        await queue(org, kind="discounts")
    assert [(fault.parameter, fault.suggestion) for fault in refused.value.faults] == [("kind", "discount")]
    with pytest.raises(Unreadable):
        await queue(org, after=("nothing",))


async def test_without_requests_it_is_empty_and_says_so(db: Database) -> None:
    org = await organisation(db)
    found = await queue(org)
    assert (found.data, found.more, found.summary["requests"], found.summary["money"]) == ([], False, 0, 0)


async def test_what_is_missing_and_what_is_at_stake_is_said(db: Database) -> None:
    org = await organisation(db, currency="JPY")
    await org.industry("travel")
    made = (
        await accounts.create(db, org.call(), {"name": "A", "external_id": "crm-1", "industry": "travel", "arr": 9000})
    ).id
    for asked_at in (NOW, NOW):  # equal in all that decides
        told = {"account_id": str(made), "kind": "discount", "status": "open", "asked_at": asked_at.isoformat()}
        await records.create(db, org.call(), "requests", told)
    found = await queue(org, count="exact")
    assert [one["place"] for one in found.data] == [1, 2]
    assert found.count == {"value": 2, "exact": True}
    assert found.data[0]["account"] == {"id": str(made), "external_id": "crm-1", "name": "A"}
    lane, *_, money, asked = (one["says"] for one in found.data[0]["reasons"])
    assert (lane, money, asked) == (
        "No scenario is active, so no account has a lane: activate one.",
        "The account's ARR, 9,000 JPY: the request names no sum.",
        "Asked today.",
    )
    assert (found.summary["scenario"], found.data[0]["lane"]) == (None, None)
    await scenarios.create(
        db, org.call(), {"slug": "downturn", "name": "Downturn", "impacts": {"travel": "low"}, "is_active": True}
    )
    placed = await queue(org)
    assert placed.summary["scenario"] == "downturn"
    assert placed.data[0]["reasons"][0]["says"].startswith("The active scenario is low for travel")


async def test_of_whom_has_churned_a_reason_says_so(db: Database) -> None:
    org = await organisation(db)
    made = (await accounts.create(db, org.call(), {"name": "Left"})).id
    told = {"account_id": str(made), "kind": "stop_payment", "status": "open", "asked_at": NOW.isoformat()}
    await records.create(db, org.call(), "requests", told)
    assert "status" not in [one["by"] for one in (await queue(org)).data[0]["reasons"]]
    await records.create(db, org.call(), "churns", {"account_id": str(made), "churned_at": NOW.date().isoformat()})
    (reason,) = (one for one in (await queue(org)).data[0]["reasons"] if one["by"] == "status")
    assert (reason["value"], reason["direction"]) == ("churned", None)
    assert reason["says"].startswith("The account has churned")
