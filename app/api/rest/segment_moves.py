"""/v1/segmentations/{slug}/moves: what moved between segments from one day to another, who, and why."""

from __future__ import annotations

from typing import Any, cast

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, encoded, json
from app.api.rest.charts import PICTURE, picture
from app.api.rest.envelopes import envelope, paging, with_members
from app.api.rest.memberships import REASON
from app.api.rest.parameters import CURSOR, IDENTITY, LIMIT, ON, SLUG
from app.api.rest.segmentations import KEY, TAG
from app.api.rest.segmented import (
    COMPUTED,
    COUNT,
    HISTORY,
    INSTANT,
    INSTANT_OR_NONE,
    MONEY,
    TEXT,
    TEXT_OR_NONE,
    UNKNOWN,
)
from app.api.routes import Parameter, Payload, Route
from app.services import segment_moves

DAYS = ("from", "to")
NARROWED = ("was", "becomes")
_SUM = {"accounts": COUNT, "arr": MONEY}
SUM = {"type": "object", "properties": _SUM}
_ENDS = {
    "was": {**TEXT_OR_NONE, "description": "null: it was not there yet, or is `unknown`"}, "was_name": TEXT_OR_NONE,
    "becomes": {**TEXT_OR_NONE, "description": "null: it was archived by then"}, "becomes_name": TEXT_OR_NONE,
}  # fmt: skip


def _each(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": properties}}


MATRIX = {
    "type": "object",
    "properties": {
        "slug": SLUG, "name": TEXT, "from": ON.schema, "to": ON.schema,
        "flow": {**_each(**_ENDS, unknown={"type": "boolean", "description": "it was there, and it is not known where: the history only begins later"}, **_SUM), "description": "from where accounts stood to where they stand, with those that stayed"},
        "segments": _each(slug=SLUG, name=TEXT, before=SUM, after=SUM),
        "before": {**SUM, "description": "stayed, moved and left"}, "after": {**SUM, "description": "stayed, moved, entered and unknown"},
        "stayed": SUM, "moved": SUM, "entered": SUM, "left": SUM, "unknown": {**SUM, "description": "were there on the first day, and it is not known where"}, "version": COUNT, **COMPUTED, **HISTORY,
    },
}  # fmt: skip
MOVED = {
    "type": "object",
    "properties": {
        "id": IDENTITY, "external_id": TEXT_OR_NONE, "name": TEXT, "arr": MONEY, **_ENDS, "created_at": INSTANT,
        "archived_at": INSTANT_OR_NONE,
        "events": {
            **_each(at=INSTANT, was=TEXT_OR_NONE, segment=TEXT, segment_name=TEXT, reason=REASON),
            "description": "its moves in between, the earliest first; of more than 20 the latest",
        },
    },
}  # fmt: skip


def _page_of_moved() -> dict[str, Any]:
    page = schemas.collection(MOVED)
    return {**page, "properties": {**page["properties"], **HISTORY, "detail": UNKNOWN}}


FROM = Parameter(
    "from", "a past day, at its end, in the workspace's zone; 30 days before `to` where it is left out", ON.schema
)
TO = Parameter("to", "a later day, or the same; today where it is left out", ON.schema)
WAS = Parameter(
    "was",
    "only those that stood in this segment on the first day; `unknown`: only those that were there, and it is not known where",
    SLUG,
)
BECOMES = Parameter("becomes", "only those that stand in this segment on the last day", SLUG)


async def matrix(request: Request) -> Answer:
    """The flow between the segments."""
    told = request.query(DAYS)
    found = await segment_moves.matrix(
        request.db, request.principal, request.values[0], request.now, told.get("from"), told.get("to")
    )
    return json(found)


async def accounts(request: Request) -> Answer:
    """A page of who moved."""
    page = paging(request, *DAYS, *NARROWED)
    found = await segment_moves.accounts(
        request.db, request.principal, request.values[0], request.now, page.told, cast(Any, page.after), page.limit
    )
    following = page.cursor(found.keys[-1] if found.more else None)
    return with_members(
        envelope([encoded(one) for one in found.data], request.now, page.limit, following), found.history
    )


async def chart(request: Request) -> Answer:
    """The flow drawn."""
    told = request.query(DAYS)
    drawn = await segment_moves.chart(
        request.db, request.principal, request.values[0], request.now, told.get("from"), told.get("to")
    )
    return picture(drawn)


ROUTES = (
    Route("GET", "/v1/segmentations/{slug}/moves", segment_moves.READ, matrix, "What moved between two days", TAG,
          "From each segment to each other, in accounts and in ARR as it is now; who entered and who left; sums add up to the counts "
          "of both days. Where the first day lies before `history_begins`, who was there then is `unknown`, and entered nothing.",
          parameters=(KEY, FROM, TO), answer=Payload(MATRIX), problems=("invalid",)),
    Route("GET", "/v1/segmentations/{slug}/moves/accounts", segment_moves.READ, accounts, "Who moved between two days", TAG,
          "Those that stand elsewhere than they did, entered or left, with each move in between and its reason; the most ARR first. Who was there "
          "before the history begins is not among them: `was=unknown` asks for those alone.",
          parameters=(KEY, FROM, TO, WAS, BECOMES, LIMIT, CURSOR), answer=Payload(_page_of_moved()), problems=("invalid",)),
    Route("GET", "/v1/segmentations/{slug}/moves/chart.svg", segment_moves.READ, chart, "The moves as a picture", TAG,
          parameters=(KEY, FROM, TO), answer=PICTURE, problems=("invalid",)),
)  # fmt: skip
