"""The reference: what a checked criteria means for one record. SQL must agree with it.

A record maps the names of fields to typed values or None; to-one relations to a record or None; to-many relations to
lists of records; `segment` and `custom` to values by slug. Tags are tuples of text; no tags are empty. Of an account's
history `memberships` are (segmentation's slug, segment, from, to or None), `stage_moves` (when, stage or None) in order.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from app.domain.catalogue import ENTITIES, Relation
from app.domain.criteria.meant import (
    All,
    And,
    Between,
    Bounds,
    ChangeOf,
    Column,
    Compare,
    CustomOf,
    FoldOf,
    Grouped,
    Match,
    Meaning,
    Missing,
    Moved,
    Not,
    OneOf,
    Operand,
    Or,
    Refers,
    Related,
    SegmentOf,
    Tagged,
)
from app.domain.criteria.nodes import Comparison

Record = Mapping[str, Any]

_HOLDS: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip


def holds(meaning: Meaning, record: Record) -> bool:  # noqa: C901 - one arm for each node
    """Whether the record is meant: true or false, never unknown."""
    match meaning:
        case All():
            return True
        case And(args):
            return all(holds(a, record) for a in args)
        case Or(args):
            return any(holds(a, record) for a in args)
        case Not(arg):
            return not holds(arg, record)
        case Compare():
            return _compares(meaning, record)
        case OneOf(of, values):
            return value(of, record) in values
        case Between():
            return _lies(meaning, record)
        case Match():
            return _matches(meaning, record)
        case Tagged(of, every, wanted):
            tags = value(of, record) or ()
            return all(w in tags for w in wanted) if every else any(w in tags for w in wanted)
        case Missing(of):
            return value(of, record) is None
        case Related():
            return _related(meaning, record)
        case Refers():
            return _refers(meaning, record)
        case Moved():
            return _moved(meaning, record)
        case Grouped():
            return _grouped(meaning, record)
        case _:
            assert_never(meaning)


def value(of: Operand, record: Record) -> Any:
    """What the operand is for the record; None is empty."""
    match of:
        case FoldOf():
            return _fold(of, record)
        case ChangeOf():
            return _change(of, record)
    home = record[of.through.name] if of.through else record
    if home is None:
        return None
    match of:
        case SegmentOf(_, slug, _, on) if on is not None:
            stays = (s for of, s, lo, hi in home["memberships"] if of == slug and _inside(on, Bounds(lo, hi)))
            return next(stays, None)
        case SegmentOf(_, slug):
            return home["segment"].get(slug)
        case Column(_, _, on) if on is not None:
            before = [stage for when, stage in home["stage_moves"] if when <= on]
            return before[-1] if before else None
        case CustomOf(field):
            found = home["custom"].get(field.name)
        case Column(field):
            found = home[field.name]
            if field.kind == "ref":
                return None if found is None else found["id"]
        case _:
            assert_never(of)
    return None if field.kind == "tags" and not found else found


def fold(text: str) -> str:
    """Lower case, each character by itself, as text matching compares."""
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


# -- predicates --------------------------------------------------------------------------------------------------------


def _compares(meaning: Compare, record: Record) -> bool:
    left, right = value(meaning.of, record), meaning.value
    if isinstance(right, Operand):
        right = value(right, record)
    if left is None or right is None:
        return meaning.cmp == "ne"
    return _HOLDS[meaning.cmp](left, right)


def _lies(meaning: Between, record: Record) -> bool:
    found = value(meaning.of, record)
    if found is None or (meaning.lo is not None and found < meaning.lo):
        return False
    if meaning.hi is None:
        return True
    return bool(found < meaning.hi if meaning.hi_open else found <= meaning.hi)


def _matches(meaning: Match, record: Record) -> bool:
    found = value(meaning.of, record)
    if found is None:
        return False
    text, part = fold(found), fold(meaning.value)
    match meaning.match:
        case "contains":
            return part in text
        case "starts_with":
            return text.startswith(part)
        case "ends_with":
            return text.endswith(part)
        case _:
            assert_never(meaning.match)


def _related(meaning: Related, record: Record) -> bool:
    rows = _rows(meaning.relation, None, meaning.bounds, record)
    passing = _rows(meaning.relation, meaning.where, meaning.bounds, record)
    match meaning.q:
        case "any":
            return len(passing) > 0
        case "none":
            return len(passing) == 0
        case "all":
            return len(rows) > 0 and len(passing) == len(rows)
        case _:
            assert_never(meaning.q)


def _refers(meaning: Refers, record: Record) -> bool:
    home = record[meaning.of.through.name] if meaning.of.through else record
    other = home and home[meaning.of.field.name]
    if other is None:
        return False
    return (
        other["id"] in meaning.ids or other.get("external_id") in meaning.names or other.get("email") in meaning.names
    )


def _moved(meaning: Moved, record: Record) -> bool:
    end = 2 if meaning.event == "entered" else 3
    stays = (stay for stay in record["memberships"] if stay[:2] == (meaning.slug, meaning.segment))
    return any(_inside(stay[end], meaning.bounds) for stay in stays)


def _grouped(meaning: Grouped, record: Record) -> bool:
    found, key = value(meaning.of, record), spelled(value(meaning.by, record))
    if found is None:
        return False
    ahead, behind = (operator.gt, operator.le) if meaning.rising else (operator.lt, operator.ge)
    return any(
        group == key and (lo is None or ahead(found, lo)) and (hi is None or behind(found, hi))
        for group, lo, hi in meaning.groups
    )


def spelled(key: Any) -> str:
    """The value that a group is known by, as text; empty for no value."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return "" if key is None else str(key)


# -- related rows ------------------------------------------------------------------------------------------------------


def _rows(relation: Relation, where: Meaning | None, bounds: Bounds | None, record: Record) -> Sequence[Record]:
    rows: Sequence[Record] = record[relation.name]
    if bounds:
        time = str(ENTITIES[relation.target].time_field)
        rows = [r for r in rows if _inside(r[time], bounds)]
    return [r for r in rows if where is None or holds(where, r)]


def _inside(when: Any, bounds: Bounds) -> bool:
    return when is not None and (bounds.lo is None or when >= bounds.lo) and (bounds.hi is None or when < bounds.hi)


def _fold(of: FoldOf, record: Record) -> Any:
    rows = _rows(of.relation, of.where, of.bounds, record)
    if of.field is None:
        return len(rows)
    column = Column(of.field)
    if of.fn == "last_value":
        return value(column, max(rows, key=lambda r: _order(of.relation, r))) if rows else None
    values = [v for v in (value(column, r) for r in rows) if v is not None]
    match of.fn:
        case "count":
            return len(values)
        case "count_distinct":
            return len(set(values))
        case "sum":
            return sum(values)
        case "avg":
            return float(sum(values)) / len(values) if values else None
        case "min":
            return min(values, default=None)
        case "max":
            return max(values, default=None)
        case _:
            assert_never(of.fn)


def _order(relation: Relation, row: Record) -> tuple[Any, ...]:
    """The latest row is the greatest by time, then by id; usage, which has none, by feature and then contact."""
    entity = ENTITIES[relation.target]
    when = row[str(entity.time_field)]
    if entity.key == "none":
        contact = row["contact"]
        return (when, row["feature"], contact is not None, contact and contact["id"])
    return (when, row["id"])


def _change(of: ChangeOf, record: Record) -> Any:
    now, was = value(of.now, record), value(of.was, record)
    if now is None or was is None:
        return None
    if not of.relative:
        return now - was
    return None if was == 0 else (float(now) - float(was)) / abs(float(was))
