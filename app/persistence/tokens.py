"""Whom a verified token names: an active user with everything that a principal is."""

from __future__ import annotations

from uuid import UUID

from app.persistence.database import Database, Record
from app.persistence.workspaces import columns

# Addresses that differ by the case of ASCII letters alone are one person's, as they are where users are made.
NAMED = {
    True: 'lower(u.email) = lower($2::text COLLATE "C")',
    False: "u.external_id = $2",
}
USER = {
    by_email: f"""
SELECT u.id AS user_id, u.role AS user_role,
    ARRAY(SELECT t.id FROM users t WHERE t.workspace_id = $1 AND t.team = u.team ORDER BY t.id) AS team,
    {columns("$1")}
FROM workspaces w JOIN users u ON u.workspace_id = $1 AND u.is_active AND {named}
WHERE w.id = $1
LIMIT 2
"""
    for by_email, named in NAMED.items()
}


async def user(db: Database, workspace_id: UUID, name: str, *, by_email: bool) -> Record | None:
    """The active user of this e-mail address, or of this external id; None where there is none, or more than one."""
    rows = await db.fetch(USER[by_email], workspace_id, name, point=True)
    return rows[0] if len(rows) == 1 else None
