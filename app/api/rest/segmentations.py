"""/v1/segmentations: defined as a whole, with their segments and members."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new, tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded, json
from app.api.rest import reading
from app.api.rest.envelopes import envelope, with_members
from app.api.rest.parameters import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_MATCH_IF_THERE,
    IF_NEW,
    IF_NONE_MATCH,
    ON,
    QUESTION,
    SLUG,
    path,
)  # fmt: skip
from app.api.rest.segmented import BODY, COUNTED, HISTORY, SEGMENTATION, UNKNOWN
from app.api.rest.writes import answered, gone
from app.api.routes import Parameter, Payload, Route
from app.domain.segmentation.presets import presets as ready
from app.services import segmentations
from app.services.asks import Ask

TAG = "segmentations"
PRESETS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "data": {"type": "object", "description": "bodies by slug"},
        "sources": {
            "type": "object",
            "description": "by slug: the publication that it follows, and its page of documentation",
        },
    },
}
SEGMENT_OF = Parameter("segment", "only those that stand in this segment", SLUG)
KEY = path("slug", "of the segmentation", SLUG, "tier")
COUNTED_ON = Parameter("on", "a past day: accounts as they stood at its end, with today's ARR", ON.schema)


async def every(request: Request) -> Answer:
    """Every segmentation: a workspace has few."""
    request.query(())
    found = await segmentations.all_segmentations(request.db, request.principal, request.now)
    return envelope([encoded(one) for one in found], request.now, segmentations.MOST)


async def presets(request: Request) -> Answer:
    """Bodies to put."""
    request.query(())
    return json(segmentations.presets(request.principal))


async def one(request: Request) -> Answer:
    """A segmentation."""
    request.query(())
    found = await segmentations.get(request.db, request.principal, request.values[0], request.now)
    return tagged(request, encoded(found), found["version"])


async def put(request: Request) -> Answer:
    """The segmentation as it is now."""
    request.query(())
    slug, version = request.values[0], expected_if_any(request)
    body = await request.object()
    with only_new(request):
        written = await segmentations.put(request.db, call(request, body), slug, body, version)
    return answered(written, f"/v1/segmentations/{slug}")


async def delete(request: Request) -> Answer:
    """Nothing: the segmentation is gone."""
    request.query(())
    version = expected_version(request)
    await request.nothing()
    return gone(await segmentations.delete(request.db, call(request), request.values[0], version))


async def segments(request: Request) -> Answer:
    """Counts and money per segment."""
    on = request.query(("on",)).get("on")
    return json(await segmentations.segments(request.db, request.principal, request.values[0], request.now, on))


async def accounts(request: Request) -> Answer:
    """A page of the accounts of a segment, or of all."""
    told: dict[str, Any] = dict(request.query((*reading.NAMES, "segment")))
    segment, slug = told.pop("segment", None), request.values[0]
    ask = await segmentations.members(request.db, request.principal, slug, segment, Ask("accounts", **told))
    found = await reading.page(request, ask)
    if ask.on is None:
        return found
    return with_members(found, await segmentations.history(request.db, request.principal, slug, request.now, ask.on))


def _members() -> dict[str, Any]:
    page, told = schemas.collection(schemas.ref("Account")), "told with `on` alone"
    more = {"history_begins": {**HISTORY["history_begins"], "description": f"{HISTORY['history_begins']['description']}; {told}"},
            "detail": {**UNKNOWN, "description": f"{UNKNOWN['description']}; {told}"}}  # fmt: skip
    return {**page, "properties": {**page["properties"], **more}}


ROUTES = (
    Route("GET", "/v1/segmentations", "segmentations.read", every, "Segmentations", TAG,
          answer=Payload(schemas.collection(SEGMENTATION))),
    Route("GET", "/v1/segmentations/presets", "segmentations.read", presets, "Segmentations that come ready-made", TAG,
          "Bodies that can be put as they are, by the slug that they are meant for, and the publications that they follow.",
          answer=Payload(PRESETS)),
    Route("GET", "/v1/segmentations/{slug}", "segmentations.read", one, "A segmentation", TAG,
          parameters=(KEY, IF_NONE_MATCH), headers=("ETag",), answer=Payload(SEGMENTATION)),
    Route("PUT", "/v1/segmentations/{slug}", "segmentations.write", put, "Define a segmentation", TAG,
          "Every account is placed before it answers. Cuts that are said as before (the same field, accounts and share) stay as they were frozen; those that are new "
          "are taken from the accounts, and `cuts[].taken` says which; POST …/refreeze takes all of them anew. A change needs `If-Match`, and makes a version; where nothing differs "
          "the version stays: putting back the `definition` of what GET answers changes nothing and moves nobody. Refused with 409 where it leaves out segments that "
          "lists or weights of health name: `errors` says which, `replace` and `with_dependents` what becomes of them.",
          parameters=(KEY, IF_MATCH_IF_THERE, IF_NEW, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(SEGMENTATION),
          body=Payload(BODY, example=ready("absolute", "absolute")["tier"]), problems=("conflict",)),
    Route("DELETE", "/v1/segmentations/{slug}", "segmentations.write", delete, "Delete a segmentation", TAG,
          "With its versions, draft and pins, and who stands and stood in its segments. Refused with 409 where lists or segmentations ask for it; "
          "`errors` says which.",
          parameters=(KEY, IF_MATCH, IDEMPOTENCY_KEY), status=204, problems=("conflict",)),
    Route("GET", "/v1/segmentations/{slug}/segments", "segmentations.read", segments, "Accounts and ARR per segment", TAG,
          parameters=(KEY, COUNTED_ON), answer=Payload(COUNTED), problems=("invalid",)),
    Route("GET", "/v1/segmentations/{slug}/accounts", "segmentations.read", accounts, "Accounts and where they stand", TAG,
          "Unless told otherwise they show name, segment and the values that they are placed by. With `on` who stood there at the end "
          "of a past day: segments and stages are of that day, and `filter` asks of nothing else; what `fields`, `include` and `sort` "
          "name besides is of today. `detail` says so where the day lies before `history_begins`.",
          parameters=(KEY, SEGMENT_OF, *QUESTION), answer=Payload(_members())),
)  # fmt: skip
