"""What an import reports: each kind of problem once, with its count, its first lines, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from app.domain.imports import EXAMPLES, Finding, Named, Problem, problem
from app.persistence import imports
from app.persistence.database import Record, Transaction
from app.persistence.staging import checks
from app.persistence.staging.records import Todo

NAMED = 100
"""Things that one finding names."""


def made(column: str | None, table: str, things: Sequence[Named]) -> list[Finding]:
    """What a column made on the way, the most named first; of nothing no finding."""
    if not things:
        return []
    number = "One" if len(things) == 1 else f"{len(things):,}"
    words = f"{number} of the {table} made on the way, not being there yet{_more(things)}."
    lines = sorted(line for one in things for line in one.lines)[:EXAMPLES]
    return [Finding(problem(column, "made", words), sum(one.count for one in things), lines, tuple(things[:NAMED]))]


def unread(columns: Sequence[str]) -> list[Finding]:
    """Columns that nothing was taken from; no single row is to blame."""
    named = tuple(Named(column, 1, (1,)) for column in columns[:NAMED])
    return [Finding(problem(None, "unmapped"), len(columns), (1,), named)] if columns else []


def _more(things: Sequence[Named]) -> str:
    return f"; the {NAMED} that most rows name are told" if len(things) > NAMED else ""


async def keep(
    tx: Transaction,
    workspace_id: UUID,
    import_id: UUID,
    problems: Sequence[Problem],
    todo: Todo,
    beside: Sequence[Finding],
    now: datetime,
) -> None:
    """Keeps what is wrong, and what is known of the counts before anything is written; `beside` joins the summary."""
    counts = dict(await checks.counts(tx))
    counts["unchanged"] = counts["rows"] - counts["rejected"] - todo.rows
    found = await checks.keep(tx, workspace_id, import_id, problems)
    summary = msgspec.json.encode([_entry(one) for one in (*map(_found, found), *beside)])
    await imports.checked(tx, workspace_id, import_id, counts, summary, now)


def _found(row: Record) -> Finding:
    told = Problem(row["col"], row["code"], row["message"], row["is_warning"])
    return Finding(told, int(row["count"]), list(row["lines"]))


def _entry(one: Finding) -> dict[str, object]:
    told = one.problem
    shown = {
        "code": told.code, "column": told.column, "message": told.message, "advice": one.advice,
        "is_warning": told.is_warning, "count": one.count, "lines": one.lines,
    }  # fmt: skip
    return shown | ({"names": one.names} if one.names else {})
