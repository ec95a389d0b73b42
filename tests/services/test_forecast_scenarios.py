"""Scenarios and what-if over the demo: exact shifts, differences that add up, nothing written; reasons, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import log
from typing import Any
from uuid import UUID

import pytest

from app.domain.errors import Invalid, NotFound, StrataError, Unreadable
from app.domain.roles import Principal
from app.persistence.database import Database
from app.services import forecasts
from app.services.calls import Call, new_id
from app.services.forecasts import Ask
from tests.servers import DEMO_NOW
from tests.services.organisations import document
from tests.services.test_forecasts import PERIOD, principal_of

DOWNTURN = {"severe": -1.2, "medium": -0.6, "low": 0.0}


@pytest.fixture(scope="module")
async def admin(demo_db: Database) -> Principal:
    return await principal_of(demo_db, "admin")


@pytest.fixture(scope="module")
async def kept(demo_db: Database, admin: Principal) -> UUID:
    """A forecast of the period."""
    return await made(demo_db, admin)


async def previewed(db: Database, who: Principal, **body: object) -> dict[str, Any]:
    found: dict[str, Any] = document(await forecasts.preview(db, who, DEMO_NOW, {**PERIOD, **body}))
    return found


async def made(db: Database, who: Principal, **body: object) -> UUID:
    written = await forecasts.create(db, Call(who, DEMO_NOW), {**PERIOD, **body})
    return UUID(document(written.body)["id"])


async def rows(db: Database, who: Principal, forecast_id: UUID, **ask: Any) -> list[dict[str, Any]]:
    found, _, _ = await forecasts.accounts(db, who, DEMO_NOW, forecast_id, Ask(**{"limit": 1_000, **ask}))
    return [document(one) for one in found]


def part(row: Mapping[str, Any], name: str) -> float:
    return next(float(one["logit"]) for one in row["reasons"] if one["name"] == name)


async def test_reasons_add_up_and_rows_add_up_to_the_cent(demo_db: Database, admin: Principal, kept: UUID) -> None:
    whole = document(await forecasts.get(demo_db, admin, kept))
    told = await rows(demo_db, admin, kept)
    assert len(told) == whole["due"]["renewals"] > 100
    for name in ("expected", "expected_net", "arr"):
        of = {"expected": whole["expected"], "expected_net": whole["net"]["expected"], "arr": whole["due"]["arr"]}
        assert sum(row[name] for row in told) == of[name]
    for row in told:
        chance = float(row["probability"])
        added = float(row["base"]) + sum(float(one["logit"]) for one in row["reasons"])
        assert added == pytest.approx(log(chance / (1 - chance)), abs=1e-6)
    assert [one["name"] for one in told[0]["reasons"]] == whole["reasons"]["names"]


async def test_each_row_leads_to_its_money(demo_db: Database, admin: Principal, kept: UUID) -> None:
    """Chances add up to the renewals that are counted, and what is stated of a row gives its amounts, to the cent."""
    whole = document(await forecasts.get(demo_db, admin, kept))
    told = await rows(demo_db, admin, kept)
    assert sum(float(row["probability"]) for row in told) == pytest.approx(float(whole["expected_renewals"]), abs=1e-5)
    for row in told:
        worth = row["arr"] * row["money_probability"]
        assert abs(worth * row["kept_share"] - row["expected"]) <= Decimal("0.01")
        assert abs(worth * row["paid_share"] - row["expected_net"]) <= Decimal("0.02")
    assert all(0 < row["kept_share"] <= row["paid_share"] for row in told)
    assert min(row["kept_share"] for row in told) < 1
    assert any(row["money_probability"] != row["probability"] for row in told)


@pytest.mark.parametrize(
    "sort", [None, "-expected", "arr", "name", "-probability", "-expected_loss", "p05", "money_probability"]
)
async def test_pages_hold_every_renewal_once_in_order(
    demo_db: Database, admin: Principal, kept: UUID, sort: str | None
) -> None:
    whole = await rows(demo_db, admin, kept, sort=sort)
    found: list[Any] = []
    after: Any = None
    while True:
        page, keys, more = await forecasts.accounts(demo_db, admin, DEMO_NOW, kept, Ask(None, None, sort, 70, after))
        found += [document(one) for one in page]
        after = keys[-1]
        if not more:
            break
    assert found == whole
    name = (sort or "due_on").removeprefix("-")
    values = [row[name] for row in whole]
    assert values == sorted(values, reverse=bool(sort and sort.startswith("-")))


async def test_rows_are_filtered_by_criteria_of_accounts(demo_db: Database, admin: Principal, kept: UUID) -> None:
    some = await rows(demo_db, admin, kept, filter='segment.tier = "high"')
    assert 0 < len(some) < len(await rows(demo_db, admin, kept))
    for ask, error in (
        ({"sort": "expcted"}, Invalid),
        ({"filter": "arr >"}, Unreadable),
        ({"filter": "arrr > 1"}, Invalid),
        ({"row_filter": "expected_los > 1"}, Invalid),
        ({"row_filter": "health > 1"}, Invalid),
        ({"row_filter": "expected >"}, Unreadable),
    ):
        with pytest.raises(error) as refused:
            await rows(demo_db, admin, kept, **ask)
        assert refused.value.faults[0].parameter == next(iter(ask))
    with pytest.raises(NotFound):
        await rows(demo_db, admin, new_id())


async def test_rows_are_filtered_by_what_is_told_of_them(demo_db: Database, admin: Principal, kept: UUID) -> None:
    whole = await rows(demo_db, admin, kept)
    meets: dict[str, Callable[[Mapping[str, Any]], bool]] = {
        "expected_loss >= 5000 AND probability < 0.85": lambda r: r["expected_loss"] >= 5000 and r["probability"] < Decimal("0.85"),
        "p05 > 0": lambda r: r["p05"] > 0,
        "kept_share < 0.99 OR p95 < 20000": lambda r: r["kept_share"] < Decimal("0.99") or r["p95"] < 20000,
        "due_on < 2027-01-01 AND NOT (lane = \"severe\")": lambda r: r["due_on"] < "2027-01-01" and r["lane"] != "severe",
    }  # fmt: skip
    for where, holds in meets.items():
        found = await rows(demo_db, admin, kept, row_filter=where)
        assert found == [row for row in whole if holds(row)], where
        assert 0 < len(found) < len(whole), where
    high = await rows(demo_db, admin, kept, filter='segment.tier = "high"')
    both = await rows(demo_db, admin, kept, filter='segment.tier = "high"', row_filter="arr < 50000")
    assert both == [row for row in high if row["arr"] < 50000] != high
    assert all(row["expected_loss"] == row["arr"] - row["expected"] for row in whole)
    assert all(0 <= row["p05"] <= row["p95"] <= row["arr"] for row in whole)
    sure = [row for row in whole if row["money_probability"] > Decimal("0.95")]
    assert all((row["p05"] > 0) == (row in sure) for row in whole)


async def test_a_scenario_moves_each_lane_by_its_shift(demo_db: Database, admin: Principal, kept: UUID) -> None:
    plain = await rows(demo_db, admin, kept)
    moved = await rows(demo_db, admin, await made(demo_db, admin, scenario="downturn", lanes={"low": 0.5}))
    lanes = {row["lane"] for row in moved}
    assert {"severe", "medium", "low"} <= lanes
    for before, after in zip(plain, moved, strict=True):
        shift = {**DOWNTURN, "low": 0.5}.get(after["lane"], 0.0)
        assert part(after, "scenario") == pytest.approx(shift)
        assert float(after["logit"] - before["logit"]) == pytest.approx(shift, abs=1e-9)
    calm = await rows(demo_db, admin, await made(demo_db, admin, scenario="calm"))
    assert {row["lane"] for row in calm} <= {"low", None}


async def test_two_scenarios_side_by_side(demo_db: Database, admin: Principal) -> None:
    body = {
        **PERIOD,
        "scenarios": [None, "downturn", {"scenario": "downturn", "lanes": {"severe": 0}}],
        "group_by": ["segment.tier"],
    }
    told = document(await forecasts.compare(demo_db, admin, DEMO_NOW, body))
    plain, severe, mild = told["scenarios"]
    assert severe["expected"] < mild["expected"] < plain["expected"]
    for other, difference in zip((severe, mild), told["differences"], strict=True):
        assert difference["expected"] == other["expected"] - plain["expected"]
        for of in (difference, difference["net"]):
            parts = [group["net"] if of is difference["net"] else group for group in difference["groups"]]
            assert sum(one["expected"] for one in parts) == of["expected"]
        assert len(difference["groups"]) > 1


async def test_lanes_side_by_side_are_those_of_the_first(demo_db: Database, admin: Principal) -> None:
    """Who is in another lane under another scenario has not moved: the same renewals are compared, group by group."""
    ways = [{"name": "Plain", "scenario": "calm"}, {"name": "Bad", "scenario": "downturn"}]
    told = document(
        await forecasts.compare(demo_db, admin, DEMO_NOW, {**PERIOD, "scenarios": ways, "group_by": ["lane"]})
    )
    calm, downturn = told["scenarios"]
    due = [{one["key"]["lane"]: one["due"] for one in way["groups"]} for way in (calm, downturn)]
    assert due[0] == due[1]
    assert [one["name"] for one in told["scenarios"]] == ["Plain", "Bad"]
    (difference,) = told["differences"]
    assert difference["name"] == "Bad"
    assert sum(one["expected"] for one in difference["groups"]) == difference["expected"] < 0
    assert all(one["expected"] <= 0.05 for one in difference["groups"])  # cents are shared out
    assert "of the first" in told["words"]


async def test_what_if_writes_nothing(demo_db: Database, admin: Principal) -> None:
    counts = "SELECT (SELECT count(*) FROM forecasts), (SELECT count(*) FROM forecast_renewals), (SELECT count(*) FROM audit)"
    before = await demo_db.fetchrow(counts)
    plain = await previewed(demo_db, admin, group_by=["segment.tier"])
    high = {"where": 'segment.tier = "high"'}
    told = {
        "lost": [{**high, "probability": 0}], "kept": [{**high, "probability": 1}], "dearer": [{"arr_factor": 1.1}],
        "worse": [{"where": {"op": "all"}, "shift": -0.5}],
    }  # fmt: skip
    seen = {name: await previewed(demo_db, admin, group_by=["segment.tier"], what_if=told[name]) for name in told}
    groups = {name: {one["key"]["segment.tier"]: one for one in found["groups"]} for name, found in seen.items()}
    usual = {one["key"]["segment.tier"]: one for one in plain["groups"]}
    assert plain["id"] is None
    assert (groups["lost"]["high"]["expected"], groups["lost"]["high"]["p95"]) == (0, 0)
    assert groups["lost"]["medium"]["expected"] == pytest.approx(usual["medium"]["expected"], abs=Decimal("0.05"))
    assert 0.85 < groups["kept"]["high"]["expected"] / usual["high"]["due"]["arr"] <= 1
    assert seen["dearer"]["net"]["expected"] == pytest.approx(
        plain["net"]["expected"] * Decimal("1.1"), rel=Decimal("1e-6")
    )
    assert seen["worse"]["expected"] < plain["expected"]
    assert await demo_db.fetchrow(counts) == before


async def test_groups_have_targets(demo_db: Database, admin: Principal) -> None:
    targets = [{"key": {"month": "2026-12"}, "target": 1}, {"key": {"month": "2027-01"}, "target": 10**9}]
    told = await previewed(demo_db, admin, group_by=["month"], targets=targets)
    assert {one["key"]["month"]: one["target_probability"] for one in told["groups"]} == {
        "2026-12": 1, "2027-01": 0, "2027-02": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scenario": 3}, "/scenario"),
        ({"lanes": {"severe": -1}}, "/lanes"),
        ({"scenario": "calm", "lanes": {"sever": -1}}, "/lanes/sever"),
        ({"scenario": "calm", "lanes": {"severe": -11}}, "/lanes/severe"),
        ({"what_if": [{}]}, "/what_if/0"),
        ({"what_if": [{"shift": 1, "probability": 0.5}]}, "/what_if/0/probability"),
        ({"what_if": [{"probability": 1.5}]}, "/what_if/0/probability"),
        ({"what_if": [{"arr_factor": "much"}]}, "/what_if/0/arr_factor"),
        ({"what_if": [{"where": "arrr > 5", "shift": 1}]}, "/what_if/0/where"),
        ({"what_if": [{"where": "arr >", "shift": 1}]}, "/what_if/0/where"),
        ({"what_if": {"shift": 1}}, "/what_if"),
        ({"targets": [{"key": {"month": "2026-12"}, "target": 1}]}, "/targets"),
        ({"group_by": ["month"], "targets": [{"key": {"csm": "x"}, "target": 1}]}, "/targets/0/key/csm"),
        ({"group_by": ["month"], "targets": [{"key": {"month": "2026-12"}, "target": "x"}]}, "/targets/0/target"),
        ({"group_by": ["month"], "targets": [{"key": {"month": "2026-12"}, "target": -1}]}, "/targets/0/target"),
        ({"group_by": ["month"], "targets": [{"key": {"month": "2036-12"}, "target": 1}]}, "/targets/0/key"),
        ({"target": -5}, "/target"),
        ({"as_of": "2030-01-01T00:00:00Z"}, "/as_of"),
        ({"filter": "arr > 5"}, "/filter"),
        ({"where": {"op": "cmp", "of": "arrr", "cmp": "gt", "value": 5}}, "/where/of"),
    ],
)
async def test_what_means_nothing_is_named(
    demo_db: Database, admin: Principal, body: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(StrataError) as refused:
        await previewed(demo_db, admin, **body)
    assert refused.value.faults[0].pointer == pointer


async def test_what_is_meant_is_suggested(demo_db: Database, admin: Principal) -> None:
    for body, suggestion, message in (
        ({"filter": "arr > 5"}, "where", "group_by"),
        ({"group_by": ["month"], "targets": [{"key": {"month": "2026-11"}, "target": 1}]}, "2026-12", "2026-12; 2027-01; 2027-02"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await previewed(demo_db, admin, **body)
        assert refused.value.faults[0].suggestion == suggestion
        assert message in refused.value.faults[0].message


@pytest.mark.parametrize(
    ("ways", "pointer"),
    [(["calm"], "/scenarios"), ([None, "calmer"], "/scenarios/1/scenario"), ([None, {"lane": 1}], "/scenarios/1/lane")],
)
async def test_a_comparison_says_what_is_wrong(
    demo_db: Database, admin: Principal, ways: list[Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await forecasts.compare(demo_db, admin, DEMO_NOW, {**PERIOD, "scenarios": ways})
    assert refused.value.faults[0].pointer == pointer


async def test_a_tree_asks_what_its_text_asks(demo_db: Database, admin: Principal) -> None:
    tree = {"op": "cmp", "of": "arr", "cmp": "gt", "value": 50_000}
    text = await previewed(demo_db, admin, where="arr > 50000")
    assert text["due"] == (await previewed(demo_db, admin, where=tree))["due"]
