"""Lists that stand in the criteria of others."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.persistence.database import Reader, Record, Transaction
from app.persistence.lists import SEEN

HEX = "[0-9a-fA-F]"
INNER = f'$.** ? (@.op == "list").list ? (@ like_regex "^{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}}$")'
# Lists that criteria name, and those that they name in turn; a circle ends where it began.
NAMED = f"""
WITH RECURSIVE named(id) AS (
  SELECT i.id FROM unnest($2::uuid[]) i(id)
  UNION
  SELECT (c.told #>> '{{}}')::uuid FROM named n
  JOIN lists l ON l.workspace_id = $1 AND l.id = n.id AND (l.visibility = 'public' OR l.owner_id = $3::uuid)
  CROSS JOIN LATERAL jsonb_path_query(l.criteria, '{INNER}') c(told)
)
SELECT {SEEN.format("$3")} FROM lists WHERE workspace_id = $1 AND (visibility = 'public' OR owner_id = $3::uuid)
  AND id = ANY (ARRAY(SELECT n.id FROM named n))
"""
# Lists that name this one, or name such a list; those that others keep private too.
NAMING = f"""
WITH RECURSIVE naming(id) AS (
  SELECT $2::uuid
  UNION
  SELECT l.id FROM naming n JOIN lists l ON l.workspace_id = $1
    AND n.id = ANY (ARRAY(SELECT (c.told #>> '{{}}')::uuid FROM jsonb_path_query(l.criteria, '{INNER}') c(told)))
)
SELECT {SEEN.format("NULL")} FROM lists WHERE workspace_id = $1 AND id = ANY (ARRAY(SELECT n.id FROM naming n)) AND id <> $2
ORDER BY name, id
"""


async def lists(reader: Reader, workspace_id: UUID, ids: Sequence[UUID], viewer: UUID | None) -> list[Record]:
    """These lists and all that they lead to, as far as they are public or the viewer's own."""
    return await reader.fetch(NAMED, workspace_id, list(ids), viewer, point=True)


async def naming(tx: Transaction, workspace_id: UUID, list_id: UUID) -> list[Record]:
    """All lists that lead to this one, whosever they are."""
    return await tx.fetch(NAMING, workspace_id, list_id)
