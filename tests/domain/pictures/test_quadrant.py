"""The picture: well-formed, bounded, honest about what it leaves out."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest

from app.domain.pictures.quadrant import LEFT, MOST, Area, Cell, Point, Quadrant, quadrant
from app.domain.pictures.scales import Measure
from app.domain.pictures.svg import amount

SVG = "{http://www.w3.org/2000/svg}"
PLACES = {"strategic": (1, 1), "key": (1, 0), "monitor": (0, 1), "maintain": (0, 0)}
HOSTILE = "<script>alert('x')</script> & \"quoted\" \x00\x1f \ud800"


def picture(count: int, *, name: str = "Portfolio", total: int | None = None, largest: float = 1e6) -> Quadrant:
    dice = random.Random(count)
    areas = [Area(slug, f"{name[0]} {slug}", None, (Cell(*place, 0, count, 1e6),)) for slug, place in PLACES.items()]
    points = [Point("key", dice.random() * largest, dice.random() * 5e4, dice.random() * largest) for _ in range(count)]
    axes = Measure("ARR", True, (5e4,)), Measure("Growth potential", True, (1e4,))
    return Quadrant(name, "USD", *axes, areas, points, count if total is None else total, 3)


def texts(svg: str) -> list[str]:
    return ["".join(t.itertext()) for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("count", [0, 1, 300])
def test_every_account_is_a_point_and_every_cell_is_named(count: int) -> None:
    svg = quadrant(picture(count))
    root = ElementTree.fromstring(svg)
    assert len([c for c in root.iter(f"{SVG}circle") if c.get("class") == "point"]) == count
    for slug in PLACES:
        assert f"P {slug}" in texts(svg), slug
    assert "$50k" in texts(svg)
    assert "$10k" in texts(svg)
    assert "prefers-color-scheme:dark" in svg


def test_text_is_escaped_and_what_xml_cannot_hold_is_left_out() -> None:
    root = ElementTree.fromstring(quadrant(picture(3, name=HOSTILE)))
    assert root.find(f"{SVG}title") is not None
    assert list(root.iter("script")) == list(root.iter(f"{SVG}script")) == []


def test_it_says_when_not_all_are_drawn_and_stays_small() -> None:
    svg = quadrant(picture(MOST, total=1_234_567))
    assert any("2,000 of 1,234,567 accounts drawn" in t for t in texts(svg))
    assert any("3 lack a value" in t for t in texts(svg))
    assert len(svg) < 200_000


def test_points_stay_within_the_plot() -> None:
    areas = [Area("a", "A", None, (Cell(0, 0, 0, 1, 1.0),))]
    points = [Point("a", x, y, 1.0) for x in (-5.0, 0.0, 1e12) for y in (0.0, 1e-9, 3.0)]
    svg = quadrant(Quadrant("P", "JPY", Measure("X", False, (1.0,)), Measure("Y", False, ()), areas, points, 9))
    for circle in ElementTree.fromstring(svg).iter(f"{SVG}circle"):
        assert float(circle.get("cx") or 0) >= LEFT
        assert float(circle.get("cy") or 0) >= 0


@pytest.mark.parametrize(
    ("value", "money", "currency", "text"),
    [
        (0, True, "USD", "$0"), (999, True, "USD", "$999"), (999_999, True, "USD", "$1M"), (12_345, True, "EUR", "€12.3k"),
        (1_250_000, True, "CHF", "CHF 1.25M"), (-2_000, True, "USD", "-$2k"), (0.25, False, "USD", "0.25"), (7e9, True, "JPY", "¥7B"),
    ],
)  # fmt: skip
def test_amounts_are_short(value: float, money: bool, currency: str, text: str) -> None:
    assert amount(value, money, currency) == text


def test_names_that_cells_have_no_room_for_stand_in_full_below() -> None:
    name = "Large ones that are cherished by whoever serves them"
    assert name not in texts(quadrant(picture(9, name="Portfolio")))
    areas = [Area("a", name, None, (Cell(0, 0, 0, 1, 1.0),)), Area("b", "B", None, (Cell(1, 0, 0, 1, 1.0),))]
    axes = Measure("ARR", True, (5e4,)), Measure("NPS", False, ())
    assert texts(quadrant(Quadrant("P", "USD", *axes, areas, [], 2)))[-2:] == [name, "B"]


def test_a_segment_of_several_cells_says_what_each_holds() -> None:
    cells = Cell(0, 0, 0, 3, 3e4), Cell(1, 0, 0, 4, 4e5), Cell(0, 0, 1, 0, 0.0)
    axes = Measure("ARR", True, (5e4,)), Measure("NPS", False, ())
    drawn = quadrant(Quadrant("P", "USD", *axes, [Area("a", "A", None, cells)], [], 7, panels=("Top", "Low")))
    assert [text for text in texts(drawn) if "account" in text and "ARR" in text] == [
        "3 accounts, $30k ARR",
        "4 accounts, $400k ARR",
        "0 accounts, $0 ARR",
    ]
    described = ElementTree.fromstring(drawn).findtext(f"{SVG}desc") or ""
    assert "A: 7 accounts, $430k ARR (Top, ARR below $50k: 3 accounts, $30k ARR, Top, ARR from $50k: 4" in described


@pytest.mark.parametrize("seed", range(6))
def test_no_label_of_three_levels_hides_a_point_where_there_is_room(seed: int) -> None:
    dice = random.Random(seed)
    areas = [Area(f"{x}{y}", f"Cell {x}{y}", None, (Cell(x, y, 0, 9, 1e6),)) for x in range(3) for y in range(3)]
    places = [(10 ** dice.uniform(3, 6), 10 ** dice.uniform(3, 6)) for _ in range(18)]
    points = [Point("11", *place, 1e6 if place == (1e3, 1e3) else 1.0) for place in ((1e3, 1e3), *places)]
    axes = Measure("ARR", True, (1e4, 1e5)), Measure("Growth", True, (1e4, 1e5))
    root = ElementTree.fromstring(quadrant(Quadrant("P", "USD", *axes, areas, points, 19)))
    labels = [box for box in root.iter(f"{SVG}rect") if box.get("class") == "tag"]
    dots = [one for one in root.iter(f"{SVG}circle") if one.get("class") == "point"]
    assert (len(labels), len(dots)) == (9, 19)
    for label in labels:
        x, y, wide, high = (float(label.get(name) or 0) for name in ("x", "y", "width", "height"))
        for one in dots:
            at, down = float(one.get("cx") or 0), float(one.get("cy") or 0)
            assert not (x < at < x + wide and y < down < y + high)
