"""Who looked after an account, whom it was met through and what it hung under, since when."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from app.api.graphql.build import argument, choices, member, output
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import beside
from app.api.graphql.writing import Arguments
from app.domain.catalogue import ACCOUNTS
from app.services import changes
from app.services.changes import Place

choices("AccountChangeField", changes.FIELDS)
output("AccountReferenceChange", [
    member("field", "AccountChangeField"), member("value_id", "Optional[ID]", "The user, contact or account; null where it was none."),
    member("name", "Optional[str]", "Of the value, as it is now; of what is gone, as it was."), member("from_at", "DateTime"),
    member("to_at", "Optional[DateTime]", "Not part of it; null where it still holds."),
    member("actor_id", "Optional[ID]", "Who changed it; null for a service and the command line."),
    member("actor_name", "Optional[str]"),
], "What one reference of an account was for a time.")  # fmt: skip
connect("AccountReferenceChange")


async def _changes(account_id: UUID, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, {**said, "account": str(account_id)})
    field = said["field"].value if said.get("field") else None
    after = cast(Place, page.after) if page.after else None
    found, following = await changes.page(caller.db, caller.principal, account_id, field, after, page.limit)
    return page.connection(found, [changes.place(one) for one in found], following is not None)


OF_ACCOUNT = beside(
    ACCOUNTS, "changes", "Optional[AccountReferenceChangeConnection]", _changes,
    argument("field", "Optional[AccountChangeField]", None, "Only the changes of this one."), *PAGING,
    description="What its csm, primary contact and parent were, the latest first, however they were written.",
)  # fmt: skip
