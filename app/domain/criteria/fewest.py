"""The fewest leaves whose verdicts, if turned, make a tree say something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from app.domain.criteria.leaves import Leaf, Tree
from app.domain.criteria.meant import All

Turned = tuple[int, ...]
"""Indexes of leaves in document order."""


def fewest(tree: Tree, verdicts: Sequence[bool], wanted: bool = True) -> Turned | None:
    """The smallest set of leaves to turn, of equally small ones the first in document order; None where none does.

    Each leaf counts where it stands: one that is written twice is two leaves. `ALL` cannot be turned. The work grows
    with the number of leaves.
    """
    if isinstance(tree, Leaf):
        if verdicts[tree.index] == wanted:
            return ()
        return None if isinstance(tree.meaning, All) else (tree.index,)
    match tree.op:
        case "not":
            return fewest(tree.args[0], verdicts, not wanted)
        case "list":
            return fewest(tree.args[0], verdicts, wanted)
        case "and" | "or":
            ways = [fewest(arg, verdicts, wanted) for arg in tree.args]
            every = (tree.op == "and") == wanted
            return _together(ways) if every else _least(ways)
        case _:
            assert_never(tree.op)


def _together(ways: Sequence[Turned | None]) -> Turned | None:
    found: list[int] = []
    for way in ways:
        if way is None:
            return None
        found += way
    return tuple(found)


def _least(ways: Sequence[Turned | None]) -> Turned | None:
    return min((way for way in ways if way is not None), key=len, default=None)
