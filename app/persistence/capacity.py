"""Books of accounts, as columns per owner, segment and pace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.meant import Meaning
from app.domain.segmentation.care import Care
from app.domain.workspaces import Workspace
from app.persistence.compile import Scope, condition
from app.persistence.database import Reader

MOST = 250_000
"""Accounts of which books are made: they are held in memory one by one, some two hundred bytes each."""
# As bytes: made into objects one by one, a hundred thousand of them would keep other requests waiting.
BOOKS = """
WITH booked AS (
  SELECT {a}.csm_id, m.segment, p.n AS span, {a}.arr, {a}.id {source} LIMIT {most}
)
SELECT b.csm_id, b.segment, b.span, string_agg(int8send(b.arr), '' ORDER BY b.id) AS arr,
  string_agg(uuid_send(b.id), '' ORDER BY b.id) AS ids
FROM booked b GROUP BY b.csm_id, b.segment, b.span ORDER BY b.csm_id, b.segment, b.span
"""
OWNERS = """
SELECT u.id, u.name, u.is_active FROM users u
WHERE u.workspace_id = $1 AND (u.id = ANY ($2) OR (u.is_active AND u.role = 'csm')) ORDER BY u.name, u.id
"""


@dataclass(frozen=True, slots=True)
class Books:
    """Accounts of one owner, segment and span of its model, in the order of their ids: ARR in minor units as 8 bytes of
    each, and 16 of each id."""

    csm_id: UUID | None
    segment: str | None
    span: int | None
    arr: bytes
    ids: bytes


@dataclass(frozen=True, slots=True)
class Owner:
    """Who looks after accounts, or could."""

    id: UUID
    name: str
    is_active: bool


async def books(
    reader: Reader, workspace: Workspace, of: UUID, cares: Mapping[str, Care], where: Meaning, today: date
) -> list[Books]:
    """Accounts that meet criteria and are neither churned nor archived: all, or one more than MOST."""
    scope = Scope(workspace)
    alias = scope.alias()
    spans = [(slug, lo, hi, n) for slug, care in cares.items() for n, (lo, hi, _, _) in enumerate(care.spans)]
    columns = zip(*spans, strict=True) if spans else ((), (), (), ())
    told = ", ".join(
        f"{scope.bind(list(column))}::{kind}[]"
        for column, kind in zip(columns, ("text", "int", "int", "int"), strict=True)
    )
    age = f"({scope.bind(today)}::date - {alias}.became_customer_at)"
    joined = f""" LEFT JOIN members m ON m.workspace_id = $1 AND m.segmentation_id = {scope.bind(of)} AND m.account_id = {alias}.id
      LEFT JOIN unnest({told}) p(segment, lo, hi, n) ON p.segment = m.segment AND CASE WHEN {age} IS NULL THEN p.hi IS NULL
        ELSE {age} >= coalesce(p.lo, {age}) AND (p.hi IS NULL OR {age} < p.hi) END"""
    inside = [f"{alias}.archived_at IS NULL", f"{alias}.status <> 'churned'", condition(where, ACCOUNTS, alias, scope)]
    source = scope.rows("accounts", alias, inside, joined=joined)
    text = BOOKS.format(a=alias, source=source, most=MOST + 1)
    return [Books(*row) for row in await reader.fetch(text, *scope.args)]


async def owners(reader: Reader, workspace_id: UUID, ids: Collection[UUID]) -> list[Owner]:
    """Users of these ids, and every CSM that is active, by name."""
    return [Owner(*row) for row in await reader.fetch(OWNERS, workspace_id, list(ids), point=True)]
