"""/v1/requests/queue: open requests of customers in the order in which they are answered."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.engagements import COUNTED, CSM, DAY_OR_NONE, MINE, NAMED, whose
from app.api.rest.envelopes import paging
from app.api.rest.parameters import COUNT as HOW_MANY
from app.api.rest.parameters import CURSOR, FILTER, FOR_USER, IDENTITY, LIMIT, SLUG
from app.api.rest.segmented import COUNT, INSTANT, MONEY, TEXT, TEXT_OR_NONE
from app.api.routes import Parameter, Payload, Route
from app.domain.scenarios import IMPACTS
from app.services import request_queue
from app.services.request_queue import KINDS, Asked

TAG = "engagements"
KIND = {"type": "string", "enum": list(KINDS)}
SEGMENTATION = Parameter(
    "segmentation", "of the kind lanes: whose considerations hold; the oldest where it is left out", SLUG
)
ASKED = (Parameter("kind", "only requests of this kind", KIND), SEGMENTATION, CSM, FILTER, MINE, FOR_USER)
LANE: dict[str, Any] = {
    "type": ["string", "null"],
    "enum": [*IMPACTS, None],
    "description": "that of a pin, where there is one; null: the account has no impact, or is pinned in the rest",
}
REASON = {
    "type": "object",
    "properties": {
        "by": {**TEXT, "description": "`lane`, the field of a consideration, `money` or `asked_at`, in the order in which they decide"},
        "value": {"type": ["number", "string", "null"], "description": "the account's or the request's own; of `asked_at` the days since"},
        "direction": {"type": ["string", "null"], "enum": ["lifts", "lowers", "neither", "unknown", None]},
        "says": TEXT,
    },
}  # fmt: skip
PLACED = {
    "type": "object",
    "properties": {
        "place": COUNT, "id": IDENTITY, "kind": KIND, "asked_at": INSTANT, "note": TEXT_OR_NONE,
        "amount": schemas.nullable(dict(MONEY)), "money": {**MONEY, "description": "at stake: the sum named, else the account's ARR"},
        "lane": LANE, "account_id": IDENTITY, "account": NAMED, "arr": MONEY, "csm_id": schemas.nullable(dict(IDENTITY)),
        "csm_name": TEXT_OR_NONE, "renewal_date": DAY_OR_NONE, "reasons": {"type": "array", "items": REASON},
    },
}  # fmt: skip
SUMMARY = {
    "type": "object",
    "properties": {
        "as_of": INSTANT, "requests": COUNT, "money": MONEY,
        "by_lane": {"type": "array", "items": {
            "type": "object", "properties": {"lane": LANE, "kind": KIND, "requests": COUNT, "money": MONEY},
        }},
        "scenario": {**TEXT_OR_NONE, "description": "the active one; null: none is, and no account has a lane"},
        "segmentation": {**TEXT_OR_NONE, "description": "whose considerations hold: that named, else the oldest; null: those of the preset, as the workspace has no lanes"},
        "segmentations": {"type": "array", "items": SLUG, "description": "the workspace's of the kind lanes, the oldest first: what `segmentation` may name"},
        "considerations": {"type": "array", "items": {"type": "object", "properties": {
            "field": TEXT, "lifts_from": {"type": ["number", "null"]}, "lowers_below": {"type": ["number", "null"]},
        }}},
    },
}  # fmt: skip
ANSWER = {
    "type": "object",
    "properties": {
        "data": {"type": "array", "items": PLACED},
        "page": {"type": "object", "properties": {"next": TEXT_OR_NONE, "limit": COUNT}},
        "count": COUNTED,
        "summary": {**SUMMARY, "description": "of all that was asked for, whatever the page"},
    },
}


async def queue(request: Request) -> Answer:
    """A page of the queue."""
    page = paging(request, *(one.name for one in (*ASKED, HOW_MANY)))
    asked = Asked(
        page.told.get("kind"),
        whose(page.told),
        page.limit,
        page.after,
        page.told.get("count"),
        page.told.get("segmentation"),
    )
    found = await request_queue.queue(request.db, request.principal, asked, request.now)
    following = page.cursor(found.keys[-1] if found.more else None)
    told = {"page": {"next": following, "limit": page.limit}, "count": found.count, "summary": found.summary}
    return json({"data": found.data, **told})


ROUTES = (
    Route("GET", "/v1/requests/queue", request_queue.READ, queue, "Open requests, the most urgent first", TAG,
          "By lane, the worst first; within it by considerations, those with the least that speaks for staying first; then by money at "
          "stake, then by who waits longest. Each comes with the reasons for its place. What lifts and lowers says the workspace's oldest segmentation of the kind lanes unless `segmentation` "
          "names another; where there is none, the preset. Who is pinned in it is in the lane of the pin, and the reason of the lane says so.",
          parameters=(*ASKED, LIMIT, CURSOR, HOW_MANY), answer=Payload(ANSWER)),
)  # fmt: skip
