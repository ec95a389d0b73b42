"""The audit: what was done and refused, by whom, with what changed."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, member, operated, output, resolved
from app.api.graphql.resources import body
from app.api.graphql.selections import mended, named, subsets
from app.api.graphql.writing import Arguments
from app.domain.audit import DOORS, OUTCOMES
from app.domain.errors import StrataError
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT
from app.services import audit
from app.services.audit import Page

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
    member("operation", "str", "What was done, such as `accounts.change`; of what was refused the right that it needed."),
    member("entity", "Optional[str]", "The noun of the address, such as `accounts`."), member("entity_id", "Optional[ID]"),
    resolved("before", "Optional[JSON]", _changed("before"), description="The members that changed, as they were; null for what was made."),
    resolved("after", "Optional[JSON]", _changed("after"), description="As they are; null for what is gone."),
    member("times", "int", "Equal attempts of one minute that were refused."),
], "A write that was done, or one that was refused for its caller's rights.")  # fmt: skip
output("AuditEdge", [member("cursor", "str"), member("node", "AuditEntry")])


def _edges(source: Page, *_: Any) -> Any:
    return [{"cursor": source.cursor(entry), "node": entry} for entry in source.entries]


def _page_info(source: tuple[Page, bool], info: Any, _said: Arguments) -> Any:
    """Members under the keys that the document asks for them by, as connections of records answer them."""
    page, continued = source
    raw = info._raw_info
    places = [page.cursor(page.entries[n]) for n in (0, -1)] if page.entries else [None, None]
    known = {
        "hasNextPage": page.next is not None, "hasPreviousPage": continued, "startCursor": places[0], "endCursor": places[1],
    }  # fmt: skip
    of = named(raw.parent_type, raw.field_nodes[0])
    asked = info.context.reading.fields(of, subsets(raw.field_nodes))
    return {key: known.get(nodes[0].name.value) for key, nodes in asked.items()}


output("AuditConnection", [
    resolved("edges", "list[AuditEdge]", lambda source, *_: _edges(source[0])),
    resolved("nodes", "list[AuditEntry]", lambda source, *_: source[0].entries, description="The entries without their cursors."),
    resolved("page_info", "PageInfo", _page_info),
])  # fmt: skip


async def _audit(_: Any, info: Any, said: Arguments) -> Any:
    caller, after = info.context, said.get("after")
    told = {
        name: str(getattr(value, "value", value)) for name in audit.FILTERS if (value := said.get(name)) is not None
    }
    try:
        page = await audit.page(
            caller.db, caller.principal, told, caller.now, secret=caller.secret, limit=said["first"], cursor=after
        )
    except StrataError as error:
        raise mended(error, None) from None
    return page, after is not None


QUERIES = [
    operated(
        "audit.read", "audit", "AuditConnection", _audit,
        argument("from", "Optional[str]", None, "A day or an instant: entries of then and later."),
        argument("to", "Optional[str]", None, "A day or an instant: entries before it."),
        argument("actor", "Optional[ID]", None, "A user, or a service's key."),
        argument("operation", "Optional[str]", None, "Such as `accounts.change`."), argument("entity", "Optional[str]", None, "Such as `accounts`."),
        argument("id", "Optional[ID]", None, "Of the thing."), argument("outcome", "Optional[AuditOutcome]", None),
        argument("first", "int", DEFAULT_LIMIT, f"At most {MAX_LIMIT:,}."), argument("after", "Optional[str]", None, "A cursor of the same question."),
        description="What was done and refused, newest first.",
    ),
]  # fmt: skip
