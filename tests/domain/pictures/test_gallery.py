"""Every picture is well-formed, says its numbers in words too, escapes what it is told, and shows sums that add up."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import date
from xml.etree import ElementTree

import pytest

from app.domain.pictures.bars import Bar, Bars, bars
from app.domain.pictures.calibration import Bin, Calibration, calibration
from app.domain.pictures.cohorts import Age, Cohorts, Curve, cohorts
from app.domain.pictures.fan import Fan, Month, fan
from app.domain.pictures.flow import Flow, Side, Stream, flow
from app.domain.pictures.histogram import Histogram, Row, bands, binned, distribution
from app.domain.pictures.scales import Measure
from app.domain.pictures.svg import MARGIN, WIDTH, even
from app.domain.pictures.waterfall import Step, Waterfall, waterfall
from tests.domain.pictures.gallery import GALLERY, HOSTILE, moved, spread, steps

SVG = "{http://www.w3.org/2000/svg}"


def words(drawn: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(drawn).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", GALLERY)
def test_each_is_well_formed_described_and_without_nonsense(name: str) -> None:
    drawn = GALLERY[name]()
    root = ElementTree.fromstring(drawn)
    title, described = (root.findtext(f"{SVG}{tag}") for tag in ("title", "desc"))
    assert title
    assert described
    assert "prefers-color-scheme:dark" in drawn
    assert not re.search(r"\bnan\b|\binf\b|None|e\+\d", drawn.partition("</style>")[2] + described)
    left, top, wide, _ = map(float, (root.get("viewBox") or "").split())
    assert (left, top, wide) == (0, 0, WIDTH)


HISTOGRAM = Histogram(HOSTILE, HOSTILE, Measure(HOSTILE, True, (5.0,)), *binned(Measure("", True, (5.0,)), [1, 9]), [
    Row(HOSTILE, "#123456", 0, 0.0, (0,) * (len(binned(Measure("", True, (5.0,)), [1, 9])[0]) - 1), None, HOSTILE),
])  # fmt: skip


@pytest.mark.parametrize(
    "draw",
    [
        lambda: bars(Bars(HOSTILE, HOSTILE, [Bar(HOSTILE, HOSTILE, 1, 1.0, HOSTILE)], HOSTILE)),
        lambda: bands(HISTOGRAM), lambda: distribution(HISTOGRAM),
        lambda: flow(Flow(HOSTILE, HOSTILE, HOSTILE, HOSTILE, [Side("a", HOSTILE, HOSTILE)], [Stream("a", None, 1, 1.0)], HOSTILE)),
        lambda: fan(Fan(HOSTILE, HOSTILE, (), None, HOSTILE)),
        lambda: calibration(Calibration(HOSTILE, (), HOSTILE)),
        lambda: waterfall(Waterfall(HOSTILE, HOSTILE, Step(HOSTILE, 1.0, 1), (), Step(HOSTILE, 1.0), HOSTILE)),
        lambda: cohorts(Cohorts(HOSTILE, HOSTILE, (Curve(HOSTILE, (Age(0, 1.0), Age(1, 0.5))),), HOSTILE)),
    ],
)  # fmt: skip
def test_what_they_are_told_cannot_become_markup(draw: Callable[[], str]) -> None:
    root = ElementTree.fromstring(draw())
    assert [one.tag for one in root.iter() if "script" in one.tag] == []
    assert "<script>" in "".join(root.itertext())


def test_bars_count_everybody_once() -> None:
    drawn = words(bars(Bars("Score", "USD", [Bar("Top", None, 30, 6e5), Bar("Low", None, 70, 4e5)])))
    assert {"100 accounts, $1M ARR.", "30 accounts (30%), $600k (60%)", "70 accounts (70%), $400k (40%)"} <= set(drawn)


def test_the_heights_of_bins_are_their_counts() -> None:
    picture = spread(400, ("High", "Medium", "Low"))
    heights = [
        float(box.get("height") or 0)
        for box in ElementTree.fromstring(bands(picture)).iter(f"{SVG}rect")
        if (box.get("fill") or "").startswith("#") and float(box.get("width") or 0) < (WIDTH - 2 * MARGIN) / 4
    ]
    counts = [
        count
        for n in range(len(picture.edges) - 1)
        for count in (row.bins[n] for row in reversed(picture.rows))
        if count
    ]
    unit = max(heights) / max(counts)
    assert heights[: len(counts)] == pytest.approx([count * unit for count in counts], abs=0.06)
    assert sum(counts) == 400


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.0, 5e4, 9e6], [-3.0, 4.0], [7.0] * 9, []])
def test_every_value_has_one_bin_and_no_bin_lies_on_both_sides_of_a_cut(values: list[float]) -> None:
    cuts = (2.0, 1e5)
    edges, _ = binned(Measure("ARR", True, cuts), values)
    assert list(edges) == sorted(set(edges))
    assert all(edges[0] <= value <= edges[-1] for value in values)
    assert all(not (lo < cut < hi) for lo, hi in itertools.pairwise(edges) for cut in cuts)


def test_streams_are_as_wide_as_they_hold_accounts() -> None:
    picture = moved(("High", "Medium", "Low"), 40)
    ribbons = [path for path in ElementTree.fromstring(flow(picture)).iter(f"{SVG}path") if path.get("fill-opacity")]
    widths = []
    for ribbon in ribbons:
        begin, curve = re.findall(r"-?\d+\.?\d*", ribbon.get("d") or "")[1], (ribbon.get("d") or "").rsplit(" ", 1)[1]
        widths.append(float(curve.rstrip("Z")) - float(begin))
    total = sum(stream.accounts for stream in picture.streams)
    wanted = sorted(max(1.2, 300 * stream.accounts / total) for stream in picture.streams)
    assert sorted(widths) == pytest.approx(wanted, abs=0.11)


def test_a_waterfall_that_does_not_add_up_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="do not lead"):
        waterfall(Waterfall("Forecast", "USD", Step("On 1 Mar", 10.0), (Step("New", 5.0),), Step("On 1 Apr", 15.02)))
    drawn = words(waterfall(steps(1.2e6, 3e5, -1e5)))
    assert {"$1.200M", "+$0.300M", "-$0.100M", "$1.400M"} <= set(drawn)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([14_344_361.06, -60.05, 134_211.99], ["$14,344.36k", "-$0.06k", "$134.21k"]),
        ([14_344_361.0, -43_451.0], ["$14.34M", "-$0.04M"]),
        ([950_000.0, 12_000.0, 0.0], ["$950.0k", "$12.0k", "$0.0k"]),
        ([160.0, -60.0, 100.0], ["$160", "-$60", "$100"]),
        ([0.0, 0.0], ["$0", "$0"]),
    ],
)
def test_amounts_that_add_up_are_told_alike(values: list[float], told: list[str]) -> None:
    assert even(values, "USD") == told


def test_a_torn_waterfall_says_how_much_is_cut_and_one_that_stands_still_that_nothing_moved() -> None:
    torn = " ".join(words(waterfall(steps(1e6, 2e4, -1e4))))
    assert re.search(r"Torn bars begin at 9\d% of the first amount", torn)
    still = waterfall(Waterfall("Forecast", "USD", Step("On 1 Mar", 10.0), (), Step("On 1 Apr", 10.0)))
    assert "Nothing moved." in words(still)
    assert "Torn" not in " ".join(words(still))
    assert "stroke-dasharray" not in still.partition("</style>")[2]


def test_whole_notes_are_shown() -> None:
    note = "Of all renewals that were told a chance, as many came as were told to come. " * 12
    drawn = words(calibration(Calibration("Chances", (), note)))
    assert " ".join(drawn).count("as were told to come") == 12
    assert not any("…" in line for line in drawn)


def test_chances_are_drawn_up_to_all_and_few_say_little() -> None:
    drawn = calibration(Calibration("Chances", (Bin(0.5, 0.4, 0.2, 0.6, 9), Bin(0.6, 0.7, 0.5, 0.8, 10))))
    assert "100%" in words(drawn)
    whiskers = [one for one in ElementTree.fromstring(drawn).iter(f"{SVG}path") if one.get("class") == "line"]
    assert [one.get("stroke-dasharray") for one in whiskers] == ["2 3", None]


def test_months_of_which_a_part_is_meant_are_marked() -> None:
    months = (Month(date(2026, 11, 1), 1.0, 2.0, 3.0, 2.1, None, 4.0, part="from 22 Nov"), Month(date(2026, 12, 1), 1.0, 2.0, 3.0, 2.1, None, 4.0))  # fmt: skip
    drawn = fan(Fan("Renewals", "USD", months))
    assert "Nov 2026: from 22 Nov" in " ".join(words(drawn))
    assert drawn.partition("</style>")[2].count('class="due part"') == 2
    assert "median" not in words(drawn)
