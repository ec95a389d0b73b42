"""Where an account stands and stood, and who keeps it there."""

from __future__ import annotations

from typing import Any

from app.api.graphql.addressed import addressed
from app.api.graphql.build import argument, entered, given, member, output, resolved, told
from app.api.graphql.callers import ENCODER
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body, uuid
from app.api.graphql.segmentations import COMPUTED, HISTORY
from app.api.graphql.writing import KEY, Arguments, mended
from app.services import memberships, pins

output("Pin", [
    member("segment", "str"), member("reason", "str"), member("author_id", "Optional[ID]", "Who pinned it; none for a service."),
    member("pinned_at", "DateTime"), member("expires_at", "Optional[DateTime]", "Then the criteria decide again."),
], "An account kept in a segment, whatever the criteria say.")  # fmt: skip
output("PendingMove", [
    member("segment", "str", "Where the criteria put it."), member("segment_name", "str"),
    member("held_by", "str", "What keeps it: pin, band or confirmation."),
    member("since", "Optional[DateTime]", "Since when its move waits to be confirmed."),
    member("moves_at", "Optional[DateTime]", "When it moves, if the criteria say the same until then."),
], "A move that the criteria ask for and that something keeps from being made.")  # fmt: skip
output("AccountSegment", [
    member("segmentation", "str"), member("name", "str"), member("segment", "Optional[str]"),
    member("segment_name", "Optional[str]"), member("since", "Optional[DateTime]"), member("reason", "Optional[str]"),
    member("pin", "Optional[Pin]"), member("pending", "Optional[PendingMove]", "Null where it stands as the criteria say."), *COMPUTED, HISTORY,
], "Where an account stands.")  # fmt: skip
output("SegmentStay", [
    member("segment", "str"), member("segment_name", "str"), member("from", "DateTime"),
    member("to", "Optional[DateTime]", "Null where it stands there still."), member("reason", "str"),
], "A segment that an account stood in.")  # fmt: skip
connect("SegmentStay")
output("PinPayload", [
    resolved("pin", "Pin", lambda source, *_: body(source.body)),
    resolved("created", "bool", lambda source, *_: source.created, description="Whether there was none before."),
])  # fmt: skip
entered("PinInput", [
    given("segment", "str"), given("reason", "str"), given("expires_at", "Optional[str]", "An instant."),
])  # fmt: skip
SEGMENTATION = argument("segmentation", "str")


async def _standing(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    account = uuid(said["id"])
    found = await memberships.standing(caller.db, caller.principal, account, caller.now, said.get("on"))
    return body(ENCODER.encode(found))


async def _history(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    after: Any = page.after
    found, keys, more = await memberships.history(
        caller.db, caller.principal, uuid(said["id"]), said["segmentation"], after[0] if after else None, page.limit
    )
    return page.connection(found, keys, more)


def _pin(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    account = uuid(said["id"])
    return mended(pins.pin(caller.db, call, account, said["segmentation"], told(said["input"])))


def _unpin(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return mended(pins.unpin(caller.db, call, uuid(said["id"]), said["segmentation"]))


QUERIES = [
    addressed(
        memberships.READ, "account_segments", "Optional[list[AccountSegment]]", _standing,
        argument("on", "Optional[str]", None, "A past day: where it stood at its end."),
        description="Where an account stands in each segmentation, since when and why.",
    ),
    addressed(
        memberships.READ, "segment_history", "SegmentStayConnection", _history, SEGMENTATION, *PAGING,
        description="The segments that an account stood in, the latest first; one ends when the next begins.",
    ),
]  # fmt: skip
MUTATIONS = [
    addressed(
        pins.PIN, "pin_account", "Optional[PinPayload]", _pin, SEGMENTATION, argument("input", "PinInput"), KEY,
        description="Keeps an account in a segment, whatever the criteria say, until the pin ends or is taken away.",
    ),
    addressed(
        pins.PIN, "unpin_account", "Optional[DeletedPayload]", _unpin, SEGMENTATION, KEY,
        description="The account stands where the criteria put it before this answers.",
    ),
]  # fmt: skip
