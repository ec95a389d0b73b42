"""Loading the demo organisation: rows made elsewhere, copied into their tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import JSONB

from app.persistence import planner, tables
from app.persistence.database import Transaction

BLOCK = 4_000
LIVES = (
    "accounts", "contacts", "contracts", "churns", "interactions", "surveys", "tickets", "sentiments", "requests",
    "invoices", "opportunities", "stage_moves",
)  # fmt: skip
"""Tables of an account's life, each after those that it refers to."""
KEYS_OF_USAGE = "usage_days (workspace_id, account_id, day)"
"""What plans ask of it: to count what its arrays hold, of every month, would take five times as long."""
SAY = """
UPDATE accounts a SET health = n.health, growth_potential_by_hand = n.growth
FROM unnest($2::uuid[], $3::float8[], $4::int8[]) n(id, health, growth)
WHERE a.workspace_id = $1 AND a.id = n.id AND (a.health, a.growth_potential_by_hand) IS DISTINCT FROM (n.health, n.growth)
"""
CLOSE = """
UPDATE opportunities o SET stage = n.stage, closed_at = n.closed_at FROM unnest($2::uuid[], $3::text[], $4::date[]) n(id, stage, closed_at)
WHERE o.workspace_id = $1 AND o.id = n.id
"""
RULE = """
UPDATE stages s SET entry = n.entry, expected_days = n.expected_days, leaves_after_days = n.leaves_after_days
FROM unnest($2::text[], $3::text[], $4::int4[], $5::int4[]) n(slug, entry, expected_days, leaves_after_days)
WHERE s.workspace_id = $1 AND s.slug = n.slug
"""


def _born(row: Mapping[str, object]) -> datetime:
    """The time within a UUIDv7."""
    identity = row["id"]
    assert isinstance(identity, UUID)
    return datetime.fromtimestamp((identity.int >> 80) / 1000, tz=UTC)


async def copy_rows(tx: Transaction, workspace_id: UUID, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Copies rows that share their columns; `created_at` and `updated_at`, where there are any, are the time within the id."""
    declared = tables.metadata.tables[table].c
    columns, born_at = list(rows[0]), [name for name in ("created_at", "updated_at") if name in declared]
    as_json = [isinstance(declared[c].type, JSONB) for c in columns]

    def record(row: Mapping[str, object]) -> tuple[Any, ...]:
        values = [msgspec.json.encode(row[c]) if j else row[c] for c, j in zip(columns, as_json, strict=True)]
        return (workspace_id, *values, *[_born(row)] * len(born_at))

    await tx.copy_records(table, map(record, rows), ["workspace_id", *columns, *born_at])


async def copy_usage(tx: Transaction, workspace_id: UUID, lines: Iterable[str]) -> int:
    """Copies lines `account,day,features,contacts,amounts`; answers how many."""
    copied, head = 0, f"{workspace_id},"

    async def blocks() -> AsyncIterator[bytes]:
        nonlocal copied
        block: list[str] = []
        for line in lines:
            block.append(head + line)
            if len(block) == BLOCK:
                copied += BLOCK
                yield "".join(block).encode()
                block.clear()
        copied += len(block)
        yield "".join(block).encode()

    columns = ["workspace_id", "account_id", "day", "features", "contacts", "amounts"]
    await tx.copy_csv("usage_days", blocks(), columns)
    return copied


async def analyse(tx: Transaction) -> None:
    """Tells the planner what has been loaded."""
    await planner.tell(tx, "users", KEYS_OF_USAGE, *LIVES)


async def say(tx: Transaction, workspace_id: UUID, told: Sequence[tuple[UUID, float | None, int | None]]) -> None:
    """The health of these accounts, and the ARR that could be won of them (minor units), as somebody says them."""
    await tx.execute(SAY, workspace_id, *_columns(told, 3))


async def close(tx: Transaction, workspace_id: UUID, told: Sequence[tuple[object, ...]]) -> None:
    """These opportunities come to a stage, and are closed, on a day."""
    await tx.execute(CLOSE, workspace_id, *_columns(told, 3))


async def rule(tx: Transaction, workspace_id: UUID, told: Sequence[tuple[object, ...]]) -> None:
    """What is said of stages: slug, entry, expected_days, leaves_after_days."""
    await tx.execute(RULE, workspace_id, *_columns(told, 4))


def _columns(told: Sequence[tuple[object, ...]], count: int) -> list[list[object]]:
    return [list(column) for column in zip(*told, strict=True)] or [[]] * count
