"""A segmentation of one or two axes as a picture: an SVG that stands on its own, in light and in dark."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape as _escape

from app.domain.segmentation.scales import Measure, Scale, fitted, thinned

MOST = 2000
"""Points that are drawn; of more accounts so many are taken, evenly by ARR."""
WIDTH, HEIGHT = 520.0, 500.0
LEFT, RIGHT, TOP, BOTTOM = 82.0, 12.0, 56.0, 56.0
FLOOR, WALL = HEIGHT - BOTTOM, WIDTH - RIGHT
SIDE, ROOM = 14.0, 66.0
"""What points keep away from the sides of the plot, and from above and below, where the cells' labels are."""
WIDE = 118.0
"""What a cell's label takes, if there is room for that in every cell."""
FONT = 14.0
COLOURS = ("#2f6fde", "#2a9d8f", "#d9822b", "#8a94a6", "#9b5de5", "#c2410c", "#4d7c0f", "#be185d")
UNHELD = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
UNITS = (("B", 1e9), ("M", 1e6), ("k", 1e3))
HEAD = (
    f'width="{WIDTH:g}" height="{HEIGHT:g}" style="max-width:100%;height:auto;color-scheme:light dark" '
    f'font-family="system-ui,sans-serif" font-size="{FONT:g}" role="img"'
)
STYLE = """
.bold{font-weight:650}.ground{fill:#ffffff}.plot{fill:#f6f7f9;stroke:#c9ced6}.ink{fill:#1c2430}.soft{fill:#566173}.grid{stroke:#e3e6eb}
.cut{stroke:#566173;stroke-dasharray:5 4;stroke-width:1.5}.tag{fill:#ffffff;fill-opacity:.86}.point{fill-opacity:.5;stroke:#ffffff;stroke-width:.6}
@media (prefers-color-scheme:dark){.ground{fill:#12161c}.plot{fill:#1a2028;stroke:#3a4452}.ink{fill:#eef1f5}.soft{fill:#a5b0bf}.grid{stroke:#28303b}
.cut{stroke:#a5b0bf}.tag{fill:#12161c;fill-opacity:.82}.point{fill-opacity:.62;stroke:#12161c}}
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A segment: where it stands on each axis (level from 0, the lowest), its accounts and their ARR in major units."""

    slug: str
    name: str
    colour: str | None
    accounts: int
    arr: float
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Point:
    """An account; `arr` sizes it."""

    segment: str
    x: float
    y: float
    arr: float


@dataclass(frozen=True, slots=True)
class Picture:
    """`total` accounts have a value on both axes, `points` are those that are drawn; `rest` stand in no cell."""

    title: str
    currency: str
    x: Measure
    y: Measure
    cells: Sequence[Cell]
    points: Sequence[Point]
    total: int
    rest: int = 0


def quadrant(picture: Picture) -> str:
    """The SVG text, some 100 bytes for each point drawn."""
    x = fitted(picture.x, [p.x for p in picture.points], LEFT + SIDE, WALL - SIDE, WIDE)
    y = fitted(picture.y, [p.y for p in picture.points], FLOOR - ROOM, TOP + ROOM, ROOM)
    colours = {c.slug: c.colour or COLOURS[n % len(COLOURS)] for n, c in enumerate(picture.cells)}
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" {HEAD}>',
            f"<title>{escape(picture.title)}</title><desc>{escape(_described(picture))}</desc><style>{STYLE}</style>",
            f'<rect class="ground" width="{WIDTH:g}" height="{HEIGHT:g}"/>',
            f'<text class="ink" x="16" y="25" font-size="19" font-weight="600">{escape(_short(picture.title, 44))}</text>',
            f'<text class="soft" x="16" y="45" font-size="13">{escape(_shown(picture))}</text>',
            f'<rect class="plot" x="{LEFT:g}" y="{TOP:g}" width="{WALL - LEFT:g}" height="{FLOOR - TOP:g}"/>',
            _grid(picture, x, y),
            _dots(picture.points, x, y, colours),
            _cut_lines(picture, x, y),
            _labels(picture, x, y, colours),
            "</svg>",
        )
    )


def escape(text: str) -> str:
    """Text as XML holds it: characters that it cannot hold are left out."""
    return _escape(UNHELD.sub("", text), {'"': "&quot;"})


def amount(value: float, money: bool, currency: str = "") -> str:
    """Three digits and a unit: `1.25M`, with the currency where it is money."""
    size, sign = abs(value), "-" if value < 0 else ""
    unit, factor = next((u for u in UNITS if size >= 0.9995 * u[1]), ("", 1.0))
    text = f"{size / factor:.3g}"
    prefix = SYMBOLS.get(currency, f"{currency} " if currency else "")
    return f"{sign}{prefix if money else ''}{text}{unit}"


def _described(picture: Picture) -> str:
    cells = (f"{c.name}: {_accounts(c.accounts)}, {amount(c.arr, True, picture.currency)} ARR" for c in picture.cells)
    return f"{_shown(picture)}. {'; '.join(cells)}."


def _accounts(n: int) -> str:
    return f"{n:,} account" if n == 1 else f"{n:,} accounts"


def _shown(picture: Picture) -> str:
    drawn = len(picture.points)
    text = _accounts(picture.total) if drawn == picture.total else f"{drawn:,} of {_accounts(picture.total)} drawn"
    return f"{text}, sized by ARR" + (f"; {picture.rest:,} lack a value" if picture.rest else "")


def _grid(picture: Picture, x: Scale, y: Scale) -> str:
    parts = []
    taken_x, taken_y = [x.at(c) for c in picture.x.cuts], [y.at(c) for c in picture.y.cuts]
    for tick in thinned(x, 48):
        at = x.at(tick)
        parts.append(f'<path class="grid" d="M{at:.1f} {TOP:g}V{FLOOR:g}"/>')
        if all(abs(at - cut) > 46 for cut in taken_x):
            parts.append(_below(at, _tick(tick, picture.x, picture), "soft"))
    for tick in thinned(y, 26):
        at = y.at(tick)
        parts.append(f'<path class="grid" d="M{LEFT:g} {at:.1f}H{WALL:g}"/>')
        if all(abs(at - cut) > 20 for cut in taken_y):
            parts.append(_beside(at, _tick(tick, picture.y, picture), "soft"))
    middle_x, middle_y = (LEFT + WALL) / 2, (TOP + FLOOR) / 2
    parts.append(
        f'<text class="ink" x="{middle_x:g}" y="{HEIGHT - 13:g}" text-anchor="middle">{_titled(picture.x, x, picture)}</text>'
    )
    parts.append(
        f'<text class="ink" transform="translate(13 {middle_y:g}) rotate(-90)" text-anchor="middle">{_titled(picture.y, y, picture)}</text>'
    )
    return "".join(parts)


def _titled(measure: Measure, scale: Scale, picture: Picture) -> str:
    """The axis's title, with the unit where the ticks do not have it."""
    unit = f", {picture.currency}" if measure.money and picture.currency not in SYMBOLS else ""
    return escape(f"{_short(measure.title, 32)}{unit}{' (log scale)' if scale.log else ''}")


def _tick(value: float, measure: Measure, picture: Picture) -> str:
    return amount(value, measure.money, picture.currency if picture.currency in SYMBOLS else "")


def _below(at: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{at:.1f}" y="{FLOOR + 18:g}" text-anchor="middle" font-size="13">{text}</text>'


def _beside(at: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{LEFT - 6:g}" y="{at + 4.5:.1f}" text-anchor="end" font-size="13">{text}</text>'


def _cut_lines(picture: Picture, x: Scale, y: Scale) -> str:
    parts = []
    for cut in picture.x.cuts:
        parts.append(f'<path class="cut" d="M{x.at(cut):.1f} {TOP:g}V{FLOOR:g}"/>')
        parts.append(_below(x.at(cut), _tick(cut, picture.x, picture), "ink bold"))
    for cut in picture.y.cuts:
        parts.append(f'<path class="cut" d="M{LEFT:g} {y.at(cut):.1f}H{WALL:g}"/>')
        parts.append(_beside(y.at(cut), _tick(cut, picture.y, picture), "ink bold"))
    return "".join(parts)


def _dots(points: Sequence[Point], x: Scale, y: Scale, colours: Mapping[str, str]) -> str:
    """Large ones first, so that none is hidden."""
    largest = max((p.arr for p in points), default=0.0)
    most = 10.0 if len(points) <= 300 else 8.0 if len(points) <= 1000 else 6.5
    parts = []
    for p in sorted(points, key=lambda p: -p.arr):
        radius = 1.8 + most * math.sqrt(max(0.0, p.arr) / largest) if largest > 0 else 3.0
        colour = colours.get(p.segment, COLOURS[-1])
        parts.append(
            f'<circle class="point" fill="{escape(colour)}" cx="{x.at(p.x):.1f}" cy="{y.at(p.y):.1f}" r="{radius:.1f}"/>'
        )
    return "".join(parts)


def _labels(picture: Picture, x: Scale, y: Scale, colours: Mapping[str, str]) -> str:
    """Each cell's name, count and money in its outer corner, on a ground of their own so that points do not strike them."""
    xs = [LEFT, *(x.at(c) for c in picture.x.cuts), WALL]
    ys = [FLOOR, *(y.at(c) for c in picture.y.cuts), TOP]
    parts = []
    for cell in picture.cells:
        i, j = cell.place
        if i + 1 >= len(xs) or j + 1 >= len(ys):
            continue
        left, right, bottom, top = xs[i], xs[i + 1], ys[j], ys[j + 1]
        parts.append(
            _label(cell, (left, right, top, bottom), colours[cell.slug], picture.currency, upper=j > 0 or len(ys) == 2)
        )
    return "".join(parts)


def _label(cell: Cell, box: tuple[float, float, float, float], colour: str, currency: str, *, upper: bool) -> str:
    left, right, top, bottom = box
    room = right - left - 8
    name, money = _short(cell.name, max(1, int((room - 28) / 9.0))), amount(cell.arr, True, currency)
    facts = next((f for f in _facts(cell.accounts, money) if 6.9 * max(map(len, f)) + 14 <= room), ())
    lines = [line for line in facts if line]
    width = min(room, max(len(name) * 9.4 + 30, max(map(len, lines), default=0) * 6.9 + 16))
    height = 26 + 16 * len(lines)
    y = top + 4 if upper else bottom - height - 4
    x = left + 4
    texts = "".join(
        f'<text class="ink" x="{x + 8:.1f}" y="{y + 35 + 16 * n:.1f}" font-size="12.5">{escape(line)}</text>'
        for n, line in enumerate(lines)
    )
    return (
        f'<g><rect class="tag" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5"/>'
        f'<circle cx="{x + 13:.1f}" cy="{y + 13:.1f}" r="4.5" fill="{escape(colour)}"/>'
        f'<text class="ink" x="{x + 23:.1f}" y="{y + 18:.1f}" font-weight="650" font-size="15">{escape(name)}</text>{texts}</g>'
    )


def _facts(accounts: int, money: str) -> tuple[tuple[str, ...], ...]:
    """What a label says below the name, from the widest to the narrowest."""
    return (
        (f"{_accounts(accounts)}, {money} ARR",),
        (_accounts(accounts), f"{money} ARR"),
        (f"{accounts:,}", money),
        (f"{accounts:,}",),
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(1, most - 1)]}…"
