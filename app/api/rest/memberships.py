"""/v1/accounts/{id}/segments: where an account stands and stood, and who keeps it there."""

from __future__ import annotations

from typing import Any, cast

from app.api import schemas
from app.api.conditions import call
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import ACCOUNT, CURSOR, IDEMPOTENCY_KEY, IDENTITY, LIMIT, ON, SLUG, path
from app.api.rest.segmented import AUTHOR, COMPUTED, HISTORY, INSTANT, INSTANT_OR_NONE, TEXT, TEXT_OR_NONE
from app.api.rest.writes import bare, gone
from app.api.routes import Parameter, Payload, Route
from app.services import memberships, pins, segmentations

TAG = "segmentations"
PINNED: dict[str, Any] = {
    "segment": SLUG, "reason": TEXT, "author_id": AUTHOR, "pinned_at": INSTANT, "expires_at": INSTANT_OR_NONE,
}  # fmt: skip
REASON = {
    **TEXT_OR_NONE,
    "description": "why it came there: `write`, `day`, `time`, `definition`, `ranks`, `pin`, `unpin`, `confirmation`, `check`",
}
PENDING: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "where the criteria put it, while something keeps it from there; null where it stands as they say",
    "properties": {
        "segment": TEXT, "segment_name": TEXT, "held_by": {**TEXT, "enum": ["pin", "band", "confirmation"]},
        "since": {**INSTANT_OR_NONE, "description": "since when its move waits to be confirmed"},
        "moves_at": {**INSTANT_OR_NONE, "description": "when it moves, if the criteria say the same until then"},
    },
}  # fmt: skip
STANDS = {
    "type": "object",
    "properties": {
        "segmentation": SLUG, "name": TEXT, "segment": TEXT_OR_NONE, "segment_name": TEXT_OR_NONE, "since": INSTANT_OR_NONE,
        "reason": REASON, "pin": {"type": ["object", "null"], "properties": PINNED}, "pending": PENDING,
        **COMPUTED, **HISTORY,
    },
}  # fmt: skip
STAY = {
    "type": "object",
    "properties": {"segment": TEXT, "segment_name": TEXT, "from": INSTANT, "to": INSTANT_OR_NONE, "reason": REASON},
}
PIN = {
    "type": "object",
    "properties": {"segmentation": SLUG, "account_id": IDENTITY, "author": TEXT_OR_NONE, **PINNED},
}
BODY = {
    "type": "object", "required": ["segment", "reason"], "additionalProperties": False,
    "properties": {
        "segment": SLUG, "reason": {**TEXT, "minLength": 1, "maxLength": pins.REASON},
        "expires_at": {**INSTANT_OR_NONE, "description": "then the criteria decide again"},
    },
}  # fmt: skip
SEGMENTATION = path("segmentation", "the segmentation's slug", SLUG, "tier")
STOOD = Parameter("on", "a past day: where it stood at its end", ON.schema)


async def standing(request: Request) -> Answer:
    """Where an account stands in each segmentation."""
    on = request.query(("on",)).get("on")
    found = await memberships.standing(request.db, request.principal, request.uuid(0), request.now, on)
    return envelope([encoded(row) for row in found], request.now, segmentations.MOST)


async def history(request: Request) -> Answer:
    """A page of the segments that an account stood in."""
    page = paging(request)
    before = cast(Any, page.after)
    found, keys, more = await memberships.history(
        request.db, request.principal, request.uuid(0), request.values[1], before[0] if before else None, page.limit
    )
    return envelope([encoded(one) for one in found], request.now, page.limit, page.cursor(keys[-1] if more else None))


async def pin(request: Request) -> Answer:
    """The pin as it is now."""
    request.query(())
    body = await request.object()
    account, slug = request.uuid(0), request.values[1]
    written = await pins.pin(request.db, call(request, body), account, slug, body)
    return bare(written)


async def unpin(request: Request) -> Answer:
    """Nothing: the criteria decide again."""
    request.query(())
    await request.nothing()
    return gone(await pins.unpin(request.db, call(request), request.uuid(0), request.values[1]))


ROUTES = (
    Route("GET", "/v1/accounts/{id}/segments", memberships.READ, standing, "Where an account stands", TAG,
          "In each segmentation: the segment, since when, why it came there, and who keeps it there.",
          parameters=(ACCOUNT, STOOD), answer=Payload(schemas.collection(STANDS)), problems=("invalid",)),
    Route("GET", "/v1/accounts/{id}/segments/{segmentation}/history", memberships.READ, history, "The segments that an account stood in", TAG,
          "The latest first: `to` is null where it stands there still. One ends when the next begins.",
          parameters=(ACCOUNT, SEGMENTATION, LIMIT, CURSOR), answer=Payload(schemas.collection(STAY))),
    Route("PUT", "/v1/accounts/{id}/segments/{segmentation}/pin", pins.PIN, pin, "Keep an account in a segment", TAG,
          "Whatever the criteria say, until the pin ends, is taken away, or the segment is gone. It stands there before this answers. "
          "A pin that is there is replaced.",
          parameters=(ACCOUNT, SEGMENTATION, IDEMPOTENCY_KEY), answer=Payload(PIN),
          body=Payload(BODY, example={"segment": "high", "reason": "A pilot with the board."}), problems=("not-found",)),
    Route("DELETE", "/v1/accounts/{id}/segments/{segmentation}/pin", pins.PIN, unpin, "Let the criteria decide again", TAG,
          "The account stands where they put it before this answers.",
          parameters=(ACCOUNT, SEGMENTATION, IDEMPOTENCY_KEY), status=204),
)  # fmt: skip
