"""The order in which requests of customers are answered: lane, considerations, money at stake, then who waits longest.

The lane is that of the downturn method: what the active scenario means for the account's industry, a lane better where more
considerations lift than lower, a lane worse where more lower. Whoever is pinned in the segmentation is in the lane of the pin. The worst lane comes first, within it whoever has the least
that speaks for staying, then the largest sum, then the oldest request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from app.domain.scenarios import IMPACTS
from app.domain.segmentation.lanes import Consideration

CHURNED = "churned"
Direction = Literal["lifts", "lowers", "neither", "unknown"]


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


@dataclass(frozen=True, slots=True)
class Pinned:
    """Where somebody keeps the account: the lane, None for the rest; the segment's name; and the reason told."""

    lane: str | None
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lane:
    """What a lane follows from: whether a scenario is active, what it means for the account, the industry's name, and a pin,
    which goes before all of them."""

    is_active: bool
    impact: str | None
    industry: str | None
    pinned: Pinned | None = None

    def reached(self, points: int) -> str | None:
        """The lane, with this sum of points; None where there is none."""
        return lane(self.impact, points) if self.pinned is None else self.pinned.lane


@dataclass(frozen=True, slots=True)
class Stake:
    """Money at stake in major units of a currency: the sum that the request names, else the account's ARR. `is_churned`:
    the customer has left."""

    money: Decimal
    currency: str
    is_named: bool
    is_churned: bool = False


def reasons(of: Lane, weighed: Sequence[Weighed], stake: Stake, days: int) -> Iterator[dict[str, Any]]:
    """Why a request that was asked so many days ago stands where it does, in the order in which places are decided."""
    points = sum(one.points for one in weighed)
    yield {"by": "lane", "value": of.reached(points), "says": _lane_said(of, points)}
    for one in weighed:
        yield {"by": one.of.field, "value": one.value, "direction": one.direction, "says": _said(one)}
    if stake.is_churned:
        says = "The account has churned, which moves nothing by itself: ask whether the request still stands."
        yield {"by": "status", "value": CHURNED, "says": says}
    yield {"by": "money", "value": stake.money, "says": _stake_said(stake)}
    yield {"by": "asked_at", "value": days, "says": _asked_said(days)}


def _lane_said(of: Lane, points: int) -> str:
    if of.pinned is not None:
        put = lane(of.impact, points) or "no lane"
        where = f"The account is pinned in {of.pinned.name} ({of.pinned.reason})"
        return f"{where}, whatever its industry and considerations say: without the pin {put}."
    if not of.is_active:
        return "No scenario is active, so no account has a lane: activate one."
    if of.industry is None:
        return "The account has no industry: no scenario says anything of it."
    if of.impact is None:
        return f"The active scenario says nothing of {of.industry}."
    head = f"The active scenario is {of.impact} for {of.industry}"
    if not points:
        return f"{head}."
    better, reached = points > 0, lane(of.impact, points)
    more = "more considerations lift than lower it" if better else "more considerations lower than lift it"
    word = "better" if better else "worse"
    return f"{head}; {more}, {f'but there is no {word} lane' if reached == of.impact else f'a lane {word}: {reached}'}."


def _said(one: Weighed) -> str:
    if one.value is None:
        return "It is not known, and moves nothing."
    value, lifts, lowers = _number(one.value), one.of.lifts_from, one.of.lowers_below
    bounds = {
        "lifts": f"at least {_number(lifts)}" if lifts is not None else "",
        "lowers": f"less than {_number(lowers)}" if lowers is not None else "",
    }
    if one.direction in bounds:
        return f"{value} is {bounds[one.direction]}: it {one.direction}."
    between = [
        f"less than {_number(lifts)}" if lifts is not None else "",
        f"at least {_number(lowers)}" if lowers is not None else "",
    ]
    return f"{value} is {' and '.join(filter(None, between))}: it moves nothing."


def _stake_said(stake: Stake) -> str:
    money = f"{stake.money:,} {stake.currency}"
    return f"The request names {money}." if stake.is_named else f"The account's ARR, {money}: the request names no sum."


def _asked_said(days: int) -> str:
    if days == 0:
        return "Asked today."
    told = f"{abs(days):,} day{'' if abs(days) == 1 else 's'}"
    return f"Asked {told} ago." if days > 0 else f"Dated {told} ahead."


def _number(told: Decimal | float) -> str:
    return f"{Decimal(str(told)).normalize():,f}"
