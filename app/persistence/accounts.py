"""Accounts: what is above and below them, what belongs to them, and what that says of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.persistence.database import Transaction

DEPTH = 64
"""How many parents an account may have above it."""

TOLD = """
SELECT EXISTS (SELECT 1 FROM contracts c WHERE c.workspace_id = $1 AND c.account_id = $2) AS contracts,
    EXISTS (SELECT 1 FROM opportunities o
            WHERE o.workspace_id = $1 AND o.account_id = $2 AND o.stage = 'open') AS opportunities,
    EXISTS (SELECT 1 FROM churns c WHERE c.workspace_id = $1 AND c.account_id = $2) AS churns
"""
ABOVE = f"""
WITH RECURSIVE above(id, depth) AS (
    SELECT $2::uuid, 1
    UNION ALL
    SELECT a.parent_id, b.depth + 1 FROM above b JOIN accounts a ON a.workspace_id = $1 AND a.id = b.id
    WHERE a.parent_id IS NOT NULL AND b.depth < {DEPTH}
)
SELECT array_agg(id ORDER BY depth) FROM above
"""
HEIGHT = f"""
WITH RECURSIVE below(id, depth) AS (
    SELECT $2::uuid, 0
    UNION ALL
    SELECT a.id, b.depth + 1 FROM below b JOIN accounts a ON a.workspace_id = $1 AND a.parent_id = b.id
    WHERE b.depth < {DEPTH}
)
SELECT max(depth) FROM below
"""
CHILDREN = "SELECT id FROM accounts WHERE workspace_id = $1 AND parent_id = $2"
ORPHAN = """
UPDATE accounts SET parent_id = NULL, version = version + 1, updated_at = $3 WHERE workspace_id = $1 AND parent_id = $2
"""
BELONGING = (
    "account_changes", "past_stays", "members", "pins", "renewal_calls", "stage_verdicts", "stage_moves", "account_scores", "steps_done", "usage_windows", "usage_days", "churns", "sentiments",
    "requests", "tickets", "surveys", "invoices", "interactions", "opportunities", "contracts", "contacts",
)  # fmt: skip
"""The tables of what belongs to an account, those before that refer to others."""
FORGET = {table: f"DELETE FROM {table} WHERE workspace_id = $1 AND account_id = $2" for table in BELONGING}


async def children(tx: Transaction, workspace_id: UUID, account_id: UUID) -> list[UUID]:
    """The accounts right below one; the workspace must be held."""
    return [row["id"] for row in await tx.fetch(CHILDREN, workspace_id, account_id)]


async def orphan(tx: Transaction, workspace_id: UUID, account_id: UUID, now: datetime) -> None:
    """Takes the parent from the accounts right below one."""
    await tx.execute(ORPHAN, workspace_id, account_id, now)


async def forget(tx: Transaction, workspace_id: UUID, account_id: UUID) -> dict[str, int]:
    """Takes away all that belongs to an account; how many rows of each table there were, where there were any."""
    counts = {table: await tx.execute(FORGET[table], workspace_id, account_id) for table in BELONGING}
    return {table: n for table, tag in counts.items() if (n := int(tag.rpartition(" ")[2]))}


async def told(tx: Transaction, workspace_id: UUID, account_id: UUID) -> Mapping[str, bool]:
    """Which related records say fields of the account: `contracts`, `opportunities` (open ones), `churns`."""
    row = await tx.fetchrow(TOLD, workspace_id, account_id)
    return dict(row) if row else {}


async def above(tx: Transaction, workspace_id: UUID, account_id: UUID) -> list[UUID]:
    """The account, its parent, its parent's parent, and so on: `DEPTH` at most."""
    return list(await tx.fetchval(ABOVE, workspace_id, account_id))


async def height(tx: Transaction, workspace_id: UUID, account_id: UUID) -> int:
    """How many levels of accounts hang below this one: `DEPTH` at most."""
    return int(await tx.fetchval(HEIGHT, workspace_id, account_id))
