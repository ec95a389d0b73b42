"""What is left of each cohort as it grows older, and the curve that is expected, with its band."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.pictures.axes import across, below, beside, levels, named_below, number, upward
from app.domain.pictures.scales import Scale
from app.domain.pictures.svg import (
    COLOURS,
    MARGIN,
    SMALL,
    WIDTH,
    apart,
    box,
    counted,
    dot,
    escape,
    percent,
    shares,
    sheet,
    width,
    wrapped,
    write,
)

LEFT, WALL, HIGH, LINE = 56.0, WIDTH - MARGIN, 270.0, 20.0
COLUMNS = 2
MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class Age:
    """The share that is left at an age, and where it is likely to lie."""

    age: int
    rate: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A cohort by age, and how many it began with; `fitted` ones are expected, not observed. `every`: all together."""

    name: str
    ages: tuple[Age, ...]
    size: int | None = None
    fitted: bool = False
    every: bool = False


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Curves over one axis; `unit` is what ages are counted in: month, quarter, year."""

    title: str
    unit: str
    curves: tuple[Curve, ...]
    note: str = ""


def cohorts(picture: Cohorts) -> str:
    """The SVG text. Shares above all (expansion) widen the scale beyond 100%."""
    ages = [one for curve in picture.curves for one in curve.ages]
    told = [*(curve for curve in picture.curves if curve.fitted), *picture.curves][:1]
    banded = [one for curve in told for one in curve.ages]
    if not ages:
        note = f"There is no cohort to show yet. {picture.note}".strip()
        return sheet(picture.title, note, note, 12, "")
    oldest = max(1, *(one.age for one in ages))
    top = max(1.0, *(one.rate for one in ages), *(one.high or 0.0 for one in banded))
    low = _foot(min(*(one.rate for one in ages), *(one.rate if one.low is None else one.low for one in banded), 1.0))
    x, y = Scale(0.0, float(oldest), LEFT + 10, WALL - 10, log=False), Scale(low, top, HIGH - 6, 10.0, log=False)
    parts = [box(LEFT, 0, WALL - LEFT, HIGH, "plot"), _grid(picture, x, y)]
    painted = list(zip(picture.curves, _paints(picture.curves), strict=True))
    parts += [_band(curve, x, y, n) for curve, n in painted if curve in told]
    parts += [_curve(curve, x, y, n) for curve, n in painted]
    keys, under = _keys(painted)
    parts.append(keys)
    return sheet(picture.title, picture.note, _described(picture), under + 8, "".join(parts))


def _foot(least: float) -> float:
    """Where the scale begins: a tenth below the least, so that what differs is seen."""
    return min(max(math.floor(10 * least - 0.2) / 10, min(least, 0.0)), 0.9)


def _paints(curves: Sequence[Curve]) -> list[int]:
    """Which colour each has: the first is that of all together, observed and fitted, and of no cohort."""
    found, n = [], 0
    for curve in curves:
        n += not (curve.every or curve.fitted)
        found.append(0 if curve.every or curve.fitted else n)
    return found


def _paint(n: int) -> str:
    return COLOURS[0 if n == 0 else 1 + (n - 1) % (len(COLOURS) - 1)]


def _grid(picture: Cohorts, x: Scale, y: Scale) -> str:
    tall, wide = upward(y, shares), across(x, number, whole=True)
    title = named_below(f"Age in {picture.unit}s", LEFT, WALL, HIGH + 38)
    return levels(tall, LEFT, WALL) + beside(tall, LEFT) + below(wide, HIGH) + title


def _band(curve: Curve, x: Scale, y: Scale, n: int) -> str:
    known = [(one.age, one.low, one.high) for one in curve.ages if one.low is not None and one.high is not None]
    if len(known) < 2:
        return ""
    upper = "L".join(f"{x.at(age):.1f} {y.at(high):.1f}" for age, _, high in known)
    lower = "L".join(f"{x.at(age):.1f} {y.at(low):.1f}" for age, low, _ in reversed(known))
    return f'<path fill="{escape(_paint(n))}" fill-opacity=".18" stroke="{escape(_paint(n))}" stroke-width=".8" d="M{upper}L{lower}Z"/>'


def _curve(curve: Curve, x: Scale, y: Scale, n: int) -> str:
    paint = escape(_paint(n))
    way = "L".join(f"{x.at(one.age):.1f} {y.at(one.rate):.1f}" for one in curve.ages)
    line = (
        f'<path fill="none" stroke="{paint}" stroke-width="2"{_dashes(curve, n)} d="M{way}"/>'
        if len(curve.ages) > 1
        else ""
    )
    ends: Sequence[Age] = curve.ages[1:] if not curve.fitted and 1 < len(curve.ages) <= 16 else curve.ages[-1:]
    return line + "".join(dot(x.at(one.age), y.at(one.rate), 2.8, fill=_paint(n)) for one in ends)


def _dashes(curve: Curve, n: int) -> str:
    """Fitted ones are dashed, and those whose colour comes again are dotted."""
    if curve.fitted:
        return ' stroke-dasharray="7 4"'
    return "" if n < len(COLOURS) else ' stroke-dasharray="2 3"'


def _keys(painted: Sequence[tuple[Curve, int]]) -> tuple[str, float]:
    """The keys below, in rows as high as their longest needs, and where they end."""
    wide, y, parts = (WIDTH - 2 * MARGIN) / COLUMNS, HIGH + 52, []
    for start in range(0, len(painted), COLUMNS):
        row = painted[start : start + COLUMNS]
        told = [_told(curve, wide - 36) for curve, _ in row]
        for place, ((curve, n), lines) in enumerate(zip(row, told, strict=True)):
            x, paint = MARGIN + wide * place, escape(_paint(n))
            parts.append(
                f'<path fill="none" stroke="{paint}" stroke-width="2.4"{_dashes(curve, n)} d="M{x:.1f} {y + 9:.1f}h22"/>'
            )
            parts += [write(x + 28, y + 14 + 16 * m, line, size=SMALL) for m, line in enumerate(lines)]
        y += LINE + 16 * (max(map(len, told)) - 1)
    return "".join(parts), y + 4


def _told(curve: Curve, room: float) -> list[str]:
    """A curve's name, what it began with and where it ends, in lines."""
    last = f", {percent(curve.ages[-1].rate)} at {curve.ages[-1].age}" if curve.ages else ""
    facts = f"{'' if curve.size is None else f' ({curve.size:,})'}{last}"
    *names, end = [apart(line) for line in wrapped(curve.name, room, SMALL, MOST_LINES, middle=True)] or [""]
    if width(f"{end}{facts}", SMALL) <= room:
        return [*names, f"{end}{facts}"]
    return [*names, end, *wrapped(facts.lstrip(" ,"), room, SMALL, 2)]


def _described(picture: Cohorts) -> str:
    told = []
    for curve in picture.curves:
        size = "" if curve.size is None else f", {counted(curve.size)} at the start"
        rates = ", ".join(f"{percent(one.rate)} at {one.age}" for one in curve.ages)
        told.append(f"{apart(curve.name)}{size}: {rates or 'nothing known'}")
    return f"{picture.note} {'; '.join(told)}.".strip()
