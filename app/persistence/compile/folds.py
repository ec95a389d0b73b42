"""Folds over related rows, and changes between two of them."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.catalogue import ENTITIES, Kind
from app.domain.criteria.meant import ChangeOf, FoldOf, Meaning
from app.persistence.compile import kept
from app.persistence.compile.operands import Expression
from app.persistence.compile.rows import Rows, stored, table_of, towards, within
from app.persistence.compile.scope import Scope

Test = Callable[[Meaning, Rows, Scope], str]
"""How a condition on the rows of a fold is written."""


def never_empty(of: FoldOf | ChangeOf) -> bool:
    """Whether there is a value even over no rows."""
    if isinstance(of, ChangeOf):
        return not of.relative and never_empty(of.now) and never_empty(of.was)
    return of.fn in ("count", "count_distinct", "sum")


def fold(of: FoldOf, rows: Rows, scope: Scope, test: Test) -> Expression:
    """One value from the related rows within bounds that meet the condition."""
    window = kept.usage_window(of, rows, scope)
    if window is not None:
        return _kept(window, of, rows, scope, test)
    there, conditions = towards(of.relation, rows, scope)
    conditions += within(there, of.bounds, scope)
    if there.number and of.fn == "count" and of.where is None and of.relation.by == "account":
        return _packed(there, conditions, scope)
    if of.where is not None:
        conditions.append(test(of.where, there, scope))
    if of.fn == "last_value":
        return _last(of, there, conditions, scope)
    sql, kind, nullable = _folded(of, there, scope)
    return Expression(f"(SELECT {sql} {stored(there, scope, conditions)})", kind, nullable)


def _kept(window: str, of: FoldOf, rows: Rows, scope: Scope, test: Test) -> Expression:
    alias = scope.alias()
    conditions = [f"{alias}.account_id = {rows.alias}.id"]
    if of.where is not None:
        conditions.append(test(of.where, Rows(ENTITIES["usage"], alias, f"{alias}.feature"), scope))
    sums = f"(SELECT coalesce(sum({alias}.{window}), 0) {scope.rows('usage_windows', alias, conditions)})"
    return Expression(sums, "number", nullable=False)


def _packed(there: Rows, conditions: list[str], scope: Scope) -> Expression:
    """How many rows of usage there are: each day knows its own, unpacked or not."""
    days = scope.rows(table_of(there.entity), there.alias, conditions)
    return Expression(
        f"(SELECT coalesce(sum(cardinality({there.alias}.amounts)), 0) {days})", "integer", nullable=False
    )


def _folded(of: FoldOf, there: Rows, scope: Scope) -> tuple[str, Kind, bool]:
    """The aggregate, the kind that compares with it, and whether it is null over no rows."""
    if of.field is None:
        return "count(*)", "integer", False
    if of.fn == "count_distinct" and there.number and of.field.name == "feature":
        return f"count(DISTINCT {there.number})", "integer", False
    column = there.column(of.field, scope)
    match of.fn:
        case "count" | "count_distinct":
            return f"count({'DISTINCT ' if of.fn == 'count_distinct' else ''}{column})", "integer", False
        case "sum":
            return f"coalesce(sum({column}), 0)", of.field.kind, False
        case "avg":
            return f"sum({column})::float8 / nullif(count({column}), 0)", "number", True
        case _:
            return f"{of.fn}({column})", of.field.kind, True


def _last(of: FoldOf, there: Rows, conditions: list[str], scope: Scope) -> Expression:
    """The value of the latest row, empty where that row's is."""
    assert of.field is not None, "last_value is of a field"
    fields = there.entity.fields
    names = [str(there.entity.time_field), *(("feature", "contact") if there.number else ("id",))]
    last = "DESC NULLS LAST" if there.number else "DESC"
    latest = ", ".join(f"{there.column(fields[name], scope)} {last}" for name in names)
    value = there.column(of.field, scope)
    return Expression(f"(SELECT {value} {stored(there, scope, conditions)} ORDER BY {latest} LIMIT 1)", of.field.kind)


def change(of: ChangeOf, rows: Rows, scope: Scope, test: Test) -> Expression:
    """The difference of two folds, or its share of the earlier one."""
    now, was = fold(of.now, rows, scope, test), fold(of.was, rows, scope, test)
    if not of.relative:
        return Expression(f"({now.sql} - {was.sql})", now.kind, now.nullable or was.nullable)
    alias = scope.alias()
    # OFFSET 0 keeps the planner from writing the earlier fold out twice.
    both = f"SELECT {now.sql}::float8 AS now, {was.sql}::float8 AS was OFFSET 0"
    return Expression(
        f"(SELECT ({alias}.now - {alias}.was) / nullif(abs({alias}.was), 0) FROM ({both}) {alias})", "number"
    )
