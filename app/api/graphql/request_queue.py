"""Open requests of customers in the order in which they are answered."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, extend, member, operated, output
from app.api.graphql.callers import ENCODER
from app.api.graphql.engagements import BOOK, whose
from app.api.graphql.envelopes import PAGING, connect, paging, total_count
from app.api.graphql.resources import body
from app.api.graphql.selections import mended
from app.api.graphql.writing import Arguments
from app.domain.errors import StrataError
from app.services import request_queue
from app.services.request_queue import Asked

output("QueueReason", [
    member("by", "str", "`lane`, the field of a consideration, `money` or `asked_at`, in the order in which they decide."),
    member("value", "Optional[JSON]", "The account's or the request's own; of `asked_at` the days since."),
    member("direction", "Optional[str]", "Of a consideration: lifts, lowers, neither or unknown."), member("says", "str"),
])  # fmt: skip
output("QueuedRequest", [
    member("place", "int"), member("id", "ID"), member("kind", "str"), member("asked_at", "DateTime"),
    member("note", "Optional[str]"), member("amount", "Optional[Money]"),
    member("money", "Money", "At stake: the sum named, else the account's ARR."),
    member("lane", "Optional[str]", "That of a pin, where there is one. Null: the account has no impact, or is pinned in the rest."), member("account_id", "ID"), member("account", "NamedAccount"),
    member("arr", "Money"), member("csm_id", "Optional[ID]"), member("csm_name", "Optional[str]"),
    member("renewal_date", "Optional[Date]"), member("reasons", "list[QueueReason]"),
], "A request with its place, and the reasons for it.")  # fmt: skip
output("QueueLane", [
    member("lane", "Optional[str]"), member("kind", "str"), member("requests", "int"), member("money", "Money"),
])  # fmt: skip
output("QueueConsideration", [
    member("field", "str"), member("lifts_from", "Optional[float]"), member("lowers_below", "Optional[float]"),
])  # fmt: skip
output("QueueSummary", [
    member("as_of", "DateTime"), member("requests", "int"), member("money", "Money"), member("by_lane", "list[QueueLane]"),
    member("scenario", "Optional[str]", "The active one; null: none is, and no account has a lane."),
    member("segmentation", "Optional[str]", "Whose considerations hold: that named, else the oldest; null: those of the preset, as the workspace has no lanes."),
    member("segmentations", "list[str]", "The workspace's of the kind lanes, the oldest first: what `segmentation` may name."),
    member("considerations", "list[QueueConsideration]"),
])  # fmt: skip
connect("QueuedRequest")
extend("QueuedRequestConnection", total_count())
extend("QueuedRequestConnection", member("summary", "QueueSummary", "Of all that was asked for, whatever the page."))


async def _queue(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    asked = Asked(said.get("kind"), whose(said), page.limit, page.after, "exact", said.get("segmentation"))
    try:
        found = await request_queue.queue(caller.db, caller.principal, asked, caller.now)
    except StrataError as error:
        raise mended(error, None) from None
    connection = page.connection(body(ENCODER.encode(found.data)), found.keys, found.more)
    return {**connection, "summary": body(ENCODER.encode(found.summary)), "count": found.count}


QUERIES = [
    operated(
        request_queue.READ, "request_queue", "QueuedRequestConnection", _queue,
        argument("kind", "Optional[str]", None, "Only requests of this kind."),
        argument("segmentation", "Optional[str]", None, "Of the kind lanes: whose considerations hold; the oldest where it is left out."), *BOOK, *PAGING,
        description="Open requests, the most urgent first, each with the reasons for its place.",
    ),
]  # fmt: skip
