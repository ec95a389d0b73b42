"""How much an account engages with its vendor and consumes what it bought: two scores of 0 to 100.

Each component is a share of what counts as enough, at most 1; a score is the weighted mean of its components in
percent, to one decimal. A component that cannot be known (no licences, no modules) is left out and the others count
for more. The SQL of kept facts uses the same weights in the same order, so that both agree to the last bit. Weights and
what is enough are settings of a workspace (`app.domain.scores`); those here hold unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ENGAGEMENT_DAYS = 90
CONSUMPTION_DAYS = 30


@dataclass(frozen=True, slots=True)
class Component:
    """`enough` is the count from which the component is full; None where the data says it (all features, all seats)."""

    name: str
    weight: float
    enough: float | None
    description: str


INBOUND = Component(
    "inbound", 35.0, 6.0, "contacts that the customer began: inbound e-mails, calls and others, not automated"
)
MEETINGS = Component("meetings", 30.0, 3.0, "meetings attended")
EVENTS = Component("events", 15.0, 2.0, "events attended")
OPENED = Component("opened", 20.0, 6.0, "e-mails opened")
ENGAGEMENT = (INBOUND, MEETINGS, EVENTS, OPENED)

FREQUENCY = Component("frequency", 35.0, 20.0, "days with usage")
FEATURES = Component("features", 20.0, None, "features in use, of all features")
MODULES = Component("modules", 10.0, None, "modules in use, of all modules")
SEATS = Component("seats", 35.0, None, "active users, of the seats licensed")
CONSUMPTION = (FREQUENCY, FEATURES, MODULES, SEATS)


def share(count: float, enough: float) -> float:
    """count / enough, at most 1."""
    return min(1.0, count / enough)


def score(parts: Iterable[tuple[Component, float | None]]) -> float:
    """The weighted mean of known shares in percent, to one decimal; 0 where nothing is known."""
    total = weights = 0.0
    for component, value in parts:
        if value is not None:
            total += component.weight * value
            weights += component.weight
    return round(1000.0 * total / weights) / 10.0 if weights else 0.0


def engagement_score(
    inbound: int, meetings: int, events: int, opened: int, components: Sequence[Component] = ENGAGEMENT
) -> float:
    """0 to 100 from the counts of the last 90 days."""
    return score(zip(components, engaged((inbound, meetings, events, opened), components), strict=True))


def consumption_score(
    days: int,
    features: tuple[int, int],
    modules: tuple[int, int],
    users: int | None,
    seats: int | None,
    components: Sequence[Component] = CONSUMPTION,
) -> float:
    """0 to 100 from the last 30 days: days with usage, features and modules as (in use, of all), active users, licences."""
    counts = (days, *features, *modules, users, seats)
    return score(zip(components, consumed(counts, components), strict=True))


def engaged(counts: Sequence[int], components: Sequence[Component] = ENGAGEMENT) -> tuple[float | None, ...]:
    """The share of enough that each component has, from as many counts."""
    return tuple(share(n, c.enough or 1.0) for c, n in zip(components, counts, strict=True))


def consumed(counts: Sequence[int | None], components: Sequence[Component] = CONSUMPTION) -> tuple[float | None, ...]:
    """The same from days, features, of all, modules, of all, users, seats; None where there is nothing to compare with."""
    days, features, of_features, modules, of_modules, users, seats = counts
    return (
        share(days or 0, components[0].enough or 1.0),
        share(features or 0, of_features) if of_features else None,
        share(modules or 0, of_modules) if of_modules else None,
        share(users, seats) if users is not None and seats and seats > 0 else None,
    )
