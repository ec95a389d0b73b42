"""Bands on a number: the highest first, each from its cut on; ties go up, and what is empty goes to the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.criteria.nodes import And, Cmp, Const, Empty, Node, Not, Path
from app.domain.segmentation import axes as of_axes
from app.domain.segmentation import books
from app.domain.segmentation.axes import MAX_CUTS, Axis
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.model import NOTHING, Segment
from app.domain.segmentation.reading import Faults


def read(faults: Faults, told: object) -> Axis:
    """The axis."""
    return of_axes.read(faults, told, "/spec", MAX_CUTS)


def axes(spec: Axis) -> tuple[Axis, ...]:
    """The one axis."""
    return (spec,)


def told(spec: Axis) -> dict[str, Any]:
    """What reads as the axis."""
    return of_axes.told(spec)


def fit(faults: Faults, spec: Axis, segments: Sequence[Segment]) -> None:
    """A segment for each band."""
    if len(segments) != spec.cuts.count + 1:
        message = f"Expected {spec.cuts.count + 1} segments, the highest first: one more than there are cuts."
        faults.add("/segments", message)


def expand(spec: Axis, cuts: Sequence[Frozen], segments: Sequence[Segment]) -> tuple[Node, ...]:
    """A criteria per band, the highest first: those before it have taken what is higher."""
    if not is_cut(spec, cuts[0]):
        return (NOTHING,) * len(segments)
    return (*(reaches(spec, cuts[0], n) for n in reversed(range(spec.cuts.count))), known(spec, cuts[0]))


def level(axis: Axis, cuts: Frozen, n: int) -> Node | None:
    """From cut n to below the next, lowest level 0; None where it cannot be told for want of cuts."""
    if not is_cut(axis, cuts):
        return None
    parts: list[Node] = []
    if n > 0:
        parts.append(reaches(axis, cuts, n - 1))
    if n < axis.cuts.count:
        parts.append(below(axis, cuts, n))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def is_cut(axis: Axis, cuts: Frozen) -> bool:
    """Whether there were accounts enough to find every cut."""
    return bool(cuts.books) if axis.cuts.within else len(cuts.at) == axis.cuts.count


def reaches(axis: Axis, cuts: Frozen, n: int) -> Node:
    """On cut n or above it."""
    return books.reaches(axis, n) if axis.cuts.within else Cmp(Path(axis.field), "ge", Const(cuts.at[n]))


def below(axis: Axis, cuts: Frozen, n: int) -> Node:
    """Below cut n."""
    return books.below(axis, n) if axis.cuts.within else Cmp(Path(axis.field), "lt", Const(cuts.at[n]))


def known(axis: Axis, _cuts: Frozen) -> Node:
    """On any level: there is a value, and where books are cut a book."""
    return books.below(axis, 0) if axis.cuts.within else Not(Empty(Path(axis.field)))
