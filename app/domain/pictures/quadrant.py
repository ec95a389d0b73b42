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
    MARGIN,
    REST,
    SMALL,
    SYMBOLS,
    WIDTH,
    amount,
    apart,
    box,
    counted,
    dot,
    escape,
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
TALL, LOW, THREE = 390.0, 300.0, 510.0
"""How high a panel is: where it is the only one, where there are several, and where y has three levels."""
SIDE, ROOM = 14.0, 66.0
"""What points keep away from the sides of the plot, and from above and below, where the cells' labels are."""
MIDDLE = 150.0
"""What a level between two others takes, for a label and points below it."""
KEY, BESIDE = 20.0, 38.0
"""What a line of the key takes, and how much wider than its name a cell is at least."""
LABEL = 112.0
"""What a cell's label takes, if there is room for that in every cell."""
STEP = 12.0
"""How far apart the places are where a label is tried."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The levels on x and on y, each from 0, the lowest, and the panel; its accounts and their ARR in major units."""

    x: int
    y: int
    panel: int
    accounts: int
    arr: float


@dataclass(frozen=True, slots=True)
class Area:
    """A segment and its cells, which hold each of its accounts once."""

    slug: str
    name: str
    colour: str | None
    cells: tuple[Cell, ...]


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
    """`total` accounts have a value on every axis, `points` are those that are drawn; `rest` lack one. `panels` are what the
    levels of the third axis are called, the first at the top."""

    title: str
    currency: str
    x: Measure
    y: Measure
    areas: Sequence[Area]
    points: Sequence[Point]
    total: int
    rest: int = 0
    panels: tuple[str, ...] = ("",)
    note: str = ""


Spot = tuple[float, float, float]
"""A point as it is drawn: across, down, radius."""
Sides = tuple[float, float, float, float]
"""Left, right, top and bottom of a cell."""


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
    top, high, least = HEAD if several else 0.0, LOW if several else TALL, ROOM
    if len(picture.y.cuts) > 1:
        high, least = THREE, MIDDLE
    floor = top + high
    x = fitted(picture.x, [p.x for p in picture.points], LEFT + SIDE, WALL - SIDE, LABEL)
    y = fitted(picture.y, [p.y for p in picture.points], floor - ROOM, top + ROOM, least)
    paints = painted([area.colour for area in picture.areas])
    colours = {area.slug: paint for area, paint in zip(picture.areas, paints, strict=True)}
    largest = max((p.arr for p in picture.points), default=0.0)
    each = floor + FOOT
    panels = (_Panel(picture, x, y, colours, largest, n, floor) for n in range(len(picture.panels)))
    body = "".join(f'<g transform="translate(0 {each * panel.n:g})">{_drawn(panel, top)}</g>' for panel in panels)
    keys, under = _keys(picture, x, colours), each * len(picture.panels)
    body += f'<g transform="translate(0 {under:g})">{"".join(keys)}</g>' if keys else ""
    return sheet(picture.title, _shown(picture), _described(picture), under + KEY * len(keys) + 6 * bool(keys), body)


def _drawn(panel: _Panel, top: float) -> str:
    picture = panel.picture
    named = write(LEFT, 15, picture.panels[panel.n], "ink bold", room=WALL - LEFT) if top else ""
    points = [p for p in picture.points if p.panel == panel.n]
    plot = box(LEFT, top, WALL - LEFT, panel.floor - top, "plot")
    return (
        named + plot + _grid(panel, top) + _dots(panel, points) + _cut_lines(panel, top) + _labels(panel, top, points)
    )


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
    areas = (f"{apart(area.name)}: {_held(area, picture)}" for area in picture.areas)
    return f"{_shown(picture).removesuffix('.')}. {'; '.join(areas)}."


def _held(area: Area, picture: Quadrant) -> str:
    """What a segment holds, and of several cells what each of them does."""
    cells = [
        (c, f"{counted(c.accounts)}, {amount(c.arr, True, picture.currency)} ARR")
        for c in sorted(area.cells, key=lambda c: c.panel)
    ]
    if len(cells) == 1:
        return cells[0][1]
    whole = sum(c.accounts for c in area.cells), sum(c.arr for c in area.cells)
    each = ", ".join(f"{_where(c, picture)} {told}" for c, told in cells)
    return f"{counted(whole[0])}, {amount(whole[1], True, picture.currency)} ARR ({each})"


def _where(cell: Cell, picture: Quadrant) -> str:
    """`ARR from $50k, Health below 70:`, with the panel before it where there are several."""
    stands = [_level(*each, picture.currency) for each in ((picture.x, cell.x), (picture.y, cell.y))]
    panel = picture.panels[cell.panel] if len(picture.panels) > 1 else ""
    return f"{', '.join(filter(None, (panel, *stands)))}:"


def _level(measure: Measure, at: int, currency: str) -> str:
    """A level as the cuts around it; of an axis without cuts no words."""
    cuts = [amount(cut, measure.money, currency, 6) for cut in measure.cuts]
    parts = [*([f"from {cuts[at - 1]}"] if at else []), *([f"below {cuts[at]}"] if at < len(cuts) else [])]
    return " ".join((measure.title, *parts)) if parts else ""


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
    parts = []
    for p in sorted(points, key=lambda p: -p.arr):
        paint = escape(panel.colours.get(p.segment, REST))
        parts.append(dot(*_spot(panel, p), "point", more=f' color="{paint}"'))
    return "".join(parts)


def _spot(panel: _Panel, point: Point) -> Spot:
    count = len(panel.picture.points)
    most = 10.0 if count <= 300 else 8.0 if count <= 1000 else 6.5
    radius = 1.8 + most * math.sqrt(max(0.0, point.arr) / panel.largest) if panel.largest > 0 else 3.0
    return panel.x.at(point.x), panel.y.at(point.y), radius


def _keys(picture: Quadrant, x: Scale, colours: Mapping[str, str]) -> list[str]:
    """The names in full below, where a cell has no room for one of them."""
    xs = [LEFT, *(x.at(cut) for cut in picture.x.cuts), WALL]
    cells = ((area, xs[cell.x + 1] - xs[cell.x]) for area in picture.areas for cell in area.cells)
    if all(width(area.name, FONT, bold=True) <= wide - BESIDE for area, wide in cells):
        return []
    room = WALL - MARGIN - 16
    return [
        dot(MARGIN + 5, KEY * n + 10, 4.5, fill=colours[area.slug])
        + write(MARGIN + 16, KEY * n + 15, fit(area.name, room, SMALL, middle=True))
        for n, area in enumerate(picture.areas)
    ]


def _labels(panel: _Panel, top: float, points: Sequence[Point]) -> str:
    """Each cell's name, count and money where they hide no point, on a ground of their own so that none strikes them."""
    picture = panel.picture
    spots = [_spot(panel, point) for point in points]
    xs = [LEFT, *(panel.x.at(c) for c in picture.x.cuts), WALL]
    ys = [panel.floor, *(panel.y.at(c) for c in picture.y.cuts), top]
    parts = []
    for area in picture.areas:
        for cell in area.cells:
            if cell.panel == panel.n:
                sides = xs[cell.x], xs[cell.x + 1], ys[cell.y + 1], ys[cell.y]
                upper = cell.y > 0 or len(ys) == 2
                parts.append(_label(area, cell, sides, panel.colours[area.slug], picture.currency, spots, upper=upper))
    return "".join(parts)


def _label(
    area: Area, cell: Cell, sides: Sides, paint: str, currency: str, spots: Sequence[Spot], *, upper: bool
) -> str:
    left, right = sides[:2]
    room = right - left - 8
    name = fit(area.name, right - left - BESIDE, FONT, bold=True, middle=True)
    named = width(name, FONT, bold=True) + 30
    forms = []
    for lines in _facts(cell.accounts, amount(cell.arr, True, currency)):
        wide = max(width(line, SMALL) for line in lines) + 14
        if wide <= room:
            forms.append((lines, min(room, max(named, wide)), 26.0 + 16 * len(lines)))
    # Money is left out where there is no room for it, and never to free a point.
    forms = forms[: max(1, len(forms) - 1)] or [((), min(room, named), 26.0)]
    placed = [(_free(sides, wide, high, spots, upper=upper), lines, wide, high) for lines, wide, high in forms]
    ((_, (x, y)), lines, wide, high) = min(placed, key=lambda one: one[0][0])
    texts = "".join(write(x + 8, y + 35 + 16 * n, line) for n, line in enumerate(lines))
    ground = box(x, y, wide, high, "tag", more=' rx="5"')
    return (
        f"<g>{ground}{dot(x + 13, y + 13, 4.5, fill=paint)}"
        f"{write(x + 23, y + 18, name, 'ink bold', size=FONT)}{texts}</g>"
    )


def _free(
    sides: Sides, wide: float, high: float, spots: Sequence[Spot], *, upper: bool
) -> tuple[int, tuple[float, float]]:
    """How many points a label hides, and where in its cell: none in its outer corner or another place, or as few as a corner has."""
    left, right, top, bottom = sides
    near = [s for s in spots if left - s[2] < s[0] < right + s[2] and top - s[2] < s[1] < bottom + s[2]]

    def hidden(place: tuple[float, float]) -> int:
        return sum(1 for spot in near if _meets(spot, place, wide, high))

    xs, ys = _steps(left + 4, right - wide - 4), _steps(top + 4, bottom - high - 4)
    if not upper:
        ys.reverse()
    if len(ys) == 1:
        ys = [top + 4 if upper else bottom - high - 4]
    corners = [(x, y) for y in dict.fromkeys((ys[0], ys[-1])) for x in dict.fromkeys((xs[0], xs[-1]))]
    every = (*corners, *((x, y) for y in ys for x in xs))
    free = (place for place in every if not any(_meets(spot, place, wide, high) for spot in near))
    found = next(free, None) or min(corners, key=hidden)
    return hidden(found), found


def _steps(first: float, last: float) -> list[float]:
    """From the one to the other, both among them; the first alone where the last comes before it."""
    count = max(0, math.ceil((last - first) / STEP))
    return [first, *(first + (last - first) * n / count for n in range(1, count + 1))]


def _meets(spot: Spot, place: tuple[float, float], wide: float, high: float) -> bool:
    """Whether a point lies under a label, be it with its edge alone."""
    (across, down, radius), (x, y) = spot, place
    return math.hypot(across - min(max(across, x), x + wide), down - min(max(down, y), y + high)) < radius


def _facts(accounts: int, money: str) -> tuple[tuple[str, ...], ...]:
    """What a label says below the name, from the widest to the narrowest."""
    return (
        (f"{counted(accounts)}, {money} ARR",),
        (counted(accounts), f"{money} ARR"),
        (f"{accounts:,}, {money} ARR",),
        (f"{accounts:,}", money),
        (f"{accounts:,}",),
    )
