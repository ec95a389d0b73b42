"""/v1/segmentations/{slug}: drafts, what they would do, their publication, versions and the way back."""

from __future__ import annotations

from typing import Any, cast

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new, tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded, json
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_MATCH_IF_THERE, IF_NEW, IF_NONE_MATCH, LIMIT
from app.api.rest.segmentations import KEY, TAG
from app.api.rest.segmented import BODY, COUNT, DRAFT, SEGMENTATION, SIMULATED, TRIED, VERSION
from app.api.rest.writes import answered, gone
from app.api.routes import Payload, Route
from app.api.segmentation_bodies import LEAVING
from app.domain.segmentation.presets import presets
from app.services import drafts, simulations, versions

NOTE: dict[str, Any] = {"type": ["string", "null"], "maxLength": versions.NOTE}
TAKEN_BACK = {
    **LEAVING, "with_dependents": {"type": ["boolean", "null"], "description": "as in a definition; null: as the draft says, whose word this takes the place of"},
}  # fmt: skip
PUBLISH = {
    "type": "object", "additionalProperties": False,
    "properties": {**TAKEN_BACK, "note": NOTE, "draft_version": {**schemas.nullable({**COUNT, "minimum": 1}), "description": "of the draft that was seen: another one is refused"}},
}  # fmt: skip
ROLLBACK = {
    "type": "object", "required": ["version"], "additionalProperties": False,
    "properties": {"version": {**COUNT, "minimum": 1}, "note": NOTE, **LEAVING},
}  # fmt: skip


async def put(request: Request) -> Answer:
    """The draft as it is now."""
    request.query(())
    slug, version = request.values[0], expected_if_any(request)
    body = await request.object()
    with only_new(request):
        written = await drafts.put(request.db, call(request, body), slug, body, version)
    return answered(written, f"/v1/segmentations/{slug}/draft")


async def one(request: Request) -> Answer:
    """The draft."""
    request.query(())
    found = await drafts.get(request.db, request.principal, request.values[0])
    return tagged(request, encoded(found), found["version"])


async def discard(request: Request) -> Answer:
    """Nothing: the draft is gone."""
    request.query(())
    version = expected_version(request)
    await request.nothing()
    return gone(await drafts.discard(request.db, call(request), request.values[0], version))


async def simulate(request: Request) -> Answer:
    """What a definition would do."""
    request.query(())
    body = await request.object() if request.unread else {}
    return json(await simulations.simulate(request.db, request.principal, request.values[0], body, request.now))


async def publish(request: Request) -> Answer:
    """The segmentation as it is now."""
    request.query(())
    slug, version = request.values[0], expected_if_any(request)
    body = await request.object() if request.unread else {}
    return answered(
        await drafts.publish(request.db, call(request, body), slug, body, version), f"/v1/segmentations/{slug}"
    )


async def rollback(request: Request) -> Answer:
    """The segmentation as it is now."""
    request.query(())
    version = expected_version(request)
    body = await request.object()
    return answered(await versions.rollback(request.db, call(request, body), request.values[0], body, version))


async def refreeze(request: Request) -> Answer:
    """The segmentation as it is now."""
    request.query(())
    version = expected_version(request)
    body = await request.object() if request.unread else {}
    return answered(await versions.refreeze(request.db, call(request, body), request.values[0], body, version))


async def every(request: Request) -> Answer:
    """A page of versions."""
    page = paging(request)
    before = cast(Any, page.after)
    found, keys, more = await versions.every(
        request.db, request.principal, request.values[0], before[0] if before else None, page.limit
    )
    return envelope([encoded(one) for one in found], request.now, page.limit, page.cursor(keys[-1] if more else None))


REFREEZE = {"type": "object", "additionalProperties": False, "properties": {"note": NOTE}}
READ, WRITE = "segmentations.read", "segmentations.write"
ROUTES = (
    Route("GET", "/v1/segmentations/{slug}/versions", READ, every, "The versions of a segmentation", TAG,
          "The latest first, each as it was defined and cut, by whom and when.",
          parameters=(KEY, LIMIT, CURSOR), answer=Payload(schemas.collection(VERSION))),
    Route("POST", "/v1/segmentations/{slug}/rollback", WRITE, rollback, "Bring an earlier version back", TAG,
          "As the next version, with the cuts that it had: none are taken anew. Every account is placed before it answers. Where it is what stands already, the version stays. "
          "Refused with 409 where it leaves out segments that lists or weights of health name: `errors` says which.",
          parameters=(KEY, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(SEGMENTATION),
          body=Payload(ROLLBACK, example={"version": 1, "note": "Cuts were too high."}), problems=("conflict",)),
    Route("POST", "/v1/segmentations/{slug}/refreeze", WRITE, refreeze, "Take cuts anew", TAG,
          "Cuts at shares, medians and natural breaks stay as they were frozen whatever is put, as long as they are said as before. This takes all of them "
          "from the accounts of today, as the next version, and places every account before it answers; `simulate` without a body and without a draft says "
          "who would move. Where they are what they were, the version stays. Refused with 409 where no cuts are taken from the accounts. A definition's "
          "`refreeze` does it on schedule.",
          parameters=(KEY, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(SEGMENTATION),
          body=Payload(REFREEZE, example={"note": "A new year."}, required=False), problems=("conflict",)),
    Route("GET", "/v1/segmentations/{slug}/draft", READ, one, "The draft of a segmentation", TAG,
          parameters=(KEY, IF_NONE_MATCH), headers=("ETag",), answer=Payload(DRAFT)),
    Route("PUT", "/v1/segmentations/{slug}/draft", WRITE, put, "Keep a draft", TAG,
          "Of a segmentation that is there, or is to be. It is checked as if it were to be published; nobody is placed by it.",
          parameters=(KEY, IF_MATCH_IF_THERE, IF_NEW, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(DRAFT),
          body=Payload(BODY, example=presets("absolute", "absolute")["tier"]), problems=("conflict",)),
    Route("DELETE", "/v1/segmentations/{slug}/draft", WRITE, discard, "Discard a draft", TAG,
          parameters=(KEY, IF_MATCH, IDEMPOTENCY_KEY), status=204),
    Route("POST", "/v1/segmentations/{slug}/simulate", READ, simulate, "What a definition would do", TAG,
          "Of a definition as the body has it, or without one of the draft, each cut as putting or publishing it would; else of what stands with its cuts taken anew, as `refreeze` does: who moves, "
          "accounts and ARR before and after, whom no segment would take, whom two would, and what names segments that are left out. Nothing is written.",
          parameters=(KEY,), answer=Payload(SIMULATED), body=Payload(TRIED, example={}, required=False), problems=("conflict", "not-found")),
    Route("POST", "/v1/segmentations/{slug}/publish", WRITE, publish, "Publish the draft", TAG,
          "It becomes the next version: cuts that it says as before stay as they were frozen, others are taken now (`cuts[].taken`), and whoever stands elsewhere is moved, in one transaction. Where the segmentation "
          "is there it needs `If-Match`, the segmentation's. Where the draft says what stands, the version stays. Refused with 409 where it leaves out "
          "segments that lists or weights of health name: `errors` says which, `replace` and `with_dependents` what becomes of them.",
          parameters=(KEY, IF_MATCH_IF_THERE, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(SEGMENTATION),
          body=Payload(PUBLISH, example={"note": "As agreed in the review."}, required=False), problems=("conflict", "not-found")),
)  # fmt: skip
