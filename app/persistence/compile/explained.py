"""One record explained, as one statement: what each leaf says and asks, and the rows that show why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, assert_never

from app.domain.catalogue import Entity, Field
from app.domain.criteria.edges import moves
from app.domain.criteria.empties import NOTHING, because_empty
from app.domain.criteria.evidence import MOST, Evidence, Showing, chosen, showing
from app.domain.criteria.explain import Found
from app.domain.criteria.leaves import Asked, Leaf, asked
from app.domain.criteria.meant import Bounds, ChangeOf, Column, CustomOf, FoldOf, Moved, Not, SegmentOf
from app.domain.criteria.needs import needs
from app.domain.workspaces import Workspace
from app.persistence.compile.conditions import condition_on
from app.persistence.compile.folds import change, fold
from app.persistence.compile.loading import Loaded, Shape, loading, typed
from app.persistence.compile.operands import Expression, shown
from app.persistence.compile.pages import fresh, in_scope
from app.persistence.compile.records import By
from app.persistence.compile.rows import Rows, start, stored, towards, within
from app.persistence.compile.scope import Scope

ROW, WHOLE = "a", "x"
HEAD = ("id", "external_id", "name")


@dataclass(frozen=True, slots=True)
class Explained:
    """Gives one JSON object, or no row; `args` are followed by the value that names the record. `read` takes the object."""

    text: str
    args: tuple[object, ...]
    read: Callable[[Mapping[str, Any]], Answer]


@dataclass(frozen=True, slots=True)
class Answer:
    """`head`: id, external id and name. `found` by leaf. `record`: what the reference reads of it, for the leaves that
    mean something else at another moment; `cut` names relations with more rows than were read. `fresh` is False where
    kept windows were read that are right for another day."""

    head: Mapping[str, Any]
    archived: bool
    found: tuple[Found, ...]
    record: Mapping[str, Any]
    cut: frozenset[str]
    fresh: bool


def explained(leaves: Sequence[Leaf], entity: Entity, by: By, workspace: Workspace, *, kept: bool = True) -> Explained:
    """The statement for one record, archived or not."""
    scope = Scope(workspace, kept=kept)
    rows, shape = start(entity, ROW), Shape()
    for name in HEAD:
        shape.add(f"{ROW}.{name}", partial(typed, kind=entity.fields[name].kind), "head", name)
    shape.add(" AND ".join(in_scope(entity, "only", rows, scope)), bool, "archived")
    for leaf in leaves:
        _leaf(leaf, rows, scope, shape)
    moving = [leaf.meaning for leaf in leaves if moves(leaf.node, leaf.setting)]
    loaded = Loaded()
    if moving:
        loading(needs(moving, entity), rows, scope, shape, loaded, "record")
    if scope.leaned:
        shape.add(fresh(scope), bool, "fresh")
    found = f"SELECT {shape.sql()} {scope.rows(entity.name, ROW)} AND {ROW}.{by} = ${len(scope.args) + 1}"
    text = f"SELECT row_to_json({WHOLE}) FROM ({found}) {WHOLE}"
    return Explained(text, tuple(scope.args), partial(_answer, leaves=tuple(leaves), shape=shape, loaded=loaded))


def _answer(raw: Mapping[str, Any], leaves: Sequence[Leaf], shape: Shape, loaded: Loaded) -> Answer:
    loaded.cut.clear()
    told = shape.read(raw)
    found = tuple(_found(leaf, told[f"leaf{leaf.index}"]) for leaf in leaves)
    cut = frozenset(loaded.cut)
    return Answer(told["head"], told["archived"], found, told.get("record", {}), cut, told.get("fresh", True))


def _found(leaf: Leaf, told: Mapping[str, Any]) -> Found:
    verdict = told["verdict"]
    values = tuple(told[f"value{n}"] for n in range(len(asked(leaf.meaning))))
    shows = showing(leaf.meaning)
    rows: tuple[Evidence, ...] = ()
    if isinstance(shows, Showing):
        rows = chosen(shows, verdict, {name: told[name] for name in TIERS if name in told})
    elif shows is not None:
        rows = tuple([*told["passing"], *told["before"]][:MOST])
    return Found(verdict, verdict != leaf.negated and told["lost"], values, rows)


# -- a leaf ------------------------------------------------------------------------------------------------------------

TIERS = ("passing", "before", "after", "failing")


def _leaf(leaf: Leaf, rows: Rows, scope: Scope, shape: Shape) -> None:
    """Adds one value that holds all of the leaf: a select list has fewer places than lists in lists have leaves."""
    inner, alias = Shape(), scope.alias()
    inner.add(f"coalesce({condition_on(leaf.meaning, rows, scope)}, false)", bool, "verdict")
    lost = because_empty(leaf.wanted)
    told = "false" if lost == NOTHING else f"coalesce({condition_on(lost, rows, scope)}, false)"
    inner.add(told, bool, "lost")
    for n, of in enumerate(asked(leaf.meaning)):
        value = _value(of, rows, scope)
        inner.add(value.sql, partial(typed, kind=value.kind), f"value{n}")
    shows = showing(leaf.meaning)
    if isinstance(shows, Showing):
        for name, sql, read in _tiers(shows, rows, scope):
            inner.add(sql, read, name)
    elif shows is not None:
        for name, inside in (("passing", True), ("before", False)):
            inner.add(*_stays(shows, rows, scope, inside=inside), name)
    sql = f"(SELECT row_to_json({alias}) FROM (SELECT {inner.sql()}) {alias})"
    shape.add(sql, inner.read, f"leaf{leaf.index}")


def _value(of: Asked, rows: Rows, scope: Scope) -> Expression:
    """What the condition compares, by the same SQL."""
    match of:
        case FoldOf():
            return fold(of, rows, scope, condition_on)
        case ChangeOf():
            return change(of, rows, scope, condition_on)
        case Column() | SegmentOf() | CustomOf():
            return shown(of, rows, scope)
        case Moved():
            alias, tied = _moves(of, rows, scope)
            return Expression(f"(SELECT max({alias}.{_end(of)}) {scope.rows('stays', alias, tied)})", "instant")
        case _:
            assert_never(of)


# -- evidence ----------------------------------------------------------------------------------------------------------


def _tiers(of: Showing, rows: Rows, scope: Scope) -> Iterator[tuple[str, str, Callable[[Any], Any]]]:
    """The first rows of each kind that there can be, as JSON arrays."""
    bounds = of.bounds or Bounds(None, None)
    told: list[tuple[str, Showing, bool, bool, bool]] = [("passing", of, True, True, False)]
    if bounds.lo is not None:
        before = replace(of, bounds=Bounds(None, bounds.lo), order="latest")
        told.append(("before", before, False, True, False))
    if bounds.hi is not None:
        after = replace(of, bounds=Bounds(bounds.hi, None), order="latest")
        told.append(("after", after, False, True, True))
    if of.where is not None:
        told.append(("failing", replace(of, where=Not(of.where)), True, False, False))
    for name, one, inside, passes, ascending in told:
        sql, shape = _rows(one, rows, scope, ascending=ascending)
        yield name, sql, partial(_evidence, shape=shape, entity=of.relation.target, inside=inside, passes=passes)


def _rows(of: Showing, rows: Rows, scope: Scope, *, ascending: bool) -> tuple[str, Shape]:
    there, conditions = towards(of.relation, rows, scope)
    conditions += within(there, of.bounds, scope)
    if of.where is not None:
        conditions.append(condition_on(of.where, there, scope))
    shape = Shape()
    for field in of.fields:
        shape.add(there.column(field, scope), partial(typed, kind=field.kind), field.column)
    order = _order(of, there, scope, "ASC" if ascending else "DESC")
    listed = f"SELECT {shape.sql()} {stored(there, scope, conditions)} ORDER BY {order} LIMIT {MOST:d}"
    alias = scope.alias()
    return f"(SELECT json_agg(row_to_json({alias})) FROM ({listed}) {alias})", shape


def _order(of: Showing, there: Rows, scope: Scope, direction: str) -> str:
    """Of equal times any order that stays: that of a feature's number needs no look at the feature."""
    time = there.column(there.entity.fields[str(there.entity.time_field)], scope)
    tie = there.number or f"{there.alias}.id"
    latest = [f"{time} {direction}", f"{tie} {direction}"]
    if of.of is not None and of.order != "latest":
        latest.insert(0, f"{there.column(of.of, scope)} {'ASC' if of.order == 'min' else 'DESC'} NULLS LAST")
    return ", ".join(latest)


def _evidence(raw: Any, shape: Shape, entity: str, inside: bool, passes: bool) -> list[Evidence]:
    return [Evidence(entity, inside, passes, shape.read(row)) for row in raw or ()]


def _moves(of: Moved, rows: Rows, scope: Scope) -> tuple[str, list[str]]:
    alias = scope.alias()
    return alias, [
        f"{alias}.segmentation_id = {scope.bind(of.segmentation)}::uuid", f"{alias}.account_id = {rows.alias}.id",
        f"{alias}.segment = {scope.typed(of.segment, 'enum')}",
    ]  # fmt: skip


def _end(of: Moved) -> str:
    return "from_at" if of.event == "entered" else "to_at"


STAY: Mapping[str, Field] = {
    "segment": Field("segment", "text"), "from_at": Field("from_at", "instant"),
    "to_at": Field("to_at", "instant", optional=True), "reason": Field("reason", "text"),
}  # fmt: skip


def _stays(of: Moved, rows: Rows, scope: Scope, *, inside: bool) -> tuple[str, Callable[[Any], Any]]:
    """The latest stays that begin, or end, within the window, or the others."""
    alias, tied = _moves(of, rows, scope)
    end, shape = f"{alias}.{_end(of)}", Shape()
    ends = [
        f"{end} {sign} {scope.typed(at, 'instant')}"
        for sign, at in ((">=", of.bounds.lo), ("<", of.bounds.hi))
        if at is not None
    ]
    tied.append(f"({' AND '.join(ends) or 'true'}) IS {'' if inside else 'NOT '}TRUE")
    for name, field in STAY.items():
        shape.add(f"{alias}.{name}", partial(typed, kind=field.kind), name)
    listed = f"SELECT {shape.sql()} {scope.rows('stays', alias, tied)} ORDER BY {alias}.from_at DESC LIMIT {MOST:d}"
    outer = scope.alias()
    sql = f"(SELECT json_agg(row_to_json({outer})) FROM ({listed}) {outer})"
    return sql, partial(_evidence, shape=shape, entity="memberships", inside=inside, passes=inside)
