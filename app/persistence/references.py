"""What records refer to, found by name within the workspace."""

from __future__ import annotations

from uuid import UUID

from app.domain.catalogue import ENTITIES
from app.persistence.database import Reader, Record

ACCOUNT = """
SELECT id FROM accounts WHERE workspace_id = $1 AND (id = $2 OR external_id = $3)
ORDER BY id = $2 DESC NULLS LAST LIMIT 1
"""
# Two contacts of one account may share an address: the one that was there first.
CONTACT = """
SELECT id, account_id FROM contacts
WHERE workspace_id = $1 AND (id = $2 OR external_id = $3 OR (email = $3 AND account_id = $4))
ORDER BY id = $2 DESC NULLS LAST, external_id = $3 DESC NULLS LAST, created_at, id LIMIT 1
"""
SLUGS = {
    target: f"SELECT coalesce(array_agg(slug ORDER BY slug), '{{}}') FROM {target} WHERE workspace_id = $1"
    for target in sorted({str(f.target) for e in ENTITIES.values() for f in e.own if f.kind == "slug"})
}


async def account(reader: Reader, workspace_id: UUID, identity: UUID | None, name: str) -> UUID | None:
    """The account of this id, else of this external id."""
    found: UUID | None = await reader.fetchval(ACCOUNT, workspace_id, identity, name, point=True)
    return found


async def contact(
    reader: Reader, workspace_id: UUID, identity: UUID | None, name: str, account_id: UUID
) -> Record | None:
    """The contact of this id, else of this external id, else of this e-mail within the account: `id`, `account_id`."""
    return await reader.fetchrow(CONTACT, workspace_id, identity, name, account_id, point=True)


async def slugs(reader: Reader, workspace_id: UUID, target: str) -> list[str]:
    """The slugs of all industries, products, and so on."""
    return list(await reader.fetchval(SLUGS[target], workspace_id, point=True))
