"""The audit: what was done and refused, by whom, with what changed."""

from __future__ import annotations

from typing import Any, cast

from app.api.graphql.build import argument, choices, member, operated, output, resolved
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body
from app.api.graphql.selections import mended
from app.api.graphql.writing import Arguments
from app.domain.audit import DOORS, OUTCOMES
from app.domain.errors import StrataError
from app.services import audit

choices("AuditDoor", DOORS)
choices("AuditOutcome", OUTCOMES)


def _changed(name: str) -> Any:
    def read(source: Any, *_: Any) -> Any:
        return None if source[name] is None else body(bytes(source[name]))

    return read


output("AuditEntry", [
    member("id", "ID"), member("at", "DateTime"), member("outcome", "AuditOutcome"),
    member("reason", "Optional[str]", "Why it was refused: the name of the problem."), member("door", "AuditDoor"),
    member("request_id", "Optional[str]"),
    member("actor_id", "Optional[ID]", "The user, or the key of a service; null for the command line."),
    member("actor_name", "Optional[str]", "As it is now."), member("role", "Optional[Role]"), member("credential_id", "Optional[ID]"),
    member("operation", "str", "What was done or refused, such as `accounts.write`."),
    member("entity", "Optional[str]", "The noun of the address, such as `accounts`."), member("entity_id", "Optional[ID]"),
    resolved("before", "Optional[JSON]", _changed("before"), description="The members that changed, as they were; null for what was made."),
    resolved("after", "Optional[JSON]", _changed("after"), description="As they are; null for what is gone."),
    member("times", "int", "Equal attempts of one minute that were refused."),
], "A write that was done, or one that was refused for its caller's rights.")  # fmt: skip
connect("AuditEntry")


async def _audit(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    given = {name.removesuffix("_"): value for name, value in said.items() if value is not None}
    told = {name: str(getattr(value, "value", value)) for name, value in given.items() if name in audit.FILTERS}
    after = cast(audit.After, page.after) if page.after else None
    try:
        entries, keys, more = await audit.page(caller.db, caller.principal, told, after, page.limit)
    except StrataError as error:
        raise mended(error, None) from None
    return page.connection(entries, keys, more)


QUERIES = [
    operated(
        "audit.read", "audit", "AuditEntryConnection", _audit,
        argument("from", "Optional[str]", None, "A day or an instant: entries of then and later."),
        argument("to", "Optional[str]", None, "A day or an instant: entries before it."),
        argument("actor_id", "Optional[ID]", None, "A user, or a service's key."),
        argument("operation", "Optional[str]", None, "Such as `accounts.write`."), argument("entity", "Optional[str]", None, "Such as `accounts`."),
        argument("entity_id", "Optional[ID]", None, "Of the thing; of a record also what writes of many did to it."),
        argument("request_id", "Optional[str]", None, "What one request did."), argument("outcome", "Optional[AuditOutcome]", None), *PAGING,
        description="What was done and refused, newest first.",
    ),
]  # fmt: skip
