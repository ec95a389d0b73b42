"""What of each record is shown, as a select list whose names become the members of the JSON."""

from __future__ import annotations

from typing import assert_never

from app.domain.catalogue import CUSTOM
from app.domain.criteria.meant import Column, CustomOf, Shown
from app.domain.errors import Invalid
from app.domain.questions import Fixed, Group, Nest, Pick, Selection
from app.domain.workspaces import Workspace
from app.persistence.compile.conditions import condition_on
from app.persistence.compile.keys import keys_of, ordered
from app.persistence.compile.operands import literal, quoted, shown
from app.persistence.compile.rows import Rows, stored, towards
from app.persistence.compile.scope import Scope

LONGEST_NAME = 63
"""Bytes of a name that PostgreSQL keeps."""


def object_of(selection: Selection, rows: Rows, scope: Scope, alias: str) -> str:
    """`(SELECT …) alias`: one record of what is shown of the row under `rows`, to be joined laterally."""
    return f"({_select(selection, rows, scope)}) {alias}"


def _select(selection: Selection, rows: Rows, scope: Scope) -> str:
    """`SELECT … [FROM groups]`: groups are records over the same row, which the planner folds into it."""
    columns, groups = [], []
    for item in selection.items:
        if len(item.key.encode()) > LONGEST_NAME:
            raise Invalid(f"A name in an answer holds at most {LONGEST_NAME} bytes.")
        if isinstance(item, Group):
            alias = scope.alias()
            groups.append(object_of(item.selection, rows, scope, alias))
            columns.append(f"{alias} AS {quoted(item.key)}")
        else:
            columns.append(_column(item, rows, scope))
    source = f" FROM {', '.join(groups)}" if groups else ""
    return f"SELECT {', '.join(columns)}{source}"


def _column(item: Pick | Fixed | Nest, rows: Rows, scope: Scope) -> str:
    match item:
        case Fixed(key, value):
            return f"{scope.bind(value)}::text AS {quoted(key)}"
        case Pick(key, of):
            sql = displayed(of, rows, scope)
            return sql if sql == f"{rows.alias}.{key}" else f"{sql} AS {quoted(key)}"
        case Nest(key):
            return f"{_nested(item, rows, scope)} AS {quoted(key)}"
        case _:
            assert_never(item)


def displayed(of: Shown, rows: Rows, scope: Scope) -> str:
    """A value as it is answered: money in major units, own attributes as they are stored."""
    if isinstance(of, Column) and of.field == CUSTOM and of.through is None:
        return _own(rows, scope)
    if isinstance(of, CustomOf) and of.through is None and of.field.kind != "money":
        return f"({rows.alias}.custom -> {literal(of.field.key)})"
    value = shown(of, rows, scope)
    return f"{value.sql}{major(scope.workspace)}" if value.kind == "money" else value.sql


def _own(rows: Rows, scope: Scope) -> str:
    """All own attributes by slug, null where they are empty; null where the workspace has none."""
    attributes = scope.workspace.attributes
    own = [field for (entity, _), field in sorted(attributes.items()) if entity == rows.entity.name]
    if not own:
        return "NULL::json"
    alias = scope.alias()
    values = ", ".join(f"{displayed(CustomOf(field), rows, scope)} AS {quoted(field.name)}" for field in own)
    return f"(SELECT row_to_json({alias}) FROM (SELECT {values}) {alias})"


def major(workspace: Workspace) -> str:
    """The factor from minor units to major ones, exact."""
    return f" * 0.{'1'.zfill(workspace.minor_digits)}" if workspace.minor_digits else ""


def _nested(nest: Nest, rows: Rows, scope: Scope) -> str:
    there, conditions = towards(nest.relation, rows, scope)
    record, shape = scope.alias(), scope.alias()
    laterally = f" CROSS JOIN LATERAL {object_of(nest.selection, there, scope, shape)}"
    if nest.criteria is not None:
        conditions.append(condition_on(nest.criteria, there, scope))
    source = stored(there, scope, conditions, laterally)
    if not nest.relation.many:
        return f"(SELECT {shape} {source})"
    keys = keys_of(nest.sort, there, scope)
    limit = f" LIMIT {nest.limit:d}" if nest.limit is not None else ""
    listed = f"(SELECT {shape} AS r {source} ORDER BY {ordered(keys)}{limit}) {record}"
    return f"(SELECT coalesce(array_agg({record}.r), '{{}}') FROM {listed})"
