"""One statement in the making: its bound values, its aliases, and the only place that writes a table's name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from app.domain.catalogue import Kind
from app.domain.criteria.meant import Typed
from app.domain.workspaces import Workspace

SQL_TYPES: dict[Kind, str] = {
    "text": "text", "enum": "text", "slug": "text", "number": "float8", "integer": "int8", "money": "int8",
    "date": "date", "instant": "timestamptz", "bool": "bool", "tags": "text[]", "json": "jsonb", "id": "uuid", "ref": "uuid",
}  # fmt: skip
WHOLE: tuple[Kind, ...] = ("integer", "money")


class Scope:
    """Collects what one statement binds; `kept` lets it read usage windows instead of usage rows.

    `leaned` tells that it does: the statement is right only while `workspaces.facts_day` is what was assumed.
    """

    __slots__ = ("_aliases", "args", "kept", "leaned", "workspace")

    def __init__(self, workspace: Workspace, *, kept: bool = True):
        self.workspace = workspace
        self.args: list[object] = [workspace.id]
        self.kept = kept
        self.leaned = False
        self._aliases = 0

    def bind(self, value: object) -> str:
        """The place of a value whose type the context gives."""
        self.args.append(value)
        return f"${len(self.args)}"

    def typed(self, value: Typed, kind: Kind) -> str:
        """The place of a value of a field's type; a fraction compared with a whole field stays a fraction."""
        if kind in WHOLE and isinstance(value, float):
            kind = "number"
        return f"{self.bind(_driver(value, kind))}::{SQL_TYPES[kind]}"

    def array(self, values: Sequence[Typed], kind: Kind) -> str:
        """The place of a list of such values."""
        if kind in WHOLE and any(isinstance(value, float) for value in values):
            kind = "number"
        return f"{self.bind([_driver(value, kind) for value in values])}::{SQL_TYPES[kind]}[]"

    def optional(self, values: Sequence[Typed | None], kind: Kind) -> str:
        """The place of a list of such values that may have gaps."""
        given = [None if value is None else _driver(value, kind) for value in values]
        return f"{self.bind(given)}::{SQL_TYPES[kind]}[]"

    def alias(self) -> str:
        """A name that no other table of the statement has, and no column: a `$` stands in no name that is asked for."""
        self._aliases += 1
        return f"t{self._aliases}$"

    def rows(self, table: str, alias: str, conditions: Iterable[str] = (), *, joined: str = "") -> str:
        """`FROM table alias … WHERE` the workspace's rows that meet the conditions: every table reference is made here."""
        key = "id" if table == "workspaces" else "workspace_id"
        return " AND ".join([f"FROM {table} {alias}{joined} WHERE {alias}.{key} = $1", *conditions])

    def beside(self, table: str, alias: str, conditions: Iterable[str]) -> str:
        """` LEFT JOIN table alias ON` the workspace's rows that meet the conditions: to be joined to other rows."""
        return " AND ".join([f" LEFT JOIN {table} {alias} ON {alias}.workspace_id = $1", *conditions])


def _driver(value: Typed, kind: Kind) -> Typed:
    if kind == "number" and isinstance(value, int):
        return float(value)
    if kind in ("id", "ref") and isinstance(value, str):
        return UUID(value)
    if kind == "text" and isinstance(value, date | datetime):
        return value.isoformat()
    return value
