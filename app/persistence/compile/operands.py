"""What a criteria compares: a column, a segment, an own attribute, a fold over related rows, a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from app.domain.catalogue import ENTITIES, Field, Kind
from app.domain.criteria.meant import ChangeOf, Column, CustomOf, FoldOf, Operand, SegmentOf
from app.persistence.compile import conditions, kept
from app.persistence.compile.rows import Rows, start, stored, ties, towards, within
from app.persistence.compile.scope import Scope


@dataclass(frozen=True, slots=True)
class Expression:
    """SQL of a value, the kind that compares with it, and whether it can be null."""

    sql: str
    kind: Kind
    nullable: bool = True


def operand(of: Operand, rows: Rows, scope: Scope) -> Expression:
    """The value of an operand for the row under `rows`."""
    match of:
        case Column(field, None):
            return Expression(rows.column(field, scope), field.kind, field.optional)
        case CustomOf(field, None):
            return Expression(attribute(field, rows), field.kind)
        case SegmentOf() | Column() | CustomOf():
            there = reach(of, rows, scope)
            inner = operand(there.of, there.rows, scope)
            return Expression(f"(SELECT {inner.sql} {stored(there.rows, scope, there.ties)})", inner.kind)
        case FoldOf():
            return fold(of, rows, scope)
        case ChangeOf():
            return change(of, rows, scope)
        case _:
            assert_never(of)


# -- what stands in another row ----------------------------------------------------------------------------------------

MEMBERS_SEGMENT = Field("segment", "enum")
EMPTY_RELATIONS = ENTITIES["users"].relations


@dataclass(frozen=True, slots=True)
class Reached:
    """Another row that holds the operand: at most one, none where the operand is empty."""

    rows: Rows
    ties: list[str]
    of: Column | CustomOf


def reach(of: Column | SegmentOf | CustomOf, rows: Rows, scope: Scope) -> Reached:
    """The row through which an operand is reached."""
    if isinstance(of, SegmentOf):
        alias = scope.alias()
        account = f"{rows.alias}.id" if of.through is None else rows.column(rows.entity.fields[of.through.by], scope)
        return Reached(
            Rows(MEMBERS, alias),
            [f"{alias}.segmentation_id = {scope.bind(of.segmentation)}::uuid", f"{alias}.account_id = {account}"],
            Column(MEMBERS.fields["segment"]),
        )
    if of.through is None:
        raise AssertionError("the row's own columns are not reached")
    target, tied = towards(of.through, rows, scope)
    return Reached(target, tied, Column(of.field) if isinstance(of, Column) else CustomOf(of.field))


# -- own attributes ----------------------------------------------------------------------------------------------------


def attribute(field: Field, rows: Rows) -> str:
    """An own attribute as a value of its type; an expression index over it has exactly this text."""
    member = f"({rows.alias}.custom ->> {literal(field.name)})"
    match field.kind:
        case "number":
            return f"{member}::float8"
        case "integer" | "money":
            return f"{member}::int8"
        case "bool":
            return f"{member}::bool"
        case "date":
            return f"{member}::date"
        case "instant":
            return f"{member}::timestamptz"
        case "tags":
            return f"({rows.alias}.custom -> {literal(field.name)})"
        case _:
            return f'{member} COLLATE "C"'


def literal(name: str) -> str:
    """A name of the catalogue as an SQL literal."""
    return "'" + name.replace("'", "''") + "'"
