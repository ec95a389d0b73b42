"""Two or three axes: every cell is a level of each; an account without one of the values goes to the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from app.domain.criteria.nodes import And, Empty, Node, Not, Or, Path
from app.domain.segmentation import axes as of_axes
from app.domain.segmentation.axes import LEVELS, Axis
from app.domain.segmentation.bands import below as below_cut
from app.domain.segmentation.bands import is_cut, level, reaches
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.model import NOTHING, Segment
from app.domain.segmentation.reading import Faults

SIDES = ("x", "y", "z")
AXIS = "an axis: an object with field and cuts"
TOLD = 6
"""Cells that an error names."""
Spec = tuple[Axis, ...]


def read(faults: Faults, told: object) -> Spec:
    """The axes x, y and, where there are three, z."""
    members = faults.members(told, "/spec", SIDES, dict.fromkeys(SIDES[:2], AXIS))
    given = [side for side in SIDES if side in members and (members[side] is not None or side not in SIDES[:2])]
    return tuple(of_axes.read(faults, members[side], f"/spec/{side}", 2) for side in given)


def axes(spec: Spec) -> tuple[Axis, ...]:
    """Its axes."""
    return spec


def told(spec: Spec) -> dict[str, Any]:
    """What reads as the axes."""
    return {side: of_axes.told(axis) for side, axis in zip(SIDES, spec, strict=False)}


def cell(members: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """What a segment says of its levels on the axes, one or several of each; none where it says nothing."""
    given = (members.get(side) for side in SIDES)
    return tuple(
        () if one is None else tuple(map(str, one)) if isinstance(one, list | tuple) else (str(one),) for one in given
    )


def shown(levels: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """What reads as the cell."""
    return {
        side: names[0] if len(names) == 1 else list(names) for side, names in zip(SIDES, levels, strict=False) if names
    }


def fit(faults: Faults, spec: Spec, segments: Sequence[Segment]) -> None:
    """Known levels, and every cell in one segment."""
    names = [LEVELS[axis.cuts.count] for axis in spec]
    for n, segment in enumerate(segments):
        for side, told, known in zip(SIDES, segment.cell or (), [*names, ()], strict=False):
            if len(set(told)) != len(told):
                faults.add(f"/segments/{n}/{side}", "Expected each level once.")
            for one in told:
                if not known:
                    faults.add(f"/segments/{n}/{side}", "Expected no level: there is no such axis.")
                else:
                    faults.one_of(one, f"/segments/{n}/{side}", known)
    if faults.found:
        return
    taken: dict[tuple[str, ...], int] = {}
    for n, segment in enumerate(segments):
        for place in cells(spec, segment):
            first = taken.setdefault(place, n)
            if first != n:
                faults.add(
                    f"/segments/{n}", f"Expected no cell twice: {_called(place)} is in segment {first + 1} already."
                )
    wanted = list(product(*names))
    left = [_called(place) for place in wanted if place not in taken]
    if left:
        more = ", …" if len(left) > TOLD else ""
        which = (
            f"{len(left)} of {len(wanted)} {'is' if len(left) == 1 else 'are'} in none: {', '.join(left[:TOLD])}{more}"
        )
        faults.add("/segments", f"Expected every cell in a segment: {which}.")


def _called(cell: Sequence[str]) -> str:
    """`x high y low`."""
    return " ".join(f"{side} {level}" for side, level in zip(SIDES, cell, strict=False))


def cells(spec: Spec, segment: Segment) -> list[tuple[str, ...]]:
    """The cells of a segment, by the names of their levels."""
    levels = segment.cell or ()
    return list(product(*(told or LEVELS[axis.cuts.count] for axis, told in zip(spec, levels, strict=False))))


def expand(spec: Spec, cuts: Sequence[Frozen], segments: Sequence[Segment]) -> tuple[Node, ...]:
    """The criteria of each segment's cells."""
    if not all(is_cut(axis, frozen) for axis, frozen in zip(spec, cuts, strict=True)):
        return (NOTHING,) * len(segments)
    return tuple(_criteria(spec, cuts, segment) for segment in segments)


def _criteria(spec: Spec, cuts: Sequence[Frozen], segment: Segment) -> Node:
    parts: list[Node] = []
    for axis, frozen, told in zip(spec, cuts, segment.cell or (), strict=False):
        part = _levels(axis, frozen, told or LEVELS[axis.cuts.count])
        parts += part.args if isinstance(part, And) else (part,)
    return And(tuple(parts))


def _levels(axis: Axis, frozen: Frozen, told: Sequence[str]) -> Node:
    """On one of some levels."""
    known = LEVELS[axis.cuts.count]
    places = sorted(known.index(name) for name in told)
    if len(places) == len(known):
        if axis.cuts.within:
            return Or((reaches(axis, frozen, 0), below_cut(axis, frozen, 0)))
        return Not(Empty(Path(axis.field)))
    if places == list(range(places[0], len(known))):
        return reaches(axis, frozen, places[0] - 1)
    if places == list(range(places[-1] + 1)):
        return below_cut(axis, frozen, places[-1])
    found = [level(axis, frozen, place) or NOTHING for place in places]
    return found[0] if len(found) == 1 else Or(tuple(found))
