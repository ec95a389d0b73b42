"""Capacity: headcounts between their bound and twice it, and hand-overs of the fewest accounts."""

from __future__ import annotations

from itertools import product
from random import Random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.capacity import Balance, Headcount, balance, headcount

WEIGHTS = st.lists(st.integers(0, 12), max_size=4)
BOOKS = st.lists(WEIGHTS, min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("weights", "cap", "expected"),
    [
        ([], 10, Headcount(0, 0, 0)),
        ([0, 0], 10, Headcount(0, 0, 0)),
        ([10], 10, Headcount(1, 1, 0)),
        ([11], 10, Headcount(2, 2, 2)),
        ([25, 4, 4, 2], 10, Headcount(4, 4, 3)),
        ([6, 6, 6], 10, Headcount(3, 3, 0)),
        ([5, 5, 4, 4, 2], 10, Headcount(2, 2, 0)),
        ([4, 4, 4, 3, 3, 3, 3, 3, 3], 10, Headcount(4, 3, 0)),
    ],
)
def test_headcount(weights: list[int], cap: int, expected: Headcount) -> None:
    assert headcount(weights, cap) == expected


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 40))
def test_a_headcount_keeps_to_its_bounds(weights: list[int], cap: int) -> None:
    found = headcount(weights, cap)
    fitting = sum(weight for weight in weights if weight <= cap)
    assert -(-sum(weights) // cap) <= found.bound <= found.people
    # Two books that are both half empty would have been one.
    assert found.people - found.teams <= max(1, 2 * fitting / cap) + (fitting > 0)
    assert headcount(reversed(weights), cap) == found


def after(books: list[list[int]], found: Balance) -> list[list[int]]:
    gone = {(move.book, move.position) for move in found.moves}
    left = [[w for p, w in enumerate(book) if (n, p) not in gone] for n, book in enumerate(books)]
    for move in found.moves:
        left[move.to].append(books[move.book][move.position])
    return left


def brute(books: list[list[int]], cap: int, takers: set[int]) -> int | None:
    """The fewest moves over every way to hand accounts out; None where none does."""
    accounts = [(n, weight) for n, book in enumerate(books) for weight in book]
    fewest: int | None = None
    for owners in product(*(sorted({n} | takers) for n, _ in accounts)):
        loads = [0] * len(books)
        for owner, (_, weight) in zip(owners, accounts, strict=True):
            loads[owner] += weight
        if max(loads) <= cap:
            moved = sum(owner != n for owner, (n, _) in zip(owners, accounts, strict=True))
            fewest = moved if fewest is None else min(fewest, moved)
    return fewest


@settings(max_examples=150)
@given(BOOKS, st.integers(12, 20), st.sets(st.integers(0, 2)))
def test_balance_moves_the_fewest_accounts_and_loses_none(books: list[list[int]], cap: int, takers: set[int]) -> None:
    takers = {n for n in takers if n < len(books)}
    while sum(map(len, books)) > 8:
        max(books, key=len).pop()
    found, expected = balance(books, cap, takers), brute(books, cap, takers)
    left = after(books, found)
    assert sorted(w for book in left for w in book) == sorted(w for book in books for w in book)
    assert len({(move.book, move.position) for move in found.moves}) == len(found.moves)
    assert all(move.to in takers and move.to != move.book for move in found.moves)
    if expected is None:
        assert found.over
        assert found.hires > 0
    else:
        assert (len(found.moves), found.is_fewest, found.over, found.hires) == (expected, True, (), 0)
        assert all(sum(book) <= cap for book in left)


def test_a_book_that_nobody_has_room_for_says_how_many_people_it_takes() -> None:
    assert balance([[8, 8, 8], [9]], 10, {0, 1}) == Balance((), is_fewest=False, over=(0,), hires=2)


def test_an_account_makes_way_where_no_other_move_helps() -> None:
    """Neither of the 6 fits beside the 5 unless the 5 goes on."""
    found = balance([[6, 6], [5], [5]], 10, {0, 1, 2})
    assert (len(found.moves), found.is_fewest, found.over) == (2, True, ())


def test_a_hundred_thousand_accounts_are_packed_and_balanced_at_once() -> None:
    rng = Random(1)
    books = [[int(rng.lognormvariate(9.5, 1.2)) for _ in range(rng.randint(20, 180))] for _ in range(1000)]
    cap = int(1.1 * sum(map(sum, books)) / len(books))
    began = process_time()
    needed = headcount((weight for book in books for weight in book), cap)
    fitting = [[weight for weight in book if weight <= cap] for book in books]
    found = balance(fitting, cap, range(len(books)))
    took = process_time() - began
    assert needed.people == needed.bound
    assert found.is_fewest
    assert not found.over
    assert all(sum(book) <= cap for book in after(fitting, found))
    assert took < 2, f"{took:.2f} s of a processor"
