"""A segmentation and an account that something is written of together, locked."""

from __future__ import annotations

from uuid import UUID

from app.domain.errors import NotFound
from app.domain.roles import permit
from app.domain.values import UNSTORABLE
from app.persistence import pins
from app.persistence import segments as kept
from app.persistence.database import Record, Transaction
from app.services.calls import Call


async def held(tx: Transaction, call: Call, operation: str, account_id: UUID, slug: str) -> Record:
    """The segmentation; it and the account are locked, and the principal may do the operation on the account.

    Raises NotFound, Forbidden.
    """
    workspace_id = call.principal.workspace.id
    if UNSTORABLE.search(slug) or await kept.hold(tx, workspace_id, slug) is None:
        raise NotFound("There is no such segmentation in this workspace.")
    account = await pins.account(tx, workspace_id, account_id)
    if account is None:
        raise NotFound("There is no such account in this workspace.")
    mine = call.principal.user_id is not None and account["csm_id"] == call.principal.user_id
    permit(call.principal, operation, own=mine)
    found = await kept.one(tx, workspace_id, slug)
    assert found is not None, "it is locked"
    return found
