"""What may be asked of a forecast: the period, the groups, the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from app.domain import moments, records, values
from app.domain.criteria import spellings
from app.domain.criteria.members import Members
from app.domain.criteria.nodes import Node
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, Together
from app.domain.forecasting import supposed
from app.domain.forecasting.supposed import Supposed, Target
from app.domain.workspaces import SegmentationName, Workspace

T = TypeVar("T")
Dimension = Literal["month", "quarter", "csm", "lane", "product"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
MAX_GROUPS = 3
LONGEST_YEARS = 10
ANYWHERE = ZoneInfo("UTC")


WAYS = ("scenario", "lanes", "what_if")
MOST_WAYS = 5
MEMBERS = ("from", "to", "as_of", "where", "group_by", "target", "targets", "scenario", "lanes", "what_if")
MEANT: Mapping[str, str] = MappingProxyType({"filter": "where"})
"""What is called otherwise elsewhere, and its name here."""


@dataclass(frozen=True, slots=True)
class Under:
    """What a forecast is made under: a scenario by slug, shifts of its lanes told instead, and what is supposed; `name` is
    what it is called beside others."""

    scenario: str | None = None
    lanes: Mapping[str, float] = field(default_factory=dict)
    what_if: tuple[Supposed, ...] = ()
    pointer: str = ""
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A request for a forecast as it was said; what was left out is None or empty. `as_of` is a day, whose zone only the
    workspace knows, or an instant; `target` in minor units."""

    start: date | None
    end: date | None
    as_of: str | None
    where: Node | None
    group_by: tuple[str, ...]
    target: int | None
    targets: tuple[Target, ...] = ()
    under: Under = Under()


@dataclass(frozen=True, slots=True)
class Asked:
    """Renewals due on a day in `[start, end)`, grouped by dimensions and segmentations; `target` in minor units."""

    start: date
    end: date
    groups: tuple[tuple[str, Dimension | SegmentationName], ...] = ()
    target: int | None = None
    targets: tuple[Target, ...] = ()


def read(body: object, minor_digits: int) -> Said:
    """Reads the members of a request, all optional. Raises Invalid, or Unreadable, with a Fault per wrong member."""
    parts = Together()
    known = {name: value for name, value in body.items() if name in MEMBERS} if isinstance(body, Mapping) else {}
    told = parts.part(lambda: records.only(body, MEMBERS, MEANT), known)

    def member(name: str, reader: Callable[[Any], T]) -> T | None:
        return None if told.get(name) is None else parts.part(partial(_member, told[name], f"/{name}", reader), None)

    groups = member("group_by", _names)
    # Targets are of groups: where those cannot be read, nothing is said of them.
    are_lost = groups is None and told.get("group_by") is not None
    targets = None if are_lost else member("targets", lambda some: supposed.targets(some, groups or (), minor_digits))
    said = Said(
        member("from", values.day), member("to", values.day), member("as_of", _moment),
        member("where", lambda where: spellings.read(where, "/where")), groups or (),
        member("target", lambda target: supposed.amount(target, minor_digits)),
        targets or (), parts.part(partial(under, told, ""), Under()),
    )  # fmt: skip
    parts.verify()
    return said


def _member(told: Any, pointer: str, reader: Callable[[Any], T]) -> T:
    try:
        return reader(told)
    except values.MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(pointer),)) from None


def under(told: Mapping[str, object], pointer: str) -> Under:
    """`scenario`, `lanes` and `what_if` of an object. Raises Invalid, Unreadable."""
    scenario = told.get("scenario")
    if scenario is not None and not isinstance(scenario, str):
        raise Invalid(faults=(Fault("Expected the slug of a scenario.", pointer=f"{pointer}/scenario"),))
    lanes = told.get("lanes")
    if lanes is not None and scenario is None:
        message = "Expected a scenario beside it: it says which lane an industry is in."
        raise Invalid(faults=(Fault(message, pointer=f"{pointer}/lanes"),))
    shifts = {} if lanes is None else supposed.lanes(lanes, pointer)
    what_if = () if told.get("what_if") is None else supposed.what_if(told["what_if"], pointer)
    return Under(scenario, shifts, what_if, pointer)


def compared(body: object, minor_digits: int) -> tuple[Said, tuple[Under, ...]]:
    """A request whose `scenarios` are two to five ways to see the same renewals: a slug, null for none, or an object with
    `name`, `scenario`, `lanes` and `what_if`. Raises Invalid, Unreadable."""
    told = records.only(body, ("scenarios", *(name for name in MEMBERS if name not in WAYS)), MEANT)
    ways = told.get("scenarios")
    if not isinstance(ways, list) or not 2 <= len(ways) <= MOST_WAYS:
        message = f"Expected an array of 2 to {MOST_WAYS}: slugs of scenarios, null for none, or objects."
        raise Invalid(faults=(Fault(message, pointer="/scenarios"),))
    said = read({name: value for name, value in told.items() if name != "scenarios"}, minor_digits)
    return said, tuple(_way(way, f"/scenarios/{n}") for n, way in enumerate(ways))


def _way(told: object, pointer: str) -> Under:
    if told is None or isinstance(told, str):
        return Under(scenario=told, pointer=pointer)
    members = Members(told, pointer, (), ("name", *WAYS))
    try:
        name = None if members.get("name") is None else values.text(members.get("name"))
    except values.MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(members.pointer("name")),)) from None
    return replace(under({way: members.get(way) for way in WAYS}, pointer), name=name)


def _moment(told: object) -> str:
    moments.last(told, ANYWHERE)
    return str(told)


def _names(told: object) -> tuple[str, ...]:
    if not isinstance(told, list) or len(told) > MAX_GROUPS:
        raise values.MisfitError(f"an array of at most {MAX_GROUPS} groupings")
    return tuple(values.text(name) for name in told)


def period(
    start: date | None, end: date | None, today: date, parameters: tuple[str, str] | None = None
) -> tuple[date, date]:
    """`[start, end)`: from today on, for a year, where nothing is said. Raises Invalid for an empty or endless one, at the
    parameters that say them where those do."""
    first = start or (min(today, end - timedelta(days=1)) if end and end > date.min else today)
    last = end or years_after(first, 1)
    since, until = parameters or ("from", "to")
    message = None
    if last <= first:
        message = f"`{until}` is the day after the last one: it must be later than `{since}`."
    elif last > (latest := years_after(first, LONGEST_YEARS)):
        message = f"A forecast covers at most ten years: from {first} on, `{until}` is {latest} at the latest. What lies beyond is asked for by itself."
    if message is not None:
        # What was not told is not to blame.
        blamed = until if end is not None else since
        raise Invalid(faults=(_placed(message, f"/{blamed}", blamed if parameters else None),))
    return first, last


def years_after(day: date, years: int) -> date:
    """The same day of a later year, 1 March for 29 February where there is none; the last of the calendar beyond its end."""
    if day.year + years > date.max.year:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def groups(
    names: tuple[str, ...], workspace: Workspace, parameter: str | None = None
) -> tuple[tuple[str, Dimension | SegmentationName], ...]:
    """The dimensions named by `group_by`, of a body, or of a parameter where one is told. Raises Invalid that names the
    unknown one and what is known."""
    if len(names) > MAX_GROUPS:
        raise Invalid(faults=(_placed(f"Expected at most {MAX_GROUPS} groupings.", "/group_by", parameter),))
    if len(set(names)) < len(names):
        raise Invalid(faults=(_placed("Each grouping is named once.", "/group_by", parameter),))
    known = (*DIMENSIONS, *(f"segment.{slug}" for slug in workspace.segmentations))
    found = []
    for i, name in enumerate(names):
        group = _group(name, workspace.segmentations)
        if group is None:
            fault = _placed(f"Expected one of {', '.join(known)}.", f"/group_by/{i}", parameter)
            raise Invalid(faults=(replace(fault, suggestion=nearest(name, known)),))
        found.append((name, group))
    return tuple(found)


def _placed(message: str, pointer: str, parameter: str | None) -> Fault:
    return Fault(message, pointer=pointer) if parameter is None else Fault(message, parameter=parameter)


def _group(name: str, segmentations: Mapping[str, SegmentationName]) -> Dimension | SegmentationName | None:
    for dimension in DIMENSIONS:
        if name == dimension:
            return dimension
    return segmentations.get(name.removeprefix("segment.")) if name.startswith("segment.") else None
