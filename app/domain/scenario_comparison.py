"""Scenarios side by side: what each means for the accounts of every industry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.scenarios import IMPACTS

LANES: tuple[str | None, ...] = (*IMPACTS, None)
"""Every impact, and none: of accounts without industry, and of industries that a scenario says nothing of."""


@dataclass(frozen=True, slots=True)
class Held:
    """Accounts and their ARR in minor units."""

    accounts: int = 0
    arr: int = 0

    def __add__(self, other: Held) -> Held:
        return Held(self.accounts + other.accounts, self.arr + other.arr)


Industries = Mapping[str | None, Held]
"""What each industry holds; None: the accounts that have none."""


def lanes(industries: Industries, impacts: Mapping[str, str]) -> dict[str | None, Held]:
    """What each impact holds under a scenario, in the order of LANES; together that is all there is."""
    found = dict.fromkeys(LANES, Held())
    for industry, held in industries.items():
        lane = _lane(industry, impacts)
        found[lane] += held
    return found


def moves(
    industries: Industries, before: Mapping[str, str], after: Mapping[str, str]
) -> list[tuple[str | None, str | None, Held]]:
    """From which impact to which accounts go when `after` takes the place of `before`; those that stay are left out."""
    found: dict[tuple[str | None, str | None], Held] = {}
    for industry, held in industries.items():
        pair = (_lane(industry, before), _lane(industry, after))
        if pair[0] != pair[1]:
            found[pair] = found.get(pair, Held()) + held
    return [(*pair, held) for pair, held in sorted(found.items(), key=lambda one: _order(one[0]))]


def unsaid(industries: Iterable[str], impacts: Sequence[Mapping[str, str]]) -> list[str]:
    """The industries that some of the scenarios say nothing of."""
    return [industry for industry in industries if any(industry not in told for told in impacts)]


def _lane(industry: str | None, impacts: Mapping[str, str]) -> str | None:
    return None if industry is None else impacts.get(industry)


def _order(pair: tuple[str | None, str | None]) -> tuple[int, int]:
    return LANES.index(pair[0]), LANES.index(pair[1])
