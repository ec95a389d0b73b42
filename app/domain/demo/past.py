"""The demo month by month: on which days it is looked at, and what was said of an account then that is not said today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from app.domain.demo.life import Life, Row

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Said:
    """What nothing else tells of an account: its health, and the ARR that its CSM thinks could be won (minor units)."""

    health: float | None
    growth: int | None


def days(today: date) -> tuple[date, ...]:
    """The first of each of the last MONTHS months, in order, all before today."""
    latest = today.year * 12 + today.month - (2 if today.day == 1 else 1)
    return tuple(date(n // 12, n % 12 + 1, 1) for n in range(latest - MONTHS + 1, latest + 1))


def said(
    life: Life, on: Sequence[date], health: float | None, usual: float, growth: int | None, rng: Random
) -> tuple[Said, ...]:
    """Of each day: health as it came, around what is `usual`, to what it is today, and where the account was lost, fell before;
    none where it was no customer. `growth` is what was thought while it was not lost."""
    value = usual if health is None else health
    told = []
    for day in reversed(on):
        value = usual + 0.8 * (value - usual) + rng.gauss(0, 4)
        lost = life.ended is not None and life.ended < day
        customer = life.started is not None and life.started <= day and not lost
        then = min(100.0, max(0.0, float(round(value - _falls(life, day)))))
        told.append(Said(then if customer else None, None if lost else growth))
    return tuple(reversed(told))


def _falls(life: Life, day: date) -> float:
    """How far health is below its usual within the half year before an account is lost."""
    return 0.0 if life.ended is None else 30 * max(0.0, 1 - (life.ended - day).days / 180)


@dataclass(slots=True)
class Opportunities:
    """Opportunities as they were on one day after the other: `waiting` are not there yet, `standing` not closed."""

    waiting: list[Row] = field(default_factory=list)
    standing: list[Row] = field(default_factory=list)

    def until(self, day: date) -> tuple[list[Row], list[Row]]:
        """The day comes: those that were opened by then, as they stand, and those that were closed meanwhile."""
        made = [row for row in self.waiting if _day(row["opened_at"]) <= day]
        self.waiting = [row for row in self.waiting if _day(row["opened_at"]) > day]
        closed = [row for row in self.standing if _is_closed(row, day)]
        self.standing = [row for row in (*self.standing, *made) if not _is_closed(row, day)]
        return [row if _is_closed(row, day) else {**row, "stage": "open", "closed_at": None} for row in made], closed


def _is_closed(row: Row, day: date) -> bool:
    return row["closed_at"] is not None and _day(row["closed_at"]) <= day


def _day(told: object) -> date:
    assert isinstance(told, date)
    return told
