"""Natural breaks are the best of all partitions, and need as many bins as parts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest

from app.domain.segmentation.breaks import BINS, Bin, breaks


def within(bins: Sequence[Bin]) -> float:
    """Squared distances from the mean, written out."""
    count = sum(one.count for one in bins)
    mean = sum(one.count * one.mean for one in bins) / count
    return sum(one.count * (one.mean - mean) ** 2 for one in bins)


def total(bins: Sequence[Bin], cuts: Sequence[int]) -> float:
    edges = [0, *cuts, len(bins)]
    return sum(within(bins[begin:end]) for begin, end in pairwise(edges))


@pytest.mark.parametrize("seed", range(40))
def test_no_other_partition_is_better(seed: int) -> None:
    dice = random.Random(seed)
    values = sorted(dice.sample(range(10_000), dice.randint(2, 12)))
    bins = [Bin(float(v), dice.randint(1, 9), float(v)) for v in values]
    for parts in range(2, min(5, len(bins)) + 1):
        best = min(total(bins, cuts) for cuts in combinations(range(1, len(bins)), parts - 1))
        found = breaks(bins, parts)
        assert len(found) == parts - 1
        assert total(bins, found) == pytest.approx(best, abs=1e-6)


def test_three_heaps_are_three_parts_whatever_their_size() -> None:
    bins = [Bin(v, n, v) for v, n in ((1.0, 5), (2.0, 5), (1e9, 1), (1e9 + 1, 300), (1e12, 1))]
    assert breaks(bins, 3) == (2, 4)


def test_there_are_no_cuts_of_fewer_values_than_parts() -> None:
    assert breaks([Bin(1.0, 7, 1.0)], 2) == ()
    assert breaks([], 2) == ()
    assert breaks([Bin(1.0, 7, 1.0), Bin(2.0, 1, 2.0)], 2) == (1,)


def test_a_full_histogram_takes_a_moment_only() -> None:
    dice = random.Random(1)
    bins = [Bin(v, dice.randint(1, 1000), v) for v in sorted(dice.random() * 1e9 for _ in range(BINS))]
    found = breaks(bins, 21)
    assert list(found) == sorted(set(found))
    assert len(found) == 20
