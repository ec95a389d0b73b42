"""Segmentations through their use cases: versions, frozen cuts, counts and money, the picture, and what is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import msgspec
import pytest

from app.domain.errors import Conflict, Forbidden, Invalid, NotFound, VersionRequired, VersionStale
from app.domain.roles import Principal, Role
from app.domain.segmentation.presets import presets
from app.domain.workspaces import Workspace
from app.persistence.database import Database
from app.services import accounts, charts, days, lists, segmentations, versions, workspaces
from app.services.asks import Ask, said
from app.services.calls import Call, Written, new_id
from app.services.settle import settle
from tests.services.organisations import organisation

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
TIER = presets("absolute", "absolute")["tier"]


async def made(db: Database, arrs: list[tuple[int, int | None]], name: str = "Acme") -> Workspace:
    """A workspace with accounts of this ARR and growth potential, in major units, settled."""
    async with db.transaction() as tx:
        workspace_id = await workspaces.create_in(tx, name, NOW, slug=f"w-{new_id().hex}")
    async with db.transaction() as tx:
        for n, (arr, growth) in enumerate(arrs):
            await tx.execute(
                "INSERT INTO accounts (workspace_id, id, name, arr_by_hand, growth_potential_by_hand, created_at, updated_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $6)",
                workspace_id, new_id(), f"Account {n}", arr * 100, growth and growth * 100, NOW,
            )  # fmt: skip
        await settle(tx, await workspaces.load(tx, workspace_id), None, NOW)
    return await workspaces.load(db, workspace_id)


def principal(workspace: Workspace, role: Role = "admin") -> Principal:
    return Principal(UUID(int=2), workspace, role)


def call(workspace: Workspace, role: Role = "admin", now: datetime = NOW) -> Call:
    return Call(principal(workspace, role), now)


def decoded(written: Written) -> Any:
    return msgspec.json.decode(written.body)


async def standing(db: Database, workspace: Workspace, slug: str) -> dict[str, tuple[int, Decimal]]:
    found = await segmentations.segments(db, principal(workspace), slug, NOW)
    return {one["slug"]: (one["accounts"], one["arr"]) for one in found["data"]}


async def test_absolute_bands_count_accounts_and_money(db: Database) -> None:
    workspace = await made(db, [(100_000, None), (99_999, None), (25_000, None), (24_999, None), (0, None)])
    written = await segmentations.put(db, call(workspace), "tier", TIER, None)
    assert written.created
    assert await standing(db, workspace, "tier") == {
        "high": (1, Decimal(100_000)), "medium": (2, Decimal(124_999)), "low": (2, Decimal(24_999)), "unclassified": (0, Decimal(0)),
    }  # fmt: skip
    found = await segmentations.segments(db, principal(workspace), "tier", NOW)
    assert [(one["share"], one["arr_share"]) for one in found["data"][:2]] == [(0.2, 0.400003), (0.4, 0.5)]
    assert decoded(written)["segments"][0]["criteria"]["text"] == "arr >= 100000"


async def test_percentiles_are_frozen_until_they_are_taken_anew_and_ties_go_up(db: Database) -> None:
    workspace = await made(db, [(1, None), (2, None), (3, None), (3, None), (5, None)])
    body = TIER | {"spec": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.9]}}}
    first = decoded(await segmentations.put(db, call(workspace), "tier", body, None))
    assert first["cuts"] == [
        {
            "field": "arr",
            "at": [3, 5],
            "frozen_at": "2026-03-29",
            "accounts": 5,
            "from": "data",
            "taken": [True, True],
            "within": None,
            "books": [],
        }
    ]
    assert await standing(db, workspace, "tier") == {
        "high": (1, Decimal(5)), "medium": (2, Decimal(6)), "low": (2, Decimal(3)), "unclassified": (0, Decimal(0)),
    }  # fmt: skip
    async with db.transaction() as tx:
        await tx.execute("UPDATE accounts SET arr_by_hand = arr_by_hand * 10 WHERE workspace_id = $1", workspace.id)
        await settle(tx, workspace, None, NOW)
    assert (await standing(db, workspace, "tier"))["high"][0] == 5
    tomorrow = call(workspace, now=NOW + timedelta(days=1))
    assert decoded(await segmentations.put(db, tomorrow, "tier", body, 1))["version"] == 1
    assert (await standing(db, workspace, "tier"))["high"][0] == 5
    again = decoded(await versions.refreeze(db, tomorrow, "tier", {}, 1))
    assert (again["version"], again["cuts"][0]["at"], again["cuts"][0]["frozen_at"]) == (2, [30, 50], "2026-03-30")
    assert (await standing(db, workspace, "tier"))["high"][0] == 1


async def test_the_portfolio_has_four_cells_and_a_place_for_the_unknown(db: Database) -> None:
    workspace = await made(db, [(10, 10), (10, 1), (1, 10), (1, 1), (10, None)])
    body = presets()["portfolio"] | {
        "spec": {
            side: {"field": field, "cuts": {"by": "absolute", "at": [5]}}
            for side, field in (("x", "arr"), ("y", "growth_potential"))
        }
    }
    await segmentations.put(db, call(workspace), "portfolio", body, None)
    found = await standing(db, workspace, "portfolio")
    assert {slug: n for slug, (n, _) in found.items()} == {
        "strategic": 1,
        "key": 1,
        "monitor": 1,
        "maintain": 1,
        "unclassified": 1,
    }
    svg = await charts.chart(db, principal(workspace), "portfolio", NOW)
    words = ["".join(t.itertext()) for t in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {"Strategic", "Key", "Monitor", "Maintain", "4 accounts, sized by ARR; 1 lacks a value"} <= set(words)
    assert sum(w.startswith("1 account") for w in words) == 4


async def test_presets_are_relative_where_there_are_enough_accounts(db: Database) -> None:
    few = await made(db, [(10, None)])
    many = await made(db, [(n, n) for n in range(1, 41)])
    for workspace in (few, many):
        async with db.transaction() as tx:
            await segmentations.install_presets(tx, workspace, NOW)
    one = await segmentations.get(db, principal(few), "portfolio", NOW)
    assert [cut["at"] for cut in one["cuts"]] == [[Decimal(50_000)], [Decimal(10_000)]]
    two = await segmentations.get(db, principal(many), "portfolio", NOW)
    assert [cut["at"] for cut in two["cuts"]] == [[Decimal(20)], [Decimal(20)]]
    assert (await standing(db, many, "tier"))["high"][0] == 9
    loaded = await workspaces.load(db, many.id)
    assert sorted(loaded.segmentations) == ["portfolio", "tier"]
    async with db.transaction() as tx:
        await segmentations.install_presets(tx, loaded, NOW)
    assert (await segmentations.get(db, principal(many), "tier", NOW))["version"] == 1


async def test_a_first_account_gets_its_segments_from_relative_cuts_without_accounts(db: Database) -> None:
    workspace = await made(db, [])
    await segmentations.put(db, call(workspace), "tier", presets()["tier"], None)
    assert await standing(db, workspace, "tier") == {
        s: (0, Decimal(0)) for s in ("high", "medium", "low", "unclassified")
    }


async def test_versions_and_roles(db: Database) -> None:
    workspace = await made(db, [(1, 1)])
    with pytest.raises(VersionStale):
        await segmentations.put(db, call(workspace), "tier", TIER, 3)
    await segmentations.put(db, call(workspace), "tier", TIER, None)
    with pytest.raises(VersionRequired):
        await segmentations.put(db, call(workspace), "tier", TIER, None)
    with pytest.raises(VersionStale):
        await segmentations.put(db, call(workspace), "tier", TIER, 2)
    for role in ("csm", "viewer"):
        with pytest.raises(Forbidden):
            await segmentations.put(db, call(workspace, role), "tier", TIER, 1)
    assert [s["slug"] for s in await segmentations.all_segmentations(db, principal(workspace, "viewer"), NOW)] == [
        "tier"
    ]
    other = await made(db, [])
    for ask in (segmentations.get, segmentations.segments):
        with pytest.raises(NotFound):
            await ask(db, principal(other), "tier", NOW)
    with pytest.raises(NotFound):
        await charts.chart(db, principal(other), "tier", NOW)


@pytest.mark.parametrize(
    ("criteria", "pointer"),
    [
        ("csm = @me", "/segments/0/criteria"),
        ('segment.tier = "high"', "/segments/0/criteria"),
        ("arrr > 5", "/segments/0/criteria"),
        ("arr > $least", "/segments/0/criteria"),
    ],
)
async def test_rules_that_mean_nothing_here_are_refused(db: Database, criteria: str, pointer: str) -> None:
    workspace = await made(db, [])
    await segmentations.put(db, call(workspace), "tier", TIER, None)
    body = {"name": "Care", "kind": "rules", "segments": [{"slug": "a", "name": "A", "criteria": criteria}]}
    with pytest.raises(Invalid) as caught:
        await segmentations.put(db, call(workspace), "care", body, None)
    assert pointer in [fault.pointer for fault in caught.value.faults]
    with pytest.raises(NotFound):
        await segmentations.get(db, principal(workspace), "care", NOW)


@pytest.mark.parametrize("field", ["name", "arrr", "industry", "renewal_date", "custom.none"])
async def test_only_numbers_can_be_cut(db: Database, field: str) -> None:
    workspace = await made(db, [])
    with pytest.raises(Invalid) as caught:
        await segmentations.put(db, call(workspace), "tier", TIER | {"spec": TIER["spec"] | {"field": field}}, None)
    assert [fault.pointer for fault in caught.value.faults] == ["/spec/field"]


async def test_every_bands_field_has_a_picture_and_so_have_rules(db: Database) -> None:
    workspace = await made(db, [(n * 1000, n) for n in range(1, 30)])
    for slug, field in (("tier", "arr"), ("care", "engagement_score")):
        await segmentations.put(
            db, call(workspace), slug, TIER | {"spec": {"field": field, "cuts": TIER["spec"]["cuts"]}}, None
        )
        ElementTree.fromstring(await charts.chart(db, principal(workspace), slug, NOW))
    rules = {"name": "R", "kind": "rules", "segments": [{"slug": "a", "name": "A", "criteria": "ALL"}]}
    await segmentations.put(db, call(workspace), "all", rules, None)
    assert "29 accounts (100%), $435k (100%)" in "".join(
        ElementTree.fromstring(await charts.chart(db, principal(workspace), "all", NOW)).itertext()
    )


async def test_a_replaced_definition_moves_members_and_says_so(db: Database) -> None:
    workspace = await made(db, [(60_000, None)])
    await segmentations.put(db, call(workspace), "tier", TIER, None)
    lower = TIER | {"spec": {"field": "arr", "cuts": {"by": "absolute", "at": [10, 20]}}}
    await segmentations.put(db, call(workspace, now=NOW + timedelta(hours=1)), "tier", lower, 1)
    rows = await db.fetch(
        "SELECT h.segment, h.to_at, h.reason FROM stays h WHERE h.workspace_id = $1 ORDER BY h.from_at", workspace.id
    )
    assert [tuple(row) for row in rows] == [
        ("medium", NOW + timedelta(hours=1), "definition"),
        ("high", None, "definition"),
    ]


async def test_days_roll_once_for_every_workspace(db: Database) -> None:
    workspace = await made(db, [(1, 1)])
    tomorrow = NOW + timedelta(days=1)
    assert await days.roll_all(db, tomorrow) >= 1
    assert (await workspaces.load(db, workspace.id)).facts_day == tomorrow.date()
    assert await days.roll_all(db, tomorrow) == 0
    assert await days.roll(db, workspace.id, NOW) is None


async def test_members_are_an_ask_for_accounts(db: Database) -> None:
    workspace = await made(db, [(100_000, None)])
    await segmentations.put(db, call(workspace), "tier", TIER, None)
    workspace = await workspaces.load(db, workspace.id)
    ask = await segmentations.members(db, principal(workspace), "tier", "high", Ask("accounts", filter="health < 40"))
    assert said(ask).text == 'in_segment("tier", "high") AND health < 40'
    assert ask.fields == ("id", "external_id", "name", "segment.tier", "arr")
    everyone = await segmentations.members(db, principal(workspace), "tier", None, Ask("accounts", fields="name"))
    assert (said(everyone).text, everyone.fields) == ("ALL", "name")
    with pytest.raises(Invalid) as caught:
        await segmentations.members(db, principal(workspace), "tier", "highest", Ask("accounts"))
    assert [(one.parameter, one.suggestion) for one in caught.value.faults] == [("segment", "high")]


async def test_a_segmentation_goes_with_who_stands_and_stood_in_it(db: Database) -> None:
    org = await organisation(db)
    await accounts.create(db, org.call(), {"name": "Acme", "arr": 5})
    written = await segmentations.put(db, org.call(), "size", SIZE, None)
    await segmentations.put(db, org.call(), "other", SIZE, None)
    with pytest.raises(VersionRequired):
        await segmentations.delete(db, org.call(), "size", None)
    with pytest.raises(VersionStale):
        await segmentations.delete(db, org.call(), "size", 2)
    with pytest.raises(Forbidden):
        await segmentations.delete(db, org.call("csm"), "size", 1)
    gone = await segmentations.delete(db, org.call("manager"), "size", 1)
    assert (gone.id, gone.body, [effect.after for effect in gone.effects]) == (written.id, b"", [None])
    with pytest.raises(NotFound):
        await segmentations.delete(db, org.call(), "size", 1)
    left = await org.rows(
        "SELECT DISTINCT s.slug FROM stays m JOIN members n ON n.workspace_id = $1 AND n.segmentation_id = m.segmentation_id"
        " JOIN segmentations s ON s.workspace_id = $1 AND s.id = m.segmentation_id WHERE m.workspace_id = $1"
    )
    assert "size" not in {slug for (slug,) in left}
    assert "other" in {slug for (slug,) in left}
    assert (await accounts.create(db, org.call(), {"name": "Later"})).created


async def test_writes_of_accounts_go_on_while_a_segmentation_goes(db: Database) -> None:
    org = await organisation(db)
    made = [await accounts.create(db, org.call(), {"name": f"A{n}", "arr": 5}) for n in range(6)]
    await segmentations.put(db, org.call(), "size", SIZE, None)
    changes = [accounts.change(db, org.call(), one.id, {"arr": 700}, one.version) for one in made]
    await asyncio.gather(*changes[:3], segmentations.delete(db, org.call(), "size", 1), *changes[3:])
    assert await org.rows("SELECT DISTINCT arr FROM accounts WHERE workspace_id = $1") == [(70000,)]


async def test_a_list_that_asks_for_it_keeps_a_segmentation(db: Database) -> None:
    org = await organisation(db)
    await segmentations.put(db, org.call(), "size", SIZE, None)
    named = await workspaces.load(db, org.workspace.id)
    org = org.with_workspace(segmentations=named.segmentations, epoch=named.epoch)
    told = {"entity": "accounts", "name": "Big", "visibility": "public", "criteria": {"text": 'segment.size = "big"'}}
    await lists.create(db, org.call(), told)
    with pytest.raises(Conflict, match=r"1 saved list \(Big\)"):
        await segmentations.delete(db, org.call(), "size", 1)
    assert (await segmentations.get(db, org.people["viewer"], "size", NOW))["version"] == 1


SIZE = {"name": "Size", "kind": "rules", "rest": "small",
        "segments": [{"slug": "big", "name": "Big", "criteria": "arr >= 100"}]}  # fmt: skip


async def test_cuts_that_could_not_be_taken_are_said(db: Database) -> None:
    org = await organisation(db)
    await segmentations.put(db, org.call(), "tier", presets()["tier"], None)
    shown = await segmentations.get(db, org.people["viewer"], "tier", NOW)
    assert (
        shown["detail"]
        == "No account had arr when cuts were taken: put it again once some have, or say when to refreeze."
    )
    await accounts.create(db, org.call(), {"name": "A", "arr": 5})
    await segmentations.put(db, org.call(), "tier", presets()["tier"], shown["version"])
    shown = await segmentations.get(db, org.people["viewer"], "tier", NOW)
    assert shown["detail"] is None
