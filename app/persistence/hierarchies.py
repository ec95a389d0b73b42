"""Accounts and what hangs below them: walked and summed in one statement.

An archived account is passed through: what hangs under it hangs, for whoever looks, under the next one above that is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from app.persistence.database import Reader

LEVELS = 200
"""Levels that are walked at most: more than any chain of parents may have, so that no walk is without an end."""

MEASURED = (
    "status", "arr", "mrr", "growth_potential", "open_invoices_amount", "open_tickets", "health", "health_band",
    "renewal_date",
)  # fmt: skip
_OF_A = ", ".join(f"a.{name}" for name in MEASURED)

# `anchor` is the account that whatever is right below hangs under: the row's own, or where that is archived the one that
# it hangs under itself.
WALK = f"""below(top, id, name, under, depth, anchor, anchor_depth, level, archived, {", ".join(MEASURED)}) AS (
  SELECT a.id, a.id, a.name, NULL::uuid, 0, a.id, 0, 0, a.archived_at IS NOT NULL, {_OF_A}
  FROM accounts a WHERE a.workspace_id = $1 AND a.id IN (SELECT t.id FROM tops t)
  UNION ALL
  SELECT b.top, a.id, a.name, b.anchor, b.anchor_depth + 1,
    CASE WHEN a.archived_at IS NULL THEN a.id ELSE b.anchor END,
    CASE WHEN a.archived_at IS NULL THEN b.anchor_depth + 1 ELSE b.anchor_depth END,
    b.level + 1, a.archived_at IS NOT NULL, {_OF_A}
  FROM below b JOIN accounts a ON a.workspace_id = $1 AND a.parent_id = b.id
  WHERE b.level < {LEVELS}
)"""

# ARR below nought weighs nothing: its share of the whole would mean nothing either.
SUMS = """sums AS MATERIALIZED (
  SELECT b.top, count(*) AS accounts, count(*) FILTER (WHERE b.status = 'customer') AS customers,
    coalesce(sum(b.arr), 0) AS arr, coalesce(sum(b.mrr), 0) AS mrr, sum(b.growth_potential) AS growth_potential,
    coalesce(sum(b.open_invoices_amount), 0) AS open_invoices_amount, coalesce(sum(b.open_tickets), 0) AS open_tickets,
    coalesce(
      sum(b.health * greatest(b.arr, 0)) / nullif(sum(greatest(b.arr, 0)) FILTER (WHERE b.health IS NOT NULL), 0),
      avg(b.health)
    ) AS health, min(b.health) AS health_minimum,
    coalesce(sum(greatest(b.arr, 0)) FILTER (WHERE b.health_band = 'red'), 0)::float8
      / nullif(sum(greatest(b.arr, 0)), 0)::float8 AS red_arr_share,
    min(b.renewal_date) FILTER (WHERE b.renewal_date >= {today} AND b.status = 'customer') AS next_renewal_date
  FROM below b WHERE NOT b.archived GROUP BY b.top
)"""
SUMMED = (
    "accounts", "customers", "arr", "mrr", "growth_potential", "open_invoices_amount", "open_tickets", "health",
    "health_minimum", "red_arr_share", "next_renewal_date",
)  # fmt: skip
_SUMMED = ", ".join(f"'{name}', s.{name}" for name in SUMMED)

SHOWN = ("id", "external_id", "name", "status", "arr", "health", "health_band", "renewal_date", "csm_id", "archived_at")
_SHOWN = ", ".join(f"'{name}', a.{name}" for name in SHOWN)
_SHOWN += ", 'csm_name', (SELECT u.name FROM users u WHERE u.workspace_id = $1 AND u.id = a.csm_id)"

TREE = f"""
WITH RECURSIVE tops(id) AS (SELECT $2::uuid), {WALK}, {SUMS.format(today="$3::date")}, above(id, level) AS (
  SELECT a.parent_id, 1 FROM accounts a WHERE a.workspace_id = $1 AND a.id = $2 AND a.parent_id IS NOT NULL
  UNION ALL
  SELECT a.parent_id, u.level + 1 FROM above u JOIN accounts a ON a.workspace_id = $1 AND a.id = u.id
  WHERE a.parent_id IS NOT NULL AND u.level < {LEVELS}
), children AS MATERIALIZED (
  SELECT b.under AS id, count(*) AS n FROM below b WHERE NOT b.archived AND b.under IS NOT NULL GROUP BY b.under
), page AS MATERIALIZED (
  SELECT b.id, b.under, b.depth, b.name FROM below b
  WHERE NOT b.archived AND b.depth > 0
    AND ($4::int IS NULL OR (b.depth, b.name, b.id) > ($4, $5::text COLLATE "C", $6::uuid))
  ORDER BY b.depth, b.name, b.id LIMIT $7
)
SELECT
  (SELECT json_build_object({_SHOWN}, 'depth', 0, 'children', coalesce(c.n, 0), 'parent_id',
      (SELECT p.id FROM above u JOIN accounts p ON p.workspace_id = $1 AND p.id = u.id
       WHERE p.archived_at IS NULL ORDER BY u.level LIMIT 1))
   FROM accounts a LEFT JOIN children c ON c.id = a.id WHERE a.workspace_id = $1 AND a.id = $2) AS account,
  (SELECT json_agg(json_build_object({_SHOWN}) ORDER BY u.level DESC)
   FROM above u JOIN accounts a ON a.workspace_id = $1 AND a.id = u.id WHERE a.archived_at IS NULL) AS ancestors,
  (SELECT json_build_object({_SUMMED}) FROM sums s) AS roll_up,
  (SELECT json_agg(json_build_object({_SHOWN}, 'depth', p.depth, 'parent_id', p.under, 'children', coalesce(c.n, 0))
     ORDER BY p.depth, p.name, p.id)
   FROM page p JOIN accounts a ON a.workspace_id = $1 AND a.id = p.id LEFT JOIN children c ON c.id = p.id) AS data
"""

# The archived accounts that are passed through on the way from where the siblings hang.
SIBLINGS = """
WITH RECURSIVE gone(id, level) AS (
  SELECT a.id, 1 FROM accounts a WHERE a.workspace_id = $1 AND a.archived_at IS NOT NULL AND {begin}
  UNION ALL
  SELECT a.id, g.level + 1 FROM gone g
  JOIN accounts a ON a.workspace_id = $1 AND a.parent_id = g.id AND a.archived_at IS NOT NULL
  WHERE g.level < {levels}
), tops AS MATERIALIZED (
  SELECT a.id FROM accounts a
  WHERE a.workspace_id = $1 AND a.archived_at IS NULL AND {under}
    AND ($4::text IS NULL OR (a.name, a.id) > ($4::text COLLATE "C", $5::uuid))
    AND (NOT $6::bool OR EXISTS (SELECT FROM accounts c WHERE c.workspace_id = $1 AND c.parent_id = a.id))
  ORDER BY a.name, a.id LIMIT $7
), {walk}, {sums}, children AS MATERIALIZED (
  SELECT b.top, count(*) AS n FROM below b WHERE NOT b.archived AND b.under = b.top GROUP BY b.top
)
SELECT json_build_object({shown}, 'depth', 0, 'parent_id', $2::uuid, 'children', coalesce(c.n, 0),
    'roll_up', json_build_object({summed})) AS node
FROM sums s JOIN accounts a ON a.workspace_id = $1 AND a.id = s.top LEFT JOIN children c ON c.top = s.top
ORDER BY a.name, a.id
"""
_PARTS = {"levels": LEVELS, "walk": WALK, "sums": SUMS.format(today="$3::date"), "shown": _SHOWN, "summed": _SUMMED}
# Roots are many and come by name, children are few and come by parent: each condition fits the index that it needs.
ROOTS = SIBLINGS.format(
    begin="a.parent_id IS NULL", under="(a.parent_id IS NULL OR a.parent_id IN (SELECT g.id FROM gone g))", **_PARTS
)
CHILDREN = SIBLINGS.format(
    begin="a.parent_id = $2::uuid", under="a.parent_id IN (SELECT $2::uuid UNION ALL SELECT g.id FROM gone g)", **_PARTS
)

Node = dict[str, Any]
"""An account as it is shown in a tree; money is minor units."""


@dataclass(frozen=True, slots=True)
class Tree:
    """An account, who stands above it from the top down, sums over it and all below, and a page of those."""

    account: Node
    ancestors: list[Node]
    roll_up: dict[str, Any] | None
    data: list[Node]


async def tree(
    reader: Reader, workspace_id: UUID, account_id: UUID, today: date, after: tuple[int, str, UUID] | None, limit: int
) -> Tree | None:
    """The tree below an account, by depth, name and id, behind `after`; `roll_up` is None where all of it is archived."""
    row = await reader.fetchrow(TREE, workspace_id, account_id, today, *(after or (None, None, None)), limit)
    if row is None or row["account"] is None:
        return None
    parts: dict[str, Any] = {name: msgspec.json.decode(value) if value else None for name, value in row.items()}
    return Tree(parts["account"], parts["ancestors"] or [], parts["roll_up"], parts["data"] or [])


async def siblings(
    reader: Reader,
    workspace_id: UUID,
    parent_id: UUID | None,
    today: date,
    after: tuple[str, UUID] | None,
    limit: int,
    *,
    groups: bool,
) -> list[Node]:
    """What hangs right under an account, or under none, by name and id, each with its `roll_up`; `groups`: those alone
    that are somebody's parent."""
    name, last = after or (None, None)
    sql = ROOTS if parent_id is None else CHILDREN
    rows = await reader.fetch(sql, workspace_id, parent_id, today, name, last, groups, limit)
    return [msgspec.json.decode(row["node"]) for row in rows]
