"""The two scores: what is enough, what is unknown, and that weights mean what they say."""

from __future__ import annotations

import pytest

from app.domain.engagement import CONSUMPTION, ENGAGEMENT, consumption_score, engagement_score


def test_weights_are_percents() -> None:
    assert sum(c.weight for c in ENGAGEMENT) == 100.0
    assert sum(c.weight for c in CONSUMPTION) == 100.0


@pytest.mark.parametrize(
    ("counts", "score"),
    [
        ((0, 0, 0, 0), 0.0),
        ((6, 3, 2, 6), 100.0),
        ((99, 99, 99, 99), 100.0),
        ((3, 0, 0, 0), 17.5),
        ((0, 1, 0, 0), 10.0),
        ((1, 1, 1, 1), 26.7),
    ],
)
def test_engagement(counts: tuple[int, int, int, int], score: float) -> None:
    assert engagement_score(*counts) == score


@pytest.mark.parametrize(
    ("days", "features", "modules", "users", "seats", "score"),
    [
        (20, (5, 5), (2, 2), 10, 10, 100.0),
        (30, (5, 5), (2, 2), 50, 10, 100.0),
        (0, (0, 5), (0, 2), 0, 10, 0.0),
        (10, (1, 4), (1, 2), 5, 10, 45.0),
        # Without licences, the other three count for more; without anything there is nothing to score.
        (20, (5, 5), (2, 2), None, None, 100.0),
        (10, (0, 5), (0, 2), 3, None, 26.9),
        (0, (0, 0), (0, 0), None, None, 0.0),
    ],
)
def test_consumption(
    days: int, features: tuple[int, int], modules: tuple[int, int], users: int | None, seats: int | None, score: float
) -> None:
    assert consumption_score(days, features, modules, users, seats) == score
