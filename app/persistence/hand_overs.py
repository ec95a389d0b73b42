"""What a user looks after, given to another: accounts and open opportunities."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.persistence.database import Transaction

# Accounts first and in one order, as all writes lock them: those of opportunities too, because segments may ask for owners.
# One array: a hundred thousand rows of their own would hold up everybody while they are read.
LOCK_ACCOUNTS = """
SELECT array_agg(l.id) FROM (
  SELECT a.id FROM accounts a
  WHERE a.workspace_id = $1 AND a.id = ANY (ARRAY(
    SELECT x.id FROM accounts x WHERE x.workspace_id = $1 AND x.csm_id = $2 AND $3
    UNION SELECT o.account_id FROM opportunities o WHERE o.workspace_id = $1 AND o.owner_id = $2 AND o.stage = 'open' AND $4
  ))
  ORDER BY a.id FOR NO KEY UPDATE
) l
"""
GIVE = """
WITH given AS (
  UPDATE {table} x SET {owner} = $3, version = x.version + 1, updated_at = $4
  WHERE x.workspace_id = $1 AND x.{owner} = $2{only} RETURNING x.id
)
SELECT array_agg(g.id ORDER BY g.id) FROM given g
"""
GIVE_ACCOUNTS = GIVE.format(table="accounts", owner="csm_id", only="")
GIVE_OPPORTUNITIES = GIVE.format(table="opportunities", owner="owner_id", only=" AND x.stage = 'open'")


async def lock_accounts(
    tx: Transaction, workspace_id: UUID, user_id: UUID, *, own: bool, opportunities: bool
) -> list[UUID]:
    """Locks the accounts that are the user's own, and those of the user's open opportunities; their ids."""
    return list(await tx.fetchval(LOCK_ACCOUNTS, workspace_id, user_id, own, opportunities) or ())


async def give_accounts(tx: Transaction, workspace_id: UUID, user_id: UUID, heir_id: UUID, now: datetime) -> list[UUID]:
    """Gives the heir the user's accounts, as a change by hand of each; their ids."""
    return list(await tx.fetchval(GIVE_ACCOUNTS, workspace_id, user_id, heir_id, now) or ())


async def give_opportunities(
    tx: Transaction, workspace_id: UUID, user_id: UUID, heir_id: UUID, now: datetime
) -> list[UUID]:
    """Gives the heir the user's open opportunities, as a change by hand of each; their ids."""
    return list(await tx.fetchval(GIVE_OPPORTUNITIES, workspace_id, user_id, heir_id, now) or ())
