"""Parts add up to their score to the hundredth, however they round, and say what moved it."""

from __future__ import annotations

import random

from app.domain.engagement import CONSUMPTION, ENGAGEMENT, consumption_score, engagement_score
from app.domain.scores import (
    HealthModel,
    Measure,
    Missing,
    consumption_parts,
    engagement_parts,
    health,
    health_parts,
    points,
    shifts,
)


def measure(n: int, dice: random.Random) -> Measure:
    missing: Missing = dice.choice(("leave_out", "count_as"))
    count_as = dice.uniform(0, 100) if missing == "count_as" else 0.0
    return Measure(
        f"f{n}", f"f{n}", dice.uniform(-5, 5), dice.uniform(6, 20), dice.choice((0, 0.1, 1, 7)), missing, count_as
    )


def test_contributions_add_up_to_the_score() -> None:
    dice = random.Random(7)
    for _ in range(400):
        model = HealthModel(tuple(measure(n, dice) for n in range(dice.randint(1, 7))))
        values = [dice.choice((None, dice.uniform(-9, 30))) for _ in model.measures]
        score = health(model, values, None)
        told = health_parts(model, values, None, score)
        assert round(sum(part.contribution for part in told), 2) == (score or 0.0)
        assert all(0 <= part.contribution <= 100 for part in told)
        assert all(part.contribution == 0 for part in told if part.points is None or part.weight == 0)


def test_parts_of_engagement_and_consumption_add_up() -> None:
    dice = random.Random(8)
    for _ in range(200):
        inbound, meetings, events, opened = counts = [dice.randint(0, 9) for _ in ENGAGEMENT]
        score = engagement_score(inbound, meetings, events, opened)
        assert round(sum(p.contribution for p in engagement_parts(ENGAGEMENT, counts, score)), 2) == score
        days, features, modules = (
            dice.randint(0, 30),
            (dice.randint(0, 3), dice.choice((0, 7))),
            (1, dice.choice((0, 3))),
        )
        users, seats = dice.choice((None, 0, 4)), dice.choice((None, 0, 9))
        consumed = consumption_score(days, features, modules, users, seats)
        parts = consumption_parts(CONSUMPTION, (days, *features, *modules, users, seats), consumed)
        assert round(sum(part.contribution for part in parts), 2) == consumed


def test_points_lie_in_a_straight_line_either_way() -> None:
    silence = Measure("last_interaction_at", "silence", 60, 10, 1)
    assert [points(silence, days) for days in (90, 60, 35, 10, 0)] == [0, 0, 50, 100, 100]


def test_what_must_not_be_missing_counts_where_it_weighs() -> None:
    needed = Measure("nps", "nps", 0, 10, 1, "no_health")
    model = HealthModel((needed, Measure("x", "x", 0, 1, 1)), "tier", {"low": (0.0, 1.0)})
    assert health(model, [None, 1.0], None) is None
    assert health(model, [None, 1.0], "low") == 100.0
    assert health(model, [None, None], "low") is None


def test_the_part_that_moved_most_comes_first() -> None:
    model = HealthModel((Measure("a", "a", 0, 10, 1), Measure("b", "b", 0, 10, 3)))
    before, after = [health_parts(model, v, None, health(model, v, None)) for v in ([5.0, 5.0], [9.0, 1.0])]
    assert [(one.name, one.difference) for one in shifts(before, after)] == [("b", -30.0), ("a", 10.0)]
