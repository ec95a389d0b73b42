"""Token buckets: what is taken, what comes back, what is announced."""

from __future__ import annotations

from app.api.limits import MOST_KEPT, WINDOW, Buckets


def test_a_bucket_empties_and_fills_evenly() -> None:
    buckets = Buckets("credential", 60)
    assert [buckets.take("a", 0.0) for _ in range(60)] == list(range(59, -1, -1))
    refused = buckets.take("a", 0.0)
    assert refused < 0
    assert buckets.wait(refused) >= 1
    assert buckets.take("a", WINDOW / 60) >= 0
    assert buckets.take("b", 0.0) == 59


def test_who_keeps_asking_is_served_again() -> None:
    buckets = Buckets("credential", 60)
    served = sum(buckets.take("a", step / 10) >= 0 for step in range(1200))
    assert 170 <= served <= 181


def test_what_is_announced() -> None:
    buckets = Buckets("credential", 60)
    assert buckets.headers(buckets.take("a", 0.0)) == [
        (b"ratelimit-policy", b'"credential";q=60;w=60'),
        (b"ratelimit", b'"credential";r=59;t=2'),
    ]
    assert Buckets("credential", 0).headers(1.0) == []


def test_strangers_do_not_fill_the_memory() -> None:
    buckets = Buckets("address", 60)
    for stranger in range(MOST_KEPT + 10):
        buckets.take(stranger, 0.0)
    assert len(buckets._kept) == MOST_KEPT
