"""A lint over SQL text: every table reference is held to one workspace, and a cluster can run every write."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pglast import parse_sql
from pglast.enums import BoolExprType, JoinType, OnConflictAction
from pglast.parser import ParseError

from app.persistence import attribute_indexes, days, keys, pins, ranks, segments, usage, watches, workspaces
from app.persistence.tables import metadata
from tests.sharding import WRITES, ast, children, unfit

HELD = {name for name, table in metadata.tables.items() if table.info["kind"] in ("tenant", "reference")} | {"stays"}
"""A view is read as the tables that it shows are."""
PARTITION = re.compile(r"(usage_days)_\d{4}_\d{2}")
TEMPORARY = {f"import_{name}" for name in ("depths", "keys", "lines", "marks", "rows", "superseded", "todo")}
"""Tables of one session: whoever fills them has named the workspace."""
OWN = {"accounts", "contacts"}
OWN_INDEX = re.compile("own_[0-9a-f]{32}_")
"""Indexes and statistics of an organisation's own attributes, which the application makes; an index holds one workspace."""
OF_NOBODY = {"alembic_version"}

EXEMPT: Mapping[str, str] = {
    keys.BY_HASH: "a token says whose workspace it is, and what is joined keeps to the key's",
    keys.BY_EARLIER_HASH: "the same for a token of before a rotation",
    keys.USED: "when keys were used is kept for all workspaces at once, each key named by its own",
    workspaces.FIND: "commands name a workspace by its slug",
    workspaces.ARE_THERE: "the first start asks whether there is any workspace",
    attribute_indexes.DUE: "the clock asks which of all workspaces have indexes to be made",
    days.DUE: "the clock asks which of all workspaces have a new day",
    watches.DUE: "the clock asks which lists of all workspaces are to be checked",
    segments.DUE: "the clock asks where of all workspaces time moves accounts",
    segments.WITH_CONFIRMATION: "the clock asks where of all workspaces moves wait to be confirmed",
    segments.UNCHECKED: "the clock asks which of all workspaces were not yet checked today",
    segments.WITH_SCHEDULE: "the clock asks which of all workspaces have cuts to be taken anew",
    pins.DUE: "the clock asks which of all workspaces have pins that ended",
    ranks.DUE: "the clock asks which of all workspaces have cut-offs of an hour ago",
    usage.LOCK: "partitions are every workspace's",
}
"""Statements that may see more than one workspace, and why."""

OUTSIDE = {"app.persistence.embedded", "app.persistence.embedded_files", "app.persistence.migrations"}
"""Modules that make the database and its schema, and know no workspace."""

Names = frozenset[str]
Place = tuple[str, str]
"""A table of the schema and the alias under which a statement reads it."""
SESSION = (ast.TransactionStmt, ast.VariableSetStmt, ast.NotifyStmt, ast.ListenStmt)


def unscoped(sql: str) -> list[str]:
    """What is wrong with each statement of a text, empty where nothing is or where it is exempt."""
    return [] if sql in EXEMPT else findings(sql)


def told(statements: Mapping[str, str]) -> str:
    """What is wrong with statements, for people; `statements` say where each is sent."""
    return "\n\n".join(f"{place}: {wrong}\n{sql.strip()}" for sql, place in statements.items() for wrong in _wrong(sql))


def _wrong(sql: str) -> list[str]:
    try:
        return unscoped(sql)
    except ParseError as error:
        return [f"cannot be read: {error}"]


@cache
def place(sql: str) -> int | None:
    """The number of the parameter that says whose rows a statement is about; 0 where none does, None where it is about the
    session alone. AssertionError where two do."""
    numbers: set[int] = set()
    try:
        statements = [raw.stmt for raw in parse_sql(sql)]
    except ParseError:
        return 0
    for statement in statements:
        if isinstance(statement, (ast.SelectStmt, *WRITES)):
            lint = _Lint()
            deque(lint.statement(statement, frozenset()), maxlen=0)
            numbers |= lint.places
    assert len(numbers) <= 1, sql
    return next(iter(numbers), None if all(isinstance(one, SESSION) for one in statements) else 0)


def findings(sql: str) -> list[str]:
    """The same, exempt or not."""
    return [one for raw in parse_sql(sql) for one in dict.fromkeys(_statement(raw.stmt))]


def _statement(statement: Any) -> Iterator[str]:
    match statement:
        case ast.SelectStmt() | ast.InsertStmt() | ast.UpdateStmt() | ast.DeleteStmt():
            lint = _Lint()
            yield from lint.statement(statement, frozenset())
            if len(lint.places) > 1:
                yield f"two values say whose it is: {', '.join(f'${n}' for n in sorted(lint.places))}"
            yield from unfit(statement)
        case ast.CopyStmt():
            yield from _copy(statement)
        case ast.VacuumStmt() if not statement.is_vacuumcmd:
            pass
        case ast.CreateStmt(relation=made) if made.relpersistence == "t" or PARTITION.fullmatch(made.relname):
            if made.relname in HELD:
                yield f"a temporary table hides {made.relname}"
        case ast.AlterTableStmt(cmds=(ast.AlterTableCmd(name=None, def_=ast.PartitionCmd()),)):
            pass
        case ast.IndexStmt(relation=relation) if relation.relname in TEMPORARY:
            pass
        case ast.DropStmt(objects=names) if all(name[-1].sval in TEMPORARY for name in names):
            pass
        case _ if not (isinstance(statement, SESSION) or _of_own(statement)):
            yield f"{type(statement).__name__} is no statement of a workspace"


def _of_own(statement: Any) -> bool:
    """Whether it makes or drops an index of one workspace's own attribute beside all writes, or statistics of one."""
    match statement:
        case ast.IndexStmt(relation=relation, idxname=name, concurrent=True, whereClause=only):
            held = [value for _, column, value in _equal(only) if column == "workspace_id"]
            return relation.relname in OWN and OWN_INDEX.match(name) is not None and held == ["an expression"]
        case ast.CreateStatsStmt(defnames=names):
            return OWN_INDEX.match(names[-1].sval) is not None
        case ast.DropStmt(objects=objects):
            return all(OWN_INDEX.match(names[-1].sval) for names in objects)
        case _:
            return False


def _copy(statement: Any) -> Iterator[str]:
    if statement.relation is None:
        yield from _statement(statement.query)
        return
    table = _known(statement.relation)
    if table is None:
        if statement.relation.relname not in TEMPORARY:
            yield f"{statement.relation.relname} is no table of ours"
    elif not statement.is_from:
        yield f"COPY gives every workspace's {table}"
    elif _key(table) not in [name.sval for name in statement.attlist or ()]:
        yield f"COPY sets no {_key(table)} of {table}"


class _Lint:
    """Walks one statement; `places` collects the numbers of the parameters that say whose its rows are."""

    def __init__(self) -> None:
        self.places: set[int] = set()

    def statement(self, statement: Any, known: Names) -> Iterator[str]:
        """One query level and, below it, all others; `known` are the CTEs that hide tables from it."""
        known = yield from self._with(statement.withClause, known)
        match statement:
            case ast.SelectStmt():
                yield from self._level(statement.fromClause or (), statement.whereClause, known)
                if statement.intoClause is not None:
                    yield "SELECT INTO makes a table"
            case ast.UpdateStmt():
                sources = (statement.relation, *(statement.fromClause or ()))
                yield from self._level(sources, statement.whereClause, known)
                yield from _moved(_known(statement.relation), statement.targetList)
            case ast.DeleteStmt():
                sources = (statement.relation, *(statement.usingClause or ()))
                yield from self._level(sources, statement.whereClause, known)
            case ast.InsertStmt():
                yield from self._insert(statement)
        yield from self._below(statement, known)

    def _with(self, clause: Any, known: Names) -> Any:
        """Checks CTEs, each of which sees those before it, and all of them where they are recursive."""
        for each in clause.ctes if clause else ():
            named = known | {one.ctename for one in clause.ctes} if clause.recursive else known
            yield from self.statement(each.ctequery, named)
            known |= {each.ctename}
        return known

    def _below(self, node: Any, known: Names) -> Iterator[str]:
        for child in children(node):
            if isinstance(child, (ast.SelectStmt, *WRITES)):
                yield from self.statement(child, known)
            elif isinstance(child, ast.MergeStmt):
                yield "MERGE"
            elif not isinstance(child, ast.WithClause):
                yield from self._below(child, known)

    def _level(self, sources: Iterable[Any], where: Any, known: Names) -> Iterator[str]:
        sources = tuple(sources)
        tables: list[Place] = []
        for source in sources:
            yield from _tables(source, known, tables)
        equal = [*_equal(where), *(one for source in sources for one in _joined(source))]
        for table, alias in tables:
            key, names = _key(table), {alias} | ({""} if len(tables) == 1 else set())
            found = [value for name, column, value in equal if name in names and column == key]
            bound = {value for value in found if isinstance(value, int)}
            self.places |= bound
            if not bound:
                instead = f"{alias}.{key} = {found[0]} is no parameter" if found else f"no {alias}.{key} = $n"
                yield f"{table} {alias}: {instead}"

    def _insert(self, statement: Any) -> Iterator[str]:
        table = _known(statement.relation)
        if table is None:
            if statement.relation.relname not in TEMPORARY:
                yield f"{statement.relation.relname} is no table of ours"
            return
        key, names = _key(table), [column.name for column in statement.cols or ()]
        if key not in names:
            yield f"INSERT sets no {key} of {table}"
            return
        for row in _rows(statement.selectStmt):
            number = _parameter(_at(row, names.index(key)))
            if number is None:
                yield f"INSERT sets {key} of {table} from no parameter"
            else:
                self.places.add(number)
        conflict = statement.onConflictClause
        if conflict and conflict.action == OnConflictAction.ONCONFLICT_UPDATE:
            if key not in [each.name for each in (conflict.infer and conflict.infer.indexElems) or ()]:
                yield f"ON CONFLICT changes {table} by something else than {key}"
            yield from _moved(table, conflict.targetList)


# -- tables ------------------------------------------------------------------------------------------------------------


def _known(relation: Any) -> str | None:
    """The table of the schema that a name means; a partition is the table that it is a part of."""
    partition = PARTITION.fullmatch(relation.relname)
    name = str(partition[1] if partition else relation.relname)
    return name if name in HELD and relation.schemaname in (None, "public") else None


def _key(table: str) -> str:
    return "id" if table == "workspaces" else "workspace_id"


def _tables(source: Any, known: Names, found: list[Place]) -> Iterator[str]:
    """Collects the tables of one item of FROM, not of subqueries in it; tells of those that nobody knows."""
    match source:
        case ast.RangeVar(relname=name, schemaname=schema):
            if schema in ("pg_catalog", "information_schema") or (schema is None and name in known):
                return
            if (table := _known(source)) is not None:
                found.append((table, source.alias.aliasname if source.alias else name))
            elif name not in TEMPORARY | OF_NOBODY and not name.startswith("pg_"):
                yield f"{name} is no table of ours"
        case ast.JoinExpr():
            yield from _tables(source.larg, known, found)
            yield from _tables(source.rarg, known, found)
        case ast.RangeTableSample():
            yield from _tables(source.relation, known, found)
        case ast.RangeSubselect() | ast.RangeFunction():
            pass
        case _:
            yield f"{type(source).__name__} cannot be read"


# -- conditions --------------------------------------------------------------------------------------------------------

Equal = tuple[str, str, int | str]
"""Alias (empty: none is said), column, and the number of the parameter that it equals, or else what it equals."""


def _joined(source: Any) -> Iterator[Equal]:
    """What the conditions of joins say of rows that come out: those of an outer join bind the side that may be empty."""
    if not isinstance(source, ast.JoinExpr):
        return
    yield from _joined(source.larg)
    yield from _joined(source.rarg)
    sides = {
        JoinType.JOIN_INNER: (source.larg, source.rarg),
        JoinType.JOIN_LEFT: (source.rarg,),
        JoinType.JOIN_RIGHT: (source.larg,),
    }
    within = {alias for side in sides.get(source.jointype, ()) for alias in _aliases(side)}
    yield from (one for one in _equal(source.quals) if one[0] in within)


def _aliases(source: Any) -> Iterator[str]:
    match source:
        case ast.JoinExpr():
            yield from _aliases(source.larg)
            yield from _aliases(source.rarg)
        case ast.RangeVar():
            yield source.alias.aliasname if source.alias else source.relname


def _equal(condition: Any) -> Iterator[Equal]:
    """The equations that must hold for a condition to be true."""
    match condition:
        case ast.BoolExpr(boolop=BoolExprType.AND_EXPR, args=args):
            for each in args:
                yield from _equal(each)
        case ast.A_Expr(name=(ast.String(sval="="),), lexpr=left, rexpr=right) if condition.kind == 0:
            for one, other in ((left, right), (right, left)):
                if isinstance(one, ast.ColumnRef) and all(isinstance(part, ast.String) for part in one.fields):
                    *alias, column = (part.sval for part in one.fields)
                    number = _parameter(other)
                    yield alias[-1] if alias else "", column, number if number is not None else _spelt(other)


def _parameter(value: Any) -> int | None:
    """The number of a parameter, cast or not."""
    while isinstance(value, ast.TypeCast):
        value = value.arg
    return int(value.number) if isinstance(value, ast.ParamRef) else None


def _spelt(value: Any) -> str:
    if isinstance(value, ast.ColumnRef):
        return ".".join(getattr(part, "sval", "*") for part in value.fields)
    return "an expression"


# -- what is written ---------------------------------------------------------------------------------------------------


def _rows(select: Any) -> Iterator[tuple[Any, ...]]:
    """The select lists or VALUES that an INSERT takes its rows from."""
    if select is None:
        yield ()
    elif select.valuesLists:
        yield from select.valuesLists
    elif select.larg is not None:
        yield from _rows(select.larg)
        yield from _rows(select.rarg)
    else:
        yield tuple(target.val for target in select.targetList or ())


def _at(row: tuple[Any, ...], place: int) -> Any:
    """The value at a place, None where a `*` before it hides which one that is."""
    starred = any(
        isinstance(value, ast.ColumnRef) and isinstance(value.fields[-1], ast.A_Star) for value in row[: place + 1]
    )
    return None if starred or place >= len(row) else row[place]


def _moved(table: str | None, targets: Any) -> Iterator[str]:
    if table is not None and _key(table) in [target.name for target in targets or ()]:
        yield f"{_key(table)} of {table} is changed"
