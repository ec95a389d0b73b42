"""Scores of accounts: what a workspace makes health, engagement and consumption of, and how parts add up to a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.domain.engagement import (
    CONSUMPTION,
    CONSUMPTION_DAYS,
    ENGAGEMENT,
    ENGAGEMENT_DAYS,
    Component,
    consumed,
    engaged,
)

Missing = Literal["leave_out", "count_as", "no_health"]
Name = Literal["health", "engagement", "consumption"]
MISSING: tuple[Missing, ...] = ("leave_out", "count_as", "no_health")
NAMES: tuple[Name, ...] = ("health", "engagement", "consumption")
DAYS: Mapping[Name, int | None] = {"health": None, "engagement": ENGAGEMENT_DAYS, "consumption": CONSUMPTION_DAYS}
"""Over how many days a score counts, its own included; health is of the moment."""
FULL = 100.0
HUNDREDTHS = 100


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of the account, by what criteria call it, that gives 0 points at `worst` and 100 at `best`, in a straight line
    between them. Money is in major units; a day or an instant counts as the days since then, a bool as 0 or 1.

    `missing` is what an account without a value gets: it is left out and the others count for more, it counts as
    `count_as` points, or there is no health.
    """

    of: str
    name: str
    worst: float
    best: float
    weight: float
    missing: Missing = "leave_out"
    count_as: float = 0.0


@dataclass(frozen=True, slots=True)
class HealthModel:
    """`weights` by segment of the segmentation `by`, in the order of the measures; elsewhere those of the measures hold."""

    measures: tuple[Measure, ...]
    by: str | None = None
    weights: Mapping[str, tuple[float, ...]] | None = None

    def weighing(self, segment: str | None) -> tuple[float, ...]:
        """The weights of an account in this segment."""
        return (self.weights or {}).get(segment or "") or tuple(one.weight for one in self.measures)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a workspace's scores are made of. Without `health` it comes from outside: set by hand or brought in."""

    health: HealthModel | None = None
    engagement: tuple[Component, ...] = ENGAGEMENT
    consumption: tuple[Component, ...] = CONSUMPTION


DEFAULT = Scores()


# -- arithmetic --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a score. `value` lies at `points` (0 to 100) of the way from `worst` to `best`; `contribution` is what it adds
    to the score, to two decimals. A part without points is left out; `assumed`: there is no value, and points were set."""

    name: str
    of: str
    weight: float
    value: float | None
    worst: float
    best: float | None
    points: float | None
    contribution: float
    assumed: bool = False


def points(measure: Measure, value: float | None) -> float | None:
    """0 to 100; None where the measure is left out."""
    if value is None:
        return measure.count_as if measure.missing == "count_as" else None
    return min(FULL, max(0.0, FULL * (value - measure.worst) / (measure.best - measure.worst)))


def health(model: HealthModel, values: Sequence[float | None], segment: str | None) -> float | None:
    """The weighted mean of points, to one decimal; None where nothing is known, or what must not be missing is."""
    total = known = 0.0
    for measure, weight, value in zip(model.measures, model.weighing(segment), values, strict=True):
        given = points(measure, value)
        if given is None and measure.missing == "no_health" and weight > 0:
            return None
        if given is not None:
            total += weight * given
            known += weight
    return round(10.0 * total / known) / 10.0 if known else None


def health_parts(
    model: HealthModel, values: Sequence[float | None], segment: str | None, score: float | None
) -> tuple[Part, ...]:
    """What health is made of; contributions add up to it."""
    found = [
        Part(m.name, m.of, w, v, m.worst, m.best, points(m, v), 0.0, v is None and m.missing == "count_as")
        for m, w, v in zip(model.measures, model.weighing(segment), values, strict=True)
    ]
    return _added_up(found, score)


def engagement_parts(components: Sequence[Component], counts: Sequence[int], score: float) -> tuple[Part, ...]:
    """What an engagement score is made of, from the counts of its components."""
    rows = zip(components, counts, engaged(counts, components), strict=True)
    return _added_up([_component(c, float(n), c.enough, share) for c, n, share in rows], score)


def consumption_parts(components: Sequence[Component], counts: Sequence[int | None], score: float) -> tuple[Part, ...]:
    """What a consumption score is made of, from days, features, of all, modules, of all, users, seats."""
    days, features, of_features, modules, of_modules, users, seats = (
        None if one is None else float(one) for one in counts
    )
    enough = (components[0].enough, of_features, of_modules, seats)
    rows = zip(components, (days, features, modules, users), enough, consumed(counts, components), strict=True)
    return _added_up([_component(*row) for row in rows], score)


def _component(one: Component, value: float | None, enough: float | None, share: float | None) -> Part:
    given = None if share is None else share * FULL
    return Part(one.name, one.description, one.weight, value, 0.0, enough or None, given, 0.0)


def _added_up(parts: Sequence[Part], score: float | None) -> tuple[Part, ...]:
    """Contributions in hundredths that add up to the score: what is left over goes where most was cut off."""
    known = sum(part.weight for part in parts if part.points is not None)
    if score is None or known == 0:
        return tuple(parts)
    exact = [part.weight * (part.points or 0.0) / known * HUNDREDTHS for part in parts]
    cut = [int(one) for one in exact]
    left = round(score * HUNDREDTHS) - sum(cut)
    order = sorted(range(len(parts)), key=lambda n: (cut[n] - exact[n], n))
    places = [n for n in order if exact[n] > 0] or order
    step = 1 if left > 0 else -1
    turn = 0
    while left != 0:  # a score is rounded to a tenth: this is at most five hundredths and one for each part
        place = places[turn % len(places)]
        if cut[place] + step >= 0:
            cut[place] += step
            left -= step
        turn += 1
    return tuple(replace(part, contribution=given / HUNDREDTHS) for part, given in zip(parts, cut, strict=True))


@dataclass(frozen=True, slots=True)
class Shift:
    """What one part did to a score between two days."""

    name: str
    before: Part | None
    after: Part | None

    @property
    def difference(self) -> float:
        """What it added, or took."""
        was, now = (0.0 if one is None else one.contribution for one in (self.before, self.after))
        return round(now - was, 2)


def shifts(before: Sequence[Part], after: Sequence[Part]) -> tuple[Shift, ...]:
    """Part by part, the one that moved the score most first."""
    was, now = ({part.name: part for part in parts} for parts in (before, after))
    found = [Shift(name, was.get(name), now.get(name)) for name in {**was, **now}]
    return tuple(sorted(found, key=lambda one: -abs(one.difference)))
