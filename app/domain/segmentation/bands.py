"""Bands on a number: the highest first, each from its cut on; ties go up, and what is empty goes to the rest."""

from __future__ import annotations

from app.domain.criteria.nodes import All, And, Cmp, Const, Empty, Node, Not, Path
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.model import Axis


def level(axis: Axis, cuts: Frozen, n: int) -> Node | None:
    """From cut n to below the next, lowest level 0; None where it cannot be told for want of cuts."""
    if len(cuts.at) != axis.cuts.count:
        return None
    of = Path(axis.field)
    parts: list[Node] = []
    if n > 0:
        parts.append(Cmp(of, "ge", Const(cuts.at[n - 1])))
    if n < len(cuts.at):
        parts.append(Cmp(of, "lt", Const(cuts.at[n])))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def bands(axis: Axis, cuts: Frozen) -> tuple[Node, ...]:
    """A criteria per band, the highest first: those before it have taken what is higher."""
    if len(cuts.at) != axis.cuts.count:
        return (NOTHING,) * (axis.cuts.count + 1)
    of = Path(axis.field)
    return (*(Cmp(of, "ge", Const(cut)) for cut in reversed(cuts.at)), Not(Empty(of)))


NOTHING: Node = Not(All())
"""Holds for no account: what a level means as long as there are no cuts."""
