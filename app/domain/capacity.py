"""How many people a base needs, and which accounts to hand over so that nobody has too many: whole numbers, no clock.

Headcount packs accounts into books by best fit, the largest first; an account above the cap is a team of its own. Books
that are too full hand accounts over by a greedy search, which is right where it reaches the lower bound; where it does
not and there are few accounts, every smaller number of moves is tried.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SEARCHED = 64
"""Accounts up to which fewer moves than the greedy ones are looked for."""
PATIENCE = 10_000
"""Sets of moves that are looked at."""


@dataclass(frozen=True, slots=True)
class Headcount:
    """People needed, and the number that no packing can do with less than; those of accounts above the cap in `teams`."""

    people: int
    bound: int
    teams: int


class Move(NamedTuple):
    """The account at a position of one book goes to another book, both by their numbers."""

    book: int
    position: int
    to: int


@dataclass(frozen=True, slots=True)
class Balance:
    """Moves, whether there is no way with fewer, and the books that are too full after them: with those nobody else has
    room for what is left, and `hires` are the people that it would take."""

    moves: tuple[Move, ...]
    is_fewest: bool
    over: tuple[int, ...] = ()
    hires: int = 0


def headcount(weights: Iterable[int], cap: int) -> Headcount:
    """People for accounts of these weights where one may have `cap` of them. An account of weight 0 needs nobody."""
    told = sorted((weight for weight in weights if weight > 0), reverse=True)
    large = [weight for weight in told if weight > cap]
    teams = sum(-(-weight // cap) for weight in large)
    rest = told[len(large) :]
    bound = max(-(-sum(rest) // cap), sum(2 * weight > cap for weight in rest))
    return Headcount(teams + _packed(rest, cap), teams + bound, teams)


def _packed(weights: Sequence[int], cap: int) -> int:
    """Books by best fit; weights in descending order, none above the cap."""
    rooms: list[int] = []
    books = 0
    for weight in weights:
        place = bisect_left(rooms, weight)
        if place < len(rooms):
            room = rooms.pop(place) - weight
        else:
            books += 1
            room = cap - weight
        if room:
            insort(rooms, room)
    return books


def balance(books: Sequence[Sequence[int]], cap: int, takers: Collection[int]) -> Balance:
    """Moves of the fewest accounts after which no book is above the cap, each account to one of `takers`.

    An account above the cap fits no book, and no book is made to fit it: leave it out.
    """
    found, full = _greedy(books, cap, takers)
    least = sum(_least(book, sum(book) - cap) for book in books)
    if full or len(found) > least:
        searched = _Search(books, cap, sorted(takers)) if sum(map(len, books)) <= SEARCHED else None
        most = sum(map(len, books)) if full else len(found) - 1
        better = searched.fewest(least, most) if searched else None
        if better is not None:
            return Balance(tuple(sorted(better)), is_fewest=True)
        proved = searched is not None and searched.left >= 0
        hires = headcount((weight for n in full for weight in _largest(books, found, n, cap)), cap).people
        return Balance(tuple(sorted(found)), proved and not full, tuple(sorted(full)), hires)
    return Balance(tuple(sorted(found)), is_fewest=True)


def _least(weights: Iterable[int], excess: int) -> int:
    """How many accounts have to leave for that much weight to leave."""
    count = 0
    if excess > 0:
        for weight in sorted(weights, reverse=True):
            count, excess = count + 1, excess - weight
            if excess <= 0:
                break
    return count


def _largest(books: Sequence[Sequence[int]], moves: Iterable[Move], n: int, cap: int) -> Iterator[int]:
    """The largest accounts left in a book, until the rest is within the cap."""
    gone = {move.position for move in moves if move.book == n}
    left = sorted(weight for position, weight in enumerate(books[n]) if position not in gone)
    excess = sum(left) - cap
    while excess > 0:
        excess -= left[-1]
        yield left.pop()


def _greedy(books: Sequence[Sequence[int]], cap: int, takers: Collection[int]) -> tuple[list[Move], list[int]]:
    """Moves one book after the other, the fullest first, and the books that stay above the cap."""
    loads = [sum(book) for book in books]
    rooms = sorted((cap - loads[n], n) for n in takers if loads[n] < cap)
    moves: list[Move] = []
    full: list[int] = []
    for n in sorted((n for n, load in enumerate(loads) if load > cap), key=lambda n: (-loads[n], n)):
        left = sorted((weight, position) for position, weight in enumerate(books[n]) if weight > 0)
        excess = loads[n] - cap
        while excess > 0:
            place = _pick(left, excess, rooms[-1][0] if rooms else 0)
            if place is None:
                full.append(n)
                break
            weight, position = left.pop(place)
            room, to = rooms.pop(bisect_left(rooms, (weight, -1)))
            moves.append(Move(n, position, to))
            excess -= weight
            if room > weight:
                insort(rooms, (room - weight, to))
        if excess < 0 and n in takers:
            insort(rooms, (-excess, n))
    return moves, full


def _pick(left: Sequence[tuple[int, int]], excess: int, room: int) -> int | None:
    """The lightest account that is enough, else the heaviest that somebody has room for."""
    fitting = bisect_left(left, (room + 1, -1))
    enough = bisect_left(left, (excess, -1))
    if enough < fitting:
        return enough
    return fitting - 1 if fitting else None


@dataclass(slots=True)
class _Search:
    """Tries numbers of moves from the fewest up. While a book is above the cap one of its own accounts has to leave it, in
    whichever order: nothing else is tried. `left` is below 0 once patience ended."""

    books: Sequence[Sequence[int]]
    cap: int
    takers: Sequence[int]
    left: int = PATIENCE
    seen: dict[frozenset[Move], int] = field(default_factory=dict)

    def fewest(self, least: int, most: int) -> list[Move] | None:
        """The fewest moves that do, of at most so many; None where there are none or patience ended."""
        for count in range(least, most + 1):
            found = self._within(frozenset(), [sum(book) for book in self.books], count)
            if found is not None or self.left < 0:
                return found
        return None

    def _within(self, moves: frozenset[Move], loads: list[int], count: int) -> list[Move] | None:
        if all(load <= self.cap for load in loads):
            return list(moves)
        self.left -= 1
        if self.left < 0 or self.seen.get(moves, -1) >= count:
            return None
        self.seen[moves] = count
        gone = {(move.book, move.position) for move in moves}
        stay = [[w for p, w in enumerate(book) if (n, p) not in gone] for n, book in enumerate(self.books)]
        if sum(_least(book, load - self.cap) for book, load in zip(stay, loads, strict=True)) > count:
            return None
        full = max(range(len(loads)), key=loads.__getitem__)
        for position, weight in sorted(enumerate(self.books[full]), key=lambda one: -one[1]):
            for to in self.takers:
                if to == full or not weight or (full, position) in gone:
                    continue
                after = loads.copy()
                after[full] -= weight
                after[to] += weight
                found = self._within(moves | {Move(full, position, to)}, after, count - 1)
                if found is not None:
                    return found
        return None
