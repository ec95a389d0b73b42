"""What is asked of a rank: comparisons, ranges and lists of numbers, by the cut-offs of the setting."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from app.domain.catalogue import Entity
from app.domain.criteria import nodes, ranks
from app.domain.criteria.meant import Meaning, Not, Or
from app.domain.criteria.ranks import Threshold
from app.domain.criteria.suggest import invalid
from app.domain.criteria.values import Values

Asked = nodes.Cmp | nodes.In | nodes.Range | nodes.Empty


def asked(node: Asked, of: nodes.Rank, entity: Entity, values: Values) -> Meaning:
    """Raises Invalid for what is no number, and for fields that cannot be ranked."""
    rank, through = ranks.ranked(of, entity, values.workspace)

    def end(value: nodes.Value) -> Threshold:
        made = Threshold(rank, _number(value, of, values))
        values.cut(made, of)
        return made

    lies = partial(ranks.bounded, rank, through, cuts=values.cuts)
    match node:
        case nodes.Cmp(_, "eq" | "ne" as cmp, value):
            same = lies(end(value), end(value))
            return same if cmp == "eq" else Not(same)
        case nodes.Cmp(_, "ge" | "gt" as cmp, value):
            return lies(end(value), None, lo_open=cmp == "gt")
        case nodes.Cmp(_, cmp, value):
            return lies(None, end(value), hi_open=cmp == "lt")
        case nodes.In(_, several):
            if not several:
                raise invalid(node.at, "A list of values has at least one.")
            return Or(tuple(lies(end(value), end(value)) for value in several))
        case nodes.Range(_, None, None):
            raise invalid(node.at, "A range has at least one bound.")
        case nodes.Range(_, lo, hi, hi_open):
            ends = [None if one is None else end(one) for one in (lo, hi)]
            return lies(*ends, hi_open=hi_open and hi is not None)
        case nodes.Empty():
            # Whoever lies below every rank has none: the rank's own groups are those of its lowest threshold.
            made = Threshold(rank, Decimal(0))
            values.cut(made, of)
            return Not(lies(made, None))


def _number(value: nodes.Value, of: nodes.Rank, values: Values) -> Decimal:
    if isinstance(value, (nodes.Const, nodes.Param)):
        return ranks.number(values.written(value), of.fn, value.at)
    raise invalid(value.at, f"{of.fn} is compared with numbers.")
