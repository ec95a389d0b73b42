"""What a case says in the end: a ratio per round, its goal, and whether it is met."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for a ratio; `most` says that less is better."""

    value: float
    most: bool = True

    def met(self, ratio: float) -> bool:
        return ratio <= self.value if self.most else ratio >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.most else '≥'} {_short(self.value)}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """One line of the report. `rounds` are ratios, or amounts of `unit`; `figures` are medians that explain them. Without a
    goal it is told for comparison."""

    name: str
    goal: Goal | None
    rounds: tuple[float, ...]
    figures: Mapping[str, str]
    unit: str = ""

    @property
    def median(self) -> float:
        return median(self.rounds)

    @property
    def met(self) -> bool | None:
        return self.goal.met(self.median) if self.goal else None

    def line(self) -> str:
        """The line as people read it."""
        spread = f"{_short(min(self.rounds))}-{_short(max(self.rounds))}"
        shown = f"{_short(self.median)}{self.unit}"
        goal, verdict = (str(self.goal), "met" if self.met else "NOT MET") if self.goal else ("", "")
        figures = " · ".join(f"{name} {value}" for name, value in self.figures.items())
        return f"{self.name:<34} {shown:>8}  ({spread:>13})  {goal:>7}  {verdict:<7}  {figures}"

    def record(self) -> dict[str, Any]:
        """The line as programs read it."""
        return {
            "name": self.name, "median": self.median, "min": min(self.rounds), "max": max(self.rounds), "unit": self.unit,
            "goal": self.goal and self.goal.value, "at_most": self.goal and self.goal.most, "met": self.met, "rounds": list(self.rounds),
            "figures": dict(self.figures),
        }  # fmt: skip


@dataclass(slots=True)
class Rounds:
    """Measurements of several sides, taken in turn so that what disturbs one disturbs the others alike."""

    taken: list[dict[str, dict[str, float]]] = field(default_factory=list)

    def take(self, sides: Mapping[str, Callable[[], dict[str, float]]], rounds: int) -> None:
        """Measure every side once per round, in turned order every other round."""
        names = list(sides)
        for number in range(rounds):
            order = names if number % 2 == 0 else names[::-1]
            found = {name: sides[name]() for name in order}
            self.taken.append(found)

    def ratios(self, over: str, under: str, parts: Collection[str] = ()) -> tuple[float, ...]:
        """Per round, what one side used by what the other did: of these parts, or of everything."""

        def of(side: dict[str, float]) -> float:
            return sum(used for name, used in side.items() if not parts or name in parts)

        return tuple(of(one[over]) / max(of(one[under]), 1e-9) for one in self.taken)

    def median(self, side: str, part: str) -> float:
        """The median over rounds of one part of one side."""
        return median(one[side].get(part, 0.0) for one in self.taken)


def split(rounds: Rounds, side: str, names: Sequence[str]) -> str:
    """The parts of a side as `srv 148 + pg 348`."""
    return " + ".join(f"{name} {_short(rounds.median(side, name))}" for name in names)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
