"""Pictures of every kind, plain and extreme, by name: what tests look at."""

from __future__ import annotations

import itertools
import math
import random
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date

from app.domain.pictures.bars import Bar, Bars, bars
from app.domain.pictures.calibration import Bin, Calibration, calibration
from app.domain.pictures.cohorts import Age, Cohorts, Curve, cohorts
from app.domain.pictures.fan import Fan, Month, fan
from app.domain.pictures.flow import Flow, Side, Stream, flow
from app.domain.pictures.histogram import Histogram, Row, bands, binned, distribution
from app.domain.pictures.quadrant import Cell, Point, Quadrant, quadrant
from app.domain.pictures.scales import Measure
from app.domain.pictures.waterfall import Step, Waterfall, waterfall

HOSTILE = "<script>alert('x')</script> & \"quoted\" \x00\x1f \ud800"
LONG = "Portfolio of the customers of our enterprise business in Northern Europe, by value and by growth"
HUGE = 1.25e12
TWELVE = tuple(f"A rather long segment name, number {n}" for n in range(12))


def points(count: int, names: tuple[str, ...], *, title: str, currency: str, panels: tuple[str, ...] = ("",), scale: float = 1e5) -> Quadrant:  # fmt: skip
    """A quadrant of two or three levels on each axis, as there are names for."""
    dice = random.Random(count)
    side = math.isqrt(len(names))
    cuts = tuple(scale * 3.0**n for n in range(side - 1))
    places = itertools.product(range(len(panels)), range(side), range(side))
    cells = [
        Cell(f"{p}{i}{j}", names[(i * side + j) % len(names)], None, count, count * scale, ((i, j, p),))
        for p, j, i in places
    ]
    drawn = [
        Point(
            dice.choice(cells).slug,
            _near(scale, dice),
            _near(scale, dice),
            _near(scale, dice),
            dice.randrange(len(panels)),
        )
        for _ in range(count)
    ]
    axes = Measure("ARR", True, cuts), Measure(f"{names[0]} margin", True, cuts)
    return Quadrant(title, currency, *axes, cells, drawn, count, 3, panels)


def _near(scale: float, dice: random.Random) -> float:
    return scale * math.exp(dice.gauss(0, 1))


def losses() -> Quadrant:
    """Margins below zero, and a cut at zero."""
    made = points(60, ("Stars", "Steady", "Lossmakers", "Drop"), title="Profitability", currency="CHF")
    moved = [Point(p.segment, p.x, p.y - 2e5, p.arr) for p in made.points]
    return Quadrant("Profitability", "CHF", made.x, Measure("Margin", True, (0.0,)), made.cells, moved, 60)


def spread(count: int, names: tuple[str, ...], *, title: str = "Tier", low: float = 0.0) -> Histogram:
    """A number cut so that each segment has a band, the highest first."""
    dice = random.Random(count)
    cuts = tuple(2e4 * 1.6**n for n in range(len(names) - 1))
    values = [low + math.exp(dice.gauss(10.5, 1.3)) for _ in range(count)]
    measure = Measure(names[0], True, cuts)
    edges, log = binned(measure, values)
    rows = [[0] * (len(edges) - 1) for _ in names]
    for value in values:
        rows[len(cuts) - bisect_right(cuts, value)][min(bisect_right(edges, value), len(edges) - 1) - 1] += 1
    made = [
        Row(name, None, sum(row) + 1, sum(row) * 31e3, tuple(row), edges[1] if sum(row) else None, "from $20k")
        for name, row in zip(names, rows, strict=True)
    ]
    return Histogram(title, "USD", measure, edges, log, made)


def moved(names: tuple[str, ...], most: int, *, title: str = "Tier", arr: float = 1e5) -> Flow:
    """Every segment keeps some, loses some to the next one; some enter and some leave."""
    sides = [Side(f"s{n}", name) for n, name in enumerate(names)]
    slugs = [side.slug for side in sides]
    streams = [Stream(slug, slug, most, arr * most) for slug in slugs]
    streams += [Stream(a, b, 1 + n, arr * n) for n, (a, b) in enumerate(itertools.pairwise(slugs))]
    streams += [Stream(None, slugs[-1], 2, arr), Stream(slugs[0], None, 1, arr)] if len(slugs) > 1 else []
    return Flow(title, "USD", "1 Mar 2026", "31 Mar 2026", sides, streams)


def year(known: int, factor: float = 1.0, *, title: str = "Renewals", currency: str = "USD", months: int = 18) -> Fan:
    """Months of which some have an actual."""
    made = []
    for n in range(months):
        value = factor * (3e5 + 1e5 * math.sin(n))
        actual = value if n < known else None
        made.append(
            Month(
                date(2025 + n // 12, n % 12 + 1, 1), value * 0.7, value, value * 1.2, value * 0.98, actual, value * 1.4
            )
        )
    return Fan(title, currency, tuple(made), 2.4e5 * factor, "Nine months in ten fall into the fan.")


def survivors(names: tuple[str, ...], ages: int) -> Cohorts:
    """Cohorts that grow old, the last one fitted."""
    curves = [
        Curve(name, tuple(Age(k, math.exp(-0.1 * (n + 1) * k**0.7)) for k in range(max(1, ages - n))), 100 * n)
        for n, name in enumerate(names)
    ]
    band = tuple(Age(k, math.exp(-0.2 * k), math.exp(-0.3 * k), math.exp(-0.1 * k)) for k in range(ages))
    return Cohorts(LONG, "month", (*curves, Curve("All, BdW", band, fitted=True)), "Accounts that are still there.")


def steps(*amounts: float, title: str = "Forecast", currency: str = "USD", name: str = "Closed: renewed") -> Waterfall:
    """An opening amount and what was added and taken."""
    made = tuple(Step(f"{name} {n}", amount, 12_345 * n) for n, amount in enumerate(amounts[1:]))
    return Waterfall(title, currency, Step("On 1 Mar", amounts[0]), made, Step("On 1 Apr", sum(amounts)))


QUARTERS = ("Strategic", "Key", "Monitor", "Maintain")
GALLERY: Mapping[str, Callable[[], str]] = {
    "quadrant": lambda: quadrant(points(150, QUARTERS, title="Portfolio", currency="USD")),
    "quadrant of nine": lambda: quadrant(points(150, TWELVE[:9], title=LONG, currency="CHF", scale=HUGE)),
    "quadrant of three axes": lambda: quadrant(points(60, QUARTERS, title=LONG, currency="USD", panels=("Health: high", "Health: low"))),
    "quadrant of one": lambda: quadrant(points(1, QUARTERS, title="One", currency="JPY")),
    "quadrant of none": lambda: quadrant(points(0, QUARTERS, title="Nobody", currency="USD")),
    "quadrant of losses": lambda: quadrant(losses()),
    "bars": lambda: bars(Bars(LONG, "EUR", [Bar(n, None, 12_345_678, HUGE, "from 12 points") for n in TWELVE], "Broken.")),
    "bars of one": lambda: bars(Bars("Score", "USD", [Bar("Top", None, 1, -5e3), Bar("Low", None, 0, 0.0)])),
    "bars of none": lambda: bars(Bars("Score", "USD", [Bar("Top", None, 0, 0.0)])),
    "bands": lambda: bands(spread(400, ("High", "Medium", "Low"))),
    "bands of twelve": lambda: bands(spread(400, TWELVE, title=LONG)),
    "bands of one": lambda: bands(spread(1, ("High", "Medium", "Low"))),
    "bands of none": lambda: bands(spread(0, ("High", "Medium", "Low"))),
    "bands of losses": lambda: bands(spread(90, ("High", "Medium", "Low"), low=-6e4)),
    "distribution": lambda: distribution(spread(400, TWELVE, title=LONG)),
    "distribution of none": lambda: distribution(spread(0, ("High", "Low"))),
    "flow": lambda: flow(moved(("High", "Medium", "Low"), 40)),
    "flow of twelve": lambda: flow(moved(TWELVE, 40, title=LONG, arr=HUGE)),
    "flow of one": lambda: flow(moved(("High",), 1)),
    "flow of none": lambda: flow(moved(("High",), 0)),
    "fan": lambda: fan(year(6)),
    "fan of three years": lambda: fan(year(20, HUGE, title=LONG, currency="CHF", months=36)),
    "fan of losses": lambda: fan(year(3, -1.0)),
    "fan of one": lambda: fan(year(1, months=1)),
    "fan of none": lambda: fan(year(0, months=0)),
    "calibration": lambda: calibration(Calibration(LONG, tuple(Bin(n / 10, n / 10, n / 12, 1.0, 7**n) for n in range(1, 10)), LONG)),
    "calibration, close": lambda: calibration(Calibration("Near", tuple(Bin(0.9 + n / 200, 0.93, 0.9, 0.97, 900 - n) for n in range(10)))),
    "calibration of one": lambda: calibration(Calibration("One", (Bin(0.8, 1.0, 0.1, 1.0, 1),))),
    "calibration of none": lambda: calibration(Calibration("Nobody", ())),
    "waterfall": lambda: waterfall(steps(1.2e6, 3e5, -1e5, 0.0, title=LONG)),
    "waterfall, torn": lambda: waterfall(steps(HUGE, HUGE / 50, -HUGE / 80, currency="CHF", name=LONG)),
    "waterfall of losses": lambda: waterfall(steps(-5e5, 9e5, -8e5)),
    "waterfall of nothing": lambda: waterfall(steps(0.0)),
    "cohorts": lambda: cohorts(survivors(("2024", "2025"), 9)),
    "cohorts of twelve": lambda: cohorts(survivors(TWELVE, 24)),
    "cohorts of one": lambda: cohorts(Cohorts("One", "year", (Curve("2026", (Age(0, 1.0),), 1),))),
    "cohorts that grow": lambda: cohorts(Cohorts("Money", "year", (Curve("2026", (Age(0, 1.0), Age(1, 1.8)), 3),))),
    "cohorts of none": lambda: cohorts(Cohorts("Nobody", "year", ())),
}  # fmt: skip
"""Each made anew: some take a moment."""
