"""The numbers that ranks can be, and which of them a leaf asks for."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.criteria import nodes
from app.domain.criteria.nodes import Node, Ranking
from app.domain.criteria.regions import Region, in_steps, points, span

SCALES: Mapping[Ranking, Region] = {
    "percent_rank": span(0, 1),
    "ntile4": span(1, 4, steps=True),
    "ntile10": span(1, 10, steps=True),
    "rank_desc": span(1, None, steps=True),
    "rank_asc": span(1, None, steps=True),
}


def off_scale(node: Node) -> bool:
    """Whether a leaf asks a rank for numbers that it never is."""
    match node:
        case nodes.Cmp(nodes.Rank(fn), cmp, nodes.Const(value)) if cmp != "ne":
            steps = in_steps(value)
            asked = points((value,), steps=steps)
            if cmp in ("lt", "le"):
                asked = span(None, value, hi_open=cmp == "lt", steps=steps)
            elif cmp in ("gt", "ge"):
                asked = span(value, None, lo_open=cmp == "gt", steps=steps)
        case nodes.In(nodes.Rank(fn), values):
            written = [value.value for value in values if isinstance(value, nodes.Const)]
            if len(written) < len(values):
                return False
            asked = points(written, steps=all(map(in_steps, written)))
        case nodes.Range(nodes.Rank(fn), lo, hi, hi_open):
            ends = [end.value if isinstance(end, nodes.Const) else None for end in (lo, hi)]
            asked = span(*ends, hi_open=hi_open, steps=all(in_steps(end) for end in ends if end is not None))
        case _:
            return False
    return (asked & SCALES[fn]).nothing
