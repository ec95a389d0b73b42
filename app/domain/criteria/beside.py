"""What stands beside an argument of AND or OR: what is told of one operand comes together, so that many are not many."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from app.domain.criteria.logic import Formula, Key, Literal, keys
from app.domain.criteria.regions import EMPTY, EVERYTHING, Region

LOOKED = 12
"""Arguments with arguments of their own that are looked at beside another one: more tell hardly more."""


class Beside:
    """The arguments as what is given where another one decides. From the last to the first each is taken out, to be
    looked at by itself, and put back where it tells something."""

    def __init__(self, given: Sequence[Formula]) -> None:
        self._before: defaultdict[Key, list[Region]] = defaultdict(lambda: [EVERYTHING])
        self._kept: defaultdict[Key, Region] = defaultdict(lambda: EVERYTHING)
        self._filled: Counter[Key] = Counter()
        self._open: list[tuple[frozenset[Key], Formula]] = []
        self._open_kept: list[tuple[frozenset[Key], Formula]] = []
        for one in given:
            if isinstance(one, Literal):
                known = self._before[one.key]
                known.append(known[-1] & one.region)
            else:
                self._open.append((keys(one), one))

    def take(self, one: Formula) -> None:
        """Takes the last one out that was not looked at."""
        if isinstance(one, Literal):
            self._before[one.key].pop()
        else:
            self._open.pop()

    def keep(self, one: Formula) -> None:
        """Puts it back."""
        if isinstance(one, Literal):
            self._kept[one.key] &= one.region
            self._filled[one.key] += not one.region.empty
        else:
            self._open_kept.append((keys(one), one))

    def about(self, asked: Collection[Key]) -> Iterator[Formula]:
        """What those that are not taken out say of these operands."""
        for key in asked:
            yield Literal(key, self._before[key][-1] & self._kept[key])
        told = [one for of, one in (*self._open, *self._open_kept) if not of.isdisjoint(asked)]
        yield from told[:LOOKED]

    def around(self, one: Formula) -> Iterator[Literal]:
        """What is sure wherever an argument that was kept decides; beside a literal, whether its operand is empty."""
        if not isinstance(one, Literal):
            yield from (Literal(key, region) for key, region in self._kept.items())
        elif self._filled[one.key] > (not one.region.empty):
            yield Literal(one.key, ~EMPTY)
