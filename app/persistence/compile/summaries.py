"""A summary as one statement: its groups and its totals come from one snapshot, as the JSON that is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never
from zoneinfo import ZoneInfo

from app.domain.catalogue import ENTITIES, Entity, Relation
from app.domain.criteria.meant import Column, CustomOf, Meaning, SegmentOf, Shown
from app.domain.questions import Archived
from app.domain.summaries import Grouping, Measure, Step, Summary
from app.domain.workspaces import Workspace
from app.persistence.compile.conditions import condition_on
from app.persistence.compile.operands import Expression, literal, shown
from app.persistence.compile.pages import fresh, in_scope
from app.persistence.compile.rows import Rows, start, stored, table_of, towards
from app.persistence.compile.scope import Scope
from app.persistence.compile.selections import major

ROW = "a"
STEPS: dict[Step, str] = {"month": "YYYY-MM", "quarter": 'YYYY-"Q"Q', "year": "YYYY"}


@dataclass(frozen=True, slots=True)
class Statement:
    """Gives one row: `data`, a JSON array of the groups up to the limit; `totals`, a JSON object; how many groups there
    are; and, where it leans on usage windows, whether they are right for the day assumed."""

    text: str
    args: tuple[object, ...]
    leans: bool


def summary(
    of: Summary,
    entity: Entity,
    criteria: Meaning,
    archived: Archived,
    zone: ZoneInfo,
    limit: int,
    workspace: Workspace,
    *,
    kept: bool = True,
) -> Statement:
    """The statement of a summary of the records that meet the criteria; days of instants are those of the zone."""
    scope = Scope(workspace, kept=kept)
    making = _Making(scope, start(entity, ROW), zone)
    keys = [making.key(one) for one in of.groupings]
    values = making.values(of.measures)
    conditions = [*in_scope(entity, archived, making.rows, scope), condition_on(criteria, making.rows, scope)]
    columns = [f"{sql} AS k{n}" for n, sql in enumerate(keys)]
    columns += [f"{value.sql} AS v{n}" for n, value in enumerate(values.values())]
    source = stored(making.rows, scope, conditions, making.joined)
    grouped = ", ".join(f"k{n}" for n in range(len(keys)))
    # Both sets are folded in one pass, which also keeps a scan from being spread over workers: that costs twice the CPU.
    sets = f"GROUPING SETS (({grouped}), ())" if keys else "()"
    folds = [f"{_figure(one, list(values), scope)} AS f{n}" for n, one in enumerate(of.measures)]
    folds += [f"k{n}" for n in range(len(keys))] + ["grouping(k0) AS whole" if keys else "1 AS whole"]
    text = f"WITH r AS NOT MATERIALIZED (SELECT {', '.join(columns) or '1'} {source}), "
    text += f"g AS MATERIALIZED (SELECT {', '.join(folds)} FROM r GROUP BY {sets}) SELECT "
    text += ", ".join(
        [
            _data(of, limit, scope) if keys else "'[]'::json",
            f"(SELECT {_object(of.measures)} FROM g WHERE g.whole = 1)",
            "(SELECT count(*) FROM g WHERE g.whole = 0)",
            *([fresh(scope)] if scope.leaned else []),
        ]
    )
    return Statement(text, tuple(scope.args), scope.leaned)


@dataclass(slots=True)
class _Making:
    """What is read of each row, and the rows that are joined to it: once for each thing that they are joined by."""

    scope: Scope
    rows: Rows
    zone: ZoneInfo
    joins: dict[str, tuple[str, Rows]] = field(default_factory=dict)

    @property
    def joined(self) -> str:
        return "".join(join for join, _ in self.joins.values())

    def key(self, of: Grouping) -> str:
        """What rows are put together by."""
        value = self.value(of.of)
        if of.step is None:
            return value.sql
        day = f"timezone({self.scope.bind(self.zone.key)}::text, {value.sql})" if value.kind == "instant" else value.sql
        return f"to_char({day}, {literal(STEPS[of.step])})"

    def values(self, measures: tuple[Measure, ...]) -> dict[Shown, Expression]:
        """What is measured, each once."""
        return {one.of: self.value(one.of) for one in measures if one.of is not None}

    def value(self, of: Shown) -> Expression:
        """A value of the row, or of one that is joined to it: a subquery for each row would cost several times that."""
        match of:
            case SegmentOf():
                return self._segment(of)
            case Column(of_field, through) if through is not None:
                return shown(Column(of_field), self._reached(through), self.scope)
            case CustomOf(of_field, through) if through is not None:
                return shown(CustomOf(of_field), self._reached(through), self.scope)
            case Column() | CustomOf():
                return shown(of, self.rows, self.scope)
            case _:
                assert_never(of)

    def _reached(self, relation: Relation) -> Rows:
        if relation.name not in self.joins:
            there, tied = towards(relation, self.rows, self.scope)
            self.joins[relation.name] = (self.scope.beside(table_of(there.entity), there.alias, tied), there)
        return self.joins[relation.name][1]

    def _segment(self, of: SegmentOf) -> Expression:
        name = f"segment.{of.slug}"
        if name not in self.joins:
            alias = self.scope.alias()
            account = (
                self.rows.column(self.rows.entity.fields[of.through.by], self.scope) if of.through else f"{ROW}.id"
            )
            tied = [
                f"{alias}.segmentation_id = {self.scope.bind(of.segmentation)}::uuid",
                f"{alias}.account_id = {account}",
            ]
            self.joins[name] = (self.scope.beside("members", alias, tied), Rows(ENTITIES["accounts"], alias))
        return Expression(f"{self.joins[name][1].alias}.segment", "enum")


def _figure(of: Measure, values: list[Shown], scope: Scope) -> str:
    """A figure of a group as it is answered: money in major units, exact to the minor one."""
    if of.of is None:
        return "count(*)"
    value, money = f"v{values.index(of.of)}", of.kind == "money"
    factor = major(scope.workspace) if money else ""
    match of.fn:
        case "count" | "sum":
            return f"coalesce(sum({value}), 0){factor}"
        case "average":
            return f"round(avg({value})){factor}" if money else f"avg({value}::float8)"
        case "min" | "max":
            return f"{of.fn}({value}){factor}"
        case "median":
            middle = f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {value}::float8)"
            return f"round({middle}::numeric){factor}" if money else middle
        case _:
            assert_never(of.fn)


def _object(measures: tuple[Measure, ...]) -> str:
    return f"json_build_object({', '.join(f'{literal(one.name)}, f{n}' for n, one in enumerate(measures))})"


def _data(of: Summary, limit: int, scope: Scope) -> str:
    """The groups in their order, up to the limit; a group of a reference with the name of what it refers to."""
    labels = []
    for n, one in enumerate(of.groupings):
        if one.label is not None:
            alias = scope.alias()
            label = f"(SELECT {alias}.name {scope.rows(one.label, alias, [f'{alias}.id = g.k{n}'])})"
            labels.append(f"{label} AS l{n}")
    sign = " DESC" if of.descending else ""
    order = [
        f"{'l' if one.label else 'k'}{n}{sign if of.by is None else ''} NULLS LAST"
        for n, one in enumerate(of.groupings)
    ]
    order += [f"k{n}" for n, one in enumerate(of.groupings) if one.label]
    if of.by is not None:
        order.insert(0, f"f{of.by}{sign} NULLS LAST")
    keys = ", ".join(f"{literal(one.name)}, k{n}" for n, one in enumerate(of.groupings))
    named = ", ".join(f"{literal(one.name)}, l{n}" for n, one in enumerate(of.groupings) if one.label)
    record = f"json_build_object({keys}) AS key, json_build_object({named}) AS names, {_object(of.measures)} AS values"
    listed = f"SELECT {', '.join(['g.*', *labels])} FROM g WHERE g.whole = 0"
    return (
        "(SELECT coalesce(array_to_json(array_agg(t)), '[]') FROM "
        f"(SELECT {record} FROM ({listed}) p ORDER BY {', '.join(order)} LIMIT {limit:d}) t)"
    )
