"""A matrix as a picture: its accounts between the cuts of its axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import shown
from app.domain.pictures.quadrant import MOST as POINTS
from app.domain.pictures.quadrant import Cell, Point, Quadrant, quadrant
from app.domain.pictures.scales import Measure
from app.domain.segmentation.axes import LEVELS, Axis
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.matrix import SIDES
from app.domain.segmentation.relative import relative
from app.domain.workspaces import Workspace
from app.persistence import charts as rows
from app.persistence import segments as kept
from app.persistence.database import Reader, Record
from app.services.aside import aside
from app.services.numbers import Number, measured, unit


async def quadrant_of(
    db: Reader, row: Record, workspace: Workspace, axes: Sequence[Axis], cuts: Sequence[Frozen], of: Sequence[Number]
) -> str:
    asked = [
        (one, None if axis.cuts.within is None else shown(axis.cuts.within, ACCOUNTS, workspace))
        for one, axis in zip(of, axes, strict=True)
    ]
    listed, total = await rows.points(db, workspace, row["id"], asked, POINTS)
    standing = await kept.standing(db, workspace.id, row["id"])

    def drawn() -> str:
        points = [point for one in listed if (point := _point(one, axes, cuts, of, workspace)) is not None]
        measures = [_axis(axis, one, frozen) for axis, one, frozen in zip(axes, of, cuts, strict=True)]
        accounts = sum(n for n, _ in standing.values())
        panels: tuple[str, ...] = ("",)
        if len(axes) > 2:
            title = measures[2].title
            panels = tuple(f"{title}: {level}" for level in reversed(LEVELS[axes[2].cuts.count]))
        cells = _cells(row, axes, standing, workspace)
        x, y = measures[:2]
        return quadrant(
            Quadrant(
                row["name"],
                workspace.currency,
                x,
                y,
                cells,
                points,
                total,
                accounts - total,
                panels,
                row["detail"] or "",
            )
        )

    return await aside(drawn)


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


def _cells(
    row: Record, axes: Sequence[Axis], standing: Mapping[str, tuple[int, int]], workspace: Workspace
) -> list[Cell]:
    cells = []
    for case in msgspec.json.decode(row["segments"]):
        accounts, arr = standing.get(case["slug"], (0, 0))
        levels = [_places(axis, case.get(side)) for axis, side in zip(axes, SIDES, strict=False)]
        panels = [axes[2].cuts.count - level for level in levels[2]] if len(axes) > 2 else [0]
        every = ((i, j, panel) for i, j, panel in product(levels[0], levels[1], panels))
        places = sorted(every, key=lambda at: (at[2], -at[1], -at[0]))
        cells.append(
            Cell(case["slug"], case["name"], case.get("colour"), accounts, float(workspace.major(arr)), tuple(places))
        )
    return cells


def _places(axis: Axis, told: str | Sequence[str] | None) -> list[int]:
    """Which levels these are, the lowest 0; all where none is told."""
    levels = LEVELS[axis.cuts.count]
    return [levels.index(name) for name in ([told] if isinstance(told, str) else told or levels)]
