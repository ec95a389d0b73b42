"""Points added up, as criteria: which combinations of levels reach a sum, said in as few words as they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.criteria.nodes import All, And, Node, Not, Or
from app.domain.segmentation.model import NOTHING

FACTORED = 3
"""Measures at most whose levels stand outside parentheses: the more, the shorter and the deeper."""
DEEP = 8
"""How deep criteria nest."""
MOST_TERMS = 400


@dataclass(frozen=True, slots=True)
class Scale:
    """What one measure can give: its points in ascending order, and for each but the least what an account has to be like
    to get at least these."""

    points: tuple[Decimal, ...]
    reaching: tuple[Node, ...]


Term = tuple[int, ...]
"""A level of each measure."""


class TooManyError(Exception):
    """More combinations than criteria can say."""


def at_least(scales: Sequence[Scale], total: Decimal, deep: int = DEEP) -> Node:
    """The sum of the points is `total` or more, as the shortest criteria that nest no deeper. Raises TooManyError."""
    terms = list(_terms(scales, total))
    made = (_said(scales, terms, 0, factored) for factored in range(FACTORED, -1, -1))
    found = next((node for node in made if _depth(node) <= deep), None)
    if found is None:
        raise TooManyError
    return found


def _depth(node: Node) -> int:
    match node:
        case And(args) | Or(args):
            return 1 + max(map(_depth, args))
        case Not(arg):
            return 1 + _depth(arg)
        case _:
            return 1


def _terms(scales: Sequence[Scale], total: Decimal) -> Iterator[Term]:
    """The lowest levels that together reach the total: none of them could be lower."""
    most = [sum((one.points[-1] for one in scales[n:]), Decimal(0)) for n in range(len(scales) + 1)]
    made = 0

    def further(term: Term, reached: Decimal) -> Iterator[Term]:
        nonlocal made
        n = len(term)
        if reached + most[n] < total:
            return
        if n == len(scales):
            if all(
                level == 0 or reached - scales[k].points[level] + scales[k].points[level - 1] < total
                for k, level in enumerate(term)
            ):
                made += 1
                if made > MOST_TERMS:
                    raise TooManyError
                yield term
            return
        for level, points in enumerate(scales[n].points):
            yield from further((*term, level), reached + points)

    yield from further((), Decimal(0))


def _said(scales: Sequence[Scale], terms: Sequence[Term], n: int, factored: int) -> Node:
    """Terms by their level of measure n, the higher first; those of measures beyond `factored` are written out."""
    if not terms:
        return NOTHING
    if n == len(scales) or n >= factored:
        return _or([_and([_reached(scales, k, level) for k, level in enumerate(term) if k >= n]) for term in terms])
    parts = []
    for level in sorted({term[n] for term in terms}, reverse=True):
        inner = _said(scales, [term for term in terms if term[n] == level], n + 1, factored)
        parts.append(_and([_reached(scales, n, level), inner]))
    return _or(parts)


def _reached(scales: Sequence[Scale], n: int, level: int) -> Node:
    return scales[n].reaching[level - 1] if level else All()


def _and(parts: Sequence[Node]) -> Node:
    flat: list[Node] = []
    for part in parts:
        if not isinstance(part, All):
            flat += part.args if isinstance(part, And) else (part,)
    return flat[0] if len(flat) == 1 else And(tuple(flat)) if flat else All()


def _or(parts: Sequence[Node]) -> Node:
    if any(isinstance(part, All) for part in parts):
        return All()
    flat = [one for part in parts for one in (part.args if isinstance(part, Or) else (part,))]
    unique = list(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else Or(tuple(unique))
