"""What a user looks after, given to another: accounts, open opportunities, lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.persistence.database import Record, Transaction

Table = Literal["accounts", "opportunities", "lists"]
HELD: dict[Table, str] = {
    "accounts": "x.csm_id = $2",
    "opportunities": "x.owner_id = $2 AND x.stage = 'open'",
    "lists": "x.owner_id = $2",
}
OWNER: dict[Table, str] = {"accounts": "csm_id", "opportunities": "owner_id", "lists": "owner_id"}
"""The column that says whose a row is."""
# Accounts first and in one order, as all writes lock them: those of opportunities too, because segments may ask for owners.
LOCK_ACCOUNTS = """
SELECT a.id FROM accounts a
WHERE a.workspace_id = $1 AND a.id = ANY (ARRAY(
  SELECT x.id FROM accounts x WHERE x.workspace_id = $1 AND x.csm_id = $2 AND $3
  UNION SELECT o.account_id FROM opportunities o WHERE o.workspace_id = $1 AND o.owner_id = $2 AND o.stage = 'open' AND $4
))
ORDER BY a.id FOR NO KEY UPDATE
"""
FORGET_DEFAULTS = "DELETE FROM list_defaults WHERE workspace_id = $1 AND user_id = $2 AND list_id = ANY ($3)"


async def lock_accounts(
    tx: Transaction, workspace_id: UUID, user_id: UUID, *, own: bool, opportunities: bool
) -> list[UUID]:
    """Locks the accounts that are the user's own, and those of the user's open opportunities; their ids."""
    return [row["id"] for row in await tx.fetch(LOCK_ACCOUNTS, workspace_id, user_id, own, opportunities)]


async def move(
    tx: Transaction, table: Table, workspace_id: UUID, user_id: UUID, heir_id: UUID, now: datetime
) -> list[UUID]:
    """Gives the heir what is the user's, as a change by hand of each; the ids of what was given."""
    rows: Sequence[Record] = await tx.fetch(
        f"""UPDATE {table} x SET {OWNER[table]} = $3, version = x.version + 1, updated_at = $4
        WHERE x.workspace_id = $1 AND {HELD[table]} RETURNING x.id""",
        workspace_id, user_id, heir_id, now,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def forget_defaults(tx: Transaction, workspace_id: UUID, user_id: UUID, list_ids: Sequence[UUID]) -> None:
    """The user does not begin with these lists any more."""
    await tx.execute(FORGET_DEFAULTS, workspace_id, user_id, list_ids)
