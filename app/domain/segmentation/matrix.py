"""Two axes: every cell is a level of x and a level of y; an account without one of the values goes to the rest."""

from __future__ import annotations

from app.domain.criteria.nodes import And, Node
from app.domain.segmentation.bands import NOTHING, bands, level
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.model import LEVELS, Axis, Segment, Segmentation


def cell(axes: tuple[Axis, ...], cuts: tuple[Frozen, ...], segment: Segment) -> Node:
    """What puts an account into the segment's cell."""
    parts: list[Node] = []
    for axis, frozen, name in zip(axes, cuts, segment.cell or (), strict=True):
        part = level(axis, frozen, LEVELS[axis.cuts.count].index(name))
        if part is None:
            return NOTHING
        parts += part.args if isinstance(part, And) else (part,)
    return And(tuple(parts))


def expanded(of: Segmentation, cuts: tuple[Frozen, ...]) -> tuple[Node, ...]:
    """The criteria of each segment, in order, whatever the kind."""
    match of.kind:
        case "rules":
            return tuple(segment.criteria or NOTHING for segment in of.segments)
        case "bands":
            return bands(of.axes[0], cuts[0])
        case "matrix":
            return tuple(cell(of.axes, cuts, segment) for segment in of.segments)
