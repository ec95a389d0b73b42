"""What moved between two days: segments on both sides, and between them streams as wide as they hold accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.pictures.svg import (
    MARGIN,
    REST,
    SMALL,
    WIDTH,
    Anchor,
    amount,
    apart,
    box,
    counted,
    escape,
    fit,
    painted,
    sheet,
    width,
    wrapped,
    write,
)

LEFT, BAR = 152.0, 11.0
RIGHT = WIDTH - LEFT
HIGH, GAP, LABEL, LINE = 300.0, 10.0, 36.0, 17.0
"""What all accounts take together, what lies between two segments, what a segment's label takes with one line for its
name, and what another line takes."""
ROOM = LEFT - MARGIN - 8
THIN = 1.2
"""The least that a stream is drawn with."""
TOLD = 8
"""Moves that are written out below."""


@dataclass(frozen=True, slots=True)
class Side:
    """A segment."""

    slug: str
    name: str
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """Accounts and their ARR, in major units, that were in one segment and are in another, or the same; None: outside."""

    source: str | None
    target: str | None
    accounts: int
    arr: float


@dataclass(frozen=True, slots=True)
class Flow:
    """Segments in their order, and what flowed between them from one day to another."""

    title: str
    currency: str
    before: str
    after: str
    sides: Sequence[Side]
    streams: Sequence[Stream]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Node:
    slug: str | None
    name: tuple[str, ...]
    paint: str
    y: float
    high: float
    accounts: int
    arr: float

    @property
    def label(self) -> float:
        """What its name and numbers take."""
        return LABEL + LINE * (len(self.name) - 1)


def flow(picture: Flow) -> str:
    """The SVG text."""
    unit = _unit(picture)
    left = _column(picture, lambda s: s.source, "Entered", unit)
    right = _column(picture, lambda s: s.target, "Left the base", unit)
    floor = max((node.y + (node.high + max(node.high, node.label)) / 2 for node in (*left, *right)), default=30.0)
    parts = [
        write(MARGIN, 14, picture.before, "ink bold"),
        write(WIDTH - MARGIN, 14, picture.after, "ink bold", anchor="end"),
        _streams(picture, left, right, unit),
        *(_named(node, picture.currency, LEFT - 8, LEFT, "end") for node in left),
        *(_named(node, picture.currency, RIGHT + 8, RIGHT - BAR, "start") for node in right),
    ]
    told = _told(picture)
    parts += [
        write(MARGIN, floor + 28 + 18 * n, line, kind, room=WIDTH - 2 * MARGIN) for n, (line, kind) in enumerate(told)
    ]
    return sheet(picture.title, noted(picture), described(picture), floor + 24 + 18 * len(told) + 8, "".join(parts))


def noted(picture: Flow) -> str:
    """How many moved, entered and left."""
    if not any(s.accounts for s in picture.streams):
        return picture.note or "No account stood in a segment on either day."
    moved = [s for s in picture.streams if s.source is not None and s.target is not None and s.source != s.target]
    entered = [s for s in picture.streams if s.source is None]
    left = [s for s in picture.streams if s.target is None]
    text = f"{_sum(moved, picture.currency)} moved" if moved else "No account moved"
    text += f"; {_sum(entered, picture.currency)} entered" if entered else ""
    text += f"; {_sum(left, picture.currency)} left the base" if left else ""
    return f"{text}. {picture.note}".strip()


def described(picture: Flow) -> str:
    """The streams in words."""
    names, days = _names(picture), f"{picture.before} to {picture.after}. {noted(picture)}"
    if not picture.streams:
        return days
    told = (
        f"{apart(names(s.source)) or 'entered'} to {apart(names(s.target)) or 'left the base'}: {_sum([s], picture.currency)}"
        for s in picture.streams
    )
    return f"{days} {'; '.join(told)}."


def _sum(streams: Sequence[Stream], currency: str) -> str:
    arr = amount(sum(s.arr for s in streams), True, currency)
    return f"{counted(sum(s.accounts for s in streams))} ({arr})"


def _names(picture: Flow) -> Callable[[str | None], str]:
    known = {side.slug: side.name for side in picture.sides}
    return lambda slug: "" if slug is None else known.get(slug, slug)


def _unit(picture: Flow) -> float:
    """What an account takes."""
    return HIGH / max(1, sum(s.accounts for s in picture.streams))


def _column(picture: Flow, end: Callable[[Stream], str | None], outside: str, unit: float) -> list[_Node]:
    nodes: list[_Node] = []
    y = 26.0
    paints = painted([side.colour for side in picture.sides])
    listed = [(side.slug, side.name, paint) for side, paint in zip(picture.sides, paints, strict=True)]
    for slug, name, paint in (*listed, (None, outside, REST)):
        held = [s for s in picture.streams if end(s) == slug]
        if not (accounts := sum(s.accounts for s in held)):
            continue
        high = max(THIN * len(held), accounts * unit)
        lines = tuple(wrapped(name, ROOM, SMALL, 2, bold=True, middle=True))
        label = LABEL + LINE * (len(lines) - 1)
        top = y + max(0.0, label - high) / 2  # beside the middle of its label
        nodes.append(_Node(slug, lines, paint, top, high, accounts, sum(s.arr for s in held)))
        y += max(high, label) + GAP
    return nodes


def _named(node: _Node, currency: str, x: float, bar: float, anchor: Anchor) -> str:
    top = node.y + (node.high - node.label) / 2
    facts = f"{node.accounts:,} · {amount(node.arr, True, currency)}"
    lines = [write(x, top + 14 + LINE * n, line, "ink bold", anchor=anchor) for n, line in enumerate(node.name)]
    told = write(x, top + 14 + LINE * len(node.name), facts, "soft", anchor=anchor, room=ROOM)
    return box(bar, node.y, BAR, node.high, fill=node.paint) + "".join(lines) + told


def _streams(picture: Flow, left: Sequence[_Node], right: Sequence[_Node], unit: float) -> str:
    """Those that stay pale, those that move on top of them."""
    sources, targets = ({node.slug: node for node in side} for side in (left, right))
    order = {side.slug: n for n, side in enumerate(picture.sides)}
    streams = sorted(
        (s for s in picture.streams if s.accounts),
        key=lambda s: (order.get(s.source or "", 99), order.get(s.target or "", 99)),
    )
    used: dict[tuple[int, str | None], float] = {}
    drawn: list[tuple[bool, str]] = []
    ends: dict[int, float] = {}
    for k, s in sorted(
        enumerate(streams), key=lambda each: (order.get(each[1].target or "", 99), order.get(each[1].source or "", 99))
    ):
        ends[k] = _next(used, (1, s.target), targets, s.accounts * unit)
    for k, s in enumerate(streams):
        high = max(THIN, s.accounts * unit)
        y0, y1 = _next(used, (0, s.source), sources, s.accounts * unit), ends[k]
        paint = (targets[s.target] if s.source is None else sources[s.source]).paint
        stays = s.source == s.target
        drawn.append((not stays, _ribbon(y0, y1, high, paint, ".22" if stays else ".62")))
    return "".join(one for _, one in sorted(drawn, key=lambda each: each[0]))


def _next(
    used: dict[tuple[int, str | None], float],
    key: tuple[int, str | None],
    nodes: Mapping[str | None, _Node],
    high: float,
) -> float:
    """Where the next stream begins at a segment."""
    at = used.get(key, nodes[key[1]].y)
    used[key] = at + max(THIN, high)
    return at


def _ribbon(y0: float, y1: float, high: float, paint: str, opacity: str) -> str:
    x0, x1 = LEFT + BAR, RIGHT - BAR
    middle = (x0 + x1) / 2
    way = (
        f"M{x0:g} {y0:.1f}C{middle:g} {y0:.1f} {middle:g} {y1:.1f} {x1:g} {y1:.1f}V{y1 + high:.1f}"
        f"C{middle:g} {y1 + high:.1f} {middle:g} {y0 + high:.1f} {x0:g} {y0 + high:.1f}Z"
    )
    return f'<path fill="{escape(paint)}" fill-opacity="{opacity}" d="{way}"/>'


def _told(picture: Flow) -> list[tuple[str, str]]:
    """The moves with the most accounts, one in a line."""
    names = _names(picture)
    moved = sorted(
        (s for s in picture.streams if s.source != s.target and s.accounts), key=lambda s: (-s.accounts, -s.arr)
    )
    lines = []
    for s in moved[:TOLD]:
        facts = f": {_sum([s], picture.currency)}"
        way = (names(s.source) or "Entered", names(s.target) or "left the base")
        room = WIDTH - 2 * MARGIN - width(f"{facts} → ", SMALL)
        start, end = (
            apart(fit(name, max(room / 2, room - width(other, SMALL)), SMALL, middle=True))
            for name, other in (way, way[::-1])
        )
        lines.append((f"{start} → {end}{facts}", "ink"))
    if len(moved) > TOLD:
        lines.append((f"and {_sum(moved[TOLD:], picture.currency)} in {len(moved) - TOLD} smaller moves", "soft"))
    return lines
