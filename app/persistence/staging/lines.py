"""What a staged file turned out to be."""

from __future__ import annotations

from app.persistence.database import Transaction
from app.persistence.staging.values import ABSENT


async def members(tx: Transaction, width: int) -> list[tuple[bool, bool]]:
    """For each column whether some row has the member, and whether some row leaves it out."""
    if width == 0:
        return []
    each = ", ".join(
        f"coalesce(bool_or(c{n} IS DISTINCT FROM $1), false), coalesce(bool_or(c{n} = $1), false)" for n in range(width)
    )
    row = await tx.fetchrow(f"SELECT {each} FROM import_lines WHERE bad IS NULL", ABSENT)
    assert row is not None  # aggregates
    return [(row[2 * n], row[2 * n + 1]) for n in range(width)]
