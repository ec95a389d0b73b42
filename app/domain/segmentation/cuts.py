"""Cuts frozen at a date: amounts looked up in the accounts once, and kept until they are asked for again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.segmentation.model import Axis


@dataclass(frozen=True, slots=True)
class Frozen:
    """An axis's cuts as amounts, ascending; money in major units. `accounts`: how many they were taken over, None where
    they are as told. Without any account there are no cuts, and nothing can be said of the axis."""

    at: tuple[Decimal, ...]
    frozen_at: date
    accounts: int | None = None


def frozen(axis: Axis, found: Sequence[Decimal] | None, accounts: int | None, day: date) -> Frozen:
    """The cuts of an axis: as told, or those found in the accounts."""
    if axis.cuts.by == "absolute":
        return Frozen(axis.cuts.at, day)
    return Frozen(tuple(found or ()), day, accounts or 0)


def stored(cuts: Sequence[Frozen]) -> list[dict[str, Any]]:
    """One object per axis."""
    return [{"at": [str(c) for c in f.at], "frozen_at": f.frozen_at.isoformat(), "accounts": f.accounts} for f in cuts]


def loaded(cuts: Sequence[Mapping[str, Any]]) -> tuple[Frozen, ...]:
    """What `stored` made."""
    return tuple(
        Frozen(tuple(Decimal(c) for c in one["at"]), date.fromisoformat(one["frozen_at"]), one["accounts"])
        for one in cuts
    )
