"""What accounts ask of the people who look after them: ARR, hours and touches a month, and how many it takes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from sys import byteorder
from typing import Any, Literal

from app.domain.capacity import Headcount, headcount
from app.domain.segmentation.care import Pace
from app.domain.workspaces import Workspace

By = Literal["arr", "hours"]
BY: tuple[By, ...] = ("arr", "hours")
TARGET_USE = Decimal("0.9")
SECONDS = 3600
"""Hours are counted in whole seconds: sums of them are exact."""


@dataclass(slots=True)
class Load:
    """Accounts with their ARR in minor units, hours a month in seconds and 16 bytes of their ids, one by one; touches a month."""

    arr: list[int] = field(default_factory=list)
    hours: list[int] = field(default_factory=list)
    ids: list[bytes] = field(default_factory=list)
    touches: Decimal = Decimal(0)

    def add(self, arr: Sequence[int], pace: Pace, ids: bytes = b"") -> None:
        """More accounts, all of one pace."""
        self.arr += arr
        self.hours += [int(pace.hours * SECONDS)] * len(arr)
        self.ids.append(ids)
        self.touches += pace.touches * len(arr)

    def weights(self, by: By) -> list[int]:
        """What the accounts weigh."""
        return self.arr if by == "arr" else self.hours


@dataclass(frozen=True, slots=True)
class Caps:
    """What one person may have: ARR in minor units and seconds a month; and how much of that is planned with."""

    arr: int
    hours: int
    use: Decimal

    def full(self, by: By) -> int:
        """All of it."""
        return self.arr if by == "arr" else self.hours

    def planned(self, by: By) -> int:
        """What is planned with."""
        return max(1, int(self.full(by) * self.use))


def amounts(told: bytes) -> array[int]:
    """ARR of accounts as the database sends it, 8 bytes each."""
    found = array("q", told)
    if byteorder == "little":
        found.byteswap()
    return found


def caps_of(workspace: Workspace, use: Decimal = TARGET_USE) -> Caps:
    """By the workspace's settings."""
    return Caps(max(1, workspace.arr_per_csm), max(1, int(workspace.hours_per_csm * SECONDS)), use)


def needs(arr: Iterable[int], hours: Iterable[int], caps: Caps) -> dict[str, Any]:
    """CSMs needed by ARR and by hours: full books, and `planned` ones; the greater of both is what it takes."""
    told = {"arr": _needed(list(arr), caps, "arr"), "hours": _needed(list(hours), caps, "hours")}
    return {
        "csms": max(one["csms"] for one in told.values()), "planned": max(one["planned"] for one in told.values()),
        "by_arr": told["arr"], "by_hours": told["hours"],
    }  # fmt: skip


def _needed(weights: list[int], caps: Caps, by: By) -> dict[str, int]:
    full = headcount(weights, caps.full(by))
    planned: Headcount = full if caps.use == 1 else headcount(weights, caps.planned(by))
    return {"csms": full.people, "planned": planned.people, "bound": full.bound, "teams": full.teams}


def hours(seconds: int) -> Decimal:
    """Seconds as hours, to two decimals."""
    return round(Decimal(seconds) / SECONDS, 2)


def shown(load: Load, workspace: Workspace) -> dict[str, Any]:
    """Accounts, ARR, and hours and touches a month, as they are answered."""
    return {
        "accounts": len(load.arr), "arr": workspace.major(sum(load.arr)), "hours": hours(sum(load.hours)),
        "touches": round(load.touches, 2),
    }  # fmt: skip
