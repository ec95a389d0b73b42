"""A weighted scorecard: fields give points, the points add up, and the sum falls into bands, the highest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from app.domain.criteria import text
from app.domain.criteria.nodes import All, And, Cmp, Const, Empty, In, Node, Not, Or, Path
from app.domain.segmentation import axes as of_axes
from app.domain.segmentation.axes import Axis, Cuts
from app.domain.segmentation.bands import below, is_cut, reaches
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.model import NOTHING, Segment
from app.domain.segmentation.points import Scale, at_least
from app.domain.segmentation.reading import Faults

MOST_MEASURES = 10
MOST_VALUES = 50
NEEDED = {
    "measures": f"an array of 1 to {MOST_MEASURES} measures",
    "at": f"an array of 1 to {of_axes.MAX_CUTS} numbers: the sums at which the next band begins",
}
MEMBERS = ("field", "cuts", "points", "values", "otherwise", "empty", "criteria", "weight")


@dataclass(frozen=True, slots=True)
class Measure:
    """What gives points: a number by its levels, lowest first (`axis` and `points`); a field by its `values`, all others
    `otherwise`; or `criteria` that give `points[0]`, else `otherwise`. A field that is empty gives `empty`. All points are
    times `weight`."""

    axis: Axis | None
    field: str
    points: tuple[Decimal, ...]
    values: Mapping[str, Decimal]
    criteria: Node | None
    otherwise: Decimal
    empty: Decimal
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Spec:
    """The measures, and the sums at which the next band begins, ascending."""

    measures: tuple[Measure, ...]
    at: tuple[Decimal, ...]


# -- reading -----------------------------------------------------------------------------------------------------------


def read(faults: Faults, told: object) -> Spec:
    """`{measures: […], at: […]}`."""
    members = faults.members(told, "/spec", ("measures", "at"), NEEDED)
    given, at = members.get("measures"), members.get("at")
    listed = () if given is None else faults.array(given, "/spec/measures", MOST_MEASURES, "measures")
    measures = tuple(_measure(faults, one, f"/spec/measures/{n}") for n, one in enumerate(listed))
    return Spec(measures, () if at is None else faults.rising(at, "/spec/at", of_axes.MAX_CUTS))


def _measure(faults: Faults, told: object, pointer: str) -> Measure:
    members = faults.members(told, pointer, MEMBERS, ())
    ways = [name for name in ("cuts", "values", "criteria") if members.get(name) is not None]
    if len(ways) != 1:
        faults.add(pointer, "Expected one of cuts, values and criteria.")
    way = ways[0] if ways else "criteria"
    field, axis, criteria = "", None, None
    if way != "criteria":
        field = faults.line(members.get("field"), f"{pointer}/field")
        if members.get("field") is None:
            faults.add(f"{pointer}/field", "Expected the path of a field.")
    elif members.get("field") is not None:
        faults.add(f"{pointer}/field", "Expected no field: the criteria say who gets the points.")
    if way == "criteria" and members.get("criteria") is not None:
        criteria = faults.criteria(members["criteria"], f"{pointer}/criteria")
    if way == "cuts":
        axis = Axis(field, of_axes.read_cuts(faults, members["cuts"], f"{pointer}/cuts", 4), pointer)
    points = _points(faults, members, pointer, way, axis)
    values = _values(faults, members.get("values"), f"{pointer}/values") if way == "values" else {}
    otherwise, empty = (faults.number(members.get(name, 0), f"{pointer}/{name}") for name in ("otherwise", "empty"))
    weight = faults.number(members.get("weight", 1), f"{pointer}/weight")
    if weight <= 0:
        faults.add(f"{pointer}/weight", "Expected a weight above 0.")
    return Measure(axis, field, points, values, criteria, otherwise, empty, weight)


def _points(
    faults: Faults, members: Mapping[str, Any], pointer: str, way: str, axis: Axis | None
) -> tuple[Decimal, ...]:
    told, where = members.get("points"), f"{pointer}/points"
    if way == "values":
        if told is not None:
            faults.add(where, "Expected no points: the values say theirs.")
        return ()
    if way == "criteria":
        return (faults.number(told, where),)
    wanted = axis.cuts.count + 1 if axis else 0
    if not isinstance(told, list | tuple) or len(told) != wanted:
        faults.add(where, f"Expected the points of {wanted} levels, the lowest first.")
        return (Decimal(0),) * wanted
    return tuple(faults.number(one, f"{where}/{n}") for n, one in enumerate(told))


def _values(faults: Faults, told: object, pointer: str) -> dict[str, Decimal]:
    if not isinstance(told, Mapping) or not 1 <= len(told) <= MOST_VALUES:
        faults.add(pointer, f"Expected an object of 1 to {MOST_VALUES} values and their points.")
        return {}
    return {faults.line(str(name), pointer): faults.number(points, pointer) for name, points in told.items()}


def told(spec: Spec) -> dict[str, Any]:
    """What reads as the scorecard."""
    return {"measures": [_told(one) for one in spec.measures], "at": list(spec.at)}


def _told(one: Measure) -> dict[str, Any]:
    shown: dict[str, Any] = {"field": one.field} if one.field else {}
    if one.axis:
        shown |= {"cuts": of_axes.told_cuts(one.axis.cuts), "points": list(one.points)}
    elif one.criteria is not None:
        shown |= {"criteria": text.format(one.criteria), "points": one.points[0]}
    else:
        shown |= {"values": dict(one.values)}
    return shown | {"otherwise": one.otherwise, "empty": one.empty, "weight": one.weight}


def axes(spec: Spec) -> tuple[Axis, ...]:
    """The numbers that are cut into levels."""
    return tuple(one.axis for one in spec.measures if one.axis is not None)


def fit(faults: Faults, spec: Spec, segments: Sequence[Segment]) -> None:
    """A segment for each band, and a sum that criteria can say."""
    if len(segments) != len(spec.at) + 1:
        faults.add(
            "/segments", f"Expected {len(spec.at) + 1} segments, the highest first: one more than there are sums."
        )


# -- meaning -----------------------------------------------------------------------------------------------------------


def expand(spec: Spec, cuts: Sequence[Frozen], segments: Sequence[Segment]) -> tuple[Node, ...]:
    """A criteria per band, the highest first. A number that nobody had when cuts were taken gives everybody what it gives who
    has none; where nothing else is measured nobody is placed. Raises TooManyError."""
    frozen = iter(cuts)
    scales = []
    for measure in spec.measures:
        found = next(frozen) if measure.axis is not None else None
        uncut = measure.axis is not None and found is not None and not is_cut(measure.axis, found)
        scales.append(Scale((measure.empty * measure.weight,), ()) if uncut else scale(measure, found))
    if not any(one.reaching for one in scales):
        return (NOTHING,) * len(segments)
    return (*(at_least(scales, total) for total in reversed(spec.at)), All())


def scale(measure: Measure, cuts: Frozen | None) -> Scale:
    """What a measure can give, by its distinct points."""
    weighed = [(points * measure.weight, node) for points, node in levels(measure)]
    distinct = sorted({points for points, _ in weighed})
    reaching = [_reaching(measure, cuts, weighed, least) for _, least in pairwise(distinct)]
    return Scale(tuple(distinct), tuple(reaching))


def levels(measure: Measure) -> list[tuple[Decimal, Node]]:
    """What it gives to whom, every account in one place: levels and values in order, those otherwise, those without."""
    if measure.criteria is not None:
        return [(measure.points[0], measure.criteria), (measure.otherwise, Not(measure.criteria))]
    empty = Empty(Path(measure.field))
    if measure.axis is not None:
        return [*((points, empty) for points in measure.points), (measure.empty, empty)]
    listed = [(points, _is(measure.field, (name,))) for name, points in measure.values.items()]
    others = And((Not(_is(measure.field, tuple(measure.values))), Not(empty)))
    return [*listed, (measure.otherwise, others), (measure.empty, empty)]


def _reaching(measure: Measure, cuts: Frozen | None, levels: Sequence[tuple[Decimal, Node]], least: Decimal) -> Node:
    """Who gets at least so many points. NOT of a comparison holds for what is empty too."""
    if measure.criteria is not None:
        return measure.criteria if levels[0][0] >= least else Not(measure.criteria)
    *known, (without, _) = levels
    if measure.axis is None or cuts is None:
        return _listed(measure, least)
    if without >= least:
        return Not(_one_of(_runs(measure.axis, cuts, [points < least for points, _ in known])))
    return _one_of(_runs(measure.axis, cuts, [points >= least for points, _ in known]))


def _one_of(parts: Sequence[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Or(tuple(parts)) if parts else NOTHING


def _listed(measure: Measure, least: Decimal) -> Node:
    weighed = {name: points * measure.weight for name, points in measure.values.items()}
    empty, with_empty = Empty(Path(measure.field)), measure.empty * measure.weight >= least
    if measure.otherwise * measure.weight >= least:
        names = tuple(name for name, points in weighed.items() if points < least)
        others = Not(_is(measure.field, names)) if names else None
        if with_empty:
            return others or All()
        return And((others, Not(empty))) if others else Not(empty)
    names = tuple(name for name, points in weighed.items() if points >= least)
    return _one_of([*([_is(measure.field, names)] if names else []), *([empty] if with_empty else [])])


def _runs(axis: Axis, cuts: Frozen, wanted: Sequence[bool]) -> list[Node]:
    """Levels that lie side by side as one span each."""
    parts: list[Node] = []
    begin = None
    for n, held in enumerate([*wanted, False]):
        if held and begin is None:
            begin = n
        if not held and begin is not None:
            parts.append(_span(axis, cuts, begin, n, len(wanted)))
            begin = None
    return parts


def _span(axis: Axis, cuts: Frozen, begin: int, end: int, levels: int) -> Node:
    """From level `begin` to before level `end`."""
    parts: list[Node] = []
    if begin > 0:
        parts.append(reaches(axis, cuts, begin - 1))
    if end < levels:
        parts.append(below(axis, cuts, end - 1))
    if not parts:
        return Not(Empty(Path(axis.field)))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _is(field: str, names: tuple[str, ...]) -> Node:
    values = tuple(Const(_constant(name)) for name in names)
    return Cmp(Path(field), "eq", values[0]) if len(values) == 1 else In(Path(field), values)


def _constant(name: str) -> str | bool:
    return {"true": True, "false": False}.get(name, name)


def plain(field: str, lifts: Decimal | None, lowers: Decimal | None) -> Measure:
    """A number that gives one point from `lifts` on, and takes one below `lowers`; without a value it does neither."""
    at = tuple(one for one in (lowers, lifts) if one is not None)
    points = (*([Decimal(-1)] if lowers is not None else []), Decimal(0), *([Decimal(1)] if lifts is not None else []))
    axis = Axis(field, Cuts("absolute", at))
    return Measure(axis, field, points, {}, None, Decimal(0), Decimal(0), Decimal(1))
