"""What records refer to, found by name within the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.domain.catalogue import ENTITIES
from app.persistence.database import Reader, Record

Told = tuple[UUID | None, str]
"""A reference as it was told: the id where it reads as one, and the text."""
# By id, else by external id, else by e-mail: of the account first, of which two contacts may share one, then of any other.
CONTACTS = """
SELECT t.place, c.id, c.account_id, c.is_shared
FROM unnest($2::uuid[], $3::text[], $4::uuid[]) WITH ORDINALITY AS t(id, name, account_id, place)
CROSS JOIN LATERAL (
  SELECT x.id, x.account_id, x.way = 2 AND count(*) OVER (PARTITION BY x.way) > 1 AS is_shared
  FROM (
    SELECT k.id, k.account_id,
      CASE WHEN k.id = t.id THEN 0 WHEN k.external_id = t.name THEN 1 WHEN k.account_id = t.account_id THEN 2 ELSE 3 END AS way
    FROM contacts k
    WHERE k.workspace_id = $1 AND (k.id = t.id OR k.external_id = t.name OR k.email = t.name)
  ) x ORDER BY x.way, x.id LIMIT 1
) c
"""
ACCOUNTS = """
SELECT t.place, a.id
FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS t(id, name, place)
CROSS JOIN LATERAL (
  SELECT x.id FROM accounts x WHERE x.workspace_id = $1 AND (x.id = t.id OR x.external_id = t.name)
  ORDER BY x.id = t.id DESC NULLS LAST LIMIT 1
) a
"""
SLUGS = {
    target: f"SELECT coalesce(array_agg(slug ORDER BY slug), '{{}}') FROM {target} WHERE workspace_id = $1"
    for target in sorted({str(f.target) for e in ENTITIES.values() for f in e.own if f.kind == "slug"})
}


async def accounts(reader: Reader, workspace_id: UUID, told: Sequence[Told]) -> list[UUID | None]:
    """For each the account of this id, else of this external id; one statement for all."""
    ids, names = [one[0] for one in told], [one[1] for one in told]
    rows = await reader.fetch(ACCOUNTS, workspace_id, ids, names, point=True)
    found = {row["place"]: row["id"] for row in rows}
    return [found.get(place) for place in range(1, len(told) + 1)]


async def contacts(
    reader: Reader, workspace_id: UUID, told: Sequence[Told], account_ids: Sequence[UUID]
) -> list[Record | None]:
    """For each, with the account that it is told for, the contact of this id, else of this external id, else of this e-mail:
    `id`, `account_id`, `is_shared` where several of the account have the e-mail; one statement for all."""
    ids, names = [one[0] for one in told], [one[1] for one in told]
    rows = await reader.fetch(CONTACTS, workspace_id, ids, names, list(account_ids), point=True)
    found = {row["place"]: row for row in rows}
    return [found.get(place) for place in range(1, len(told) + 1)]


async def slugs(reader: Reader, workspace_id: UUID, target: str) -> list[str]:
    """The slugs of all industries, products, and so on."""
    return list(await reader.fetchval(SLUGS[target], workspace_id, point=True))
