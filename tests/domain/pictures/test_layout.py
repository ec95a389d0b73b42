"""Laws of every picture, whatever it is told: texts lie inside and not on each other, and every place is a number."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.pictures.bars import Bar, Bars, bars
from app.domain.pictures.calibration import Bin, Calibration, calibration
from app.domain.pictures.cohorts import Age, Cohorts, Curve, cohorts
from app.domain.pictures.fan import Fan, Month, fan
from app.domain.pictures.flow import Flow, Side, Stream, flow
from app.domain.pictures.histogram import Histogram, Row, bands, binned, distribution
from app.domain.pictures.quadrant import Area, Cell, Point, Quadrant, quadrant
from app.domain.pictures.scales import Measure
from app.domain.pictures.svg import ASIDE, COLOURS, REST, STYLE, WIDTH, width
from app.domain.pictures.waterfall import Step, Waterfall, waterfall
from app.domain.segmentation import presets
from tests.domain.pictures.gallery import FOREIGN, LONG, QUARTERS
from tests.domain.pictures.gallery import points as of_quarters

SVG = "{http://www.w3.org/2000/svg}"
NAMES = (*FOREIGN, LONG, LONG[:40], "A", "Key", "No impact", "W" * 40)
Box = tuple[float, float, float, float]


def texts(root: ElementTree.Element) -> Iterator[tuple[str, Box]]:
    """Each text and what it takes at most: left, top, right, bottom."""

    def walk(one: ElementTree.Element, left: float, top: float) -> Iterator[tuple[str, Box]]:
        moved = re.match(r"translate\(([-\d.e]+) ([-\d.e]+)\)", one.get("transform", ""))
        left, top = (left + float(moved[1]), top + float(moved[2])) if moved else (left, top)
        if one.tag == f"{SVG}text":
            size = float(one.get("font-size", 14))
            told = "".join(one.itertext())
            wide = width(one.text or "", size, bold="bold" in one.get("class", ""))
            wide += sum(width(part.text or "", float(part.get("font-size", 14))) for part in one)
            share = {"start": 0.0, "middle": 0.5, "end": 1.0}[one.get("text-anchor", "start")]
            x, y = float(one.get("x", 0)), float(one.get("y", 0))
            if "rotate" in one.get("transform", ""):
                yield told, (left - 0.8 * size, top - wide / 2, left + 0.2 * size, top + wide / 2)
            else:
                at = left + x - share * wide
                yield told, (at, top + y - 0.8 * size, at + wide, top + y + 0.2 * size)
        for part in one:
            yield from walk(part, left, top)

    return walk(root, 0.0, 0.0)


def amount(dice: random.Random, *, signed: bool = True) -> float:
    """Nothing, alike, small, up to a billion."""
    value = dice.choice((0.0, 5e4, 5e4, 0.01, 1e9, 10 ** dice.uniform(0, 9)))
    return -value if signed and dice.random() < 0.2 else value


def names(dice: random.Random, most: int) -> list[str]:
    return [dice.choice(NAMES) for _ in range(dice.randint(0, most))]


def measure(dice: random.Random, count: int) -> Measure:
    cuts = {amount(dice) for _ in range(count)}
    return Measure(dice.choice(NAMES), dice.random() < 0.7, tuple(sorted(cuts)))


def a_quadrant(dice: random.Random) -> str:
    x, y = measure(dice, dice.randint(1, 2)), measure(dice, dice.randint(1, 2))
    places = [(i, j, 0) for i in range(len(x.cuts) + 1) for j in range(len(y.cuts) + 1)]
    held = [Cell(*place, dice.randint(0, 10**6), amount(dice)) for place in places]
    areas = [Area(f"{n}", dice.choice(NAMES), None, (cell,)) for n, cell in enumerate(held)]
    points = [Point(areas[0].slug, amount(dice), amount(dice), amount(dice)) for _ in range(dice.choice((0, 1, 9, 60)))]
    return quadrant(Quadrant(dice.choice(NAMES), dice.choice(("USD", "CHF")), x, y, areas, points, len(points), 3))


def a_histogram(dice: random.Random) -> Histogram:
    of = measure(dice, dice.choice((0, 1, 2, 9)))
    edges, log = binned(of, [amount(dice) for _ in range(dice.choice((0, 1, 9, 60)))])
    rows = [
        Row(
            name, None, 10**9, amount(dice), tuple(dice.randint(0, 9) for _ in edges[1:]), dice.choice((None, edges[1]))
        )
        for name in names(dice, 10)
    ]
    return Histogram(dice.choice(NAMES), dice.choice(("USD", "CHF")), of, edges, log, rows)


def a_flow(dice: random.Random) -> str:
    sides = [Side(str(n), name) for n, name in enumerate(names(dice, 10))]
    ends = [None, *(side.slug for side in sides)]
    streams = [
        Stream(a, b, dice.choice((0, 1, 40, 10**6)), amount(dice))
        for a in ends
        for b in ends
        if (a or b) and dice.random() < 0.4
    ]
    return flow(Flow(dice.choice(NAMES), "USD", "1 Mar 2026", "31 Mar 2026", sides, streams))


def a_fan(dice: random.Random) -> str:
    months = []
    for n in range(dice.choice((0, 1, 2, 12, 24, 36))):
        low, middle, high = sorted(amount(dice) for _ in range(3))
        known = dice.choice((None, middle))
        months.append(Month(date(2025 + (n + 10) // 12, (n + 10) % 12 + 1, 1), low, middle, high, known, known, dice.choice((None, high)), part=dice.choice(("", "", "from 22 Nov"))))  # fmt: skip
    return fan(Fan(dice.choice(NAMES), dice.choice(("USD", "CHF")), tuple(months), dice.choice((None, amount(dice)))))


def a_calibration(dice: random.Random) -> str:
    bins = []
    for _ in range(dice.choice((0, 1, 3, 10))):
        low, middle, high = sorted(dice.random() for _ in range(3))
        bins.append(Bin(dice.choice((0.0, 1.0, 0.97, dice.random())), middle, low, high, int(10 ** dice.uniform(0, 6))))
    return calibration(Calibration(dice.choice(NAMES), tuple(bins)))


def a_waterfall(dice: random.Random) -> str:
    steps = tuple(Step(name, round(amount(dice), 2), dice.choice((None, 1, 10**6))) for name in names(dice, 11))
    opening = round(amount(dice), 2)
    closing = Step("On 1 Apr", opening + sum(step.amount for step in steps))
    return waterfall(
        Waterfall(dice.choice(NAMES), dice.choice(("USD", "CHF")), Step("On 1 Mar", opening), steps, closing)
    )


def some_cohorts(dice: random.Random) -> str:
    curves = [
        Curve(
            name,
            tuple(Age(k, dice.choice((1.0, 0.999, dice.random()))) for k in range(dice.choice((1, 2, 24)))),
            10**6,
            n == 0,
        )
        for n, name in enumerate(names(dice, 12))
    ]
    return cohorts(Cohorts(dice.choice(NAMES), "month", tuple(curves)))


def some_bars(dice: random.Random) -> Bars:
    return Bars(dice.choice(NAMES), "CHF", [Bar(name, None, dice.randint(0, 10**7), amount(dice), "from 1") for name in names(dice, 10)])  # fmt: skip


KINDS: Mapping[str, Callable[[random.Random], str]] = {
    "quadrant": a_quadrant, "bands": lambda dice: bands(a_histogram(dice)), "distribution": lambda dice: distribution(a_histogram(dice)),
    "bars": lambda dice: bars(some_bars(dice)), "flow": a_flow, "fan": a_fan, "calibration": a_calibration,
    "waterfall": a_waterfall, "cohorts": some_cohorts,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=50)
@given(seed=st.integers(0, 10**6))
def test_texts_lie_inside_and_not_on_each_other(kind: str, seed: int) -> None:
    drawn = KINDS[kind](random.Random(seed))
    assert drawn == KINDS[kind](random.Random(seed))
    marks = drawn.partition("</style>")[2]
    assert not re.search(r"[\" ,(-](nan|inf)\b", marks)
    root = ElementTree.fromstring(drawn)
    _, _, wide, high = map(float, root.get("viewBox", "").split())
    assert (wide, root.get("width"), root.get("role")) == (WIDTH, "100%", "img")
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    found = list(texts(root))
    for told, (left, top, right, bottom) in found:
        assert left >= -0.5, told
        assert right <= WIDTH + 0.5, told
        assert top >= -0.5, told
        assert bottom <= high + 0.5, told
    for (told, one), (other, two) in combinations(found, 2):
        across = min(one[2], two[2]) - max(one[0], two[0])
        upward = min(one[3], two[3]) - max(one[1], two[1])
        assert across <= 1 or upward <= 3.5, (told, other)


# -- colours -----------------------------------------------------------------------------------------------------------


def bright(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """As WCAG 2 has it."""
    dark, light = sorted((bright(one), bright(other)))
    return (light + 0.05) / (dark + 0.05)


READY = {
    segment["colour"]
    for cutting in ("absolute", "relative")
    for body in presets.presets(cutting, cutting).values()
    for segment in body["segments"]
}
"""What ready-made segmentations are drawn with, those that a workspace begins with among them."""


def points() -> str:
    return quadrant(of_quarters(150, QUARTERS, title="Portfolio", currency="USD"))


def strokes(css: str) -> dict[str, str]:
    return dict(re.findall(r"\.(\w+)\{[^}]*?stroke:(#[0-9a-f]{6})", css))


def fills(css: str) -> dict[str, str]:
    return dict(re.findall(r"\.(\w+)\{fill:(#[0-9a-f]{6})", css))


@pytest.mark.parametrize("dark", [False, True])
def test_texts_and_marks_stand_out_from_their_ground(dark: bool) -> None:
    light_css, _, dark_css = STYLE.partition("@media")
    css = {**fills(light_css), **(fills(dark_css) if dark else {})}
    for ground in ("ground", "plot", "tag", "track"):
        assert all(contrast(css[text], css[ground]) >= 4.5 for text in ("ink", "soft"))
        assert all(contrast(mark, css[ground]) >= 3 for mark in (*COLOURS, REST, ASIDE, *READY, css["up"], css["down"], css["main"]))  # fmt: skip
    lines = {**strokes(light_css), **(strokes(dark_css) if dark else {})}
    for line in ("axis", "cut", "due", "line", "band", "ray"):
        assert all(contrast(lines[line], css[ground]) >= 3 for ground in ("ground", "plot")), line


def test_what_is_drawn_to_be_read_is_not_made_pale() -> None:
    """Of transparent areas the edge has the whole colour; the rest of a colour would not stand out any more."""
    drawn = ElementTree.fromstring(points())
    assert not [one for one in drawn.iter() if one.get("stroke-opacity") or one.get("opacity")]
    assert re.search(r"\.point\{fill:currentColor;fill-opacity:[.\d]+;stroke:currentColor", STYLE)
    assert {one.get("color") for one in drawn.iter(f"{SVG}circle") if one.get("class") == "point"} <= {*COLOURS}
    assert not [one for one in ElementTree.fromstring(bars(some_bars(random.Random(1)))).iter() if one.get("fill-opacity")]  # fmt: skip


def test_the_grey_of_ready_made_segments_gives_way_to_no_other_grey() -> None:
    assert presets.GREY == REST
