"""How a number is spread: its bins stacked by segment between the cuts, or a row of bins for each segment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.domain.pictures.axes import across, below, beside, levels, money, named_below, named_beside, number, upward
from app.domain.pictures.bars import ROW as BAR
from app.domain.pictures.bars import Bar, Bars, rows
from app.domain.pictures.scales import Measure, Scale, plain, round_step, widened
from app.domain.pictures.svg import (
    FONT,
    MARGIN,
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

LEFT, WALL = 66.0, WIDTH - MARGIN - 6
TALL, LOW, NAMED = 170.0, 44.0, 24.0
"""How high the stack is, a segment's row, and the line with its name."""
NARROW = 9.0
"""What lies between two cuts takes as much, so that who is there is seen."""
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
        low, high = min(scale.low, *values) if values else scale.low, scale.high
    else:
        inner = _even(measure, values, scale)
        low, high = inner[0], inner[-1]
        scale = Scale(low, high, 0.0, 1.0, log=False)
    gap = 0.6 / PARTS
    kept = [e for e in inner if all(abs(scale.share(e) - scale.share(cut)) > gap for cut in measure.cuts)]
    ends = {low, scale.low, high}
    return tuple(sorted({*ends, *kept, *(c for c in measure.cuts if low < c < high)})), scale.log


def _even(measure: Measure, values: Sequence[float], scale: Scale) -> list[float]:
    """Edges that are round, at least one apart where values are whole: then each bin holds as many values as the next."""
    step = round_step((scale.high - scale.low) / PARTS)
    whole = bool(values) and not measure.money and all(value == round(value) for value in values)
    step = max(step, 1.0) if whole else step
    first, last = math.floor(scale.low / step + 1e-9), math.ceil(scale.high / step - 1e-9)
    last += whole and step == 1.0 and last * step <= max(values)  # the last bin holds its end too
    return [n * step for n in range(first, max(last, first + 1) + 1)]


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
    paints, drawn = painted([row.colour for row in picture.rows]), _centred(picture, scale)
    for n, (row, paint) in enumerate(zip(picture.rows, paints, strict=True)):
        y = each * n
        parts.append(dot(MARGIN + 5, y + 11, 5, fill=paint))
        facts = _facts(row, picture)
        room = WALL - MARGIN - 16
        parts.append(write(WALL, y + 16, facts, "soft", anchor="end", room=room))
        left = room - width(facts, SMALL) - 10
        if left > 20:
            parts.append(
                write(MARGIN + 16, y + 16, fit(row.name, left, FONT, bold=True, middle=True), "ink bold", size=FONT)
            )
        most = max(row.bins, default=0)
        parts.append(path(f"M{LEFT:g} {y + each - 4:g}H{WALL:g}", "axis"))
        for (lo, hi), count in zip(_sides(picture, scale), row.bins, strict=True):
            high = (LOW - 8) * count / most if most else 0.0
            parts.append(box(lo, y + each - 4 - high, hi - lo - 0.6, high, fill=paint))
        if row.median is not None:
            at = drawn.at(row.median)
            parts.append(path(f"M{at:.1f} {y + NAMED:g}V{y + each - 4:g}", "ray", ' stroke-width="2"'))
    floor = each * len(picture.rows)
    spans = [(each * n + NAMED, each * (n + 1) - 4) for n in range(len(picture.rows))]
    body = "".join(parts) + _axis(picture, scale, floor, spans)
    said = "Each row is as high as its own largest bin; lines are medians."
    body += write(WIDTH / 2, floor + 60, said, "soft", anchor="middle")
    return sheet(picture.title, _noted(picture), _described(picture), floor + 72, body)


def _scale(picture: Histogram) -> Scale:
    low, high = picture.edges[0], picture.edges[-1]
    edge = None
    if picture.log and low < (first := picture.edges[1] ** 2 / picture.edges[2]):
        # What lies below the first step, such as nothing at all, takes as much as a step.
        low, edge = first, 0.0 if low <= 0 else picture.edges[1]
    even = Scale(low, high, LEFT, WALL, picture.log, edge=edge)
    return widened(even, [cut for cut in picture.measure.cuts if low < cut < high], NARROW)


def _centred(picture: Histogram, scale: Scale) -> Scale:
    """Where values themselves are drawn: in the middle of their bin, where each whole number has one."""
    steps = {hi - lo for lo, hi in pairwise(picture.edges)}
    if picture.measure.money or picture.log or steps != {1.0} or any(edge % 1 for edge in picture.edges):
        return scale
    return replace(scale, low=scale.low - 0.5, high=scale.high - 0.5)


def _sides(picture: Histogram, scale: Scale) -> list[tuple[float, float]]:
    return [(scale.at(lo), scale.at(hi)) for lo, hi in pairwise(picture.edges)]


def _stack(picture: Histogram, scale: Scale) -> str:
    totals = [sum(row.bins[n] for row in picture.rows) for n in range(len(picture.edges) - 1)]
    most = max(totals, default=0)
    parts = [box(LEFT, 0, WALL - LEFT, TALL, "plot")]
    if most:
        up = Scale(0.0, float(most), TALL, 10.0, log=False)
        ticks = upward(up, number, whole=True)
        parts += [levels(ticks, LEFT, WALL), beside(ticks, LEFT, titled=True), named_beside("Accounts", 0.0, TALL)]
        paints = painted([row.colour for row in picture.rows])
        for k, (lo, hi) in enumerate(_sides(picture, scale)):
            y = TALL
            for paint, row in reversed([*zip(paints, picture.rows, strict=True)]):
                high = (TALL - 10) * row.bins[k] / most
                y -= high
                parts.append(box(lo, y, max(0.8, hi - lo - 0.6), high, fill=paint) if high else "")
    return "".join(parts)


def _axis(picture: Histogram, scale: Scale, floor: float, spans: Sequence[tuple[float, float]]) -> str:
    """Cuts and round values below, and the axis's title; of cuts without room for their amounts the line alone."""
    measure, symbol = picture.measure, picture.currency if picture.currency in SYMBOLS else ""
    unit = f", {picture.currency}" if measure.money and not symbol else ""
    unit += " (log scale)" if scale.log else ""
    ticks = across(_centred(picture, scale), money(symbol) if measure.money else number, measure.cuts)
    if not any(any(row.bins) for row in picture.rows):  # nothing to measure
        ticks = [tick for tick in ticks if tick.cut]
    lines = (path(f"M{scale.at(cut):.1f} {top:g}V{low:g}", "cut") for cut in measure.cuts for top, low in spans)
    return "".join(lines) + below(ticks, floor) + named_below(measure.title, LEFT, WALL, floor + 40, unit)


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
    told = (f"{apart(r.name)}: {_facts(r, picture)}, {amount(r.arr, True, picture.currency)} ARR" for r in picture.rows)
    return f"{_noted(picture)} {'; '.join(told)}."
