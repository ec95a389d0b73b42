"""How accounts move between stages by themselves: the rule, in plain Python, that what is kept is held against.

Into a stage by its entry criteria: an account's verdict is the furthest stage whose criteria hold. When the verdict
changes, and is further than where the account stands, it moves there. Forward only; and since an unchanged verdict moves
nobody, a move by hand stands until the verdict changes. Out of a stage by time: to the next one, once as many days have
passed as it lasts, unless the customer has churned. A move may meet other criteria: it is looked again until nobody moves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from app.domain.workspaces import StageRule

Cause = Literal["hand", "criteria", "time"]
CAUSES: tuple[Cause, ...] = ("hand", "criteria", "time")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands since when, and what its verdict was at the last look."""

    stage: str | None
    since: date | None
    verdict: str | None = None


def position(rules: Sequence[StageRule], stage: str | None) -> int:
    """From 1; 0 for no stage."""
    return next((n for n, rule in enumerate(rules, 1) if rule.slug == stage), 0)


def followed(
    rules: Sequence[StageRule],
    standing: Standing,
    holds: Callable[[str, Standing], bool],
    day: date,
    *,
    churned: bool = False,
) -> tuple[Standing, tuple[tuple[str, Cause], ...]]:
    """Where it stands after a look on this day, and the moves that led there. `holds`: whether the entry criteria of a stage
    hold for an account that stands so."""
    moves: list[tuple[str, Cause]] = []
    while True:
        verdict = next((r.slug for r in reversed(rules) if r.entry is not None and holds(r.slug, standing)), None)
        place = position(rules, standing.stage)
        ahead = verdict != standing.verdict and position(rules, verdict) > place
        standing = replace(standing, verdict=verdict)
        if ahead:
            moves.append((str(verdict), "criteria"))
        elif (onward := _by_time(rules, standing, place, day)) is not None and not churned:
            moves.append((onward, "time"))
        else:
            return standing, tuple(moves)
        standing = Standing(moves[-1][0], day, verdict)


def _by_time(rules: Sequence[StageRule], standing: Standing, place: int, day: date) -> str | None:
    lasts = rules[place - 1].leaves_after_days if place else None
    if lasts is None or standing.since is None or place == len(rules):
        return None
    return rules[place].slug if standing.since + timedelta(days=lasts) <= day else None
