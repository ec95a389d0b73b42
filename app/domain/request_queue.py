"""The order in which requests of customers are answered: lane, considerations, money at stake, then who waits longest.

The lane is that of the downturn method: what the active scenario means for the account's industry, a lane better where more
considerations lift than lower, a lane worse where more lower. The worst lane comes first, within it whoever has the least
that speaks for staying, then the largest sum, then the oldest request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from app.domain.scenarios import IMPACTS
from app.domain.segmentation.lanes import Consideration

Direction = Literal["lifts", "lowers", "neither", "unknown"]
STAKES: Mapping[bool, str] = {
    True: "The sum that the request names.",
    False: "The account's ARR: the request names no sum.",
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a consideration says of an account: its value, None where there is none."""

    of: Consideration
    value: Decimal | int | float | None

    @property
    def points(self) -> int:
        """1 where it lifts, -1 where it lowers."""
        return {"lifts": 1, "lowers": -1}.get(self.direction, 0)

    @property
    def direction(self) -> Direction:
        """Which way it moves the account."""
        if self.value is None:
            return "unknown"
        if self.of.lifts_from is not None and self.value >= self.of.lifts_from:
            return "lifts"
        if self.of.lowers_below is not None and self.value < self.of.lowers_below:
            return "lowers"
        return "neither"


def lane(impact: str | None, points: int) -> str | None:
    """The lane of an account with this impact and sum of points; None without impact."""
    if impact is None:
        return None
    moved = IMPACTS.index(impact) + (points > 0) - (points < 0)
    return IMPACTS[min(max(moved, 0), len(IMPACTS) - 1)]


def reasons(
    impact: str | None, industry: str | None, weighed: Sequence[Weighed], sum_named: bool, days: int
) -> Iterator[dict[str, Any]]:
    """Why a request stands where it does, in the order in which places are decided."""
    points = sum(one.points for one in weighed)
    yield {"by": "lane", "value": lane(impact, points), "says": _lane_said(impact, industry, points)}
    for one in weighed:
        yield {"by": one.of.field, "value": one.value, "direction": one.direction, "says": _said(one)}
    yield {"by": "money", "says": STAKES[sum_named]}
    yield {"by": "asked_at", "value": days, "says": f"Asked {days:,} days ago." if days != 1 else "Asked 1 day ago."}


def _lane_said(impact: str | None, industry: str | None, points: int) -> str:
    if industry is None:
        return "The account has no industry: no scenario says anything of it."
    if impact is None:
        return f"The active scenario says nothing of {industry}."
    head = f"The active scenario is {impact} for {industry}"
    if not points:
        return f"{head}."
    if lane(impact, points) == impact:
        return f"{head}; there is no {'better' if points > 0 else 'worse'} lane."
    more = "more considerations lift than lower it" if points > 0 else "more considerations lower than lift it"
    return f"{head}; {more}."


def _said(one: Weighed) -> str:
    lifts, lowers = one.of.lifts_from, one.of.lowers_below
    match one.direction:
        case "lifts":
            return f"{lifts:f} and more lifts."
        case "lowers":
            return f"Less than {lowers:f} lowers."
        case "unknown":
            return "It is not known, and moves nothing."
        case _:
            bounds = [
                f"less than {lifts:f}" if lifts is not None else "",
                f"at least {lowers:f}" if lowers is not None else "",
            ]
            return f"It is {' and '.join(filter(None, bounds))}, and moves nothing."
