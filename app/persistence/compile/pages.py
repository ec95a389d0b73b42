"""A page of records as one statement: its JSON, whether more follow, where it ends, and how many there are in all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from app.domain.catalogue import ENTITIES, Entity, Field
from app.domain.criteria.meant import Column, CustomOf, SegmentOf, Shown
from app.domain.questions import COUNT_CAP, Archived, Count, Fixed, Group, Nest, Pick, Question, Selection
from app.domain.workspaces import Workspace
from app.persistence.compile.conditions import condition_on
from app.persistence.compile.keys import Key, following, keys_of, ordered
from app.persistence.compile.rows import Rows, start, stored
from app.persistence.compile.scope import Scope
from app.persistence.compile.selections import object_of

ROW, PAGE, SHAPE = "a", "p", "t$"


@dataclass(frozen=True, slots=True)
class Statement:
    """Gives one row: data, found, a column per key, then count and fresh where they were asked for.

    `data` is a JSON array of `limit` records at most; with `edges` an array of JSON records, and keys are arrays too.
    `found` is `limit` + 1 where more follow. `fresh` says whether the usage windows that were read are right for the
    day assumed. `args` are followed by the keys of the row that a page continues after. `condition` is the part that
    the criteria became, and `leaned` whether that part reads usage windows.
    """

    text: str
    args: tuple[object, ...]
    condition: str
    leaned: bool
    limit: int
    keys: int
    counted: bool
    leans: bool
    edges: bool


def page(
    question: Question, workspace: Workspace, *, kept: bool = True, known: Mapping[str, Statement] | None = None
) -> Statement:
    """The statement of a question. Of the row it continues after (`page.after`) only what is empty shapes the text.

    `known`: statements, by their condition, of questions that differ at most in their criteria and in the values that
    they continue after; where one has criteria of the same shape, only what they bind is new.
    """
    entity, limit = ENTITIES[question.entity], question.page.limit
    scope = Scope(workspace, kept=kept)
    rows = start(entity, ROW)
    asked = condition_on(question.criteria, rows, scope)
    like = known.get(asked) if known else None
    if like is not None and scope.leaned == like.leaned:
        return replace(like, args=(*scope.args, *like.args[len(scope.args) :]))
    leaned = scope.leaned
    conditions = [*in_scope(entity, question.archived, rows, scope), *([asked] if asked != "true" else [])]
    keys = keys_of(question.sort, rows, scope)
    columns = [*_columns(question.selection, rows, scope), *(f"{key.sql} AS k{n}" for n, key in enumerate(keys, 1))]
    record = object_of(question.selection, Rows(entity, PAGE), scope, SHAPE)
    outputs = _outputs(question.edges, limit, len(keys)) + _count(question.count, stored(rows, scope, conditions))
    if scope.leaned:
        outputs.append(fresh(scope))
    args = tuple(scope.args)
    places = _places(question.page.after, keys, scope)
    listed = _listed(", ".join(columns), rows, scope, conditions, keys, places, f"LIMIT {limit + 1:d}")
    text = f"SELECT {', '.join(outputs)} FROM ({listed}) {PAGE} CROSS JOIN LATERAL {record}"
    return Statement(
        text, args, asked, leaned, limit, len(keys), question.count != "none", scope.leaned, question.edges
    )


def in_scope(entity: Entity, archived: Archived, rows: Rows, scope: Scope) -> list[str]:
    """Archived accounts, and what is related to them, are out of scope unless asked for."""
    if archived == "with" or not (entity.name == "accounts" or "account" in entity.fields):
        return []
    if entity.name == "accounts":
        return [f"{rows.alias}.archived_at IS {'NOT ' if archived == 'only' else ''}NULL"]
    alias = scope.alias()
    tied = [f"{alias}.id = {rows.column(entity.fields['account'], scope)}", f"{alias}.archived_at IS NOT NULL"]
    return [f"{'' if archived == 'only' else 'NOT '}EXISTS (SELECT {scope.rows('accounts', alias, tied)})"]


# -- what the page needs of a row --------------------------------------------------------------------------------------


def _columns(selection: Selection, rows: Rows, scope: Scope) -> list[str]:
    """The stored columns that the shown record is made from, each once."""
    fields = {field.column: field for field in _needed(selection, rows.entity)}
    columns = []
    for name, field in fields.items():
        sql = rows.column(field, scope)
        columns.append(f"{sql} AS {name}" if sql.startswith("(") else sql)
    return columns


def _needed(selection: Selection, entity: Entity) -> Iterator[Field]:
    for item in selection.items:
        match item:
            case Fixed():
                continue
            case Pick(_, of):
                yield _stored(of, entity)
            case Group(_, inner):
                yield from _needed(inner, entity)
            case Nest(_, relation):
                yield entity.fields["id" if relation.many else relation.by]
                if relation.many and relation.by == "contact" and relation.target == "usage":
                    yield entity.fields["account"]
            case _:
                assert_never(item)


def _stored(of: Shown, entity: Entity) -> Field:
    """The field of the row that a value is made from, or that leads to where it stands."""
    if of.through is not None:
        return entity.fields[of.through.by]
    match of:
        case SegmentOf() | Column(on=datetime()):
            return entity.fields["id"]
        case Column(field):
            return field
        case CustomOf():
            return entity.fields["custom"]
        case _:
            assert_never(of)


# -- parts of the statement --------------------------------------------------------------------------------------------


def _outputs(edges: bool, limit: int, keys: int) -> list[str]:
    """One row is read beyond the page to know whether there is one; it is cut off again."""
    names = [f"{PAGE}.k{n}" for n in range(1, keys + 1)]
    if edges:
        return [
            f"(array_agg(row_to_json({SHAPE})))[:{limit:d}]",
            "count(*)",
            *(f"(array_agg({k}))[:{limit:d}]" for k in names),
        ]
    return [
        f"array_to_json((array_agg({SHAPE}))[:{limit:d}])",
        "count(*)",
        *(f"(array_agg({k}))[least(count(*), {limit:d})]" for k in names),
    ]


def _count(count: Count, source: str) -> list[str]:
    match count:
        case "none":
            return []
        case "capped":
            return [f"(SELECT count(*) FROM (SELECT {source} LIMIT {COUNT_CAP + 1:d}) c)"]
        case "exact":
            return [f"(SELECT count(*) {source})"]
        case _:
            assert_never(count)


def fresh(scope: Scope) -> str:
    """Whether the usage windows that were read are right for the day assumed."""
    alias = scope.alias()
    return (
        f"(SELECT {alias}.facts_day = {scope.bind(scope.workspace.facts_day)}::date {scope.rows('workspaces', alias)})"
    )


def _places(after: Sequence[object] | None, keys: Sequence[Key], scope: Scope) -> list[str | None] | None:
    """Where the keys of the row that the page continues after are bound; an empty one is bound too, and not read."""
    if after is None:
        return None
    places: list[str | None] = []
    for value, key in zip(after, keys, strict=True):
        places.append(None if value is None else f"{scope.bind(value)}::{key.type}")
    return places


def _listed(
    columns: str,
    rows: Rows,
    scope: Scope,
    conditions: list[str],
    keys: list[Key],
    places: list[str | None] | None,
    limit: str,
) -> str:
    """The page's rows in order, as a range of an index wherever there is one.

    Where the first key's index holds empty values at the other end than they are wanted, or the range after a row does
    not reach them, the rows without a value are a second part that is read when the first is used up; so are those that
    are not above 0 where the index holds no others.
    """

    def part(extra: list[str], by: list[Key]) -> str:
        return f"SELECT {columns} {stored(rows, scope, conditions + extra)} ORDER BY {ordered(by)} {limit}"

    first = keys[0]
    if first.among is not None:
        return _in_turn(part, keys, places, scope.alias(), limit)
    if first.above_zero and first.descending and not first.nullable:
        behind = [] if places is None else [following(keys, places)]
        above, below = (part([f"{first.sql} {sign} 0", *behind], keys) for sign in (">", "<="))
        return f"({above}) UNION ALL ({below}) {limit}"
    if not (first.indexed and first.nullable) or (places is None and not first.descending):
        return part([] if places is None else [following(keys, places)], keys)
    known = [replace(first, nullable=False), *keys[1:]]
    empty, filled = f"{first.sql} IS NULL", f"{first.sql} IS NOT NULL"
    if places is None:
        return f"({part([filled], known)}) UNION ALL ({part([empty], known)}) {limit}"
    if places[0] is None:
        return part([empty, following(keys[1:], places[1:])], known)
    return f"({part([following(known, places)], known)}) UNION ALL ({part([empty], known)}) {limit}"


def _in_turn(
    part: Callable[[list[str], list[Key]], str],
    keys: list[Key],
    places: list[str | None] | None,
    alias: str,
    limit: str,
) -> str:
    """The rows of each value in its turn, every one a range of the column's index, then those that have none of them."""
    first, rest = keys[0], keys[1:]
    assert first.among is not None  # asked for before
    values, column = first.among
    empty = f"({column} IS NULL OR NOT {column} = ANY ({values}))"
    if places is not None and places[0] is None:
        return part([empty, following(rest, places[1:])], rest)
    further = [] if places is None else [following([replace(first, nullable=False), *rest], places)]
    due = "" if places is None else f" WHERE {alias}.place {'<=' if first.descending else '>='} {places[0]}"
    each = part([f"{column} = {alias}.value", *further], rest)
    by = ordered([replace(key, sql=f"{alias}_.k{n}") for n, key in enumerate(keys, 1)], nulls_known=True)
    turns = f"unnest({values}) WITH ORDINALITY {alias}(value, place)"
    filled = f"SELECT {alias}_.* FROM {turns} CROSS JOIN LATERAL ({each}) {alias}_{due} ORDER BY {by} {limit}"
    return f"({filled}) UNION ALL ({part([empty], rest)}) {limit}"
