"""What a statement may not do where its tables are spread over a cluster's nodes: clocks, chance, unbounded claims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pglast.ast
from pglast.enums import LockWaitPolicy, SubLinkType

ast: Any = pglast.ast
"""Any: what its types say may be None is there in whatever PostgreSQL could parse."""
WRITES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt)

CLOCKS = {"clock_timestamp", "now", "statement_timestamp", "timeofday", "transaction_timestamp"}
VOLATILE = {
    "currval", "gen_random_uuid", "lastval", "nextval", "random", "random_normal", "setval", "uuidv4", "uuidv7",
}  # fmt: skip
STABLE = {
    "array_to_json", "array_to_string", "concat", "concat_ws", "format", "json_agg", "json_build_array",
    "json_build_object", "json_object_agg", "json_populate_record", "json_populate_recordset", "jsonb_agg",
    "jsonb_build_array", "jsonb_build_object", "jsonb_populate_record", "jsonb_populate_recordset",
    "row_to_json", "to_char", "to_date", "to_json", "to_jsonb", "to_regclass",
}  # fmt: skip
"""Functions of which PostgreSQL has no immutable form; those that have one beside others need an eye."""


def unfit(statement: Any) -> Iterator[str]:
    """What a cluster cannot run, or runs otherwise on each node."""
    nodes = list(descend(statement))
    writes = any(isinstance(node, WRITES) for node in nodes)
    for node in nodes:
        match node:
            case ast.SQLValueFunction():
                yield "the time or the user is read from the server"
            case ast.FuncCall(funcname=(*_, ast.String(sval=name))):
                if name in CLOCKS:
                    yield f"{name}() reads the server's clock"
                elif writes and name in VOLATILE:
                    yield f"{name}() in a write is volatile"
                elif writes and name in STABLE and any(isinstance(inner, ast.ColumnRef) for inner in descend(node)):
                    yield f"{name}() over a column in a write is only stable"
            case ast.SubLink(subLinkType=SubLinkType.ANY_SUBLINK, subselect=select) if _skips(select):
                yield "IN (… SKIP LOCKED) takes more rows than its LIMIT"


def _skips(select: Any) -> bool:
    return any(
        isinstance(n, ast.LockingClause) and n.waitPolicy == LockWaitPolicy.LockWaitSkip for n in descend(select)
    )


def descend(node: Any) -> Iterator[Any]:
    """A node and everything below it."""
    yield node
    for child in children(node):
        yield from descend(child)


def children(node: Any) -> Iterator[Any]:
    """The nodes right below one."""
    for name in type(node).__slots__:
        value = getattr(node, name)
        for one in value if isinstance(value, tuple) else (value,):
            # Rows of VALUES are tuples within a tuple.
            for each in one if isinstance(one, tuple) else (one,):
                if isinstance(each, ast.Node):
                    yield each
