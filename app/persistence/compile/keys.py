"""The order of rows, and the condition for those that follow a row already seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from app.domain.catalogue import Kind
from app.domain.criteria.meant import Column, CustomOf, Shown
from app.domain.questions import Sort
from app.domain.selections import order_of
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import Rows, table_of, ties
from app.persistence.compile.scope import SQL_TYPES, Scope
from app.persistence.tables import metadata


def _indexes() -> Iterator[tuple[str, str]]:
    for table in metadata.tables.values():
        for index in table.indexes:
            names = [getattr(getattr(one, "element", one), "name", None) for one in index.expressions]
            whole = index.dialect_options["postgresql"]["where"] is None
            if whole and len(names) > 2 and (names[0], names[-1]) == ("workspace_id", "id"):
                yield table.name, str(names[1])


def _partial() -> Iterator[tuple[str, str]]:
    for table in metadata.tables.values():
        for index in table.indexes:
            where = str(index.dialect_options["postgresql"]["where"])
            yield from ((table.name, column.name) for column in table.columns if where == f"{column.name} > 0")


INDEXED = frozenset(_indexes())
"""Columns with an index of all rows (workspace_id, column, …, id)."""
ABOVE_ZERO = frozenset(_partial())
"""Columns with an index of the rows where they are above 0, which are few."""


@dataclass(frozen=True, slots=True)
class Key:
    """One thing sorted by. `indexed`: an index leads with it, empty values at its end. `among`: the values in their order
    and the column that has them, where an index leads with that. `above_zero`: an index holds what is above 0 alone."""

    sql: str
    type: str
    nullable: bool
    descending: bool
    indexed: bool = False
    among: tuple[str, str] | None = None
    above_zero: bool = False


def keys_of(sort: Sequence[Sort], rows: Rows, scope: Scope) -> list[Key]:
    """The sort's keys and what tells equal rows apart, in the direction of the last key."""
    keys = []
    for one in sort:
        keys.append(_key(one, rows, scope))
        if _is_id(one.of):
            return keys
    descending = bool(sort) and sort[-1].descending
    kinds: list[Kind] = ["id"] if rows.number is None else ["date", "id", "integer", "id"]
    for column, kind in zip(ties(rows), kinds, strict=True):
        keys.append(Key(column, SQL_TYPES[kind], False, descending))
    return keys


def _key(one: Sort, rows: Rows, scope: Scope) -> Key:
    value = shown(one.of, rows, scope)
    order = order_of(one.of, scope.workspace)
    if order is None:
        indexed, above_zero = _indexed(one.of, rows), _leads(one.of, rows, ABOVE_ZERO)
        return Key(value.sql, SQL_TYPES[value.kind], value.nullable, one.descending, indexed, above_zero=above_zero)
    values = scope.array(order, "text")
    among = (values, value.sql) if _indexed(one.of, rows) else None
    return Key(f"array_position({values}, {value.sql})", "int4", True, one.descending, among=among)


def _is_id(of: Shown) -> bool:
    return isinstance(of, Column) and of.through is None and of.field.kind == "id"


def _indexed(of: Shown, rows: Rows) -> bool:
    if isinstance(of, CustomOf):
        return of.through is None and of.field.indexed
    return _leads(of, rows, INDEXED)


def _leads(of: Shown, rows: Rows, columns: Collection[tuple[str, str]]) -> bool:
    """Whether it is a column of the rows' own table, one of these."""
    if not isinstance(of, Column) or of.through is not None or of.on is not None:
        return False
    return (table_of(rows.entity), of.field.column) in columns


def ordered(keys: Sequence[Key], *, nulls_known: bool = False) -> str:
    """ORDER BY's list, nulls last. `nulls_known`: the first key is null in all rows or in none, and its index may be
    read backwards, which has nulls first."""
    return ", ".join(_ordered(key, nulls_known and n == 0) for n, key in enumerate(keys))


def _ordered(key: Key, nulls_known: bool) -> str:
    if not key.descending:
        return key.sql
    return f"{key.sql} DESC NULLS LAST" if key.nullable and not nulls_known else f"{key.sql} DESC"


def following(keys: Sequence[Key], places: Sequence[str | None]) -> str:
    """True for the rows after the one whose values stand in `places`; None is an empty value.

    A row comparison where all directions agree and nothing can be null: that is a range of an index.
    """
    key, place = keys[0], places[0]
    sign = "<" if key.descending else ">"
    if len(keys) == 1:
        return f"{key.sql} {sign} {place}"
    if place is None:
        return f"({key.sql} IS NULL AND {following(keys[1:], places[1:])})"
    if all(not k.nullable and k.descending == key.descending for k in keys):
        return f"({', '.join(k.sql for k in keys)}) {sign} ({', '.join(str(p) for p in places)})"
    rest = following(keys[1:], places[1:])
    if key.nullable:
        return f"({key.sql} {sign} {place} OR {key.sql} IS NULL OR ({key.sql} = {place} AND {rest}))"
    return f"({key.sql} {sign}= {place} AND ({key.sql} {sign} {place} OR {rest}))"
