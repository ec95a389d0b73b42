"""What a criteria says: the tree of the language, exactly as written, before the catalogue has seen it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Comparison = Literal["eq", "ne", "lt", "le", "gt", "ge"]
Unit = Literal["min", "h", "d", "w", "mo", "q", "y"]
Calendar = Literal["day", "week", "month", "quarter", "year", "fiscal_month", "fiscal_quarter", "fiscal_year"]
Fold = Literal["count", "count_distinct", "sum", "avg", "min", "max", "last_value"]
Ranking = Literal["percent_rank", "ntile4", "ntile10", "rank_desc", "rank_asc"]
Scalar = str | int | Decimal | bool


@dataclass(frozen=True, slots=True)
class At:
    """Where something was said: line and column in the text (from 1), with the pointer of a text that stands in a body;
    or a JSON pointer in the tree.

    Of nodes that name several things, `places` say where each of these stands: relation and field, field and group,
    segmentation and segment.
    """

    line: int | None = None
    column: int | None = None
    pointer: str = ""


NOWHERE = At()


# -- values ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Duration:
    n: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Const:
    """A scalar as written: a number is int where it is whole, else Decimal; dates and instants stay `str` until checked."""

    value: Scalar
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Me:
    """`@me`: the person who asks."""

    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class MyTeam:
    """`@my_team`: everybody in the team of the person who asks."""

    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Param:
    """`$name`: a parameter of a saved list."""

    name: str
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """`field(path)`: another field of the same record."""

    path: str
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Ago:
    duration: Duration
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class FromNow:
    duration: Duration
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


Value = Const | Me | MyTeam | Param | FieldValue | Ago | FromNow


# -- windows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rolling:
    """`last(30d)`, `next(90d)`."""

    dir: Literal["last", "next"]
    n: int
    unit: Unit
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Period:
    """`this(month)`, `previous(fiscal_quarter)`, `next(week)`."""

    which: Literal["this", "previous", "next"]
    unit: Calendar
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


Window = Rolling | Period


# -- operands ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """A field: `arr`, `segment.tier`, `custom.region`, `account.name`."""

    name: str
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A fold over related rows: `sum(usage.value WHERE feature = "api", last(30d))`; `count` has no field."""

    fn: Fold
    rel: str
    field: str | None = None
    where: Node | None = None
    window: Window | None = None
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)
    places: tuple[At, ...] = dataclasses.field(default=(), compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Change:
    """`change`: (now - was) / |was|; `change_abs`: now - was."""

    fn: Literal["change", "change_abs"]
    of: Operand
    now: Window
    was: Window
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Rank:
    fn: Ranking
    field: str
    by: str | None = None
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)
    places: tuple[At, ...] = dataclasses.field(default=(), compare=False, repr=False, kw_only=True)


Operand = Path | Aggregate | Change | Rank


# -- predicates --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And:
    args: tuple[Node, ...]
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Or:
    args: tuple[Node, ...]
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Not:
    arg: Node
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class All:
    """Everything in scope; the only way to say it."""

    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Cmp:
    of: Operand
    cmp: Comparison
    value: Value
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class In:
    of: Operand
    values: tuple[Value, ...]
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends belong to it unless `hi_open`; a missing end is no bound."""

    of: Operand
    lo: Value | None
    hi: Value | None
    hi_open: bool = False
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Time:
    of: Operand
    window: Window
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Text:
    of: Path
    match: Literal["contains", "starts_with", "ends_with"]
    value: Value
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Has:
    """Tags: `any_of` needs one of the values, `all_of` every one."""

    of: Path
    quantifier: Literal["any_of", "all_of"]
    values: tuple[Value, ...]
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Empty:
    of: Operand
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Quant:
    q: Literal["any", "none", "all"]
    rel: str
    where: Node | None = None
    window: Window | None = None
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)
    places: tuple[At, ...] = dataclasses.field(default=(), compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Segment:
    """Stands in a segment now, or with `event` moved into or out of it within `window`."""

    segmentation: str
    segment: str
    event: Literal["entered", "left"] | None = None
    window: Window | None = None
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)
    places: tuple[At, ...] = dataclasses.field(default=(), compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class InList:
    list: str
    at: At = dataclasses.field(default=NOWHERE, compare=False, repr=False, kw_only=True)
    places: tuple[At, ...] = dataclasses.field(default=(), compare=False, repr=False, kw_only=True)


def place(node: Aggregate | Rank | Quant | Segment | InList, n: int) -> At:
    """Where the n-th thing stands that a node names; the node itself where nobody said."""
    return node.places[n] if n < len(node.places) else node.at


Node = And | Or | Not | All | Cmp | In | Range | Time | Text | Has | Empty | Quant | Segment | InList
