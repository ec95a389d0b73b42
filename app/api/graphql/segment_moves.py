"""What moved between segments from one day to another, who, and why."""

from __future__ import annotations

from typing import Any, cast

from app.api.graphql.build import argument, extend, member, output, resolved
from app.api.graphql.callers import ENCODER
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body, single
from app.api.graphql.segmentations import COMPUTED, HISTORY
from app.api.graphql.writing import Arguments
from app.services import segment_moves

_ENDS = [
    member("was", "Optional[str]", "Null: it was not there yet, or it is unknown where."), member("was_name", "Optional[str]"),
    member("becomes", "Optional[str]", "Null: it was archived by then."), member("becomes_name", "Optional[str]"),
]  # fmt: skip


async def _matrix(source: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    single(info, "segmentation(slug)")
    found = await segment_moves.matrix(
        caller.db, caller.principal, source["slug"], caller.now, said.get("from_"), said.get("to")
    )
    return body(ENCODER.encode(found))


async def _accounts(source: Any, info: Any, said: Arguments) -> Any:
    single(info, "segmentation(slug)")
    caller, page = info.context, paging(info, {**said, "slug": source["slug"]})
    told = {"from": said.get("from_"), **{name: said.get(name) for name in ("to", "was", "becomes")}}
    found = await segment_moves.accounts(
        caller.db, caller.principal, source["slug"], caller.now, told, cast(Any, page.after), page.limit
    )
    return {**page.connection(body(ENCODER.encode(found.data)), found.keys, found.more), **found.history}


async def _chart(source: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    single(info, "segmentation(slug)")
    return await segment_moves.chart(
        caller.db, caller.principal, source["slug"], caller.now, source["from"], source["to"]
    )


output("MovedSum", [member("accounts", "int"), member("arr", "Money", "As it is now.")])
output(
    "SegmentFlow",
    [
        *_ENDS,
        member("unknown", "bool", "It was there, and it is not known where: the history only begins later."),
        member("accounts", "int"),
        member("arr", "Money"),
    ],
)
output("SegmentBeside", [
    member("slug", "str"), member("name", "str"), member("before", "MovedSum"), member("after", "MovedSum"),
])  # fmt: skip
output("MemberEvent", [
    member("at", "DateTime"), member("was", "Optional[str]"), member("segment", "str"), member("segment_name", "str"),
    member("reason", "str", "write, day, time, definition, ranks, pin or unpin."),
])  # fmt: skip
output("MovedAccount", [
    member("id", "ID"), member("external_id", "Optional[str]"), member("name", "str"), member("arr", "Money"), *_ENDS,
    member("created_at", "DateTime"), member("archived_at", "Optional[DateTime]"),
    member("events", "list[MemberEvent]", "Its moves in between, the earliest first; of more than 20 the latest."),
])  # fmt: skip
connect("MovedAccount")
extend("MovedAccountConnection", HISTORY)
extend(
    "MovedAccountConnection",
    member("detail", "Optional[str]", "That it is not known where accounts stood on a day before `historyBegins`."),
)
output("SegmentMoves", [
    member("from", "Date"), member("to", "Date"),
    member("flow", "list[SegmentFlow]", "From where accounts stood to where they stand, with those that stayed."),
    member("segments", "list[SegmentBeside]"), member("before", "MovedSum", "Stayed, moved and left."),
    member("after", "MovedSum", "Stayed, moved, entered and unknown."), member("stayed", "MovedSum"), member("moved", "MovedSum"),
    member("entered", "MovedSum"), member("left", "MovedSum"),
    member("unknown", "MovedSum", "Were there on the first day, and it is not known where."), member("version", "int"), *COMPUTED, HISTORY,
    resolved("chart", "str", _chart, description="As SVG."),
])  # fmt: skip
_DAYS = (
    argument("from", "Optional[str]", None, "A past day, at its end; 30 days before `to` where it is left out."),
    argument("to", "Optional[str]", None, "A later day, or the same; today where it is left out."),
)
OF_SEGMENTATION = (
    resolved(
        "moves", "SegmentMoves", _matrix, *_DAYS,
        description="What moved between two days of the workspace's zone, in accounts and in ARR as it is now.",
    ),
    resolved(
        "moved_accounts", "MovedAccountConnection", _accounts, *_DAYS,
        argument("was", "Optional[str]", None, "Only those that stood in this segment on the first day; `unknown`: only those that were there, and it is not known where."),
        argument("becomes", "Optional[str]", None, "Only those that stand in this segment on the last day."), *PAGING,
        description="Those that stand elsewhere than they did, entered or left; the most ARR first.",
    ),
)  # fmt: skip
