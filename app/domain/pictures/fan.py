"""A forecast by month: what is likely as a fan, what is expected, what happened, and the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.pictures.axes import beside, levels, money, upward
from app.domain.pictures.scales import Scale
from app.domain.pictures.svg import (
    MARGIN,
    MONTHS,
    SMALL,
    SYMBOLS,
    WIDTH,
    amount,
    box,
    counted,
    dot,
    path,
    sheet,
    width,
    write,
)

LEFT, WALL, HIGH = 70.0, WIDTH - MARGIN, 250.0
PAD = 18.0


@dataclass(frozen=True, slots=True)
class Month:
    """A month by its first day; amounts in major units, None where one is not known. `p05` to `p95`: nine in ten fall
    there. `due`: what could renew at most; `target`: what it is to reach. `part`: which days of it are meant, if not all."""

    start: date
    p05: float | None
    p50: float | None
    p95: float | None
    expected: float | None
    actual: float | None = None
    due: float | None = None
    target: float | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Fan:
    """Months in order, and what each is to reach where that is the same."""

    title: str
    currency: str
    months: tuple[Month, ...]
    target: float | None = None
    note: str = ""


def fan(picture: Fan) -> str:
    """The SVG text."""
    if not picture.months:
        note = f"No renewal is due in this period: there is no month to show. {picture.note}".strip()
        return sheet(picture.title, note, note, 12, "")
    known = [
        v for m in picture.months for v in (m.p05, m.p50, m.p95, m.expected, m.actual, m.due, m.target) if v is not None
    ]
    values = [*known, *([picture.target] if picture.target is not None else []), 0.0]
    # Bands are compared by their heights, so that the scale is linear and begins at nought.
    low, high = min(values), max(values)
    y = Scale(low, high if high > low else low + 1.0, HIGH - 4, 12.0, log=False)
    symbol = picture.currency if picture.currency in SYMBOLS else ""
    ticks = [tick for tick in upward(y, money(symbol)) if high > low or not tick.value]
    xs = _places(len(picture.months))
    parts = [
        box(LEFT, 0, WALL - LEFT, HIGH, "plot"),
        levels(ticks, LEFT, WALL),
        beside(ticks, LEFT),
        _under(picture, xs),
    ]
    parts += [_due(picture, xs, y), *_bands(picture, xs, y), _target(picture, xs, y), _marks(picture, xs, y)]
    rows, high = _legend(picture)
    parts.append(f'<g transform="translate(0 {HIGH + 46:g})">{rows}</g>')
    return sheet(picture.title, _noted(picture), _described(picture), HIGH + 46 + high, "".join(parts))


def _places(n: int) -> list[float]:
    if n == 1:
        return [(LEFT + WALL) / 2]
    return [LEFT + PAD + (WALL - LEFT - 2 * PAD) * k / (n - 1) for k in range(n)]


def _under(picture: Fan, xs: Sequence[float]) -> str:
    """The months' names, as many as there is room for, and the year below the first of them and each January."""
    parts, taken, year = [], -1e9, 0
    for x, month in zip(xs, picture.months, strict=True):
        if x - taken < 36:
            continue
        taken = x
        parts.append(write(x, HIGH + 17, MONTHS[month.start.month - 1], "ink", anchor="middle"))
        if month.start.year != year:
            year = month.start.year
            parts.append(write(x, HIGH + 33, str(year), "soft", anchor="middle"))
    return "".join(parts)


def _runs(picture: Fan, xs: Sequence[float], names: Sequence[str]) -> list[list[tuple[float, tuple[float, ...]]]]:
    """Months side by side that have all of these values, with their places."""
    runs: list[list[tuple[float, tuple[float, ...]]]] = [[]]
    for x, month in zip(xs, picture.months, strict=True):
        told = tuple(getattr(month, name) for name in names)
        if None in told:
            runs.append([])
        else:
            runs[-1].append((x, told))
    return [run for run in runs if run]


def _due(picture: Fan, xs: Sequence[float], y: Scale) -> str:
    wide = min(26.0, 0.6 * (xs[1] - xs[0]) if len(xs) > 1 else 26.0)
    return "".join(
        box(
            x - wide / 2,
            min(y.at(m.due), y.at(0.0)),
            wide,
            abs(y.at(0.0) - y.at(m.due)),
            "due part" if m.part else "due",
        )
        for x, m in zip(xs, picture.months, strict=True)
        if m.due is not None
    )


def _bands(picture: Fan, xs: Sequence[float], y: Scale) -> list[str]:
    parts = []
    for run in _runs(picture, xs, ("p05", "p95")):
        if len(run) == 1:
            (x, (low, high)) = run[0]
            parts.append(box(x - 9, y.at(high), 18, y.at(low) - y.at(high), "band"))
            continue
        upper = "L".join(f"{x:.1f} {y.at(high):.1f}" for x, (_, high) in run)
        lower = "L".join(f"{x:.1f} {y.at(low):.1f}" for x, (low, _) in reversed(run))
        parts.append(path(f"M{upper}L{lower}Z", "band"))
    for run in _runs(picture, xs, (_middle(picture),)):
        way = "L".join(f"{x:.1f} {y.at(value):.1f}" for x, (value,) in run)
        parts.append(path(f"M{way}" if len(run) > 1 else f"M{run[0][0] - 9:.1f} {y.at(run[0][1][0]):.1f}h18", "line"))
    return parts


def _middle(picture: Fan) -> str:
    """What is drawn through the middle: two lines that lie on each other could not be told apart."""
    return "expected" if any(m.expected is not None for m in picture.months) else "p50"


def _target(picture: Fan, xs: Sequence[float], y: Scale) -> str:
    """Across all months where they have one in common, and of each month its own."""
    lines = [] if picture.target is None else [(LEFT, WALL, picture.target)]
    lines += [(x - 14, x + 14, m.target) for x, m in zip(xs, picture.months, strict=True) if m.target is not None]
    return "".join(path(f"M{lo:.1f} {y.at(at):.1f}H{hi:.1f}", "cut") for lo, hi, at in lines)


def _marks(picture: Fan, xs: Sequence[float], y: Scale) -> str:
    radius = 4.5 if len(xs) <= 24 else 3.0
    return "".join(
        dot(x, y.at(m.actual), radius, "mark") for x, m in zip(xs, picture.months, strict=True) if m.actual is not None
    )


def _legend(picture: Fan) -> tuple[str, float]:
    """What the marks mean, those that are there, and how high that is."""
    has = {
        name: any(getattr(m, name) is not None for m in picture.months)
        for name in ("p05", "p50", "expected", "actual", "due")
    }
    own = "target" if any(m.target is not None for m in picture.months) else ""
    target = own if picture.target is None else f"target, {amount(picture.target, True, picture.currency)}"
    entries = [  # as they are drawn, the lowest first
        (has["due"], box(4, 0, 12, 13, "due"), "due"),
        (any(m.part for m in picture.months), box(4, 0, 12, 13, "due part"), "due in a part of the month"),
        (has["p05"], box(0, 2, 20, 10, "band"), "90% range"),
        (has["p50"] and not has["expected"], path("M0 7h20", "line"), "median"),
        (has["expected"], path("M0 7h20", "line"), "expected"),
        (bool(target), path("M0 7h20", "cut"), target),
        (has["actual"], dot(10, 7, 4.5, "mark"), "actual"),
    ]
    parts, x, line = [], LEFT, 0
    for shown, mark, text in entries:
        if not shown:
            continue
        wide = 26 + width(text, SMALL) + 12
        if x + wide > WIDTH and x > LEFT:
            x, line = LEFT, line + 1
        parts.append(f'<g transform="translate({x:.1f} {20 * line})">{mark}{write(26, 12, text, "soft")}</g>')
        x += wide
    return "".join(parts), 20.0 * (line + 1) + 6


def _noted(picture: Fan) -> str:
    unit = "" if picture.currency in SYMBOLS else f"Amounts in {picture.currency}."
    parts = "; ".join(f"{_spelled(m)}: {m.part}" for m in picture.months if m.part)
    return " ".join(filter(None, (picture.note, f"Only a part of the month: {parts}." if parts else "", unit)))


def _spelled(month: Month) -> str:
    return f"{MONTHS[month.start.month - 1]} {month.start.year}"


def _described(picture: Fan) -> str:
    told = []
    for m in picture.months:
        parts = [
            f"{name} {amount(value, True, picture.currency)}"
            for name, value in (("due", m.due), ("p05", m.p05), ("median", m.p50), ("p95", m.p95), ("expected", m.expected), ("actual", m.actual), ("target", m.target))
            if value is not None
        ]  # fmt: skip
        of = f"{_spelled(m)}, {m.part}" if m.part else _spelled(m)
        told.append(f"{of}: {', '.join(parts) or 'nothing known'}")
    return f"{picture.note} {counted(len(told), 'month')}. {'; '.join(told)}.".strip()
