"""Every kind means what it says: its criteria, read by the evaluator, against the arithmetic written out."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text
from app.domain.criteria.check import Setting, check
from app.domain.criteria.evaluate import holds
from app.domain.errors import Invalid
from app.domain.segmentation import books
from app.domain.segmentation.bodies import again, read
from app.domain.segmentation.cuts import Book, Frozen
from app.domain.segmentation.kinds import MAKING, body, expanded
from app.domain.segmentation.model import KINDS, Segmentation
from app.domain.segmentation.points import TooManyError
from app.domain.segmentation.presets import SOURCES, presets
from app.domain.workspaces import clock
from tests.laws.trees import AS_OF, WORKSPACE

DAY = date(2026, 3, 29)
SETTING = Setting(WORKSPACE, clock(WORKSPACE, AS_OF), people=False)
Row = dict[str, Any]


def told(of: Segmentation) -> tuple[Frozen, ...]:
    """Cuts as they are told."""
    return tuple(Frozen(axis.cuts.at, DAY) for axis in of.axes)


def stands(of: Segmentation, row: Row, cuts: tuple[Frozen, ...] | None = None) -> str:
    cuts = told(of) if cuts is None else cuts
    over = books.over(SETTING, books.of(of.axes, cuts))
    for segment, node in zip(of.segments, expanded(of, cuts), strict=True):
        assert text.parse(text.format(node)) == node
        if holds(check(node, ACCOUNTS, over).meaning, row):
            return segment.slug
    return of.rest


def rows(seed: int, count: int = 150) -> list[Row]:
    dice = random.Random(seed)

    def maybe(value: Any) -> Any:
        return value if dice.random() < 0.8 else None

    return [
        {
            "arr": dice.choice((0, 99, 100, 5000, 5001, 90_000)), "growth_potential": maybe(dice.choice((0, 5000, 9000))),
            "health": maybe(float(dice.choice((0, 39.5, 40, 70, 100)))), "impact": maybe(dice.choice(("severe", "medium", "low"))),
            "engagement_score": float(dice.choice((0, 29, 30, 69, 70, 100))), "consumption_score": float(dice.choice((0, 30, 70))),
            "sentiment": maybe(float(dice.randint(1, 5))), "is_reference": dice.random() < 0.5, "csm": maybe("ann"),
            "margin": maybe(dice.choice((-5, 0, 5))), "region": maybe(dice.choice(("emea", "apac", "latam"))),
        }
        for _ in range(count)
    ]  # fmt: skip


# -- scores ------------------------------------------------------------------------------------------------------------

SCORE: Row = {
    "name": "S", "kind": "score",
    "spec": {
        "measures": [
            {"field": "arr", "cuts": {"by": "absolute", "at": [1, 50]}, "points": [0, 3, 1], "weight": 2},
            {"field": "health", "cuts": {"by": "absolute", "at": [40, 70]}, "points": [2, 1, 0], "empty": 1},
            {"field": "region", "values": {"emea": 2, "apac": -1}, "otherwise": 0.5, "empty": 1},
            {"field": "is_reference", "values": {"true": 1}},
            {"criteria": "growth_potential >= 50 AND margin < 0", "points": 3, "otherwise": -1},
        ],
        "at": [1.5, 4, 7],
    },
    "segments": [{"slug": s, "name": s} for s in ("a", "b", "c", "d")],
}  # fmt: skip


def score(row: Row) -> Decimal:
    """The points of SCORE, added up; money is in cents."""
    arr, health, region = row["arr"], row["health"], row["region"]
    found = Decimal(2) * (0 if arr < 100 else 3 if arr < 5000 else 1)
    found += 1 if health is None else 2 if health < 40 else 1 if health < 70 else 0
    found += {"emea": Decimal(2), "apac": Decimal(-1), None: Decimal(1)}.get(region, Decimal("0.5"))
    found += bool(row["is_reference"])
    growth, margin = row["growth_potential"], row["margin"]
    held = growth is not None and growth >= 5000 and margin is not None and margin < 0
    return found + (3 if held else -1)


def test_a_scorecard_adds_up() -> None:
    of = read("s", SCORE)
    seen = set()
    for row in rows(1, 400):
        total = score(row)
        wanted = "a" if total >= 7 else "b" if total >= 4 else "c" if total >= Decimal("1.5") else "d"
        assert stands(of, row) == wanted, row
        seen.add(wanted)
    assert seen == {"a", "b", "c", "d"}


def test_a_number_that_nobody_had_when_cuts_were_taken_counts_as_empty() -> None:
    relative = {"by": "percentile", "at": [0.5]}
    measures = [
        {"field": "arr", "cuts": {"by": "absolute", "at": [50]}, "points": [0, 2]},
        {"field": "growth_potential", "cuts": relative, "points": [0, 1], "empty": 1},
    ]
    body = SCORE | {"spec": {"measures": measures, "at": [2]}, "segments": SCORE["segments"][:2]}
    of = read("s", body)
    cut = told(of)[0]
    assert [text.format(one) for one in expanded(of, (cut, replace(cut, at=())))] == ["arr >= 50", "ALL"]
    assert {text.format(one) for one in expanded(of, (replace(cut, at=()),) * 2)} == {"NOT ALL"}


def test_a_scorecard_that_no_criteria_can_say_is_refused() -> None:
    wide = deepcopy(SCORE)
    measure = {"field": "arr", "cuts": {"by": "absolute", "at": [1, 2, 3, 4]}, "points": [0, 1, 2, 3, 4]}
    wide["spec"] = {"measures": [measure] * 8, "at": [16]}
    wide["segments"] = wide["segments"][:2]
    of = read("s", wide)
    with pytest.raises(TooManyError):
        expanded(of, told(of))


# -- lanes -------------------------------------------------------------------------------------------------------------


def test_lanes_are_lifted_and_lowered_by_one() -> None:
    of = read("lanes", presets()["lanes"])
    lanes = ("severe", "medium", "low")
    for row in rows(2, 400):
        net = sum(
            (row[field] is not None) and ((row[field] >= lifts) - (row[field] < lowers))
            for field, lifts, lowers in (
                ("engagement_score", 70, 30),
                ("consumption_score", 70, 30),
                ("sentiment", 4, 3),
            )
        )
        wanted = "no_impact"
        if row["impact"] is not None:
            wanted = lanes[min(2, max(0, lanes.index(row["impact"]) + (net > 0) - (net < 0)))]
        assert stands(of, row) == wanted, row


@pytest.mark.parametrize("lowers", [None, 30])
@pytest.mark.parametrize("lifts", [None, 70])
def test_a_consideration_may_lift_alone_or_lower_alone(lifts: int | None, lowers: int | None) -> None:
    given = {"field": "engagement_score", "lifts_from": lifts, "lowers_below": lowers}
    spec = {"considerations": [given] if lifts or lowers else []}
    of = read("lanes", presets()["lanes"] | {"spec": spec})
    for row in rows(3):
        moved = (lifts is not None and row["engagement_score"] >= lifts) - (
            lowers is not None and row["engagement_score"] < lowers
        )
        lanes = ("severe", "medium", "low")
        wanted = "no_impact"
        if row["impact"] is not None:
            wanted = lanes[min(2, max(0, lanes.index(row["impact"]) + moved))]
        assert stands(of, row) == wanted, row


# -- matrices ----------------------------------------------------------------------------------------------------------


def test_three_axes_and_segments_of_several_cells() -> None:
    body_ = {
        "name": "M", "kind": "matrix",
        "spec": {
            "x": {"field": "arr", "cuts": {"by": "absolute", "at": [1, 50]}},
            "y": {"field": "health", "cuts": {"by": "absolute", "at": [40]}},
            "z": {"field": "sentiment", "cuts": {"by": "absolute", "at": [3]}},
        },
        "segments": [
            {"slug": "best", "name": "Best", "x": ["high", "medium"], "y": "high", "z": "high"},
            {"slug": "fair", "name": "Fair", "x": "low", "y": "high", "z": "high"},
            {"slug": "odd", "name": "Odd", "x": ["low", "high"], "y": "low"},
            {"slug": "mid", "name": "Mid", "x": "medium", "y": "low"},
            {"slug": "sad", "name": "Sad", "y": "high", "z": "low"},
        ],
    }  # fmt: skip
    of = read("m", body_)
    for row in rows(4, 300):
        arr, health, sentiment = row["arr"], row["health"], row["sentiment"]
        x = "low" if arr < 100 else "medium" if arr < 5000 else "high"
        wanted = "unclassified"
        if health is not None and sentiment is not None:
            if health < 40:
                wanted = "mid" if x == "medium" else "odd"
            elif sentiment < 3:
                wanted = "sad"
            else:
                wanted = "fair" if x == "low" else "best"
        assert stands(of, row) == wanted, row


def test_every_cell_is_in_one_segment() -> None:
    portfolio = presets()["portfolio"]
    for levels in ({"x": ["high", "low"]}, {"x": None}, {"z": "high"}):
        segments = [portfolio["segments"][0] | levels, *portfolio["segments"][1:]]
        with pytest.raises(Invalid):
            read("portfolio", portfolio | {"segments": segments})


@pytest.mark.parametrize(
    ("levels", "pointer", "message"),
    [
        ({"x": "low", "y": "low"}, "/segments/3", "Expected no cell twice: x low y low is in segment 1 already."),
        ({"x": "low", "y": "low"}, "/segments", "Expected every cell in a segment: 1 of 4 is in none: x high y high."),
        ({"x": ["high", "high"]}, "/segments/0/x", "Expected each level once."),
    ],
)
def test_cells_that_are_missing_or_there_twice_are_named(levels: dict[str, Any], pointer: str, message: str) -> None:
    portfolio = presets()["portfolio"]
    with pytest.raises(Invalid) as caught:
        read("portfolio", portfolio | {"segments": [portfolio["segments"][0] | levels, *portfolio["segments"][1:]]})
    assert (pointer, message) in [(one.pointer, one.message) for one in caught.value.faults]


def test_cuts_within_books_are_each_books_own_and_ties_go_up() -> None:
    book = presets()["book"] | {
        "spec": {side: {"field": "arr", "cuts": {"by": "median", "within": "region"}} for side in "xy"}
    }
    of = read("book", book)
    frozen = Frozen((), DAY, 9, {"emea": Book((Decimal(50),), 5), "apac": Book((Decimal(900),), 4)})
    cuts = (frozen, frozen)
    assert stands(of, {"arr": 5000, "region": "emea"}, cuts) == "strategic"
    assert stands(of, {"arr": 4999, "region": "emea"}, cuts) == "maintain"
    assert stands(of, {"arr": 5000, "region": "apac"}, cuts) == "maintain"
    assert stands(of, {"arr": 90_000, "region": "apac"}, cuts) == "strategic"
    for region in ("latam", None):  # a book without cuts, and none
        assert stands(of, {"arr": 90_000, "region": region}, cuts) == "unclassified"
    without = Frozen((), DAY, 0)
    assert {text.format(node) for node in expanded(of, (without, without))} == {"NOT ALL"}


def test_one_field_has_one_population_within_its_books() -> None:
    axes = [{"field": "arr", "cuts": {"by": "median", "within": "csm", "among": f"arr > {n}"}} for n in (0, 1)]
    with pytest.raises(Invalid) as caught:
        read("book", presets()["book"] | {"spec": dict(zip("xy", axes, strict=True))})
    assert [fault.pointer for fault in caught.value.faults] == ["/spec/y/cuts/among"]


# -- bodies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", sorted(presets()))
def test_presets_read_and_what_is_told_of_them_reads_the_same(slug: str) -> None:
    of = read(slug, presets()[slug])
    assert read(slug, body(of)) == of
    assert again({"slug": slug, **body(of)}) == of
    assert slug in SOURCES


def test_every_kind_has_a_preset_and_a_making() -> None:
    assert {one["kind"] for one in presets().values()} == set(KINDS) == set(MAKING)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"spec": {"considerations": [{"field": "arr"}]}}, "/spec/considerations/0"),
        ({"spec": {"considerations": [{"field": "arr", "lifts_from": 1, "lowers_below": 1}]}}, "/spec/considerations/0/lowers_below"),
        ({"spec": {"considerations": "all"}}, "/spec/considerations"),
        ({"spec": {"consideration": []}}, "/spec/consideration"),
        ({"segments": presets()["lanes"]["segments"][:2]}, "/segments"),
        ({"segments": [presets()["lanes"]["segments"][0] | {"lane": "bad"}]}, "/segments/0/lane"),
        ({"refreeze": "month"}, "/refreeze"),
        ({"refreeze": "daily"}, "/refreeze"),
    ],
)  # fmt: skip
def test_what_lanes_cannot_be(change: Row, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        read("lanes", presets()["lanes"] | change)
    assert pointer in [fault.pointer for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("measure", "pointer"),
    [
        ({"field": "arr"}, ""),
        ({"field": "arr", "cuts": {"by": "median"}, "points": [1]}, "/points"),
        ({"field": "arr", "cuts": {"by": "median"}, "points": [1, "x"]}, "/points/1"),
        ({"cuts": {"by": "median"}, "points": [1, 2]}, "/field"),
        ({"field": "region", "values": {}}, "/values"),
        ({"field": "region", "values": {"emea": 1}, "points": 3}, "/points"),
        ({"field": "region", "values": {"emea": 1}, "weight": 0}, "/weight"),
        ({"criteria": "arr >", "points": 3}, "/criteria"),
        ({"criteria": "arr > 3"}, "/points"),
        ({"field": "arr", "cuts": {"by": "natural", "parts": 9}, "points": [1] * 9}, "/cuts/parts"),
        ({"field": "arr", "cuts": {"by": "natural", "parts": 3, "within": "csm"}, "points": [1] * 3}, "/cuts/within"),
        ({"field": "arr", "cuts": {"by": "median", "within": "name"}, "points": [1, 2]}, "/cuts/within"),
        ([], ""),
    ],
)
def test_what_measures_cannot_be(measure: Any, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        read("s", SCORE | {"spec": {"measures": [measure], "at": [1, 2, 3]}})
    assert f"/spec/measures/0{pointer}" in [fault.pointer for fault in caught.value.faults]
