"""Calls of renewals, added to alone, and the renewals of an account that are open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

ACCOUNT = "SELECT a.csm_id FROM accounts a WHERE a.workspace_id = $1 AND a.id = $2"
LOCKED = f"{ACCOUNT} FOR NO KEY UPDATE"
TERMS = """
SELECT c.id, coalesce(c.product, '') AS product, c.arr, c.start_date, c.end_date, c.outcome, c.decided_at,
  least(c.start_date, timezone('UTC', c.created_at)::date) AS known_on
FROM contracts c WHERE c.workspace_id = $1 AND c.account_id = $2 AND c.arr >= 0 ORDER BY c.id
"""
ITS_OWN = """
SELECT a.renewal_date, a.arr FROM accounts a
WHERE a.workspace_id = $1 AND a.id = $2 AND a.renewal_date IS NOT NULL AND a.churned_at IS NULL
  AND NOT EXISTS (SELECT FROM contracts e WHERE e.workspace_id = $1 AND e.account_id = $2)
"""
COLUMNS = """
c.version, c.due_on, c.contract_ids, c.due, c.category, c.probability, c.amount, c.note, c.csm_id, c.author_id, u.name AS author,
c.called_at
"""
STANDING = f"""
SELECT {COLUMNS} FROM renewal_calls c LEFT JOIN users u ON u.workspace_id = $1 AND u.id = c.author_id
WHERE c.workspace_id = $1 AND c.account_id = $2 AND c.due_on = $3 ORDER BY c.version DESC LIMIT 1
"""
LATEST = "SELECT coalesce(max(c.version), 0) FROM renewal_calls c WHERE c.workspace_id = $1 AND c.account_id = $2"
HISTORY = f"""
SELECT {COLUMNS}, (
  SELECT min(n.called_at) FROM renewal_calls n
  WHERE n.workspace_id = $1 AND n.account_id = $2 AND n.due_on = c.due_on AND n.version > c.version
) AS until
FROM renewal_calls c LEFT JOIN users u ON u.workspace_id = $1 AND u.id = c.author_id
WHERE c.workspace_id = $1 AND c.account_id = $2 AND ($3::int IS NULL OR c.version < $3) ORDER BY c.version DESC LIMIT $4
"""
ADD = """
INSERT INTO renewal_calls (workspace_id, account_id, version, due_on, contract_ids, due, category, probability, amount, note,
  csm_id, author_id, called_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""


async def account(reader: Reader, workspace_id: UUID, account_id: UUID) -> Record | None:
    """The account's csm."""
    return await reader.fetchrow(ACCOUNT, workspace_id, account_id, point=True)


async def locked(tx: Transaction, workspace_id: UUID, account_id: UUID) -> Record | None:
    """The same; the account is locked until the transaction ends."""
    return await tx.fetchrow(LOCKED, workspace_id, account_id)


async def terms(reader: Reader, workspace_id: UUID, account_id: UUID) -> list[Record]:
    """The contracts of an account, as `outcomes` takes them."""
    return await reader.fetch(TERMS, workspace_id, account_id)


async def its_own(reader: Reader, workspace_id: UUID, account_id: UUID) -> Record | None:
    """The renewal date and ARR of an account that has no contracts and has not churned."""
    return await reader.fetchrow(ITS_OWN, workspace_id, account_id, point=True)


async def standing(reader: Reader, workspace_id: UUID, account_id: UUID, due_on: date) -> Record | None:
    """The last call of a renewal; its category is null where it was withdrawn."""
    return await reader.fetchrow(STANDING, workspace_id, account_id, due_on)


async def latest(reader: Reader, workspace_id: UUID, account_id: UUID) -> int:
    """The account's last version, 0 where nothing was ever called."""
    return int(await reader.fetchval(LATEST, workspace_id, account_id))


async def history(reader: Reader, workspace_id: UUID, account_id: UUID, before: int | None, limit: int) -> list[Record]:
    """Every call of an account, the latest first; `until` when the next one of the same renewal was made."""
    return await reader.fetch(HISTORY, workspace_id, account_id, before, limit)


async def add(
    tx: Transaction, workspace_id: UUID, account_id: UUID, version: int, due_on: date, contract_ids: Sequence[UUID], due: int,
    category: str | None, probability: float | None, amount: int | None, note: str | None, csm_id: UUID | None,
    author_id: UUID | None, now: datetime,
) -> None:  # fmt: skip
    """One call more; without a category the one before is withdrawn. The account must be locked."""
    await tx.execute(
        ADD, workspace_id, account_id, version, due_on, list(contract_ids), due, category, probability, amount, note, csm_id,
        author_id, now,
    )  # fmt: skip
