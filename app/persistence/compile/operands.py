"""What a record shows, compares and is sorted by: a column, a segment, an own attribute, here or one reference away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from app.domain.catalogue import Field, Kind, Relation
from app.domain.criteria.meant import Column, CustomOf, SegmentOf, Shown
from app.persistence.compile.rows import Rows, stored, towards
from app.persistence.compile.scope import Scope


@dataclass(frozen=True, slots=True)
class Expression:
    """SQL of a value, the kind that compares with it, and whether it can be null."""

    sql: str
    kind: Kind
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Reached:
    """A value that stands in another row: `source` is `FROM … WHERE …` of that row, which there may not be."""

    source: str
    value: Expression

    def subquery(self) -> Expression:
        """The value where a value is needed; null without the row."""
        return Expression(f"(SELECT {self.value.sql} {self.source})", self.value.kind)


def shown(of: Shown, rows: Rows, scope: Scope) -> Expression:
    """The value in the row under `rows`; one that stands elsewhere as a subquery."""
    found = seen(of, rows, scope)
    return found.subquery() if isinstance(found, Reached) else found


def seen(of: Shown, rows: Rows, scope: Scope) -> Expression | Reached:
    """The value, or where it stands if that is another row."""
    match of:
        case Column(_, through, on) if on is not None:
            return _stage_on(on, through, rows, scope)
        case Column(field, None):
            return Expression(rows.column(field, scope), field.kind, field.optional)
        case CustomOf(field, None):
            return Expression(attribute(field, rows.alias), field.kind)
        case SegmentOf(segmentation, _, through, on):
            alias, account = scope.alias(), _account(through, rows, scope)
            tied = [f"{alias}.segmentation_id = {scope.bind(segmentation)}::uuid", f"{alias}.account_id = {account}"]
            if on is not None:
                moment = scope.typed(on, "instant")
                tied += [f"{alias}.from_at <= {moment}", f"({alias}.to_at > {moment} OR {alias}.to_at IS NULL)"]
                # Always true. Of two tables as one nobody knows how many accounts they have, and 200 are supposed: where this
                # ties both sides, they are not gathered first and then looked up one by one.
                tied.append(f"coalesce({alias}.account_id, {account}) IS NOT NULL")
            source = scope.rows("members" if on is None else "stays", alias, tied)
            return Reached(source, Expression(f"{alias}.segment", "enum", nullable=False))
        case Column(field, through) | CustomOf(field, through):
            assert through is not None, "a column of the row itself was matched above"
            there, tied = towards(through, rows, scope)
            value = shown(Column(field) if isinstance(of, Column) else CustomOf(field), there, scope)
            return Reached(stored(there, scope, tied), value)
        case _:
            assert_never(of)


def _account(through: Relation | None, rows: Rows, scope: Scope) -> str:
    return rows.column(rows.entity.fields[through.by], scope) if through else f"{rows.alias}.id"


def _stage_on(on: datetime, through: Relation | None, rows: Rows, scope: Scope) -> Expression:
    """The stage of the last move before the moment's end; a move into no stage left it empty."""
    alias = scope.alias()
    tied = [
        f"{alias}.account_id = {_account(through, rows, scope)}",
        f"{alias}.moved_at <= {scope.typed(on, 'instant')}",
    ]
    latest = f"ORDER BY {alias}.moved_at DESC, {alias}.id DESC LIMIT 1"
    return Expression(f"(SELECT {alias}.stage {scope.rows('stage_moves', alias, tied)} {latest})", "slug")


def attribute(field: Field, alias: str) -> str:
    """An own attribute as a value of its type, immutable; an index over it has exactly this text."""
    member = f"({alias}.custom ->> {literal(field.key)})"
    match field.kind:
        case "number":
            return f"{member}::float8"
        case "integer" | "money":
            return f"{member}::int8"
        case "bool":
            return f"{member}::bool"
        case "date":
            return f"make_date({_whole(member, 1, 4)}, {_whole(member, 6, 2)}, {_whole(member, 9, 2)})"
        case "instant":
            parts = ", ".join(_whole(member, *place) for place in ((1, 4), (6, 2), (9, 2), (12, 2), (15, 2)))
            return f"timezone('UTC', make_timestamp({parts}, rtrim(substr({member}, 18), 'Z')::float8))"
        case "tags":
            return f"nullif({alias}.custom -> {literal(field.key)}, 'null'::jsonb)"
        case _:
            return f'({member} COLLATE "C")'


def _whole(text: str, start: int, length: int) -> str:
    """Digits of a date or an instant: casts of whole dates depend on a setting, and so no index can hold them."""
    return f"substr({text}, {start:d}, {length:d})::int4"


def literal(name: str) -> str:
    """A name of the catalogue as an SQL literal."""
    return "'" + name.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
