"""What an account's csm, primary contact and parent were: from when to when, and by whose hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.roles import Principal, permit
from app.persistence import changes, reads
from app.persistence.database import Reader

FIELDS = ("csm", "primary_contact", "parent")
"""The references whose changes are kept."""
Place = tuple[datetime, str]
"""Behind which change a page begins: when it began, and its field."""


async def page(
    db: Reader, principal: Principal, account_id: UUID, field: str | None, after: Place | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], Place | None]:
    """The changes of an account, the latest first, and where the next page begins.

    Each is `{field, value_id, name, from_at, to_at, actor_id, actor_name}`: `value_id` is null where it was nobody, `to_at`
    where it still holds, the actor where a service or an import from the command line did it; `name` is as it is now or,
    of what is gone, as it was. Raises NotFound, Invalid for a field without history.
    """
    permit(principal, "records.read")
    if field is not None and field not in FIELDS:
        message = f"Expected one of {', '.join(FIELDS)}."
        raise Invalid(faults=(Fault(message, parameter="field", suggestion=nearest(field, FIELDS)),))
    workspace_id = principal.workspace.id
    rows = await changes.page(db, workspace_id, account_id, field, after, limit + 1)
    if not rows and not await reads.account_exists(db, workspace_id, account_id):
        raise NotFound
    found = [dict(row) for row in rows[:limit]]
    return found, place(found[-1]) if len(rows) > limit else None


def place(change: dict[str, Any]) -> Place:
    """Where a change stands among those of its account."""
    return change["from_at"], change["field"]
