"""Summaries: records counted and measured in groups, as doors are told them: `group_by`, `measures` and `sort`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from app.domain.catalogue import Entity, Kind
from app.domain.criteria.check import shown
from app.domain.criteria.meant import SegmentOf, Shown
from app.domain.criteria.suggest import nearest
from app.domain.selections import Place, Told, names
from app.domain.workspaces import Workspace

Step = Literal["month", "quarter", "year"]
Function = Literal["count", "sum", "average", "min", "max", "median"]

STEPS: tuple[Step, ...] = get_args(Step)
FUNCTIONS: tuple[Function, ...] = get_args(Function)
NUMBERS: frozenset[Kind] = frozenset(("number", "integer", "money"))
TIMES: frozenset[Kind] = frozenset(("date", "instant"))
MAX_GROUPINGS = 2
MAX_MEASURES = 12
BY_NAME = "name"
"""The order by what groups are called."""
USUAL = ("count",)
CALLED = re.compile(r"([a-z]+)\(\s*([^()\s]+)\s*\)")


@dataclass(frozen=True, slots=True)
class Grouping:
    """What records are put together by: a value, or with `step` the calendar's month, quarter or year of a day.

    `name` is how it was told and answers; `label`: the entity whose name a reference is shown by.
    """

    name: str
    of: Shown
    step: Step | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of each group; `of` is None for count. `kind` is what its values are of."""

    name: str
    fn: Function
    of: Shown | None = None
    kind: Kind = "integer"


@dataclass(frozen=True, slots=True)
class Summary:
    """`by`: the place of the measure that groups are ordered by, None for their names; ties fall to the names.

    Nothing in `groupings` asks for the totals alone.
    """

    groupings: tuple[Grouping, ...]
    measures: tuple[Measure, ...]
    by: int | None
    descending: bool


def summary(
    group_by: Told, measures: Told, sort: Told, entity: Entity, workspace: Workspace, *, body: bool = False
) -> Summary:
    """The summary told: `segment.tier,month(renewal_date)`, `count,sum(arr)`, `-sum(arr)`. Without `measures` it counts;
    without `sort` the largest first measure comes first. Raises Invalid with the nearest known name."""
    grouped = tuple(
        _grouping(name, entity, workspace, Place("group_by", body))
        for name in names(group_by, Place("group_by", body), MAX_GROUPINGS) or ()
    )
    place = Place("measures", body)
    measured = tuple(_measure(name, entity, workspace, place) for name in names(measures, place, MAX_MEASURES) or USUAL)
    _each_once([one.name for one in grouped], Place("group_by", body))
    _each_once([one.name for one in measured], place)
    return Summary(grouped, measured, *_order(sort, measured, Place("sort", body)))


def _grouping(told: str, entity: Entity, workspace: Workspace, place: Place) -> Grouping:
    called = CALLED.fullmatch(told)
    if called is None:
        of = _found(told, entity, workspace, place)
        if isinstance(of, SegmentOf):
            return Grouping(told, of)
        if not of.field.groupable:
            ways = "month(…), quarter(…) or year(…) of it" if of.field.kind in TIMES else "another field"
            raise place.fault(f"{told} makes no groups: take {ways}.")
        return Grouping(told, of, None, of.field.target if of.field.kind == "ref" else None)
    step = next((one for one in STEPS if one == called[1]), None)
    if step is None:
        raise place.fault(f"Expected a field, or {', '.join(STEPS)} of a date.", nearest(called[1], STEPS))
    of = _found(called[2], entity, workspace, place)
    if isinstance(of, SegmentOf) or of.field.kind not in TIMES:
        raise place.fault(f"Expected a date or an instant in {step}(…).")
    return Grouping(f"{step}({called[2]})", of, step)


def _measure(told: str, entity: Entity, workspace: Workspace, place: Place) -> Measure:
    if told == "count":
        return Measure("count", "count")
    called = CALLED.fullmatch(told)
    fn = next((one for one in FUNCTIONS if called and one == called[1]), None)
    if called is None or fn is None or fn == "count":
        expected = "Expected count, or sum, average, min, max or median of a field, as in sum(arr)."
        raise place.fault(expected, nearest(called[1] if called else told, FUNCTIONS))
    of = _found(called[2], entity, workspace, place)
    kinds = NUMBERS | TIMES if fn in ("min", "max") else NUMBERS
    if isinstance(of, SegmentOf) or of.field.kind not in kinds:
        raise place.fault(f"Expected a field of numbers or money{' or a time' if kinds != NUMBERS else ''} in {fn}(…).")
    return Measure(f"{fn}({called[2]})", fn, of, of.field.kind)


def _found(path: str, entity: Entity, workspace: Workspace, place: Place) -> Shown:
    pointer, parameter = (f"/{place.name}", None) if place.body else (None, place.name)
    return shown(path, entity, workspace, pointer=pointer, parameter=parameter)


def _each_once(told: list[str], place: Place) -> None:
    if len(set(told)) < len(told):
        raise place.fault("Expected each name once.")


def _order(told: Told, measures: tuple[Measure, ...], place: Place) -> tuple[int | None, bool]:
    keys = names(told, place, 1)
    if not keys:
        return 0, True
    name, descending = keys[0].removeprefix("-").replace(" ", ""), keys[0].startswith("-")
    if name == BY_NAME:
        return None, descending
    known = [one.name for one in measures]
    if name not in known:
        expected = f"Expected {BY_NAME} or one of the measures, with - before it for the largest first."
        raise place.fault(expected, nearest(name, [BY_NAME, *known]))
    return known.index(name), descending
