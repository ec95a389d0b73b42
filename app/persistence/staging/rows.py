"""Staged lines and the typed rows that they become: the tables of both, and what a plan is that leads from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.imports import ROWS, Origin, Problem, problem, unfit
from app.domain.mappings import FileMapping
from app.persistence.database import Transaction


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the typed rows. `target` is the table's column, `bit` its place in the mask of absent members."""

    name: str
    type: str
    target: str
    bit: int


@dataclass(frozen=True, slots=True)
class Staged:
    """A file as it lies in `import_lines`: the columns that it has, and how its lines are counted.

    `problems`: what a reader of the file may have found, by number from 1. `before`: lines above the first row. `folded`:
    some row is longer than a line. `partial`: some line leaves a member out.
    """

    source: Origin
    columns: tuple[str, ...]
    problems: tuple[Problem, ...]
    before: int
    folded: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How staged lines become rows. `problems` are numbered from 1, those that a reader of files finds come first."""

    columns: tuple[Column, ...]
    problems: tuple[Problem, ...]
    table: str
    fill: str
    args: tuple[object, ...]


async def fill(tx: Transaction, plan: Plan) -> None:
    """Turns the staged lines into typed rows; the lines go."""
    await tx.execute(plan.table)
    await tx.execute(plan.fill, *plan.args)
    await tx.execute("DROP TABLE import_lines; ANALYZE import_rows")


def unreadable(mapping: FileMapping) -> tuple[Problem, ...]:
    """What a reader of files may find wrong with a row, in the order of its numbers from 1."""
    fields = mapping.known
    rows = [problem(None, code) for code in ROWS]
    typed = [unfit(fields[n], "type", s.column, 0) for n, s in mapping.fields.items() if s.column is not None]
    return (*rows, *typed)


def staging(columns: Sequence[str]) -> str:
    """The table of a file's text. `line` is empty where rows are counted by the order in which they came; `bad` is what is
    wrong with the row as a whole, 0 where it is none."""
    texts = "".join(f', c{n} text COLLATE "C"' for n in range(len(columns)))
    return f"CREATE TEMP TABLE import_lines (line bigint, bad smallint{texts})"


def made_id(prefix: str, line: str) -> str:
    """The id of a record that a line makes: the import's own, with the line in its last 40 bits."""
    return f"({prefix} || lpad(to_hex({line}), 10, '0'))::uuid"


def prefix(import_id: UUID) -> str:
    """What the ids of all records of one import begin with."""
    return import_id.hex[:22]
