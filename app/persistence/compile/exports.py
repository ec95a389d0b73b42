"""Every record of a question as one statement for COPY: lines of JSON, cells of CSV, or values in their types.

What stands elsewhere is joined before the rows are sorted: looked up for each row behind the sort it takes four times as
long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from app.domain.catalogue import CUSTOM, ENTITIES, Entity, Field, Kind
from app.domain.criteria.meant import Column, CustomOf, SegmentOf, Shown
from app.domain.exports import JOINT, LEADING, MARK, Form
from app.domain.questions import Fixed, Group, Nest, Pick, Question, Selection
from app.domain.workspaces import Workspace
from app.persistence.compile.conditions import condition_on
from app.persistence.compile.keys import keys_of, ordered
from app.persistence.compile.operands import Expression, attribute, literal, shown
from app.persistence.compile.pages import fresh, in_scope
from app.persistence.compile.rows import Rows, start, stored, table_of, towards
from app.persistence.compile.scope import Scope
from app.persistence.compile.selections import displayed, major, object_of

ROW, ALL = "a", "p"
MOST_ARGUMENTS = 90
"""Of one call of a function; PostgreSQL takes a hundred."""
FORMULA = f"'{{{','.join(str(ord(one)) for one in LEADING)}}}'::int4[]"
AMBIGUOUS = r"'^\[|(^|;)\s|\s(;|$)'"
PLAIN: tuple[Kind, ...] = ("id", "ref", "date", "enum", "slug")
"""Kinds whose text needs no escapes in JSON: to look for them takes longer than all the rest of a value."""
TYPES: dict[Kind, str] = {"number": "float8", "integer": "int8", "money": "int8", "instant": "timestamptz"}
"""The SQL types that binary values have, where what is stored may be narrower; of kinds that are not here, see `_typed`."""


@dataclass(frozen=True, slots=True)
class Value:
    """A column of an export under its whole name, such as `primary_contact.name`."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Export:
    """Gives a row per record, in order: of lines one column, else one for each of `values`.

    `asks`: a statement, with its arguments, that says whether the usage windows that are read are right for the day
    assumed; None where none are.
    """

    text: str
    args: tuple[object, ...]
    values: tuple[Value, ...]
    asks: tuple[str, tuple[object, ...]] | None


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value: its SQL in the row of all that was read, the kind that it has there."""

    key: str
    name: str
    sql: str
    kind: Kind
    nullable: bool


@dataclass(frozen=True, slots=True)
class _Branch:
    """An object of values; `present` is SQL that is null where there is no such object."""

    key: str
    parts: tuple[_Part, ...]
    present: str | None = None


_Part = _Leaf | _Branch


def export(question: Question, workspace: Workspace, form: Form, *, kept: bool = True) -> Export:
    """The statement for every record of a question, whatever its page says."""
    entity = ENTITIES[question.entity]
    scope = Scope(workspace, kept=kept)
    rows = start(entity, ROW)
    making = _Making(scope, entity, flat=form != "ndjson")
    parts = making.parts(question.selection, rows, "")
    asked = condition_on(question.criteria, rows, scope)
    conditions = [*in_scope(entity, question.archived, rows, scope), *([asked] if asked != "true" else [])]
    order = ordered(keys_of(question.sort, rows, scope))
    source = f"({making.read()} {stored(rows, scope, conditions, making.joined)} ORDER BY {order}) {ALL}"
    leaves = tuple(_leaves(parts))
    match form:
        case "ndjson":
            shape = _concat(_object(parts, workspace))
        case "csv":
            shape = _cells(leaves, workspace)
        case "arrow":
            shape = ", ".join(_typed(leaf) for leaf in leaves)
        case _:
            assert_never(form)
    values = tuple(Value(leaf.name, leaf.kind) for leaf in leaves)
    return Export(
        f"SELECT {shape} FROM {source}", tuple(scope.args), values, _asks(workspace) if scope.leaned else None
    )


def _asks(workspace: Workspace) -> tuple[str, tuple[object, ...]]:
    scope = Scope(workspace)
    return f"SELECT {fresh(scope)}", tuple(scope.args)


# -- what is read ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Making:
    """Collects what is read of each row and what is joined to it. `flat`: own attributes are values of their types, each
    by itself; else they are JSON."""

    scope: Scope
    entity: Entity
    flat: bool
    joined: str = ""
    columns: dict[str, str] = field(default_factory=dict)

    def read(self) -> str:
        """`SELECT …`, what related records are found by under its own name."""
        own = [self.entity.fields[name] for name in ("id", "account") if name in self.entity.fields]
        listed = [f"{ROW}.{one.column}" for one in own] + [f"{sql} AS {name}" for sql, name in self.columns.items()]
        return f"SELECT {', '.join(listed)}"

    def place(self, sql: str) -> str:
        """Where something that is read of a row stands."""
        return f"{ALL}.{self.columns.setdefault(sql, f'c{len(self.columns)}')}"

    def parts(self, selection: Selection, rows: Rows, prefix: str) -> tuple[_Part, ...]:
        """What is shown of the row under `rows`."""
        return tuple(part for item in selection.items for part in self.part(item, rows, prefix))

    def part(self, item: Pick | Fixed | Group | Nest, rows: Rows, prefix: str) -> Iterator[_Part]:
        key, name = item.key, f"{prefix}{item.key}"
        match item:
            case Pick(_, of) if self.flat and isinstance(of, Column) and of.field == CUSTOM:
                yield from self.parts(Selection(self.own(rows)), rows, f"{name}.")
            case Pick(_, of):
                yield self.leaf(key, name, self.value(of, rows))
            case Fixed(_, value):
                yield _Leaf(key, name, self.place(f"{self.scope.bind(value)}::text"), "text", nullable=False)
            case Group(_, inner):
                yield _Branch(key, self.parts(inner, rows, f"{name}."))
            case Nest(_, relation, _) if relation.many:
                shape = object_of(Selection((item,)), Rows(self.entity, ALL), self.scope, "x")
                yield _Leaf(key, name, f'(SELECT to_json(x."{key}") FROM {shape})', "json", nullable=False)
            case Nest(_, relation, inner):
                there, tied = towards(relation, rows, self.scope)
                self.joined += self.scope.beside(table_of(there.entity), there.alias, tied)
                parts = self.parts(inner, there, f"{name}.")
                yield _Branch(key, parts, self.place(f"{there.alias}.id"))
            case _:
                assert_never(item)

    def own(self, rows: Rows) -> tuple[Pick, ...]:
        """The organisation's own attributes of an entity, by slug."""
        known = sorted(self.scope.workspace.attributes.items())
        return tuple(Pick(slug, CustomOf(one)) for (entity, slug), one in known if entity == rows.entity.name)

    def leaf(self, key: str, name: str, value: Expression) -> _Leaf:
        return _Leaf(key, name, self.place(value.sql), value.kind, value.nullable)

    def value(self, of: Shown, rows: Rows) -> Expression:
        match of:
            case SegmentOf(segmentation, _, None, None):
                alias = self.scope.alias()
                of_it = f"{alias}.segmentation_id = {self.scope.bind(segmentation)}::uuid"
                self.joined += self.scope.beside("members", alias, [of_it, f"{alias}.account_id = {rows.alias}.id"])
                return Expression(f"{alias}.segment", "enum")
            case Column(one, None) if one == CUSTOM:
                return Expression(displayed(of, rows, self.scope), "json")
            case CustomOf(one, None) if not self.flat and one.kind != "money":
                return Expression(displayed(of, rows, self.scope), "json")
            case CustomOf(one, None):
                return Expression(_attribute(one, rows), one.kind)
            case _:
                return shown(of, rows, self.scope)


def _attribute(of: Field, rows: Rows) -> str:
    value = attribute(of, rows.alias)
    if of.kind != "tags":
        return value
    return f"CASE WHEN {value} IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text({value})) END"


def _leaves(parts: Sequence[_Part]) -> Iterator[_Leaf]:
    for part in parts:
        if isinstance(part, _Leaf):
            yield part
        else:
            yield from _leaves(part.parts)


# -- lines of JSON -----------------------------------------------------------------------------------------------------


def _object(parts: Sequence[_Part], workspace: Workspace) -> list[str]:
    """What an object's text is put together from: `row_to_json` looks each column's type up again for each row."""
    pieces, said = [], "{"
    for n, part in enumerate(parts):
        said += f"{',' if n else ''}{json.dumps(part.key)}:"
        if isinstance(part, _Leaf) and part.kind in PLAIN and not part.nullable:
            pieces += [literal(f'{said}"'), part.sql]
            said = '"'
        else:
            pieces += [literal(said), _member(part, workspace)]
            said = ""
    return [*pieces, literal(f"{said}}}")]


def _member(part: _Part, workspace: Workspace) -> str:
    if isinstance(part, _Branch):
        made = _concat(_object(part.parts, workspace))
        return made if part.present is None else f"CASE WHEN {part.present} IS NULL THEN 'null' ELSE {made} END"
    match part.kind:
        case "number" | "integer" | "json":
            sql = part.sql
        case "money":
            sql = f"{part.sql}{major(workspace)}"
        case "bool":
            sql = f"{part.sql}::text"
        case "id" | "ref" | "date" | "enum" | "slug":
            sql = f"""'"' || {part.sql} || '"'"""
        case "text" | "instant" | "tags":
            sql = f"to_json({part.sql})"
        case _:
            assert_never(part.kind)
    return f"coalesce(({sql})::text, 'null')" if part.nullable else sql


def _concat(pieces: Sequence[str]) -> str:
    """A function takes only so many arguments."""
    if len(pieces) > MOST_ARGUMENTS:
        parted = range(0, len(pieces), MOST_ARGUMENTS)
        return _concat([_concat(pieces[n : n + MOST_ARGUMENTS]) for n in parted])
    return f"concat({', '.join(pieces)})"


# -- cells of CSV ------------------------------------------------------------------------------------------------------


def _cells(leaves: Sequence[_Leaf], workspace: Workspace) -> str:
    cells = [_cell(leaf, workspace) for leaf in leaves]
    # A line of one empty cell would be an empty line, which readers skip.
    return f"coalesce(({cells[0]})::text, '')" if len(cells) == 1 else ", ".join(cells)


def _cell(leaf: _Leaf, workspace: Workspace) -> str:
    match leaf.kind:
        case "text" | "enum" | "slug":
            return _harmless(leaf.sql)
        case "money":
            return f"{leaf.sql}{major(workspace)}"
        case "bool":
            return f"{leaf.sql}::text"
        case "instant":
            # A session's zone is UTC, and so each ends with +00.
            return f"replace({leaf.sql}::text, ' ', 'T') || ':00'"
        case "tags":
            text = f"array_to_string({leaf.sql}, '{JOINT}')"
            told = f"string_to_array({text}, '{JOINT}') = {leaf.sql}::text[] AND {text} !~ {AMBIGUOUS}"
            return f"nullif(CASE WHEN {told} THEN {_harmless(text)} ELSE to_json({leaf.sql})::text END, '')"
        case "number" | "integer" | "date" | "id" | "ref" | "json":
            return leaf.sql
        case _:
            assert_never(leaf.kind)


def _harmless(text: str) -> str:
    return f"CASE WHEN ascii({text}) = ANY ({FORMULA}) THEN {literal(MARK)} || {text} ELSE {text} END"


# -- values in their types ---------------------------------------------------------------------------------------------


def _typed(leaf: _Leaf) -> str:
    match leaf.kind:
        case "number" | "integer" | "money" | "instant":
            return f"{leaf.sql}::{TYPES[leaf.kind]}"
        case "tags":
            return f"{leaf.sql}::text[]"
        case "text" | "enum" | "slug" | "json":
            return f"{leaf.sql}::text"
        case "date" | "bool" | "id" | "ref":
            return leaf.sql
        case _:
            assert_never(leaf.kind)
