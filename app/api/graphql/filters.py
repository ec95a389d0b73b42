"""Inputs that spell the criteria tree, and their way back to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.api.graphql.build import choices, entered, given
from app.api.graphql.paths import spelled
from app.domain.catalogue import ENTITIES
from app.domain.errors import Fault, Invalid, StrataError

PATH = "A field as criteria spell it, or as it is called here: `renewal_date` or `renewalDate`, `segment.tier`, `custom.region`, `account.name`."
OPERAND = "Exactly one of `of`, `fold`, `change` and `rank` says what is compared."
OPERATED = frozenset({"cmp", "in", "range", "time", "empty"})
"""The leaves whose operand may be more than a path."""


def _operand() -> list[Any]:
    return [
        given("of", "Optional[str]", PATH), given("fold", "Optional[Fold]"), given("change", "Optional[Change]"),
        given("rank", "Optional[Rank]"),
    ]  # fmt: skip


def _declare_values() -> None:
    choices("Comparison", ("eq", "ne", "lt", "le", "gt", "ge"))
    choices("TextMatch", ("contains", "starts_with", "ends_with"))
    choices("Quantifier", ("any", "none", "all"))
    choices("FoldFunction", ("count", "count_distinct", "sum", "avg", "min", "max", "last_value"))
    choices("ChangeFunction", ("change", "change_abs"), "`change` is (now - was) / |was|, `change_abs` now - was.")
    choices("RankFunction", ("percent_rank", "ntile4", "ntile10", "rank_desc", "rank_asc"))
    choices("RollingDirection", ("last", "next"))
    choices("DurationUnit", ("min", "h", "d", "w", "mo", "q", "y"))
    choices("PeriodChoice", ("this", "previous", "next"))
    choices("PeriodUnit", ("day", "week", "month", "quarter", "year", "fiscal_month", "fiscal_quarter", "fiscal_year"))
    choices("SegmentEvent", ("entered", "left"))


def _declare_leaves() -> None:
    entered(
        "Rolling", [given("dir", "RollingDirection"), given("n", "int"), given("unit", "DurationUnit")], "`last(30d)`"
    )
    entered("Period", [given("which", "PeriodChoice"), given("unit", "PeriodUnit")], "`this(fiscal_quarter)`")
    entered("Window", [given("rolling", "Optional[Rolling]"), given("period", "Optional[Period]")], one_of=True)
    entered("Fold", [
        given("fn", "FoldFunction"), given("rel", "str", "The relation: `usage`."), given("field", "Optional[str]"),
        given("where", "Optional[RelatedFilter]"), given("in", "Optional[Window]"),
    ], "A fold over related records.")  # fmt: skip
    entered("Change", [
        given("fn", "ChangeFunction"), given("of", "Fold"), given("now", "Window"), given("was", "Window"),
    ])  # fmt: skip
    entered("Rank", [given("fn", "RankFunction"), given("field", "str"), given("by", "Optional[str]")])
    entered("Compared", [*_operand(), given("cmp", "Comparison"), given("value", "Value")], OPERAND)
    entered("OneOf", [*_operand(), given("values", "list[Value]")], OPERAND)
    entered("Ranged", [
        *_operand(), given("lo", "Optional[Value]"), given("hi", "Optional[Value]"),
        given("hi_open", "Optional[bool]", "Leaves the upper end out."),
    ], OPERAND)  # fmt: skip
    entered("Timed", [*_operand(), given("in", "Window")], OPERAND)
    entered("Texted", [given("of", "str", PATH), given("match", "TextMatch"), given("value", "Value")])
    entered("Tagged", [
        given("of", "str", PATH), given("any_of", "Optional[list[Value]]"), given("all_of", "Optional[list[Value]]"),
    ], "One of `anyOf` and `allOf`.")  # fmt: skip
    entered("Emptied", _operand(), OPERAND)
    entered("Quantified", [
        given("q", "Quantifier"), given("rel", "str", "The relation: `interactions`."),
        given("where", "Optional[RelatedFilter]"), given("in", "Optional[Window]"),
    ])  # fmt: skip
    entered("InSegment", [
        given("segmentation", "str"), given("segment", "str"), given("event", "Optional[SegmentEvent]"),
        given("in", "Optional[Window]"),
    ])  # fmt: skip


LEAVES = {
    "cmp": "Compared", "in": "OneOf", "range": "Ranged", "time": "Timed", "text": "Texted", "has": "Tagged",
    "empty": "Emptied", "quant": "Quantified", "segment": "InSegment",
}  # fmt: skip


def _declare_filter(name: str, whose: str) -> None:
    entered(name, [
        given("and", f"Optional[list[{name}]]"), given("or", f"Optional[list[{name}]]"), given("not", f"Optional[{name}]"),
        given("all", "Optional[bool]", "true: everything; the only way to say it."),
        *(given(op, f"Optional[{leaf}]") for op, leaf in LEAVES.items()),
        given("list", "Optional[ID]", "Stands in this list."),
    ], f"Criteria about {whose}: the tree that REST takes, its `op` as the one member that is given.", one_of=True)  # fmt: skip


_declare_values()
_declare_leaves()
FILTERS = {
    **{f"{entity.singular.capitalize()}Filter": entity.name for entity in ENTITIES.values()},
    "RelatedFilter": "related records",
}
"""What each filter is about; within criteria, where relations are told by their names, one fits all of them."""
for _name, _whose in FILTERS.items():
    _declare_filter(_name, _whose)


class Spelled:
    """A filter as the tree that criteria are loaded from, with the way back from its pointers."""

    def __init__(self, where: Mapping[str, Any], at: str):
        self.ways: dict[str, str] = {"": at}
        self.tree = self._node(where, "", at)

    def mend(self, error: StrataError) -> StrataError:
        """The same error, its faults pointing into the filter as it was given."""
        error.faults = tuple(replace(fault, pointer=self._way(fault.pointer)) for fault in error.faults)
        return error

    def _way(self, pointer: str | None) -> str | None:
        known = pointer
        while known and known not in self.ways:
            known = known.rpartition("/")[0]
        return None if pointer is None else self.ways[known or ""] + pointer[len(known or "") :]

    def _node(self, where: Mapping[str, Any], to: str, at: str) -> dict[str, Any]:
        self.ways[to] = at
        ((op, said),) = where.items()
        here = f"{at}/{op}"
        match op:
            case "and" | "or":
                self.ways[f"{to}/args"] = here
                args = [self._node(arg, f"{to}/args/{n}", f"{here}/{n}") for n, arg in enumerate(said)]
                return {"op": op, "args": args}
            case "not":
                return {"op": op, "arg": self._node(said, f"{to}/arg", here)}
            case "all":
                if said is not True:
                    raise Invalid(faults=(Fault("Expected true: `all` says everything.", pointer=here),))
                return {"op": op}
            case "list":
                return {"op": op, "list": said}
        self.ways[to] = here
        members = self._members(said, to, here)
        if op == "has" and ("any_of" in members) == ("all_of" in members):
            raise Invalid(faults=(Fault("Expected either anyOf or allOf.", pointer=here),))
        if op in OPERATED and "of" not in members:
            raise Invalid(faults=(Fault(OPERAND, pointer=here),))
        return {"op": op, **members}

    def _members(self, said: Mapping[str, Any], to: str, at: str) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, value in said.items():
            if value is None:
                continue
            match name:
                case "in" | "now" | "was":
                    made[name] = _window(value)
                case "where":
                    made[name] = self._node(value, f"{to}/where", f"{at}/where")
                case "fold" | "change" | "rank" | "of" if isinstance(value, Mapping):
                    _once(made, at)
                    self.ways[f"{to}/of"] = f"{at}/{name}"
                    made["of"] = self._members(value, f"{to}/of", f"{at}/{name}")
                case "of":
                    _once(made, at)
                    made["of"] = spelled(value)
                case "field" | "by":
                    made[name] = spelled(value)
                case _:
                    made[SNAKE.get(name, name)] = _plain(value)
        return made


SNAKE = {"hiOpen": "hi_open", "anyOf": "any_of", "allOf": "all_of"}


def _once(made: Mapping[str, Any], at: str) -> None:
    if "of" in made:
        raise Invalid(faults=(Fault(OPERAND, pointer=at),))


def _plain(value: Any) -> Any:
    """An enum's member as its value."""
    return getattr(value, "value", value)


def _window(said: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, members),) = said.items()
    return {"win": kind, **{name: _plain(value) for name, value in members.items()}}
