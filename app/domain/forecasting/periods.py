"""What may be asked of retention: the period, its steps, the groups, and a product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from app.domain import values
from app.domain.criteria.suggest import nearest
from app.domain.criteria.time import months
from app.domain.errors import Fault, Invalid
from app.domain.selections import Place, Told, names
from app.domain.workspaces import SegmentationName, Workspace

Series = Literal["month", "quarter", "year"]
Dimension = Literal["csm", "lane", "product"]
SERIES: tuple[Series, ...] = get_args(Series)
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
MONTHS: dict[Series, int] = {"month": 1, "quarter": 3, "year": 12}
MAX_GROUPS = 3
MAX_STEPS = 120
SPAN = 12
LONGEST = timedelta(days=3660)

Step = tuple[date, date]
"""Half open: the day at whose beginning accounts are active, and the day on which their money is compared."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The period `[start, end)`, a step per month, quarter or year of it where it is a series, and the groups by name."""

    start: date
    end: date
    series: Series | None = None
    groups: tuple[tuple[str, Dimension | SegmentationName], ...] = ()
    product: str | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The parts of a series, cut where calendar months, quarters or years begin; the period itself without one."""
        return ((self.start, self.end),) if self.series is None else cut(self.start, self.end, self.series)

    @property
    def by_product(self) -> bool:
        """Whether an account is counted once per product instead of once."""
        return self.product is not None or any(dimension == "product" for _, dimension in self.groups)


def read(
    start: str | None, end: str | None, group_by: Told, product: str | None, workspace: Workspace, today: date
) -> Asked:
    """The last twelve months where no period is said. Raises Invalid for what is empty, endless, to come or unknown."""
    first, last = _day(start, "from"), _day(end, "to")
    last = last or (min(today, months(first, SPAN)) if first else today)
    first = first or months(last, -SPAN)
    if last > today:
        raise Place("to").fault("Expected a day that has come: what is kept until then is not known yet.")
    if last <= first:
        raise Place("to").fault("Expected a day later than from: it is the day after the last one.")
    if last - first > LONGEST:
        raise Place("to").fault("Expected a period of at most ten years.")
    series, groups = _groups(group_by, workspace)
    asked = Asked(first, last, series, groups, product)
    if len(asked.steps) > MAX_STEPS:
        raise Place("group_by").fault(f"Expected at most {MAX_STEPS} steps: take a shorter period, or quarter.")
    return asked


def cut(start: date, end: date, series: Series) -> tuple[Step, ...]:
    """`[start, end)` in parts that begin with it, or with a calendar month, quarter or year."""
    size, parts, at = MONTHS[series], [], start
    while at < end:
        opening = at.replace(day=1)
        following = months(opening, size - (opening.month - 1) % size)
        parts.append((at, min(following, end)))
        at = following
    return tuple(parts)


def label(day: date, series: Series) -> str:
    """How a step is called: 2026-03, 2026-Q1, 2026."""
    if series == "year":
        return f"{day:%Y}"
    return f"{day:%Y-%m}" if series == "month" else f"{day:%Y}-Q{(day.month + 2) // 3}"


def _day(told: str | None, parameter: str) -> date | None:
    try:
        return None if told is None else values.day(told)
    except values.MisfitError as misfit:
        raise Invalid(faults=(misfit.fault(parameter=parameter),)) from None


def _groups(
    told: Told, workspace: Workspace
) -> tuple[Series | None, tuple[tuple[str, Dimension | SegmentationName], ...]]:
    place = Place("group_by")
    listed = names(told, place, MAX_GROUPS) or ()
    if len(set(listed)) < len(listed):
        raise place.fault("Expected each name once.")
    series = [one for one in SERIES if one in listed]
    if len(series) > 1:
        raise place.fault("Expected one of month, quarter and year.")
    return next(iter(series), None), tuple((name, _group(name, workspace)) for name in listed if name not in SERIES)


def _group(name: str, workspace: Workspace) -> Dimension | SegmentationName:
    for dimension in DIMENSIONS:
        if name == dimension:
            return dimension
    found = workspace.segmentations.get(name.removeprefix("segment.")) if name.startswith("segment.") else None
    if found is None:
        known = (*SERIES, *DIMENSIONS, *(f"segment.{slug}" for slug in workspace.segmentations))
        message = f"Expected {', '.join((*SERIES, *DIMENSIONS))} or segment.<segmentation>."
        raise Invalid(faults=(Fault(message, parameter="group_by", suggestion=nearest(name, known)),))
    return found
