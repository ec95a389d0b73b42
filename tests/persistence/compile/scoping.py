"""A lint over generated SQL: every table reference is held to the workspace, in the statement that names it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pglast import ast, parse_sql


def unscoped(sql: str) -> list[str]:
    """The tables that some part of a statement reads without `alias.workspace_id = $1` among its conditions."""
    return list(_faults(parse_sql(sql)[0].stmt))


def _faults(node: Any) -> Iterator[str]:
    if isinstance(node, tuple):
        for one in node:
            yield from _faults(one)
    elif isinstance(node, ast.Node):
        if isinstance(node, ast.SelectStmt):
            held = set(_held(node.whereClause))
            for table, alias in _tables(node.fromClause or ()):
                column = "id" if table == "workspaces" else "workspace_id"
                if (alias, column) not in held:
                    yield f"{table} {alias}"
        for name in node:
            yield from _faults(getattr(node, name))


def _tables(source: Any) -> Iterator[tuple[str, str]]:
    """The tables of one FROM, not of the subqueries in it."""
    for one in source:
        match one:
            case ast.RangeVar():
                yield str(one.relname), str(one.alias.aliasname if one.alias else one.relname)
            case ast.JoinExpr():
                yield from _tables((one.larg, one.rarg))


def _held(where: Any) -> Iterator[tuple[str, str]]:
    """`alias.column` that must equal `$1` for the condition to be true."""
    match where:
        case ast.BoolExpr() if where.boolop == 0:
            for arg in where.args or ():
                yield from _held(arg)
        case ast.A_Expr(lexpr=ast.ColumnRef(fields=(alias, column)), rexpr=ast.ParamRef(number=1)):
            if where.name and where.name[0].sval == "=":
                yield alias.sval, column.sval
