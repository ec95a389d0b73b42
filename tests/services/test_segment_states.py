"""Segments that are not fresh are told beside whatever stands on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import msgspec
import pytest

from app.persistence import segments
from app.persistence.database import Database
from app.services import (
    accounts,
    analysis,
    charts,
    criteria,
    explain,
    forecasts,
    list_rows,
    lists,
    pins,
    reads,
    retention,
    segment_moves,
    segmentations,
    summaries,
    workspaces,
)
from app.services.asks import Ask
from tests.services.organisations import NOW, Organisation, organisation, with_tier

SECRET = b"s" * 32
WHY = "It means nothing."
NAMING: list[dict[str, Any]] = [
    {"filter": 'segment.tier = "low"'},
    {"filter": 'NOT any(contacts) AND NOT left("tier", "low", last(30d))'},
    {"fields": "name,segment.tier"},
    {"sort": "segment.tier"},
]
NAMING_NONE: list[dict[str, Any]] = [
    {},
    {"filter": "arr > 1", "sort": "name"},
    {"filter": 'segment.tier = "low"', "on": "2026-01-02"},
]


async def found(org: Organisation, **told: Any) -> reads.Answer:
    ask = Ask("accounts", **told)
    return await reads.collection(org.db, org.people["viewer"], ask, NOW, secret=SECRET)


async def standing(db: Database, state: Literal["ok", "broken", "degraded"], detail: str) -> Organisation:
    org = await with_tier(await organisation(db))
    await accounts.create(db, org.call(), {"name": "a", "arr": 5})
    row = await segments.one(db, org.workspace.id, "tier")
    assert row is not None
    async with db.transaction() as tx:
        await segments.failed(tx, org.workspace.id, [row["id"]], state, [detail])
    known = await workspaces.load(db, org.workspace.id)
    return org.with_workspace(segmentations=known.segmentations, epoch=known.epoch)


@pytest.fixture(scope="module")
async def broken(db: Database) -> Organisation:
    return await standing(db, "broken", WHY)


def shown(told: Any) -> list[tuple[str, str, str | None]]:
    return [(one["segmentation"], one["state"], one["detail"]) for one in told]


@pytest.mark.parametrize("asked", NAMING)
async def test_a_page_tells_the_segmentations_that_it_names(broken: Organisation, asked: dict[str, Any]) -> None:
    answer = await found(broken, **asked)
    assert shown(answer.segmentations) == [("tier", "broken", WHY)]
    assert msgspec.json.decode(answer.data), "its members stay those of before"


@pytest.mark.parametrize("asked", NAMING_NONE)
async def test_what_names_none_or_a_day_that_is_over_is_told_nothing(
    broken: Organisation, asked: dict[str, Any]
) -> None:
    assert (await found(broken, **asked)).segmentations == ()


async def test_fresh_ones_are_not_told_and_a_day_that_was_not_followed_is(db: Database) -> None:
    org = await standing(db, "ok", "")
    assert (await found(org, **NAMING[0])).segmentations == ()
    ask, later = Ask("accounts", **NAMING[0]), NOW + timedelta(days=1)
    answer = await reads.collection(db, org.people["viewer"], ask, later, secret=SECRET)
    assert [(one["segmentation"], one["state"]) for one in answer.segmentations] == [("tier", "stale")]


async def test_why_an_account_stands_where_it_does_tells_the_day_that_was_not_followed(db: Database) -> None:
    org = await standing(db, "ok", "")
    account = (await accounts.create(db, org.call(), {"name": "b", "arr": 5})).id
    for days, states in ((0, []), (1, ["stale"])):
        told = await explain.of_segments(db, org.people["viewer"], account, "tier", NOW + timedelta(days=days))
        assert [one["state"] for one in told["segmentations"]] == states


async def test_a_pin_that_ended_and_nobody_followed_is_told_within_the_day(db: Database) -> None:
    org = await standing(db, "ok", "")
    account = (await accounts.create(db, org.call(), {"name": "b", "arr": 5})).id
    ends = NOW + timedelta(minutes=1)
    await pins.pin(
        db, org.call(), account, "tier", {"segment": "high", "reason": "Pilot", "expires_at": ends.isoformat()}
    )
    for minutes, states in ((4, []), (6, ["stale"])):
        ask = Ask("accounts", **NAMING[0])
        answer = await reads.collection(db, org.people["viewer"], ask, ends + timedelta(minutes=minutes), secret=SECRET)
        assert [one["state"] for one in answer.segmentations] == states


async def test_lists_summaries_criteria_and_forecasts_tell_the_same(broken: Organisation) -> None:
    db, who = broken.db, broken.people["admin"]
    told = {"entity": "accounts", "name": "L", "criteria": {"text": 'segment.tier = "low"'}, "columns": ["name"]}
    listed = (await lists.create(db, broken.call(), told)).id
    ask = await list_rows.ask(db, who, listed, NOW)
    rows = await reads.collection(db, who, ask, NOW, secret=SECRET)
    grouped = await summaries.summarise(db, who, Ask("accounts"), "segment.tier", None, NOW)
    body = {"entity": "accounts", "criteria": 'segment.tier = "low"'}
    by_segment = await forecasts.preview(db, who, NOW, {"group_by": ["segment.tier"]})
    of_segment = await forecasts.preview(db, who, NOW, {"where": 'segment.tier = "low"'})
    each = [
        rows.segmentations, grouped.segmentations, (await criteria.check(db, who, body, NOW))["segmentations"],
        (await criteria.preview(db, who, body, NOW))["segmentations"], *(msgspec.json.decode(one)["segmentations"] for one in (by_segment, of_segment)),
    ]  # fmt: skip
    assert [shown(one) for one in each] == [[("tier", "broken", WHY)]] * len(each)
    assert msgspec.json.decode(await forecasts.preview(db, who, NOW, {}))["segmentations"] == []


async def test_pictures_say_it_in_words(broken: Organisation) -> None:
    drawn = await charts.chart(broken.db, broken.people["viewer"], "tier", NOW)
    spread = await charts.spread_chart(broken.db, broken.people["viewer"], "tier", NOW)
    moved = await segment_moves.chart(broken.db, broken.people["viewer"], "tier", NOW, None, None)
    assert all(f"Broken: {WHY}" in picture for picture in (drawn, spread, moved))


async def test_what_is_told_without_a_segmentation_tells_none(broken: Organisation) -> None:
    db, who = broken.db, broken.people["admin"]
    asked = {"external_id": "b", "filter": "arr > 1"}
    await accounts.create(db, broken.call(), {"name": "b", "external_id": "b"})
    each = [
        await retention.read(db, who, retention.Wanted(group_by="csm"), NOW), await analysis.analysis(db, who, "tier", NOW),
        await explain.of_record(db, who, asked, NOW),
    ]  # fmt: skip
    assert [one["segmentations"] for one in each] == [()] * len(each)
    own = Ask("accounts", fields="name", on="2026-01-02")
    before = await reads.collection(
        db, who, await segmentations.members(db, who, "tier", None, own), NOW, secret=SECRET
    )
    assert before.segmentations == (), "a day that is over is history"
