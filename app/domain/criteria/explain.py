"""The third reader of criteria: for one record leaf by leaf what it says, why, and when that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.criteria.empties import because_empty
from app.domain.criteria.evaluate import Record, holds, value
from app.domain.criteria.evidence import Evidence
from app.domain.criteria.fewest import Turned, fewest
from app.domain.criteria.flips import Flip, Turns, next_decision
from app.domain.criteria.leaves import Asked, Leaf, Tree, asked, decided, leaves
from app.domain.criteria.meant import Moved


@dataclass(frozen=True, slots=True)
class Found:
    """What a leaf says of the record. `by_emptiness`: as the criteria wants it, and only because a value is empty.

    `values` are those of `asked(leaf.meaning)`, typed, None where empty; references are ids.
    """

    verdict: bool
    by_emptiness: bool
    values: tuple[Any, ...]
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """`found` and `flips` by leaf, in document order; `flip`: when the whole criteria does. `fewest`: the indexes of the
    leaves that would admit the record; None for one that is admitted, and where none would."""

    tree: Tree
    verdict: bool
    found: tuple[Found, ...]
    flips: tuple[Flip, ...]
    flip: Flip
    fewest: Turned | None


def read(leaf: Leaf, record: Record) -> Found:
    """What a leaf says of a record that is at hand whole."""
    verdict = holds(leaf.meaning, record)
    lost = verdict != leaf.negated and holds(because_empty(leaf.wanted), record)
    return Found(verdict, lost, tuple(_value(of, record) for of in asked(leaf.meaning)))


def _value(of: Asked, record: Record) -> Any:
    if not isinstance(of, Moved):
        return value(of, record)
    end = 2 if of.event == "entered" else 3
    ends = [stay[end] for stay in record["memberships"] if stay[:2] == (of.slug, of.segment)]
    return max((one for one in ends if one is not None), default=None)


def explain(tree: Tree, found: Sequence[Found], turns: Sequence[Turns]) -> Explanation:
    """The whole from what was found of leaves, by index, and from their turns; of all leaves of several trees, those of
    this one."""
    every = list(leaves(tree))
    verdicts = [one.verdict for one in found]
    verdict = decided(tree, verdicts)
    mine = [turns[leaf.index] for leaf in every]
    flips = tuple(one.flip for one in mine)
    flip, _ = next_decision(lambda told: decided(tree, told), verdicts, mine)
    needed = None if verdict else fewest(tree, verdicts)
    return Explanation(tree, verdict, tuple(found[leaf.index] for leaf in every), flips, flip, needed)
