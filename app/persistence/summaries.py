"""Running summaries."""

from __future__ import annotations

from dataclasses import dataclass

from app.persistence.compile.summaries import Statement
from app.persistence.database import Reader


@dataclass(frozen=True, slots=True)
class Groups:
    """`data` is a JSON array of groups, `totals` a JSON object; `count` is how many groups there are, shown or not.

    `fresh` is False where kept windows were read that are right for another day.
    """

    data: bytes
    totals: bytes
    count: int
    fresh: bool


async def groups(reader: Reader, statement: Statement) -> Groups:
    """Runs the statement of a summary."""
    row = await reader.fetchrow(statement.text, *statement.args)
    assert row is not None, "an aggregate gives a row"
    return Groups(row[0], row[1], row[2], bool(row[3]) if statement.leans else True)
