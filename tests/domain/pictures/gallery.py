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
from app.domain.pictures.quadrant import Area, Cell, Point, Quadrant, quadrant
from app.domain.pictures.scales import Measure
from app.domain.pictures.waterfall import Step, Waterfall, waterfall

HOSTILE = "<script>alert('x')</script> & \"quoted\" \x00\x1f \ud800"
LONG = "Portfolio of the customers of our enterprise business in Northern Europe, by value and by growth"
HUGE = 1.25e12
FOREIGN = (
    "Rindfleischetikettierungsüberwachungsaufgabe",
    "🚀 Raketen & Wachstum 👩‍🚀 für alle im Norden 🇩🇪",
    "לקוחות אסטרטגיים (גדולים) 2026",
    "عملاء المؤسسات الكبيرة في الشمال",
)
"""Names of some 40 characters: one word, pictures, and two that are written from right to left."""
TWELVE = tuple(f"A rather long segment name, number {n}" for n in range(12))


def points(count: int, names: tuple[str, ...], *, title: str, currency: str, panels: tuple[str, ...] = ("",), scale: float = 1e5) -> Quadrant:  # fmt: skip
    """A quadrant of two or three levels on each axis, as there are names for."""
    dice = random.Random(count)
    side = math.isqrt(len(names))
    cuts = tuple(scale * 3.0**n for n in range(side - 1))
    places = itertools.product(range(len(panels)), range(side), range(side))
    areas = [
        Area(f"{p}{i}{j}", names[(i * side + j) % len(names)], None, (Cell(i, j, p, count, count * scale),))
        for p, j, i in places
    ]
    drawn = [
        Point(
            dice.choice(areas).slug,
            _near(scale, dice),
            _near(scale, dice),
            _near(scale, dice),
            dice.randrange(len(panels)),
        )
        for _ in range(count)
    ]
    axes = Measure("ARR", True, cuts), Measure(f"{names[0]} margin", True, cuts)
    return Quadrant(title, currency, *axes, areas, drawn, count, 3, panels)


def _near(scale: float, dice: random.Random) -> float:
    return scale * math.exp(dice.gauss(0, 1))


def losses() -> Quadrant:
    """Margins below zero, and a cut at zero."""
    made = points(60, ("Stars", "Steady", "Lossmakers", "Drop"), title="Profitability", currency="CHF")
    moved = [Point(p.segment, p.x, p.y - 2e5, p.arr) for p in made.points]
    return Quadrant("Profitability", "CHF", made.x, Measure("Margin", True, (0.0,)), made.areas, moved, 60)


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


def margins() -> Quadrant:
    """Gains and losses over orders of magnitude, and accounts without any ARR."""
    dice = random.Random(7)
    areas = [
        Area(f"{i}{j}", name, None, (Cell(i, j, 0, 30, 1e6),))
        for name, (i, j) in zip(QUARTERS, itertools.product((0, 1), (0, 1)), strict=True)
    ]
    drawn = [
        Point("00", value, dice.choice((-1, 1, 1)) * value * dice.random(), value)
        for value in (dice.choice((0.0, 1.0)) * math.exp(dice.gauss(9, 2.5)) for _ in range(120))
    ]
    return Quadrant(
        "Profitability", "USD", Measure("ARR", True, (1e4,)), Measure("Margin", True, (0.0,)), areas, drawn, 120
    )


def grades() -> Histogram:
    """Whole numbers from 0 to 10."""
    measure = Measure("NPS", False, (7.0, 9.0))
    edges, log = binned(measure, [float(n) for n in range(11)])
    rows = [
        Row(name, None, 40, 4e6, tuple(40 if lo <= n < lo + 1 else 0 for lo in edges[:-1]), float(n))
        for n, name in enumerate(FOREIGN, 6)
    ]
    return Histogram("NPS", "EUR", measure, edges, log, rows)


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
    "quadrant of margins": lambda: quadrant(margins()),
    "quadrant of billions": lambda: quadrant(points(80, FOREIGN, title=FOREIGN[0], currency="JPY", scale=1e9)),
    "quadrant of equals": lambda: quadrant(Quadrant("Equals", "USD", Measure("ARR", True, (5e4,)), Measure("Health", False, (50.0,)), [Area("a", FOREIGN[3], None, (Cell(1, 1, 0, 9, 45e4),))], [Point("a", 5e4, 50.0, 5e4)] * 9, 9)),
    "bars of foreign names": lambda: bars(Bars(FOREIGN[2], "EUR", [Bar(name, None, 10 ** n, 10.0 ** (3 * n)) for n, name in enumerate(FOREIGN)])),
    "bands of whole numbers": lambda: bands(grades()),
    "distribution of whole numbers": lambda: distribution(grades()),
    "distribution of equals": lambda: distribution(Histogram("Equals", "EUR", Measure("Seats", False, ()), *binned(Measure("Seats", False, ()), [7.0] * 9), [Row(FOREIGN[1], None, 9, 0.0, (0,) * (len(binned(Measure("Seats", False, ()), [7.0] * 9)[0]) - 2) + (9,), 7.0)])),
    "flow of foreign names": lambda: flow(moved(FOREIGN, 12)),
    "fan of two years": lambda: fan(year(11, 1e-2, months=24)),
    "fan of nought": lambda: fan(year(2, 0.0, months=3)),
    "waterfall of foreign names": lambda: waterfall(steps(1e9, -1e3, 0.02, name=FOREIGN[2])),
    "cohorts that nobody leaves": lambda: cohorts(Cohorts("Loyal", "month", tuple(Curve(name, tuple(Age(k, 1.0 - 1e-4 * k) for k in range(20)), 12) for name in FOREIGN))),
    "cohorts of none": lambda: cohorts(Cohorts("Nobody", "year", ())),
}  # fmt: skip
"""Each made anew: some take a moment."""
