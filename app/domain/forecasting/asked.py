"""What may be asked of a forecast: the period, the groups, the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeVar, get_args

from app.domain import records
from app.domain.errors import Fault, Invalid
from app.domain.workspaces import SegmentationName, Workspace

T = TypeVar("T")
Dimension = Literal["month", "quarter", "csm", "lane", "product"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
MAX_GROUPS = 3
SPAN = timedelta(days=365)
LONGEST = timedelta(days=3660)


MEMBERS = ("from", "to", "as_of", "where", "group_by", "target")


@dataclass(frozen=True, slots=True)
class Said:
    """A request for a forecast as it was said; what was left out is None or empty. `target` in minor units."""

    start: date | None
    end: date | None
    as_of: datetime | None
    where: str | None
    group_by: tuple[str, ...]
    target: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Renewals due on a day in `[start, end)`, grouped by dimensions and segmentations; `target` in minor units."""

    start: date
    end: date
    groups: tuple[tuple[str, Dimension | SegmentationName], ...] = ()
    target: int | None = None


def read(body: object, minor_digits: int) -> Said:
    """Reads the members of a request, all optional. Raises Invalid with a Fault per wrong member."""
    told = records.only(body, MEMBERS)
    faults: list[Fault] = []

    def member(name: str, reader: Callable[[object], T]) -> T | None:
        try:
            return None if told.get(name) is None else reader(told[name])
        except records.MisfitError as misfit:
            faults.append(misfit.fault(f"/{name}"))
            return None

    said = Said(
        member("from", records.day), member("to", records.day), member("as_of", records.instant),
        member("where", lambda v: records.text(v, records.PROSE)), member("group_by", _names) or (),
        member("target", lambda v: records.money(v, minor_digits)),
    )  # fmt: skip
    if faults:
        raise Invalid(faults=tuple(faults))
    return said


def _names(told: object) -> tuple[str, ...]:
    if not isinstance(told, list) or len(told) > MAX_GROUPS:
        raise records.MisfitError(f"an array of at most {MAX_GROUPS} groupings")
    return tuple(records.text(name) for name in told)


def period(start: date | None, end: date | None, today: date) -> tuple[date, date]:
    """`[start, end)`: from today on, for a year, where nothing is said. Raises Invalid for an empty or endless one."""
    first = start or (min(today, end - timedelta(days=1)) if end and end > date.min else today)
    last = end or first + min(SPAN, date.max - first)
    if last <= first:
        raise Invalid(
            faults=(Fault("`to` is the day after the last one: it must be later than `from`.", pointer="/to"),)
        )
    if last - first > LONGEST:
        raise Invalid(faults=(Fault("A forecast covers at most ten years.", pointer="/to"),))
    return first, last


def groups(names: tuple[str, ...], workspace: Workspace) -> tuple[tuple[str, Dimension | SegmentationName], ...]:
    """The dimensions named by `group_by`. Raises Invalid that names the unknown one and what is known."""
    if len(set(names)) < len(names):
        raise Invalid(faults=(Fault("Each grouping is named once.", pointer="/group_by"),))
    return tuple((name, _group(name, f"/group_by/{i}", workspace.segmentations)) for i, name in enumerate(names))


def _group(name: str, pointer: str, segmentations: Mapping[str, SegmentationName]) -> Dimension | SegmentationName:
    for dimension in DIMENSIONS:
        if name == dimension:
            return dimension
    found = segmentations.get(name.removeprefix("segment.")) if name.startswith("segment.") else None
    if found is None:
        known = ", ".join((*DIMENSIONS, *(f"segment.{s}" for s in segmentations)))
        raise Invalid(faults=(Fault(f"Expected one of {known}.", pointer=pointer),))
    return found
