"""A segmentation as a picture: its axes, cuts and accounts, counts and money per cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import shown
from app.domain.criteria.meant import SegmentOf, Shown
from app.domain.errors import NotFound
from app.domain.roles import Principal, permit
from app.domain.segmentation.axes import LEVELS, Axis
from app.domain.segmentation.bodies import axes_of
from app.domain.segmentation.chart import MOST as POINTS
from app.domain.segmentation.chart import Cell, Picture, Point, quadrant
from app.domain.segmentation.cuts import Frozen, loaded
from app.domain.segmentation.scales import Measure
from app.domain.workspaces import Workspace
from app.persistence import segments as kept
from app.persistence.database import Reader, Record
from app.services.segmentation_documents import found

UPPER = ("arr", "mrr", "tcv", "nps")
BESIDE = "health"
"""What bands of ARR are drawn against; other bands are drawn against ARR."""
DRAWN = ("bands", "matrix")


async def chart(db: Reader, principal: Principal, slug: str) -> str:
    """The segmentation's axes, cuts and accounts as SVG text. Raises NotFound where there are no two axes to draw."""
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    if row["kind"] not in DRAWN or len(axes) > 2:
        raise NotFound("Bands and matrices of two axes can be drawn.")
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    paths = [axis.field for axis in axes]
    if len(paths) == 1:
        paths.append(BESIDE if paths[0] == "arr" else "arr")
    of = [shown(path, ACCOUNTS, workspace) for path in paths]
    rows, total = await kept.points(db, workspace, row["id"], of, POINTS)
    standing = await kept.standing(db, workspace.id, row["id"])
    factors = [10.0**-workspace.minor_digits if _is_money(one) else 1.0 for one in of]
    x, y = (
        _measure(path, one, cuts[n] if n < len(cuts) else None)
        for n, (path, one) in enumerate(zip(paths, of, strict=True))
    )
    points = [
        Point(r["segment"], r["x"] * factors[0], r["y"] * factors[1], r["arr"] * 10.0**-workspace.minor_digits)
        for r in rows
    ]
    accounts = sum(n for n, _ in standing.values())
    cells = _cells(row, axes, standing, workspace)
    return quadrant(Picture(row["name"], workspace.currency, x, y, cells, points, total, accounts - total))


def _is_money(of: Shown) -> bool:
    return not isinstance(of, SegmentOf) and of.field.kind == "money"


def _measure(path: str, of: Shown, cuts: Frozen | None) -> Measure:
    name = path.rpartition(".")[2]
    title = name.upper() if name in UPPER else name.replace("_", " ").capitalize()
    return Measure(title, _is_money(of), tuple(float(c) for c in cuts.at) if cuts else ())


def _cells(
    row: Record, axes: tuple[Axis, ...], standing: Mapping[str, tuple[int, int]], workspace: Workspace
) -> list[Cell]:
    cases = msgspec.json.decode(row["segments"])
    cells = []
    for n, case in enumerate(cases):
        accounts, arr = standing.get(case["slug"], (0, 0))
        place = (
            (len(cases) - 1 - n, 0)
            if row["kind"] == "bands"
            else (_level(axes[0], case, "x"), _level(axes[1], case, "y"))
        )
        cells.append(Cell(case["slug"], case["name"], case.get("colour"), accounts, float(workspace.major(arr)), place))
    return cells


def _level(axis: Axis, case: Mapping[str, Any], side: str) -> int:
    """Which level it is, the lowest 0; of several the highest."""
    levels = LEVELS[axis.cuts.count]
    told = case.get(side) or levels
    return max(levels.index(name) for name in ([told] if isinstance(told, str) else told))
