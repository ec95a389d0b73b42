"""What is meant, as a condition: each leaf written for its own sign, so that NOT never wraps what may be unknown.

A condition is true where the criteria holds, and false or null where it does not: in WHERE, WHEN and FILTER the same.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from app.domain.catalogue import ENTITIES, Entity
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
    Typed,
)  # fmt: skip
from app.domain.criteria.nodes import Comparison
from app.persistence.compile import kept
from app.persistence.compile.folds import change, fold, never_empty
from app.persistence.compile.operands import Expression, Reached, seen
from app.persistence.compile.rows import OF_FEATURE, Rows, start, stored, towards, within
from app.persistence.compile.scope import Scope

Leaf = Compare | OneOf | Between | Match | Tagged | Missing
CONTAINED = ("text", "enum", "number", "integer", "bool", "date")
"""Kinds of own attributes that are stored in one spelling alone."""
SIGNS: dict[Comparison, str] = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OPPOSITE: dict[Comparison, Comparison] = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}


def condition(meaning: Meaning, entity: Entity, alias: str, scope: Scope) -> str:
    """The condition that rows of `entity` under `alias` meet where the criteria holds."""
    return _condition(meaning, start(entity, alias), scope, negated=False)


def condition_on(meaning: Meaning, rows: Rows, scope: Scope) -> str:
    """The same for rows that are already named."""
    return _condition(meaning, rows, scope, negated=False)


def _condition(meaning: Meaning, rows: Rows, scope: Scope, *, negated: bool) -> str:
    match meaning:
        case And(args) | Or(args):
            parts = [_condition(arg, rows, scope, negated=negated) for arg in args]
            joint = " AND " if isinstance(meaning, And) != negated else " OR "
            return parts[0] if len(parts) == 1 else f"({joint.join(parts)})"
        case Not(arg):
            return _condition(arg, rows, scope, negated=not negated)
        case All():
            return "false" if negated else "true"
        case Related():
            return _related(meaning, rows, scope, negated)
        case Refers():
            return _refers(meaning, rows, scope, negated)
        case Moved():
            return _moved(meaning, rows, scope, negated)
        case Grouped():
            return _grouped(meaning, rows, scope, negated)
        case Compare() | OneOf() | Between() | Match() | Tagged() | Missing():
            return _leaf(meaning, rows, scope, negated)
        case _:
            assert_never(meaning)


# -- leaves ------------------------------------------------------------------------------------------------------------


def _leaf(leaf: Leaf, rows: Rows, scope: Scope, negated: bool) -> str:
    if rows.number is not None and kept.is_of_feature(leaf.of) and _constant(leaf):
        return _of_feature(leaf, rows, scope, negated)
    if isinstance(leaf, Missing) and isinstance(leaf.of, FoldOf | ChangeOf) and never_empty(leaf.of):
        return "true" if negated else "false"
    of = _seen(leaf.of, rows, scope)
    if isinstance(of, Expression):
        return _written(leaf, of, rows, scope, negated)
    if not _constant(leaf):
        return _written(leaf, of.subquery(), rows, scope, negated)
    # Where there is no such row the operand is empty; a leaf that holds for empty ones asks for no row to the contrary.
    contrary = _holds_empty(leaf) != negated
    inner = _written(leaf, of.value, rows, scope, negated != contrary)
    return f"{'NOT ' if contrary else ''}EXISTS (SELECT {of.source} AND {inner})"


def _constant(leaf: Leaf) -> bool:
    return not (isinstance(leaf, Compare) and isinstance(leaf.value, Operand))


def _holds_empty(leaf: Leaf) -> bool:
    return isinstance(leaf, Missing) or (isinstance(leaf, Compare) and leaf.cmp == "ne")


def _seen(of: Operand, rows: Rows, scope: Scope) -> Expression | Reached:
    match of:
        case FoldOf():
            return fold(of, rows, scope, condition_on)
        case ChangeOf():
            return change(of, rows, scope, condition_on)
        case Column() | SegmentOf() | CustomOf():
            return seen(of, rows, scope)
        case _:
            assert_never(of)


def value(of: Operand, rows: Rows, scope: Scope) -> Expression:
    """A field or a fold as a value of the row under `rows`."""
    found = _seen(of, rows, scope)
    return found.subquery() if isinstance(found, Reached) else found


def _of_feature(leaf: Leaf, rows: Rows, scope: Scope, negated: bool) -> str:
    """Features are few: those that pass are found once, by number, instead of for each row of usage."""
    assert isinstance(leaf.of, Column)
    alias = scope.alias()
    field = leaf.of.field
    column = Expression(f"{alias}.{OF_FEATURE[field.name]}", field.kind, field.optional)
    passing = scope.rows("features", alias, [_written(leaf, column, rows, scope, negated)])
    return f"{rows.number} = ANY (ARRAY(SELECT {alias}.no {passing}))"


def _written(leaf: Leaf, of: Expression, rows: Rows, scope: Scope, negated: bool) -> str:
    """The leaf on an SQL value; null counts as empty."""
    match leaf:
        case Missing():
            return _missing(of, negated)
        case Compare(_, cmp, other):
            if isinstance(other, Operand):
                return _compared(cmp, of, value(other, rows, scope), negated)
            if cmp == "eq" and not negated and isinstance(leaf.of, CustomOf) and _is_contained(leaf.of):
                return _contains(leaf.of, other, of, rows, scope)
            return _against(cmp, of, scope.typed(other, of.kind), negated)
        case OneOf(_, values):
            if negated and not of.nullable:
                return f"{of.sql} <> ALL ({scope.array(values, of.kind)})"
            return _sign(f"{of.sql} = ANY ({scope.array(values, of.kind)})", negated)
        case Between():
            return _between(leaf, of, scope, negated)
        case Match():
            return _matched(leaf, of, scope, negated)
        case Tagged():
            return _tagged(leaf, of, scope, negated)
        case _:
            assert_never(leaf)


def _sign(positive: str, negated: bool) -> str:
    return f"({positive}) IS NOT TRUE" if negated else positive


def _missing(of: Expression, negated: bool) -> str:
    if of.kind == "tags":
        size = "jsonb_array_length" if of.nullable else "cardinality"
        return f"coalesce({size}({of.sql}), 0) {'>' if negated else '='} 0"
    if not of.nullable:
        return "true" if negated else "false"
    return f"{of.sql} IS {'NOT ' if negated else ''}NULL"


def _against(cmp: Comparison, of: Expression, value: str, negated: bool) -> str:
    """Compared with a bound value, which is never null."""
    plain = OPPOSITE[cmp] if negated else cmp
    if not of.nullable or (plain == "eq"):
        return f"{of.sql} {SIGNS[plain]} {value}"
    if plain == "ne":
        return f"{of.sql} IS DISTINCT FROM {value}"
    return _sign(f"{of.sql} {SIGNS[cmp]} {value}", negated)


def _compared(cmp: Comparison, of: Expression, other: Expression, negated: bool) -> str:
    """Compared with another operand: two empty ones are not equal either."""
    if not (of.nullable or other.nullable):
        return f"{of.sql} {SIGNS[OPPOSITE[cmp] if negated else cmp]} {other.sql}"
    if cmp == "ne":
        cmp, negated = "eq", not negated
    return _sign(f"{of.sql} {SIGNS[cmp]} {other.sql}", negated)


def _between(leaf: Between, of: Expression, scope: Scope, negated: bool) -> str:
    bounds = []
    if leaf.lo is not None:
        bounds.append(f"{of.sql} >= {scope.typed(leaf.lo, of.kind)}")
    if leaf.hi is not None:
        bounds.append(f"{of.sql} {'<' if leaf.hi_open else '<='} {scope.typed(leaf.hi, of.kind)}")
    if not bounds:
        return _missing(of, not negated)
    return _sign(" AND ".join(bounds), True) if negated else f"({' AND '.join(bounds)})"


def _matched(leaf: Match, of: Expression, scope: Scope, negated: bool) -> str:
    """Folded by the database on both sides; the column's own collation knows no case beyond ASCII."""
    text, value = f'lower({of.sql} COLLATE "default")', f'lower({scope.bind(leaf.value)}::text COLLATE "default")'
    match leaf.match:
        case "contains":
            return _sign(f"strpos({text}, {value}) > 0", negated)
        case "starts_with":
            return _sign(f"starts_with({text}, {value})", negated)
        case "ends_with":
            return _sign(f"right({text}, length({value})) = {value}", negated)
        case _:
            assert_never(leaf.match)


def _tagged(leaf: Tagged, of: Expression, scope: Scope, negated: bool) -> str:
    own = isinstance(leaf.of, CustomOf)
    sign = ("?&" if leaf.every else "?|") if own else ("@>" if leaf.every else "&&")
    return _sign(f"{of.sql} {sign} {scope.array(leaf.values, 'text')}", negated)


def _is_contained(own: CustomOf) -> bool:
    return own.field.kind in CONTAINED and not own.field.indexed


def _contains(own: CustomOf, value: Typed, of: Expression, rows: Rows, scope: Scope) -> str:
    """An own attribute that equals a value is what the index over all of them finds."""
    if own.through is not None:
        return _against("eq", of, scope.typed(value, of.kind), negated=False)
    return f"{rows.alias}.custom @> {scope.bind(msgspec.json.encode({own.field.key: value}))}::jsonb"


# -- history and ranks -------------------------------------------------------------------------------------------------


def _moved(meaning: Moved, rows: Rows, scope: Scope, negated: bool) -> str:
    alias = scope.alias()
    end = f"{alias}.{'from_at' if meaning.event == 'entered' else 'to_at'}"
    tied = [
        f"{alias}.segmentation_id = {scope.bind(meaning.segmentation)}::uuid", f"{alias}.account_id = {rows.alias}.id",
        f"{alias}.segment = {scope.typed(meaning.segment, 'enum')}",
    ]  # fmt: skip
    if meaning.bounds.lo is not None:
        tied.append(f"{end} >= {scope.typed(meaning.bounds.lo, 'instant')}")
    if meaning.bounds.hi is not None:
        tied.append(f"{end} < {scope.typed(meaning.bounds.hi, 'instant')}")
    return f"{'NOT ' if negated else ''}EXISTS (SELECT {scope.rows('stays', alias, tied)})"


def _grouped(meaning: Grouped, rows: Rows, scope: Scope, negated: bool) -> str:
    """Bounds are looked up by group as a table is: hashed once for the whole statement."""
    alias, of, by = scope.alias(), value(meaning.of, rows, scope), value(meaning.by, rows, scope)
    keys = scope.bind([key for key, _, _ in meaning.groups])
    lows, highs = (scope.optional([group[n] for group in meaning.groups], of.kind) for n in (1, 2))
    ahead, behind = (">", "<=") if meaning.rising else ("<", ">=")
    held = (
        f"{of.sql} IS NOT NULL AND {alias}.key = coalesce({by.sql}::text, '') "
        f"AND ({alias}.lo IS NULL OR {of.sql} {ahead} {alias}.lo) AND ({alias}.hi IS NULL OR {of.sql} {behind} {alias}.hi)"
    )
    table = f"unnest({keys}::text[], {lows}, {highs}) {alias}(key, lo, hi)"
    return f"{'NOT ' if negated else ''}EXISTS (SELECT FROM {table} WHERE {held})"


# -- related rows ------------------------------------------------------------------------------------------------------


def _related(meaning: Related, rows: Rows, scope: Scope, negated: bool) -> str:
    if kept.last_interaction(meaning, rows):
        return _interacted(meaning, rows, scope, negated)
    match meaning.q:
        case "any":
            return _exists(meaning.where, meaning, rows, scope, wanted=not negated)
        case "none":
            return _exists(meaning.where, meaning, rows, scope, wanted=negated)
        case "all":
            some = _exists(None, meaning, rows, scope, wanted=not negated)
            if meaning.where is None:
                return some
            against = _exists(Not(meaning.where), meaning, rows, scope, wanted=negated)
            return f"({some} {'OR' if negated else 'AND'} {against})"
        case _:
            assert_never(meaning.q)


def _exists(where: Meaning | None, meaning: Related, rows: Rows, scope: Scope, *, wanted: bool) -> str:
    there, conditions = towards(meaning.relation, rows, scope)
    conditions += within(there, meaning.bounds, scope)
    if where is not None:
        conditions.append(condition_on(where, there, scope))
    return f"{'' if wanted else 'NOT '}EXISTS (SELECT {stored(there, scope, conditions)})"


def _interacted(meaning: Related, rows: Rows, scope: Scope, negated: bool) -> str:
    """By the latest interaction: within the window it decides, before it too, and after it the rows are asked."""
    bounds = meaning.bounds or Bounds(None, None)
    last = f"{rows.alias}.last_interaction_at"
    lo = scope.typed(bounds.lo, "instant") if bounds.lo is not None else None
    hi = scope.typed(bounds.hi, "instant") if bounds.hi is not None else None
    wanted = (meaning.q == "none") == negated
    if hi is None:
        inside = f"{last} >= {lo}" if lo else f"{last} IS NOT NULL"
        outside = f"({last} < {lo} OR {last} IS NULL)" if lo else f"{last} IS NULL"
        return inside if wanted else outside
    rest = _exists(None, meaning, rows, scope, wanted=wanted)
    if wanted:
        return f"({last} >= {lo} AND ({last} < {hi} OR {rest}))" if lo else f"({last} < {hi} OR {rest})"
    before = f"{last} < {lo} OR " if lo else ""
    return f"({before}{last} IS NULL OR ({last} >= {hi} AND {rest}))"


def _refers(meaning: Refers, rows: Rows, scope: Scope, negated: bool) -> str:
    """By id, or by a name that is looked up once for the whole statement."""
    of = seen(meaning.of, rows, scope)
    if isinstance(of, Reached):
        inner = _referred(meaning, of.value, scope, negated=False)
        return f"{'NOT ' if negated else ''}EXISTS (SELECT {of.source} AND {inner})"
    return _referred(meaning, of, scope, negated)


def _referred(meaning: Refers, of: Expression, scope: Scope, negated: bool) -> str:
    array = f"{scope.bind(list(meaning.ids))}::uuid[]"
    if meaning.names:
        target = ENTITIES[str(meaning.of.field.target)]
        alias, names = scope.alias(), f"{scope.bind(list(meaning.names))}::text[]"
        known = [f"{alias}.{field} = ANY ({names})" for field in ("external_id", "email") if field in target.fields]
        found = scope.rows(target.name, alias, [f"({' OR '.join(known)})"])
        array = f"{array} || ARRAY(SELECT {alias}.id {found})"
    if negated and not of.nullable:
        return f"{of.sql} <> ALL ({array})"
    return _sign(f"{of.sql} = ANY ({array})", negated)
