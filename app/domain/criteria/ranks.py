"""Ranks: what each one means, and how a comparison with a number becomes bounds of the ranked value itself.

The population are the unarchived records of the workspace whose field is not empty, with `BY` those among them that
have the same value there; no value is a value of its own. `n` is how many they are, `below` how many have less than a
record, `above` how many have more: equal values share one rank.

rank_asc      1 + below                      rank_desc      1 + above: `<= 100` is the top hundred, ties at its end included
percent_rank  below / (n - 1), by 1 at least ntile4, 10     1 + floor(4 below / n), or 10: 4 or 10 at the top

A record without a value has no rank, nor has one of a group that had no records. Ranks are asked of a snapshot: where a
rank reaches a number, and where it passes it, is computed once and kept as a cut-off; what was written since, and what is
archived, is compared with those.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from app.domain.catalogue import Entity, Relation
from app.domain.criteria import fields, nodes
from app.domain.criteria.folds import NUMBERS
from app.domain.criteria.meant import All, And, Compare, CustomOf, Grouped, Meaning, Missing, Not, SegmentOf, Shown
from app.domain.criteria.meant import Column as FieldOf
from app.domain.criteria.nodes import At, Comparison, Ranking, place
from app.domain.criteria.suggest import invalid
from app.domain.workspaces import Workspace

RANKED = ("accounts", "contacts")
GROUPING = ("slug", "enum", "ref", "bool", "text")
WHOLE = ""
"""The key of records without a value to group by, and of all where there are no groups."""
TILES: dict[Ranking, int] = {"ntile4": 4, "ntile10": 10}
TOPS: dict[Ranking, int] = {**TILES, "percent_rank": 1}
"""The highest that there is: of a value above all that were ranked, too."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A field of an entity's own records, ranked; within groups where `by` says which."""

    entity: str
    of: FieldOf | CustomOf
    by: Shown | None
    fn: Ranking


@dataclass(frozen=True, slots=True)
class Threshold:
    """A rank and the number that it is compared with."""

    rank: Ranked
    at: Decimal


@dataclass(frozen=True, slots=True)
class Group:
    """Where a rank reaches its threshold and where it passes it, among the `n` records of a group.

    `key` is the value of `by` as text, empty for no value and where there are no groups. Values are those of the record
    that is the last to stay behind, in the field's own type; None where none or all of the records do.
    """

    key: str
    n: int
    reaches: int | float | None
    passes: int | float | None


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cut-offs of one threshold; no groups: there were no records."""

    groups: tuple[Group, ...]
    computed_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A place in the order by its population: `ceil(slope * m) + offset`, or `floor(slope * m) + 1 + offset` where it is
    `strict`; m is n, or with `less_one` n - 1 but at least 1."""

    slope: Decimal
    offset: int = 0
    strict: bool = False
    less_one: bool = False

    def place(self, n: int) -> int:
        """So many records stay behind."""
        m = max(n - 1, 1) if self.less_one else n
        share = Fraction(self.slope) * m
        return (math.floor(share) + 1 if self.strict else math.ceil(share)) + self.offset


def lines(fn: Ranking, at: Decimal) -> tuple[Line, Line]:
    """How many records have to stay behind a record for its rank to reach `at`, and to pass it. Behind are those below;
    for rank_desc those above."""
    if fn == "percent_rank":
        return Line(at, less_one=True), Line(at, strict=True, less_one=True)
    reach, passed = math.ceil(Fraction(at) - 1), math.floor(Fraction(at))
    if fn in TILES:
        return Line(Decimal(reach) / TILES[fn]), Line(Decimal(passed) / TILES[fn])
    return Line(Decimal(0), reach), Line(Decimal(0), passed)


def rises(fn: Ranking) -> bool:
    """Whether a greater value has the greater rank."""
    return fn != "rank_desc"


# -- reading -----------------------------------------------------------------------------------------------------------


def ranked(node: nodes.Rank, entity: Entity, workspace: Workspace) -> tuple[Ranked, Relation | None]:
    """What is ranked, and the relation that leads to it: an account's field is ranked among accounts. Raises Invalid."""
    of, typing = fields.resolve(node.field, entity, workspace, place(node, 0))
    by = fields.resolve(node.by, entity, workspace, place(node, 1))[0] if node.by is not None else None
    if isinstance(of, SegmentOf) or typing.kind not in NUMBERS:
        raise invalid(place(node, 0), f"{node.field} cannot be ranked: ranks are of numbers and money.")
    home = of.through.target if of.through else entity.name
    if home not in RANKED:
        raise invalid(node.at, "Ranks are of accounts and of contacts.")
    if by is not None and not (isinstance(by, SegmentOf) or by.field.kind in GROUPING):
        raise invalid(
            place(node, 1), f"{node.by} makes no groups: expected a name, a reference, or one of some values."
        )
    if by is not None and by.through != of.through:
        raise invalid(node.at, f"Expected {node.field} and {node.by} of the same record.")
    within = None if by is None else replace(by, through=None)
    return Ranked(home, replace(of, through=None), within, node.fn), of.through


def number(value: nodes.Scalar, fn: Ranking, at: At) -> Decimal:
    """The number that a rank is compared with, exactly as it was written. Raises Invalid."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise invalid(at, f"{fn} is compared with numbers.")
    return Decimal(value)


# -- meaning -----------------------------------------------------------------------------------------------------------

Ends = tuple[int | float | None, int | float | None]
"""The value beyond which a record lies, and the one up to which; None where there is no such bound."""


def bounded(rank: Ranked, through: Relation | None, lo: Threshold | None, hi: Threshold | None,
            cuts: Mapping[Threshold, Cuts], *, lo_open: bool = False, hi_open: bool = False) -> Meaning:  # fmt: skip
    """The rank lies from `lo` to `hi`, both ends included unless they are open."""
    least = {} if lo is None else _places(lo, cuts[lo], passed=lo_open)
    below = {} if hi is None else _places(hi, cuts[hi], passed=not hi_open)
    top = TOPS.get(rank.fn)
    if top is not None and lo is not None and (lo.at >= top if lo_open else lo.at > top):
        return Not(All())
    if top is not None and hi is not None and (hi.at > top if hi_open else hi.at >= top):
        below = {group.key: (group.n + 1, group.n, None) for group in cuts[hi].groups}
    found: dict[str, Ends] = {}
    # Both ends may be of different hours: what only one of them knows has no rank.
    for key in least.keys() & below.keys() if lo and hi else least or below:
        ends = _ends(least.get(key), below.get(key))
        if ends is not None:
            found[key] = ends
    of = replace(rank.of, through=through)
    if rank.by is not None:
        groups = tuple((key, *found[key]) for key in sorted(found))
        return Grouped(of, replace(rank.by, through=through), groups, rises(rank.fn))
    return _simple(of, found[WHOLE], rises(rank.fn)) if found else Not(All())


Place = tuple[int, int, int | float | None]
"""How many of how many records stay behind, and the value of the last of those."""


def _places(end: Threshold, cuts: Cuts, *, passed: bool) -> dict[str, Place]:
    line = lines(end.rank.fn, end.at)[passed]
    return {
        group.key: (line.place(group.n), group.n, group.passes if passed else group.reaches) for group in cuts.groups
    }


def _ends(least: Place | None, below: Place | None) -> Ends | None:
    """None where no record lies between them."""
    first = last = None
    if least is not None:
        place, n, value = least
        if place > n:
            return None
        first = value if place > 0 else None
    if below is not None:
        place, n, value = below
        if place <= 0:
            return None
        last = value if place <= n else None
    return first, last


def _simple(of: FieldOf | CustomOf, ends: Ends, rising: bool) -> Meaning:
    signs: tuple[Comparison, Comparison] = ("gt", "le") if rising else ("lt", "ge")
    parts = tuple(Compare(of, sign, end) for sign, end in zip(signs, ends, strict=True) if end is not None)
    if not parts:
        return Not(Missing(of))
    return parts[0] if len(parts) == 1 else And(parts)
