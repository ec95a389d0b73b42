"""Accounts between the cuts of two axes, sized by ARR; of a third axis one panel for each of its levels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.pictures.axes import (
    Tick,
    across,
    below,
    beside,
    levels,
    money,
    named_below,
    named_beside,
    number,
    rules,
    upward,
)
from app.domain.pictures.scales import Measure, Scale, fitted
from app.domain.pictures.svg import (
    FONT,
    REST,
    SMALL,
    SYMBOLS,
    WIDTH,
    amount,
    apart,
    box,
    counted,
    dot,
    fit,
    painted,
    path,
    sheet,
    width,
    write,
)

MOST = 2000
"""Points that are drawn; of more accounts so many are taken, evenly by ARR."""
LEFT, RIGHT, FOOT, HEAD = 84.0, 10.0, 52.0, 24.0
WALL = WIDTH - RIGHT
TALL, LOW = 390.0, 300.0
"""How high a panel is: where it is the only one, and where there are several."""
SIDE, ROOM = 14.0, 66.0
"""What points keep away from the sides of the plot, and from above and below, where the cells' labels are."""
LABEL = 112.0
"""What a cell's label takes, if there is room for that in every cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A segment, its accounts and their ARR in major units, and its cells: the levels on x and on y, each from 0, the
    lowest, and the panel. The first of them holds the numbers."""

    slug: str
    name: str
    colour: str | None
    accounts: int
    arr: float
    places: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """An account; `arr` sizes it."""

    segment: str
    x: float
    y: float
    arr: float
    panel: int = 0


@dataclass(frozen=True, slots=True)
class Quadrant:
    """`total` accounts have a value on every axis, `points` are those that are drawn; `rest` stand in no cell. `panels`
    are what the levels of the third axis are called, the first at the top."""

    title: str
    currency: str
    x: Measure
    y: Measure
    cells: Sequence[Cell]
    points: Sequence[Point]
    total: int
    rest: int = 0
    panels: tuple[str, ...] = ("",)
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Panel:
    picture: Quadrant
    x: Scale
    y: Scale
    colours: Mapping[str, str]
    largest: float
    n: int
    floor: float


def quadrant(picture: Quadrant) -> str:
    """The SVG text, some 100 bytes for each point drawn."""
    several = len(picture.panels) > 1
    top, high = (HEAD, LOW) if several else (0.0, TALL)
    floor = top + high
    x = fitted(picture.x, [p.x for p in picture.points], LEFT + SIDE, WALL - SIDE, LABEL)
    y = fitted(picture.y, [p.y for p in picture.points], floor - ROOM, top + ROOM, ROOM)
    paints = painted([cell.colour for cell in picture.cells])
    colours = {cell.slug: paint for cell, paint in zip(picture.cells, paints, strict=True)}
    largest = max((p.arr for p in picture.points), default=0.0)
    each = floor + FOOT
    panels = (_Panel(picture, x, y, colours, largest, n, floor) for n in range(len(picture.panels)))
    body = "".join(f'<g transform="translate(0 {each * panel.n:g})">{_drawn(panel, top)}</g>' for panel in panels)
    return sheet(picture.title, _shown(picture), _described(picture), each * len(picture.panels), body)


def _drawn(panel: _Panel, top: float) -> str:
    picture = panel.picture
    named = write(LEFT, 15, picture.panels[panel.n], "ink bold", room=WALL - LEFT) if top else ""
    points = [p for p in picture.points if p.panel == panel.n]
    plot = box(LEFT, top, WALL - LEFT, panel.floor - top, "plot")
    return named + plot + _grid(panel, top) + _dots(panel, points) + _cut_lines(panel, top) + _labels(panel, top)


def _shown(picture: Quadrant) -> str:
    drawn = len(picture.points)
    text = counted(picture.total) if drawn == picture.total else f"{drawn:,} of {counted(picture.total)} drawn"
    lack = "lacks a value" if picture.rest == 1 else "lack a value"
    told = f"{text}, sized by ARR" + (f"; {picture.rest:,} {lack}" if picture.rest else "")
    if not drawn:
        why = f"{counted(picture.rest)} {lack}" if picture.rest else "no account stands in a segment yet"
        told = f"There is no point to draw: {why}"
    return f"{told}. {picture.note}" if picture.note else told


def _described(picture: Quadrant) -> str:
    cells = (
        f"{apart(c.name)}: {counted(c.accounts)}, {amount(c.arr, True, picture.currency)} ARR" for c in picture.cells
    )
    return f"{_shown(picture).removesuffix('.')}. {'; '.join(cells)}."


def _unit(measure: Measure, scale: Scale, picture: Quadrant) -> str:
    """What stands behind the axis's title: the unit where the ticks do not have it."""
    unit = f", {picture.currency}" if measure.money and picture.currency not in SYMBOLS else ""
    return f"{unit}{' (log scale)' if scale.log else ''}"


def _ticks(panel: _Panel) -> tuple[list[Tick], list[Tick]]:
    """Of x and of y: cuts, and round values where there is something to measure."""
    picture = panel.picture
    symbol = picture.currency if picture.currency in SYMBOLS else ""
    bare = not picture.points
    x_says, y_says = (money(symbol) if one.money else number for one in (picture.x, picture.y))
    x = across(panel.x, x_says, picture.x.cuts, bare=bare)
    return x, upward(panel.y, y_says, picture.y.cuts, bare=bare)


def _grid(panel: _Panel, top: float) -> str:
    picture, floor = panel.picture, panel.floor
    wide, tall = _ticks(panel)
    lines = rules(wide, top, floor) + levels(tall, LEFT, WALL) + below(wide, floor) + beside(tall, LEFT, titled=True)
    across_ = named_below(picture.x.title, LEFT, WALL, floor + 40, _unit(picture.x, panel.x, picture))
    return lines + across_ + named_beside(picture.y.title, top, floor, _unit(picture.y, panel.y, picture))


def _cut_lines(panel: _Panel, top: float) -> str:
    picture, x, y, floor = panel.picture, panel.x, panel.y, panel.floor
    lines = [path(f"M{x.at(cut):.1f} {top:g}V{floor:g}", "cut") for cut in picture.x.cuts]
    return "".join((*lines, *(path(f"M{LEFT:g} {y.at(cut):.1f}H{WALL:g}", "cut") for cut in picture.y.cuts)))


def _dots(panel: _Panel, points: Sequence[Point]) -> str:
    """Large ones first, so that none is hidden."""
    count = len(panel.picture.points)
    most = 10.0 if count <= 300 else 8.0 if count <= 1000 else 6.5
    parts = []
    for p in sorted(points, key=lambda p: -p.arr):
        radius = 1.8 + most * math.sqrt(max(0.0, p.arr) / panel.largest) if panel.largest > 0 else 3.0
        parts.append(dot(panel.x.at(p.x), panel.y.at(p.y), radius, "point", panel.colours.get(p.segment, REST)))
    return "".join(parts)


def _labels(panel: _Panel, top: float) -> str:
    """Each cell's name, count and money in its outer corner, on a ground of their own so that points do not strike them."""
    picture = panel.picture
    xs = [LEFT, *(panel.x.at(c) for c in picture.x.cuts), WALL]
    ys = [panel.floor, *(panel.y.at(c) for c in picture.y.cuts), top]
    parts = []
    for cell in picture.cells:
        for place in cell.places:
            i, j, n = place
            if n != panel.n or i + 1 >= len(xs) or j + 1 >= len(ys):
                continue
            corner = (xs[i], xs[i + 1], ys[j + 1], ys[j])
            upper = j > 0 or len(ys) == 2
            parts.append(
                _label(cell, corner, panel.colours[cell.slug], picture.currency, upper, place == cell.places[0])
            )
    return "".join(parts)


def _label(
    cell: Cell, corner: tuple[float, float, float, float], paint: str, currency: str, upper: bool, first: bool
) -> str:
    left, right, top, bottom = corner
    room = right - left - 8
    name = fit(cell.name, room - 30, FONT, bold=True, middle=True)
    ways = _facts(cell.accounts, amount(cell.arr, True, currency)) if first else ()
    lines = next((way for way in ways if max(width(line, SMALL) for line in way) + 14 <= room), ())
    wide = max(width(name, FONT, bold=True) + 30, *(width(line, SMALL) + 14 for line in lines), 0.0)
    high = 26.0 + 16 * len(lines)
    x, y = left + 4, top + 4 if upper else bottom - high - 4
    texts = "".join(write(x + 8, y + 35 + 16 * n, line) for n, line in enumerate(lines))
    ground = box(x, y, min(room, wide), high, "tag", more=' rx="5"')
    return (
        f"<g>{ground}{dot(x + 13, y + 13, 4.5, fill=paint)}"
        f"{write(x + 23, y + 18, name, 'ink bold', size=FONT)}{texts}</g>"
    )


def _facts(accounts: int, money: str) -> tuple[tuple[str, ...], ...]:
    """What a label says below the name, from the widest to the narrowest."""
    return (
        (f"{counted(accounts)}, {money} ARR",),
        (counted(accounts), f"{money} ARR"),
        (f"{accounts:,}", money),
        (f"{accounts:,}",),
    )
