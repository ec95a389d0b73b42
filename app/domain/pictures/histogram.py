"""How a number is spread: its bins stacked by segment between the cuts, or a row of bins for each segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.domain.pictures.bars import ROW as BAR
from app.domain.pictures.bars import Bar, Bars, rows
from app.domain.pictures.scales import Measure, Scale, plain, thinned
from app.domain.pictures.svg import (
    FONT,
    MARGIN,
    SMALL,
    SYMBOLS,
    WIDTH,
    amount,
    amounts,
    box,
    colour,
    counted,
    dot,
    fit,
    path,
    sheet,
    width,
    write,
)

LEFT, WALL = 52.0, WIDTH - MARGIN - 6
TALL, LOW, NAMED = 170.0, 44.0, 24.0
"""How high the stack is, a segment's row, and the line with its name."""
PARTS = 24
"""Bins, but for those that cuts divide."""


@dataclass(frozen=True, slots=True)
class Row:
    """A segment: all its accounts and their ARR in major units; in each bin how many of them, None for the median where
    none of them has a value."""

    name: str
    colour: str | None
    accounts: int
    arr: float
    bins: tuple[int, ...]
    median: float | None = None
    said: str = ""
    slug: str = ""

    @property
    def empty(self) -> int:
        """Accounts without a value."""
        return self.accounts - sum(self.bins)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bin n goes from edge n to before edge n + 1, the last one includes its end; `scale` is linear or logarithmic."""

    title: str
    currency: str
    measure: Measure
    edges: tuple[float, ...]
    log: bool
    rows: Sequence[Row]
    note: str = ""


def binned(measure: Measure, values: Sequence[float]) -> tuple[tuple[float, ...], bool]:
    """The edges of bins for values of which some are told, the least and the largest among them, evenly by rank; and
    whether they are logarithmic. Every cut is an edge, so that no bin lies on both sides of one."""
    scale = plain(measure, values, 0.0, 1.0)
    if scale.log:
        inner = [scale.low * (scale.high / scale.low) ** (n / PARTS) for n in range(1, PARTS)]
    else:
        inner = [scale.low + (scale.high - scale.low) * n / PARTS for n in range(1, PARTS)]
    gap = 0.6 / PARTS
    kept = [e for e in inner if all(abs(scale.share(e) - scale.share(cut)) > gap for cut in measure.cuts)]
    low = min(scale.low, *values) if values else scale.low
    ends = {low, scale.low, scale.high}
    return tuple(sorted({*ends, *kept, *(c for c in measure.cuts if low < c < scale.high)})), scale.log


def bands(picture: Histogram) -> str:
    """The SVG text: the bins, each stacked by band, the cuts between them, and a bar for each band below."""
    scale = _scale(picture)
    listed = Bars(
        picture.title, picture.currency, [Bar(r.name, r.colour, r.accounts, r.arr, r.said) for r in picture.rows]
    )
    body = _stack(picture, scale) + _axis(picture, scale, TALL, [(0.0, TALL)])
    lower = TALL + 66
    body += f'<g transform="translate(0 {lower:g})">{rows(listed)}</g>'
    return sheet(picture.title, _noted(picture), _described(picture), lower + BAR * len(picture.rows) + 30, body)


def distribution(picture: Histogram) -> str:
    """The SVG text: a row of bins for each segment over one axis, each as high as its own largest bin, with its median."""
    scale, parts = _scale(picture), []
    each = LOW + NAMED
    for n, row in enumerate(picture.rows):
        y = each * n
        parts.append(dot(MARGIN + 5, y + 11, 5, fill=colour(n, row.colour)))
        facts = _facts(row, picture)
        room = WALL - MARGIN - 16
        parts.append(write(WALL, y + 16, facts, "soft", anchor="end", room=room))
        left = room - width(facts, SMALL) - 10
        if left > 20:
            parts.append(write(MARGIN + 16, y + 16, fit(row.name, left, FONT, bold=True), "ink bold", size=FONT))
        most = max(row.bins, default=0)
        parts.append(path(f"M{LEFT:g} {y + each - 4:g}H{WALL:g}", "axis"))
        for (lo, hi), count in zip(_sides(picture, scale), row.bins, strict=True):
            high = (LOW - 8) * count / most if most else 0.0
            parts.append(box(lo, y + each - 4 - high, hi - lo - 0.6, high, fill=colour(n, row.colour)))
        if row.median is not None:
            at = scale.at(row.median)
            parts.append(path(f"M{at:.1f} {y + NAMED:g}V{y + each - 4:g}", "ray", ' stroke-width="2"'))
    floor = each * len(picture.rows)
    spans = [(each * n + NAMED, each * (n + 1) - 4) for n in range(len(picture.rows))]
    body = "".join(parts) + _axis(picture, scale, floor, spans)
    body += write(
        (LEFT + WALL) / 2,
        floor + 60,
        "Each row is as high as its own largest bin; lines are medians.",
        "soft",
        anchor="middle",
    )
    return sheet(picture.title, _noted(picture), _described(picture), floor + 72, body)


def _scale(picture: Histogram) -> Scale:
    low, high = picture.edges[0], picture.edges[-1]
    if picture.log:  # what lies below the first step, such as nothing at all, takes as much as a step
        low = max(low, picture.edges[1] ** 2 / picture.edges[2])
    return Scale(low, high, LEFT, WALL, picture.log)


def _sides(picture: Histogram, scale: Scale) -> list[tuple[float, float]]:
    return [(scale.at(lo), scale.at(hi)) for lo, hi in pairwise(picture.edges)]


def _stack(picture: Histogram, scale: Scale) -> str:
    totals = [sum(row.bins[n] for row in picture.rows) for n in range(len(picture.edges) - 1)]
    most = max(totals, default=0)
    parts = [box(LEFT, 0, WALL - LEFT, TALL, "plot")]
    if most:
        up = Scale(0.0, float(most), TALL, 10.0, log=False)
        for tick in (t for t in thinned(up, 26) if t == int(t)):
            parts.append(path(f"M{LEFT:g} {up.at(tick):.1f}H{WALL:g}", "grid"))
            parts.append(write(LEFT - 5, up.at(tick) + 4.5, amount(tick, False), "soft", anchor="end"))
        for k, (lo, hi) in enumerate(_sides(picture, scale)):
            y = TALL
            for n, row in reversed([*enumerate(picture.rows)]):
                high = (TALL - 10) * row.bins[k] / most
                y -= high
                parts.append(box(lo, y, max(0.8, hi - lo - 0.6), high, fill=colour(n, row.colour)) if high else "")
    return "".join(parts)


def _axis(picture: Histogram, scale: Scale, floor: float, spans: Sequence[tuple[float, float]]) -> str:
    """Cuts and ticks; of cuts without room for their amounts the line alone."""
    symbol = picture.currency if picture.currency in SYMBOLS else ""
    money = picture.measure.money
    parts, taken = [], [-1e9]
    for cut, text in zip(picture.measure.cuts, amounts(picture.measure.cuts, money, symbol), strict=True):
        at, wide = scale.at(cut), width(text, SMALL, bold=True)
        parts += [path(f"M{at:.1f} {top:g}V{low:g}", "cut") for top, low in spans]
        if at - taken[-1] >= wide + 6:
            taken.append(at)
            parts.append(_told(at, floor, text, "ink bold"))
    ticks = [
        tick for tick in thinned(scale, 62) if picture.edges[0] > 0 or not picture.log or scale.at(tick) > LEFT + 44
    ]
    for tick, text in zip(ticks, amounts(ticks, money, symbol), strict=True):
        if all(abs(scale.at(tick) - at) > 62 for at in taken):
            parts.append(_told(scale.at(tick), floor, text, "soft"))
    if picture.log and picture.edges[0] <= 0 and all(abs(LEFT - at) > 62 for at in taken):
        parts.append(_told(LEFT + 6, floor, amount(0.0, money, symbol), "soft"))
    unit = f", {picture.currency}" if money and not symbol else ""
    more = f"{unit}{' (log scale)' if scale.log else ''}"
    title = fit(picture.measure.title, WALL - LEFT - width(more, FONT), FONT) + more
    parts.append(write((LEFT + WALL) / 2, floor + 40, title, size=FONT, anchor="middle"))
    return "".join(parts)


def _told(at: float, floor: float, text: str, kind: str) -> str:
    half = width(text, SMALL, bold="bold" in kind) / 2
    return write(min(max(at, half + 2), WIDTH - half - 2), floor + 18, text, kind, anchor="middle")


def _facts(row: Row, picture: Histogram) -> str:
    if row.median is None:
        return counted(row.accounts)
    return f"{counted(row.accounts)}, median {amount(row.median, picture.measure.money, picture.currency)}"


def _noted(picture: Histogram) -> str:
    accounts, empty = sum(r.accounts for r in picture.rows), sum(r.empty for r in picture.rows)
    if not accounts:
        return f"No account stands in a segment yet. {picture.note}".strip()
    arr = amount(sum(r.arr for r in picture.rows), True, picture.currency)
    lack = f" {empty:,} {'lacks' if empty == 1 else 'lack'} a value." if empty else ""
    return f"{counted(accounts)}, {arr} ARR.{lack} {picture.note}".strip()


def _described(picture: Histogram) -> str:
    told = (f"{r.name}: {_facts(r, picture)}, {amount(r.arr, True, picture.currency)} ARR" for r in picture.rows)
    return f"{_noted(picture)} {'; '.join(told)}."
