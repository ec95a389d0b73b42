"""Which day a workspace's facts are kept for, and whose turn it is to move it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from app.persistence.database import Reader, Transaction

# Work on all tenants at once: reference rows alone, one small statement.
DUE = "SELECT id FROM workspaces WHERE facts_day < ($1::timestamptz AT TIME ZONE zone)::date ORDER BY id"

# Sooner than the server looks for deadlocks: of a roll and a write that wait for each other, the roll yields.
PATIENCE = "SET LOCAL lock_timeout = '800ms'"
# The row stays locked until the transaction ends, which makes it the lease.
HOLD = """
SELECT true FROM workspaces WHERE id = $1 AND facts_day < ($2::timestamptz AT TIME ZONE zone)::date
FOR NO KEY UPDATE SKIP LOCKED
"""
CLAIM = """
UPDATE workspaces SET facts_day = ($2::timestamptz AT TIME ZONE zone)::date
WHERE id = $1 AND id = ANY (ARRAY(
  SELECT id FROM workspaces WHERE id = $1 AND facts_day < ($2::timestamptz AT TIME ZONE zone)::date
  FOR NO KEY UPDATE SKIP LOCKED
))
RETURNING facts_day
"""


async def due(reader: Reader, now: datetime) -> list[UUID]:
    """Workspaces where it is a later day now than their facts are kept for."""
    return [row["id"] for row in await reader.fetch(DUE, now)]


async def hold(tx: Transaction, workspace_id: UUID, now: datetime) -> bool:
    """Make sure that nobody else moves the day until the transaction ends; False where it has been moved already or somebody
    else is at it."""
    await tx.execute(PATIENCE)
    return bool(await tx.fetchval(HOLD, workspace_id, now))


async def claim(tx: Transaction, workspace_id: UUID, now: datetime) -> date | None:
    """Move the day; None where it has been moved already or another transaction is moving it."""
    await tx.execute(PATIENCE)
    day: date | None = await tx.fetchval(CLAIM, workspace_id, now)
    return day
