"""Pins: accounts that somebody keeps in a segment, until they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction

ONE = """
SELECT p.segment, p.reason, p.author_id, u.name AS author, p.pinned_at, p.expires_at FROM pins p
LEFT JOIN users u ON u.workspace_id = $1 AND u.id = p.author_id
WHERE p.workspace_id = $1 AND p.segmentation_id = $2 AND p.account_id = $3
"""
PUT = """
INSERT INTO pins (workspace_id, segmentation_id, account_id, segment, reason, author_id, pinned_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (workspace_id, segmentation_id, account_id) DO UPDATE
  SET segment = excluded.segment, reason = excluded.reason, author_id = excluded.author_id, pinned_at = excluded.pinned_at,
    expires_at = excluded.expires_at
"""
DELETE = "DELETE FROM pins WHERE workspace_id = $1 AND segmentation_id = $2 AND account_id = $3"
# Into segments that are there no more nobody can be kept.
FORGET = """
DELETE FROM pins WHERE workspace_id = $1 AND segmentation_id = $2 AND segment <> ALL ($3::text[])
RETURNING account_id, segment, reason, expires_at
"""
MOVE = """
UPDATE pins p SET segment = n.becomes FROM unnest($3::text[], $4::text[]) n(was, becomes)
WHERE p.workspace_id = $1 AND p.segmentation_id = $2 AND p.segment = n.was
RETURNING p.account_id, n.was, p.segment, p.reason, p.expires_at
"""
DUE = "SELECT DISTINCT workspace_id FROM pins WHERE expires_at <= $1"
TAKE = """
DELETE FROM pins WHERE workspace_id = $1 AND expires_at <= $2 AND account_id = ANY ($3) RETURNING account_id
"""
EXPIRED = "SELECT DISTINCT account_id FROM pins WHERE workspace_id = $1 AND expires_at <= $2 ORDER BY account_id"
ACCOUNT = "SELECT csm_id FROM accounts WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE"


async def account(tx: Transaction, workspace_id: UUID, account_id: UUID) -> Record | None:
    """The account's csm; it is locked until the transaction ends."""
    return await tx.fetchrow(ACCOUNT, workspace_id, account_id)


async def one(reader: Reader, workspace_id: UUID, segmentation_id: UUID, account_id: UUID) -> Record | None:
    """The pin of an account in a segmentation, ended or not."""
    return await reader.fetchrow(ONE, workspace_id, segmentation_id, account_id, point=True)


async def put(
    tx: Transaction, workspace_id: UUID, segmentation_id: UUID, account_id: UUID, segment: str, reason: str,
    author_id: UUID | None, now: datetime, expires_at: datetime | None,
) -> None:  # fmt: skip
    """Adds a pin, or replaces it."""
    await tx.execute(PUT, workspace_id, segmentation_id, account_id, segment, reason, author_id, now, expires_at)


async def delete(tx: Transaction, workspace_id: UUID, segmentation_id: UUID, account_id: UUID) -> None:
    """Takes a pin away."""
    await tx.execute(DELETE, workspace_id, segmentation_id, account_id)


async def forget_others(
    tx: Transaction, workspace_id: UUID, segmentation_id: UUID, segments: Sequence[str]
) -> list[Record]:
    """Takes away the pins of a segmentation into other segments than these; gives them."""
    return await tx.fetch(FORGET, workspace_id, segmentation_id, list(segments))


async def move(tx: Transaction, workspace_id: UUID, segmentation_id: UUID, instead: Mapping[str, str]) -> list[Record]:
    """Into the segments that take the place of others; the pins that were in those, each with where it `was`."""
    return await tx.fetch(MOVE, workspace_id, segmentation_id, list(instead), list(instead.values()))


async def due(reader: Reader, now: datetime) -> list[UUID]:
    """Workspaces with pins that have ended."""
    return [row["workspace_id"] for row in await reader.fetch(DUE, now)]


async def expired(reader: Reader, workspace_id: UUID, now: datetime) -> list[UUID]:
    """The accounts whose pins have ended."""
    return [row["account_id"] for row in await reader.fetch(EXPIRED, workspace_id, now)]


async def take(tx: Transaction, workspace_id: UUID, account_ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Takes away the pins of these accounts that have ended; gives the accounts that had any. They must be locked."""
    return [row["account_id"] for row in await tx.fetch(TAKE, workspace_id, now, list(account_ids))]
