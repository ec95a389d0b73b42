"""A record as the reference reads it, built as JSON by the statement and read back into typed values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from app.domain.catalogue import Kind
from app.domain.criteria.meant import Bounds, CustomOf, SegmentOf
from app.domain.criteria.needs import Needs
from app.domain.criteria.needs import Rows as Wanted
from app.persistence.compile.operands import shown
from app.persistence.compile.rows import Rows, stored, towards, within
from app.persistence.compile.scope import Scope

MOST = 5_000
"""Related rows of one relation that are read of a record."""
Read = Callable[[Any], Any]


@dataclass(slots=True)
class Loaded:
    """`cut`: the record's relations of which there were more rows than are read."""

    cut: set[str] = field(default_factory=set)


def typed(raw: Any, kind: Kind) -> Any:
    """A value of JSON in its field's own type, as `Typed` has it; no tags are empty."""
    if raw is None:
        return None
    match kind:
        case "date":
            return date.fromisoformat(raw)
        case "instant":
            return datetime.fromisoformat(raw).astimezone(UTC)
        case "id" | "ref":
            return UUID(raw)
        case "number":
            return float(raw)
        case "tags":
            return tuple(raw) or None
        case _:
            return raw


class Shape:
    """A select list whose names mean places in a nested record."""

    def __init__(self) -> None:
        self._columns: list[str] = []
        self._reads: list[tuple[tuple[str, ...], Read]] = []

    def add(self, sql: str, read: Read, *place: str) -> None:
        """One value: its SQL, how it is read from JSON, where it goes."""
        self._columns.append(f"{sql} AS k{len(self._columns)}")
        self._reads.append((place, read))

    def sql(self) -> str:
        """The select list."""
        return ", ".join(self._columns)

    def read(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The record of a row as JSON."""
        made: dict[str, Any] = {}
        for n, (place, read) in enumerate(self._reads):
            into = made
            for name in place[:-1]:
                into = into.setdefault(name, {})
            into[place[-1]] = read(raw[f"k{n}"])
        return made


def loading(needs: Needs, rows: Rows, scope: Scope, shape: Shape, loaded: Loaded, *place: str, top: str = "") -> None:
    """Adds what is needed of the row under `rows` to the shape, at the place."""
    for name, field_ in needs.columns.items():
        shape.add(rows.column(field_, scope), partial(typed, kind=field_.kind), *place, name)
    for name, own in needs.custom.items():
        shape.add(shown(CustomOf(own), rows, scope).sql, partial(typed, kind=own.kind), *place, "custom", name)
    for name, segmentation in needs.segments.items():
        sql = shown(SegmentOf(segmentation, name), rows, scope).sql
        shape.add(sql, partial(typed, kind="enum"), *place, "segment", name)
    for name, one in needs.ones.items():
        shape.add(*_one(name, one, needs, rows, scope, loaded, top), *place, name)
    for name, many in needs.many.items():
        shape.add(*_many(many, rows, scope, loaded, top or name), *place, name)
    if needs.memberships:
        shape.add(*_memberships(needs.memberships, rows, scope), *place, "memberships")
    if needs.stage_moves:
        shape.add(*_stage_moves(rows, scope), *place, "stage_moves")


def _one(name: str, needs: Needs, above: Needs, rows: Rows, scope: Scope, loaded: Loaded, top: str) -> tuple[str, Read]:
    """What a reference leads to; where its id is enough, no other row is read."""
    if needs == Needs(needs.entity, {"id": needs.entity.fields["id"]}):
        return rows.column(rows.entity.fields[name], scope), lambda raw: raw and {"id": UUID(raw)}
    there, tied = towards(above.entity.relations[name], rows, scope)
    inner, alias = Shape(), scope.alias()
    loading(needs, there, scope, inner, loaded, top=top)
    sql = f"(SELECT row_to_json({alias}) FROM (SELECT {inner.sql()} {stored(there, scope, tied)}) {alias})"
    return sql, lambda raw: raw and inner.read(raw)


def _many(many: Wanted, rows: Rows, scope: Scope, loaded: Loaded, top: str) -> tuple[str, Read]:
    there, tied = towards(many.relation, rows, scope)
    tied += within(there, Bounds(many.since, None), scope)
    inner, alias = Shape(), scope.alias()
    loading(many.needs, there, scope, inner, loaded, top=top)
    time = there.column(there.entity.fields[str(there.entity.time_field)], scope)
    listed = f"SELECT {inner.sql()} {stored(there, scope, tied)} ORDER BY {time} DESC LIMIT {MOST + 1:d}"

    def read(raw: Any) -> list[dict[str, Any]]:
        if raw and len(raw) > MOST:
            loaded.cut.add(top)
        return [inner.read(row) for row in raw or ()]

    return f"(SELECT json_agg(row_to_json({alias})) FROM ({listed}) {alias})", read


def _memberships(slugs: Mapping[str, UUID], rows: Rows, scope: Scope) -> tuple[str, Read]:
    alias = scope.alias()
    known = {str(segmentation): slug for slug, segmentation in slugs.items()}
    tied = [f"{alias}.segmentation_id = ANY ({scope.bind(list(slugs.values()))}::uuid[])",
            f"{alias}.account_id = {rows.alias}.id"]  # fmt: skip
    told = ", ".join(f"{alias}.{name}" for name in ("segmentation_id", "segment", "from_at", "to_at"))
    listed = f"json_agg(json_build_array({told}) ORDER BY {alias}.from_at)"

    def read(raw: Any) -> list[tuple[Any, ...]]:
        return [(known[of], segment, *(typed(end, "instant") for end in ends)) for of, segment, *ends in raw or ()]

    return f"(SELECT {listed} {scope.rows('stays', alias, tied)})", read


def _stage_moves(rows: Rows, scope: Scope) -> tuple[str, Read]:
    alias = scope.alias()
    told = f"json_build_array({alias}.moved_at, {alias}.stage) ORDER BY {alias}.moved_at, {alias}.id"
    tied = [f"{alias}.account_id = {rows.alias}.id"]
    sql = f"(SELECT json_agg({told}) {scope.rows('stage_moves', alias, tied)})"
    return sql, lambda raw: [(typed(when, "instant"), stage) for when, stage in raw or ()]
