"""A matrix as a picture: its accounts between the cuts of its axes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import product

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import Setting, check, shown
from app.domain.criteria.meant import Meaning
from app.domain.pictures.quadrant import MOST as POINTS
from app.domain.pictures.quadrant import Area, Cell, Point, Quadrant, quadrant
from app.domain.pictures.scales import Measure
from app.domain.segmentation import bands, books
from app.domain.segmentation.axes import LEVELS, Axis
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.matrix import SIDES
from app.domain.segmentation.relative import relative
from app.domain.workspaces import Workspace, clock
from app.persistence import charts as rows
from app.persistence.database import Reader, Record
from app.services.aside import aside
from app.services.numbers import Number, measured, unit
from app.services.segment_states import words

APART = {
    True: "1 account stands in a segment that its values do not say, by a pin or until it is confirmed.",
    False: "{:,} accounts stand in a segment that their values do not say, by a pin or until it is confirmed.",
}


async def quadrant_of(
    db: Reader,
    row: Record,
    workspace: Workspace,
    axes: Sequence[Axis],
    cuts: Sequence[Frozen],
    of: Sequence[Number],
    now: datetime,
) -> str:
    """The SVG text: counts and money of every account, points of as many as there is room for."""
    asked = [
        (one, None if axis.cuts.within is None else shown(axis.cuts.within, ACCOUNTS, workspace))
        for one, axis in zip(of, axes, strict=True)
    ]
    listed = await rows.points(db, workspace, row["id"], asked, POINTS)
    counted = await rows.cells(db, workspace, row["id"], _levels(axes, cuts, Setting(workspace, clock(workspace, now))))
    doubted = words(row, workspace, now)
    return await aside(lambda: quadrant(_picture(row, workspace, axes, cuts, of, listed, counted, doubted)))


def _levels(axes: Sequence[Axis], cuts: Sequence[Frozen], setting: Setting) -> list[list[Meaning]]:
    """By axis what it takes to be on each level or above, the highest first, as the segments' own criteria say it."""
    over = books.over(setting, books.of(axes, cuts))
    return [
        [check(node, ACCOUNTS, over).meaning for node in bands.expand(axis, (frozen,), ())]
        for axis, frozen in zip(axes, cuts, strict=True)
    ]


def _picture(
    row: Record,
    workspace: Workspace,
    axes: Sequence[Axis],
    cuts: Sequence[Frozen],
    of: Sequence[Number],
    listed: Sequence[Record],
    counted: Sequence[Record],
    doubted: str,
) -> Quadrant:
    points = [point for one in listed if (point := _point(one, axes, cuts, of, workspace)) is not None]
    x, y, *z = [_axis(axis, one, frozen) for axis, one, frozen in zip(axes, of, cuts, strict=True)]
    panels = tuple(f"{z[0].title}: {level}" for level in reversed(LEVELS[axes[2].cuts.count])) if z else ("",)
    areas, apart = _areas(row, axes, counted, workspace)
    total = sum(one["accounts"] for one in counted if None not in one["at"])
    rest = sum(one["accounts"] for one in counted) - total
    note = " ".join(filter(None, (doubted, APART[apart == 1].format(apart) if apart else "")))
    return Quadrant(row["name"], workspace.currency, x, y, areas, points, total, rest, panels, note)


def _axis(axis: Axis, of: Number, frozen: Frozen) -> Measure:
    if axis.cuts.within is None:
        return measured(axis.field, of, frozen)
    cuts = tuple(float(n + 1) for n in range(axis.cuts.count))
    name = measured(axis.field, of, None).title
    told = f"{name} ÷ cut of the own book" if len(cuts) == 1 else f"{name} among the cuts of the own book"
    return Measure(told, False, cuts)


def _point(
    row: Record, axes: Sequence[Axis], cuts: Sequence[Frozen], of: Sequence[Number], workspace: Workspace
) -> Point | None:
    """None for one whose book has no cuts: it stands on no level."""
    places: list[float] = []
    for axis, frozen, one, value, key in zip(axes, cuts, of, row["at"], row["books"], strict=True):
        at = value * unit(one, workspace)
        if axis.cuts.within is None:
            places.append(at)
        elif (book := frozen.books.get(key)) is None or len(book.at) != axis.cuts.count:
            return None
        else:
            places.append(relative(at, book.at))
    panel = 0
    if len(axes) > 2:
        bounds = (
            [float(c) for c in cuts[2].at]
            if axes[2].cuts.within is None
            else [float(n + 1) for n in range(axes[2].cuts.count)]
        )
        panel = sum(places[2] < bound for bound in bounds)
    return Point(row["segment"], places[0], places[1], row["arr"] * 10.0**-workspace.minor_digits, panel)


def _areas(
    row: Record, axes: Sequence[Axis], counted: Sequence[Record], workspace: Workspace
) -> tuple[list[Area], int]:
    """Each segment with what its cells hold, and how many accounts stand in a segment that their values do not say: they
    count in its cell next to these."""
    areas: list[Area] = []
    said: dict[tuple[int, ...], str] = {}
    for case in msgspec.json.decode(row["segments"]):
        places = [*product(*(_places(axis, case.get(side)) for axis, side in zip(axes, SIDES, strict=False)))]
        said |= dict.fromkeys(places, case["slug"])
        held = {place: [0, 0] for place in places}
        for one in counted:
            if one["segment"] == case["slug"]:
                cell = held[next_to(one["at"], places)]
                cell[0] += one["accounts"]
                cell[1] += one["arr"]
        cells = (Cell(*_panel(place, axes), n, float(workspace.major(arr))) for place, (n, arr) in held.items())
        areas.append(Area(case["slug"], case["name"], case.get("colour"), tuple(cells)))
    apart = (one["accounts"] for one in counted if said.get(tuple(one["at"]), row["rest"]) != one["segment"])
    return areas, sum(apart)


def next_to(levels: Sequence[int | None], places: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The place that is fewest levels away, the first of those; what is on no level of an axis is near to all of it."""

    def away(place: tuple[int, ...]) -> int:
        return sum(abs(at - level) for at, level in zip(place, levels, strict=True) if level is not None)

    return min(places, key=away)


def _panel(place: tuple[int, ...], axes: Sequence[Axis]) -> tuple[int, int, int]:
    """The levels on x and y, and of a third axis the panel, the highest at the top."""
    return place[0], place[1], axes[2].cuts.count - place[2] if len(axes) > 2 else 0


def _places(axis: Axis, told: str | Sequence[str] | None) -> list[int]:
    """Which levels these are, the lowest 0; all where none is told."""
    levels = LEVELS[axis.cuts.count]
    return [levels.index(name) for name in ([told] if isinstance(told, str) else told or levels)]
