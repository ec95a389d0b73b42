"""Chances against what happened: where they hold, points lie on the diagonal."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.domain.pictures.axes import across, below, beside, levels, named_below, named_beside, rules, upward
from app.domain.pictures.scales import Scale
from app.domain.pictures.svg import (
    MARGIN,
    SMALL,
    WIDTH,
    amount,
    box,
    counted,
    dot,
    path,
    percent,
    shares,
    sheet,
    width,
    write,
)

LEFT, WALL, HIGH, COUNTS = 72.0, WIDTH - MARGIN, 300.0, 58.0
STEPS = ((0.5, 0.2), (0.25, 0.1), (0.0, 0.05))
"""How far ticks are apart, by how much there is to show."""
FEW = 10
"""Renewals of a bin below which its share says little."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Renewals that were given about the same chance: its mean, the share that renewed with its interval, how many."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Bins by their chance; `note` is the verdict in words."""

    title: str
    bins: tuple[Bin, ...]
    note: str = ""


def calibration(picture: Calibration) -> str:
    """The SVG text: observed shares with their intervals over the chances, and below how many renewals each holds."""
    low, high = _ends(picture)
    x = Scale(low, high, LEFT + 8, WALL - 8, log=False)
    y = Scale(low, high, HIGH - 8, 8.0, log=False)
    note = picture.note if picture.bins else f"No renewal to compare yet. {picture.note}".strip()
    wide, tall = across(x, shares), upward(y, shares)
    parts = [box(LEFT, 0, WALL - LEFT, HIGH, "plot"), rules(wide, 0, HIGH), levels(tall, LEFT, WALL)]
    parts += [below(wide, HIGH), beside(tall, LEFT, titled=True)]
    parts.append(path(f"M{x.at(low):.1f} {y.at(low):.1f}L{x.at(high):.1f} {y.at(high):.1f}", "cut"))
    most = max((one.n for one in picture.bins), default=1)
    for one in picture.bins:
        at, least, largest = x.at(one.predicted), y.at(one.low), y.at(one.high)
        parts.append(
            path(
                f"M{at:.1f} {least:.1f}V{largest:.1f}M{at - 4:.1f} {least:.1f}h8M{at - 4:.1f} {largest:.1f}h8",
                "line",
                "" if one.n >= FEW else ' stroke-dasharray="2 3"',
            )
        )
        parts.append(dot(at, y.at(one.observed), 3.0 + 5.0 * math.sqrt(one.n / most), "main"))
    parts.append(named_below("Chance that was told", LEFT, WALL, HIGH + 40))
    parts.append(named_beside("Share that renewed", 0.0, HIGH))
    parts.append(_counts(picture, x, most))
    return sheet(picture.title, note, _described(picture, note), HIGH + 40 + COUNTS + 46, "".join(parts))


def _ends(picture: Calibration) -> tuple[float, float]:
    """From what lies lowest to all, on both axes the same."""
    known = [v for one in picture.bins for v in (one.predicted, one.observed, one.low, one.high)] or [0.0, 1.0]
    low, high = min(known), 1.0
    step = next(step for span, step in STEPS if high - low >= span)
    first = math.floor(low / step + 1e-9)
    return min(first * step, high - step), high


def _counts(picture: Calibration, x: Scale, most: int) -> str:
    """Bars of how many; of those that stand too close the larger ones are told."""
    floor = HIGH + 44 + COUNTS
    parts, taken = [], [(LEFT - 8.0, LEFT - 8.0)]
    for one in picture.bins:
        high = (COUNTS - 20) * one.n / most
        parts.append(box(x.at(one.predicted) - 5, floor - high, 10, high, "main", more=' fill-opacity=".7"'))
    for one in sorted(picture.bins, key=lambda each: -each.n):
        text, at = str(one.n) if one.n < 1000 else amount(one.n, False, digits=2), x.at(one.predicted)
        half = width(text, SMALL) / 2
        at = min(at, WIDTH - 2 - half)
        if all(at + half + 3 < lo or at - half - 3 > hi for lo, hi in taken):
            taken.append((at - half, at + half))
            parts.append(write(at, floor - (COUNTS - 20) * one.n / most - 4, text, "soft", anchor="middle"))
    parts.append(path(f"M{LEFT:g} {floor:g}H{WALL:g}", "axis"))
    total = sum(one.n for one in picture.bins)
    parts.append(write((LEFT + WALL) / 2, floor + 18, f"Renewals per bin, {total:,} in all", "soft", anchor="middle"))
    parts.append(
        write(
            (LEFT + WALL) / 2,
            floor + 35,
            f"Whiskers: the interval, dotted below {FEW}; dashed: as told",
            "soft",
            anchor="middle",
        )
    )
    return "".join(parts)


def _described(picture: Calibration, note: str) -> str:
    if not picture.bins:
        return note
    told = (
        f"told {percent(one.predicted)}, {percent(one.observed)} of {counted(one.n, 'renewal')} renewed "
        f"({percent(one.low)} to {percent(one.high)})"
        for one in picture.bins
    )
    return f"{note} {'; '.join(told)}.".strip()
