"""The language as data: what each kind of value is asked, how that is spelled, and what functions there are.

In spellings, names in braces stand for what is put there; in JSON a text that is one such name is replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

from app.domain.catalogue import Field, Kind, Relation
from app.domain.criteria.english import FOLDED, RANKED
from app.domain.criteria.fields import QUESTIONS, Question
from app.domain.criteria.folds import fold_typing
from app.domain.criteria.literals import KEYWORDS
from app.domain.criteria.nodes import NOWHERE, Fold
from app.domain.errors import Invalid
from app.domain.lists import PARAMETER_KINDS

Takes = Literal["value", "values", "range", "window", "text", "nothing"]
Asked = Literal["field", "operand"]
"""What an operator is asked of: a field alone, or what a function gives too."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to ask a field: what it `takes`, and its spellings."""

    name: str
    label: str
    question: Question
    takes: Takes
    text: str
    json: Mapping[str, Any]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of fields that it can be asked of."""
        return tuple(kind for kind in get_args(Kind) if self.question in QUESTIONS[kind])

    @property
    def of(self) -> Asked:
        """Whether what a function gives can be asked too."""
        return "field" if self.question in ("text", "tags") else "operand"


def _cmp(name: str, label: str, question: Question, sign: str) -> Operator:
    json = {"op": "cmp", "of": "{field}", "cmp": name, "value": "{value}"}
    return Operator(name, label, question, "value", f"{{field}} {sign} {{value}}", json)


def _denied(name: str, label: str, of: Operator, text: str) -> Operator:
    return Operator(name, label, of.question, of.takes, text, {"op": "not", "arg": of.json})


def _text(match: str, label: str, text: str) -> Operator:
    json = {"op": "text", "of": "{field}", "match": match, "value": "{value}"}
    return Operator(match, label, "text", "text", text, json)


_IN = Operator(
    "in",
    "is one of",
    "equal",
    "values",
    "{field} IN ({values})",
    {"op": "in", "of": "{field}", "values": "{values}"},
)
_RANGE = {"op": "range", "of": "{field}", "lo": "{lo}", "hi": "{hi}"}
_BETWEEN = Operator("between", "is from … to …", "order", "range", "{field} IN {lo}..{hi}", _RANGE)
_UNTIL = Operator(
    "until", "is from … to below …", "order", "range", "{field} IN {lo}..<{hi}", {**_RANGE, "hi_open": True}
)
_WITHIN = Operator(
    "within",
    "is in the window",
    "time",
    "window",
    "{field} IN {window}",
    {"op": "time", "of": "{field}", "in": "{window}"},
)
_EMPTY = Operator("is_empty", "is empty", "empty", "nothing", "{field} IS EMPTY", {"op": "empty", "of": "{field}"})
OPERATORS: tuple[Operator, ...] = (
    _cmp("eq", "is", "equal", "="), _cmp("ne", "is not", "equal", "!="), _IN,
    _denied("not_in", "is none of", _IN, "{field} NOT IN ({values})"),
    _cmp("lt", "is below", "order", "<"), _cmp("le", "is at most", "order", "<="),
    _cmp("gt", "is above", "order", ">"), _cmp("ge", "is at least", "order", ">="),
    _BETWEEN, _denied("not_between", "is not from … to …", _BETWEEN, "{field} NOT IN {lo}..{hi}"), _UNTIL,
    _WITHIN, _denied("not_within", "is not in the window", _WITHIN, "{field} NOT IN {window}"),
    _text("contains", "contains", "{field} : {value}"),
    _text("starts_with", "starts with", "starts_with({field}, {value})"),
    _text("ends_with", "ends with", "ends_with({field}, {value})"),
    Operator("has_any", "has any of", "tags", "values", "has_any({field}, ({values}))",
             {"op": "has", "of": "{field}", "any_of": "{values}"}),
    Operator("has_all", "has all of", "tags", "values", "has_all({field}, ({values}))",
             {"op": "has", "of": "{field}", "all_of": "{values}"}),
    _EMPTY, _denied("is_not_empty", "is not empty", _EMPTY, "{field} IS NOT EMPTY"),
)  # fmt: skip
"""Every operator of fields; NOT before any of them is its complement, empty values included."""


def operators(kind: Kind) -> tuple[str, ...]:
    """The names of what a field of this kind can be asked."""
    return tuple(one.name for one in OPERATORS if one.question in QUESTIONS[kind])


@dataclass(frozen=True, slots=True)
class Written:
    """How values of a kind are written: an example as JSON and in text."""

    description: str
    example: Any
    text: str


KINDS: Mapping[Kind, Written] = MappingProxyType(
    {
        "text": Written("text; folds case when it is matched, not when it is compared", "Acme", '"Acme"'),
        "number": Written("a number", 0.5, "0.5"),
        "integer": Written("a whole number", 3, "3"),
        "money": Written("a number in major units of the workspace's currency", 50000, "50000"),
        "date": Written("a day", "2026-01-31", "2026-01-31"),
        "instant": Written("an instant, or a day: all of it in the zone", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        "bool": Written("true or false", True, "true"),
        "enum": Written("one of the field's values", None, ""),
        "slug": Written("the slug of a record of the target", "saas", '"saas"'),
        "ref": Written("a record of the target: its id, external id or e-mail", "ada@example.com", '"ada@example.com"'),
        "tags": Written("several texts at once", "crm", '"crm"'),
        "json": Written("an object: it cannot be asked whole", None, ""),
        "id": Written("an id (UUID)", "0190c0de-0000-7000-8000-000000000001", '"0190c0de-0000-7000-8000-000000000001"'),
    }
)  # fmt: skip
"""Each kind with how its values are written; of an enum, examples are the field's own values."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What can stand where a value does. `kinds`: beside fields of which kinds; `types`: what it can be declared as."""

    label: str
    text: str
    json: Mapping[str, Any]
    description: str
    kinds: tuple[Kind, ...]
    types: tuple[str, ...] = ()


ASKED: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind not in ("json", "tags"))
REFERENCES = (
    Reference("me", "@me", {"ref": "me"}, "the person who asks; beside references to users", ("ref",)),
    Reference("my team", "@my_team", {"ref": "my_team"}, "everybody in that person's team", ("ref",)),
    Reference("a parameter", "${name}", {"ref": "param", "name": "{name}"}, "a parameter of a saved list", (*ASKED, "tags"), PARAMETER_KINDS),
    Reference(
        "another field", "field({path})", {"ref": "field", "field": "{path}"},
        "another field of the same record, of the same kind",
        tuple(kind for kind in ASKED if kind != "ref"),
    ),
    Reference("ago", "ago({duration})", {"ago": "{duration}"}, "so long before now", ("date", "instant")),
    Reference("from now", "from_now({duration})", {"from_now": "{duration}"}, "so long after now", ("date", "instant")),
)  # fmt: skip

Family = Literal["fold", "change", "rank", "related", "segment", "list"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how it is called, its JSON, what it gives, and an example of accounts.

    `gives` is `condition` where it is one, else the kind of its value; None: the kind of the field. `takes` are the
    kinds of fields that it is taken of; `optional` are the members of `json` that may be left out.
    """

    name: str
    label: str
    family: Family
    signature: str
    json: Mapping[str, Any]
    gives: str | None
    description: str
    example: str
    takes: tuple[Kind, ...] = ()
    optional: tuple[str, ...] = ()


def _taken(fn: Fold) -> tuple[Kind, ...]:
    """The kinds of fields of related rows that a fold can be taken of."""
    rows = Relation("usage", "usage", True, "account")
    found = []
    for kind in get_args(Kind):
        try:
            fold_typing(fn, rows, Field("value", kind), NOWHERE)
        except Invalid:
            continue
        found.append(kind)
    return tuple(found)


_ROWS = {"where": "{criteria}", "in": "{window}"}
"""What narrows related rows, and may be left out."""


def _fold(name: Fold, gives: str | None, description: str, example: str) -> Function:
    of = "{relation}" if name == "count" else "{relation}.{field}"
    json = {"fn": name, "rel": "{relation}", **({} if name == "count" else {"field": "{field}"})}
    return Function(
        name, FOLDED.get(name, "number"), "fold", f"{name}({of} [WHERE {{criteria}}] [, {{window}}])", {**json, **_ROWS},
        gives, description, example, _taken(name), tuple(_ROWS),
    )  # fmt: skip


def _change(name: str, label: str, description: str, example: str) -> Function:
    json = {"fn": name, "of": "{fold}", "now": "{window}", "was": "{window}"}
    return Function(name, label, "change", f"{name}({{fold}}, {{now}}, {{was}})", json, "number", description, example)


def _rank(name: str, description: str, example: str) -> Function:
    json = {"fn": name, "field": "{field}", "by": "{field}"}
    return Function(
        name, RANKED[name], "rank", f"{name}({{field}} [BY {{field}}])", json, "number", description, example,
        ("number", "integer", "money"), ("by",),
    )  # fmt: skip


def _related(name: str, description: str, example: str) -> Function:
    json = {"op": "quant", "q": name, "rel": "{relation}", **_ROWS}
    signature = f"{name}({{relation}} [WHERE {{criteria}}] [, {{window}}])"
    return Function(name, name, "related", signature, json, "condition", description, example, optional=tuple(_ROWS))


def _moved(name: str, description: str) -> Function:
    json = {
        "op": "segment", "segmentation": "{segmentation}", "segment": "{segment}", "event": name, "in": "{window}",
    }  # fmt: skip
    signature = f"{name}({{segmentation}}, {{segment}}, {{window}})"
    example = f'{name}("tier", "high", last(30d))'
    return Function(name, name, "segment", signature, json, "condition", description, example)


FUNCTIONS: tuple[Function, ...] = (
    _related("any", "some related row is there, and meets the criteria", 'any(invoices WHERE status = "unpaid")'),
    _related("none", "no related row is there that meets the criteria", "none(interactions, last(30d))"),
    _related("all", "there are related rows, and all of them meet the criteria", 'all(tickets WHERE status = "closed")'),
    _fold("count", "integer", "how many rows", 'count(interactions WHERE kind = "meeting", last(90d)) >= 2'),
    _fold("count_distinct", "integer", "how many different values", "count_distinct(usage.feature, last(30d)) < 3"),
    _fold("sum", None, "their sum; 0 over no rows", 'sum(usage.value WHERE feature = "reports", last(30d)) < 50'),
    _fold("avg", None, "their mean; empty over no rows", "avg(surveys.score, last(1y)) >= 8"),
    _fold("min", None, "the least; empty over no rows", "min(tickets.satisfaction, last(90d)) <= 2"),
    _fold("max", None, "the greatest; empty over no rows", "max(invoices.amount, last(1y)) > 10000"),
    _fold("last_value", None, "that of the latest row; empty over no rows", "last_value(surveys.score) <= 6"),
    _change("change", "relative change", "(now - was) / |was|; empty where that is 0 or empty",
            "change(sum(usage.value), last(30d), previous(month)) < -0.2"),
    _change("change_abs", "change", "now - was", "change_abs(count(interactions), last(30d), previous(month)) < 0"),
    _rank("percent_rank", "from 0 to 1 at the top", "percent_rank(arr) >= 0.9"),
    _rank("ntile4", "the quarter, 4 at the top", "ntile4(arr BY industry) = 4"),
    _rank("ntile10", "the tenth, 10 at the top", "ntile10(arr) >= 9"),
    _rank("rank_desc", "the place from the top", "rank_desc(arr) <= 100"),
    _rank("rank_asc", "the place from the bottom", "rank_asc(health) <= 10"),
    Function("in_segment", "stands in", "segment", "in_segment({segmentation}, {segment})",
             {"op": "segment", "segmentation": "{segmentation}", "segment": "{segment}"}, "condition",
             "stands in the segment", 'in_segment("tier", "high")'),
    _moved("entered", "moved into the segment within the window"),
    _moved("left", "moved out of the segment within the window"),
    Function("in_list", "is in the list", "list", "in_list({list})", {"op": "list", "list": "{list}"}, "condition",
             "is held by the saved list of this id", 'in_list("0190c0de-0000-7000-8000-000000000001")'),
)  # fmt: skip

JOINED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "AND": {"text": "{criteria} AND {criteria}", "json": {"op": "and", "args": ["{criteria}"]}},
        "OR": {"text": "{criteria} OR {criteria}", "json": {"op": "or", "args": ["{criteria}"]}},
        "NOT": {"text": "NOT ({criteria})", "json": {"op": "not", "arg": "{criteria}"}},
        "ALL": {"text": "ALL", "json": {"op": "all"}},
    }
)
"""How criteria are put together."""
WORDS = tuple(sorted(word.upper() for word in KEYWORDS))
"""Names that no field can have in text."""
