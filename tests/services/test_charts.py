"""Segmentations as pictures and as spreads: every kind, what its cells and bins hold, and what is drawn without cuts."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from app.domain.errors import Invalid
from app.persistence.database import Database
from app.services import accounts, charts, pins, segmentations, workspaces
from app.services.quadrants import next_to
from tests.services.organisations import NOW, Organisation, organisation

SVG = "{http://www.w3.org/2000/svg}"


def axis(field: str, *at: float, **more: Any) -> dict[str, Any]:
    return {"field": field, "cuts": {"by": "absolute", "at": [*at]} if at else more}


def cells(*sides: str) -> list[dict[str, Any]]:
    """A segment for each cell of sides of two levels each, its name short enough for a label."""
    made: list[dict[str, Any]] = [{}]
    for side in sides:
        made = [{**one, side: level} for one in made for level in ("high", "low")]
    return [
        {"slug": "-".join(one.values()), "name": "".join(level[0].upper() for level in one.values()), **one}
        for one in made
    ]


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
STANDING = """
SELECT a.name, m.segment FROM segmentations s JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = s.id
JOIN accounts a ON a.workspace_id = $1 AND a.id = m.account_id WHERE s.workspace_id = $1 AND s.slug = $2
"""
ACCOUNT = "SELECT id FROM accounts WHERE workspace_id = $1 AND name = $2"
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
    drawn = ElementTree.fromstring(await charts.chart(org.db, org.as_("viewer"), slug, NOW))
    return ["".join(text.itertext()) for text in drawn.iter(f"{SVG}text")]


async def test_three_axes_are_a_panel_for_each_level_of_the_third(org: Organisation) -> None:
    drawn = await charts.chart(org.db, org.as_("viewer"), "three", NOW)
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
    assert (stands["LHH"], stands["LLL"]) == (3, 4)


async def test_books_are_drawn_over_one_axis_each_point_on_its_side_of_the_cut(org: Organisation) -> None:
    drawn = ElementTree.fromstring(await charts.chart(org.db, org.as_("viewer"), "own", NOW))
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


def labels(drawn: str) -> list[list[tuple[str, int, int]]]:
    """By panel what the cells' labels say: name, accounts, dollars."""
    panels = [
        one
        for one in ElementTree.fromstring(drawn).iter(f"{SVG}g")
        if one.find(f"{SVG}rect[@class='plot']") is not None
    ]
    told = [
        [
            " ".join("".join(text.itertext()) for text in tag.iter(f"{SVG}text"))
            for tag in panel.iter(f"{SVG}g")
            if tag.find(f"{SVG}rect[@class='tag']") is not None
        ]
        for panel in panels
    ]
    said = [[re.fullmatch(r"(.*?) (\d+)(?: accounts?,?)? \$(\d+)(?: ARR)?", line) for line in lines] for lines in told]
    return [sorted((one[1], int(one[2]), int(one[3])) for one in lines if one) for lines in said]  # fmt: skip


@pytest.mark.parametrize("sides", ["xyz", "xy", "xz", "y", "z"])
async def test_each_cell_says_what_it_holds_itself(org: Organisation, sides: str) -> None:
    """Segments of one cell, of several in a panel and of several panels."""
    await segmentations.put(org.db, org.call(), "three", {**THREE, "segments": cells(*sides)}, 1)
    expected: list[dict[tuple[str, ...], tuple[str, int, int]]] = [{}, {}]
    for place in itertools.product(("high", "low"), repeat=3):
        name = "".join(level[0].upper() for side, level in zip("xyz", place, strict=True) if side in sides)
        expected[place[2] == "low"][place] = (name, 0, 0)
    for n in range(1, 11):
        place = tuple("high" if reached else "low" for reached in (10 * n >= 100, 10 * n >= 50, 8 * n >= 50))
        name, held, arr = expected[place[2] == "low"][place]
        expected[place[2] == "low"][place] = (name, held + 1, arr + 10 * n)
    drawn = await charts.chart(org.db, org.as_("viewer"), "three", NOW)
    assert labels(drawn) == [sorted(panel.values()) for panel in expected]


@pytest.mark.parametrize("slug", ["three", "merged", "own"])
async def test_cells_add_up_to_their_segments_wherever_a_pin_holds_an_account(org: Organisation, slug: str) -> None:
    standing = {row[0]: row[1] for row in await org.rows(STANDING, slug)}
    pinned = max({*standing.values()} - {standing["A1"], "unclassified"})
    for name in ("A1", "A12"):  # of which one has no value on an axis
        await pins.pin(
            org.db, org.call(), (await org.rows(ACCOUNT, name))[0][0], slug, {"segment": pinned, "reason": "Asked for."}
        )
    drawn = await charts.chart(org.db, org.as_("viewer"), slug, NOW)
    found: Counter[str] = Counter()
    for name, held, arr in itertools.chain(*labels(drawn)):
        found.update({name: held, f"{name}, ARR": arr})
    counted = await segmentations.segments(org.db, org.as_("viewer"), slug, NOW)
    expected = {one["name"]: one["accounts"] for one in counted["data"] if one["slug"] != "unclassified"}
    expected |= {f"{one['name']}, ARR": one["arr"] for one in counted["data"] if one["slug"] != "unclassified"}
    assert dict(found) == expected
    assert "2 accounts stand in a segment that their values do not say" in drawn


def test_who_stands_elsewhere_counts_in_the_cell_that_is_nearest() -> None:
    assert next_to((0, 1, 1), [(1, 0, 0), (1, 1, 0), (1, 1, 1)]) == (1, 1, 1)
    assert next_to((2, None), [(0, 0), (1, 1)]) == (1, 1)
    assert next_to((0, 0), [(0, 1), (1, 0)]) == (0, 1)


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
        ElementTree.fromstring(await charts.spread_chart(org.db, org.as_("viewer"), slug, NOW, field))


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
        lambda: charts.spread_chart(org.db, org.as_("viewer"), "bands", NOW, field),
    ):
        with pytest.raises(Invalid) as caught:
            await ask()
        assert [fault.parameter for fault in caught.value.faults] == ["field"]
        assert near is None or caught.value.faults[0].suggestion == near
