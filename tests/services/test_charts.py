"""Segmentations as pictures and as spreads: every kind, what its cells and bins hold, and what is drawn without cuts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from app.domain.errors import Invalid
from app.persistence.database import Database
from app.services import accounts, charts, segmentations, workspaces
from tests.services.organisations import NOW, Organisation, organisation

SVG = "{http://www.w3.org/2000/svg}"


def axis(field: str, *at: float, **more: Any) -> dict[str, Any]:
    return {"field": field, "cuts": {"by": "absolute", "at": [*at]} if at else more}


def cells(*sides: str) -> list[dict[str, Any]]:
    """A segment for each cell of sides of two levels each."""
    made: list[dict[str, Any]] = [{}]
    for side in sides:
        made = [{**one, side: level} for one in made for level in ("high", "low")]
    return [{"slug": "-".join(one.values()), "name": " ".join(one.values()), **one} for one in made]


BANDS = {
    "name": "Bands",
    "kind": "bands",
    "spec": axis("arr", 100),
    "segments": [{"slug": s, "name": s} for s in ("a", "b")],
}
THREE = {
    "name": "Three", "kind": "matrix", "segments": cells("x", "y", "z"),
    "spec": {"x": axis("arr", 100), "y": axis("growth_potential", 50), "z": axis("health", 50)},
}  # fmt: skip
OWN = {
    "name": "Own", "kind": "matrix", "segments": cells("x", "y"),
    "spec": {"x": axis("arr", by="median", within="csm"), "y": axis("growth_potential", 50)},
}  # fmt: skip
MERGED = {
    "name": "Merged", "kind": "matrix", "spec": {"x": axis("arr", 100), "y": axis("growth_potential", 50)},
    "segments": [{"slug": "top", "name": "Top", "x": "high"}, {"slug": "rest", "name": "Others", "x": "low"}],
}  # fmt: skip
SCORE = {
    "name": "Score", "kind": "score", "segments": [{"slug": s, "name": s} for s in ("good", "poor")],
    "spec": {"at": [1], "measures": [{**axis("arr", 100), "points": [0, 1]}]},
}  # fmt: skip
RULES = {"name": "Rules", "kind": "rules", "segments": [{"slug": "all", "name": "All", "criteria": "arr > 50"}]}


@pytest.fixture
async def org(db: Database) -> Organisation:
    """Twelve accounts of two csms, ARR 10 to 120, of which one has no growth potential and one is archived."""
    made = await organisation(db)
    for n in range(1, 13):
        growth = {} if n == 12 else {"growth_potential": 10 * n}
        csm = str(made.user(("csm", "other")[n % 2]))
        await accounts.create(db, made.call(), {"name": f"A{n}", "arr": 10 * n, "health": 8 * n, "csm": csm, **growth})
    for slug, body in {
        "bands": BANDS,
        "three": THREE,
        "own": OWN,
        "merged": MERGED,
        "score": SCORE,
        "rules": RULES,
    }.items():
        await segmentations.put(db, made.call(), slug, body, None)
    rows = await made.rows("SELECT id, version FROM accounts WHERE workspace_id = $1 AND name = 'A11'")
    await accounts.archive(db, made.call(), *rows[0])
    loaded = await workspaces.load(db, made.workspace.id)
    return made.with_workspace(segmentations=loaded.segmentations, epoch=loaded.epoch)


async def words(org: Organisation, slug: str) -> list[str]:
    drawn = ElementTree.fromstring(await charts.chart(org.db, org.as_("viewer"), slug))
    return ["".join(text.itertext()) for text in drawn.iter(f"{SVG}text")]


async def test_three_axes_are_a_panel_for_each_level_of_the_third(org: Organisation) -> None:
    drawn = await charts.chart(org.db, org.as_("viewer"), "three")
    panels = [
        one
        for one in ElementTree.fromstring(drawn).iter(f"{SVG}g")
        if one.find(f"{SVG}rect[@class='plot']") is not None
    ]
    points = [len([p for p in panel.iter(f"{SVG}circle") if p.get("class") == "point"]) for panel in panels]
    assert points == [4, 6]  # health 50 is passed from the seventh on
    told = await words(org, "three")
    assert {"Health: high", "Health: low", "10 accounts, sized by ARR; 1 lacks a value"} <= set(told)
    counted = await segmentations.segments(org.db, org.as_("viewer"), "three", NOW)
    stands = {one["name"]: one["accounts"] for one in counted["data"]}
    assert (stands["low high high"], stands["low low low"]) == (3, 4)


async def test_books_are_drawn_over_one_axis_each_point_on_its_side_of_the_cut(org: Organisation) -> None:
    drawn = ElementTree.fromstring(await charts.chart(org.db, org.as_("viewer"), "own"))
    cut = next(one for one in drawn.iter(f"{SVG}path") if one.get("class") == "cut")
    at = float((cut.get("d") or "")[1:].split(" ")[0])
    right = [
        one
        for one in drawn.iter(f"{SVG}circle")
        if one.get("class") == "point" and float(one.get("cx") or 0) >= at - 0.06
    ]
    counted = await segmentations.segments(org.db, org.as_("viewer"), "own", NOW)
    assert len(right) == sum(one["accounts"] for one in counted["data"] if one["slug"].startswith("high"))
    assert "ARR ÷ cut of the own book" in await words(org, "own")


async def test_a_segment_of_several_cells_has_its_numbers_once(org: Organisation) -> None:
    told = await words(org, "merged")
    assert (told.count("Others"), told.count("Top")) == (2, 2)
    assert sum(line.startswith("9 accounts") for line in told) == 1


async def test_kinds_without_axes_and_axes_without_cuts_are_bars(org: Organisation) -> None:
    assert {"score from 1 · 2 accounts (18%), $220 (33%)", "score below 1 · 9 accounts (82%), $450 (67%)"} <= set(
        await words(org, "score")
    )
    assert "6 accounts (55%), $520 (78%)" in await words(org, "rules")
    empty = await organisation(org.db)
    body = {**BANDS, "spec": axis("arr", by="median")}
    await segmentations.put(org.db, empty.call(), "bands", body, None)
    told = await words(empty, "bands")
    assert any("There are no cuts yet" in line for line in told)


@pytest.mark.parametrize("field", [None, "growth_potential", "health"])
async def test_the_bins_of_a_spread_hold_everybody_once(org: Organisation, field: str | None) -> None:
    for slug in ("bands", "rules", "three"):
        found = await charts.spread(org.db, org.as_("viewer"), slug, NOW, field)
        counted = await segmentations.segments(org.db, org.as_("viewer"), slug, NOW)
        assert {one["slug"]: (one["accounts"], one["arr"]) for one in found["segments"]} == {
            one["slug"]: (one["accounts"], one["arr"]) for one in counted["data"]
        }
        for one in found["segments"]:
            assert one["without"] + sum(one["bins"]) == one["accounts"]
            assert len(one["bins"]) == len(found["edges"]) - 1
        assert sum(one["without"] for one in found["segments"]) == (field == "growth_potential")
        ElementTree.fromstring(await charts.spread_chart(org.db, org.as_("viewer"), slug, field))


async def test_bins_end_at_the_cuts_and_medians_are_those_of_the_segments(org: Organisation) -> None:
    found = await charts.spread(org.db, org.as_("viewer"), "bands", NOW)
    assert (found["field"], found["cuts"]) == ("arr", [100.0])
    at = found["edges"].index(100.0)
    high, low, _ = found["segments"]
    assert (sum(high["bins"][:at]), sum(low["bins"][at:])) == (0, 0)
    assert (high["median"], low["median"], high["arr"]) == (110.0, 50.0, Decimal(220))


@pytest.mark.parametrize(
    ("field", "near"), [("arrr", "arr"), ("name", None), ("segment.bands", None), ("custom.none", None)]
)
async def test_only_numbers_are_spread(org: Organisation, field: str, near: str | None) -> None:
    for ask in (
        lambda: charts.spread(org.db, org.as_("viewer"), "bands", NOW, field),
        lambda: charts.spread_chart(org.db, org.as_("viewer"), "bands", field),
    ):
        with pytest.raises(Invalid) as caught:
            await ask()
        assert [fault.parameter for fault in caught.value.faults] == ["field"]
        assert near is None or caught.value.faults[0].suggestion == near
