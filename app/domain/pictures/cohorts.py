"""What is left of each cohort as it grows older, and the curve that is expected, with its band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.pictures.scales import Scale, thinned
from app.domain.pictures.svg import (
    FONT,
    MARGIN,
    SMALL,
    WIDTH,
    box,
    colour,
    counted,
    dot,
    escape,
    path,
    percent,
    sheet,
    write,
)

LEFT, WALL, HIGH, LINE = 56.0, WIDTH - MARGIN, 270.0, 20.0
COLUMNS = 2


@dataclass(frozen=True, slots=True)
class Age:
    """The share that is left at an age, and where it is likely to lie."""

    age: int
    rate: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A cohort by age, and how many it began with; `fitted` ones are expected, not observed."""

    name: str
    ages: tuple[Age, ...]
    size: int | None = None
    fitted: bool = False


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
    if not ages:
        note = f"There is no cohort to show yet. {picture.note}".strip()
        return sheet(picture.title, note, note, 12, "")
    oldest = max(1, *(one.age for one in ages))
    top = max(1.0, *(max(one.rate, one.high or 0.0) for one in ages))
    low = min(0.0, *(min(one.rate, one.rate if one.low is None else one.low) for one in ages))
    x, y = Scale(0.0, float(oldest), LEFT + 10, WALL - 10, log=False), Scale(low, top, HIGH - 6, 10.0, log=False)
    parts = [box(LEFT, 0, WALL - LEFT, HIGH, "plot"), _grid(picture, x, y)]
    parts += [_band(curve, x, y, n) for n, curve in enumerate(picture.curves)]
    parts += [_curve(curve, x, y, n) for n, curve in enumerate(picture.curves)]
    rows = -(-len(picture.curves) // COLUMNS)
    parts += [_key(curve, n) for n, curve in enumerate(picture.curves)]
    return sheet(picture.title, picture.note, _described(picture), HIGH + 56 + LINE * rows + 8, "".join(parts))


def _grid(picture: Cohorts, x: Scale, y: Scale) -> str:
    parts = []
    for tick in thinned(y, 24):
        parts.append(path(f"M{LEFT:g} {y.at(tick):.1f}H{WALL:g}", "grid"))
        parts.append(write(LEFT - 6, y.at(tick) + 4.5, percent(tick), "soft", anchor="end"))
    whole = (tick for tick in thinned(x, 30) if tick == int(tick))
    parts += [write(x.at(tick), HIGH + 18, f"{tick:.0f}", "soft", anchor="middle") for tick in whole]
    parts.append(write((LEFT + WALL) / 2, HIGH + 38, f"Age in {picture.unit}s", size=FONT, anchor="middle"))
    return "".join(parts)


def _band(curve: Curve, x: Scale, y: Scale, n: int) -> str:
    known = [(one.age, one.low, one.high) for one in curve.ages if one.low is not None and one.high is not None]
    if len(known) < 2:
        return ""
    upper = "L".join(f"{x.at(age):.1f} {y.at(high):.1f}" for age, _, high in known)
    lower = "L".join(f"{x.at(age):.1f} {y.at(low):.1f}" for age, low, _ in reversed(known))
    return f'<path fill="{escape(colour(n))}" fill-opacity=".18" d="M{upper}L{lower}Z"/>'


def _curve(curve: Curve, x: Scale, y: Scale, n: int) -> str:
    paint = escape(colour(n))
    way = "L".join(f"{x.at(one.age):.1f} {y.at(one.rate):.1f}" for one in curve.ages)
    line = (
        f'<path fill="none" stroke="{paint}" stroke-width="2"{_dashes(curve, n)} d="M{way}"/>'
        if len(curve.ages) > 1
        else ""
    )
    ends: Sequence[Age] = curve.ages if not curve.fitted and len(curve.ages) <= 16 else curve.ages[-1:]
    return line + "".join(dot(x.at(one.age), y.at(one.rate), 2.8, fill=colour(n)) for one in ends)


def _dashes(curve: Curve, n: int) -> str:
    """Fitted ones are dashed, and those whose colour comes again are dotted."""
    if curve.fitted:
        return ' stroke-dasharray="7 4"'
    return "" if n < 8 else ' stroke-dasharray="2 3"'


def _key(curve: Curve, n: int) -> str:
    wide = (WIDTH - 2 * MARGIN) / COLUMNS
    x, y = MARGIN + wide * (n % COLUMNS), HIGH + 52 + LINE * (n // COLUMNS)
    paint = escape(colour(n))
    last = f", {percent(curve.ages[-1].rate)} at {curve.ages[-1].age}" if curve.ages else ""
    size = "" if curve.size is None else f" ({curve.size:,})"
    line = f'<path fill="none" stroke="{paint}" stroke-width="2.4"{_dashes(curve, n)} d="M{x:.1f} {y + 9:.1f}h22"/>'
    return line + write(x + 28, y + 14, f"{curve.name}{size}{last}", size=SMALL, room=wide - 36)


def _described(picture: Cohorts) -> str:
    told = []
    for curve in picture.curves:
        size = "" if curve.size is None else f", {counted(curve.size)} at the start"
        rates = ", ".join(f"{percent(one.rate)} at {one.age}" for one in curve.ages)
        told.append(f"{curve.name}{size}: {rates or 'nothing known'}")
    return f"{picture.note} {'; '.join(told)}.".strip()
