"""/v1/segmentations: defined as a whole, with their segments, members and picture."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new, tagged
from app.api.requests import Request
from app.api.responses import Answer, encoded, json, nothing
from app.api.rest import reading
from app.api.rest.envelopes import envelope
from app.api.rest.parameters import (
    IDEMPOTENCY_KEY,
    IDENTITY,
    IF_MATCH,
    IF_MATCH_IF_THERE,
    IF_NEW,
    IF_NONE_MATCH,
    QUESTION,
    SLUG,
    path,
)  # fmt: skip
from app.api.rest.writes import answered
from app.api.routes import Parameter, Payload, Route
from app.domain.segmentation.presets import presets as ready
from app.services import segmentations
from app.services.asks import Ask

TAG = "segmentations"
TEXT: dict[str, Any] = {"type": "string"}
_INSTANT = {"type": ["string", "null"], "format": "date-time"}
SEGMENT = {
    "type": "object",
    "properties": {
        "slug": SLUG, "name": TEXT, "colour": {"type": ["string", "null"]}, "engagement": {"type": ["object", "null"]},
        "criteria": {"type": "object", "properties": {"text": TEXT, "tree": {"type": "object"}}},
    },
}  # fmt: skip
SEGMENTATION = {
    "type": "object",
    "properties": {
        "id": IDENTITY, "slug": SLUG, "name": TEXT, "kind": {"type": "string", "enum": ["rules", "bands", "matrix"]},
        "spec": {"type": "object"}, "segments": {"type": "array", "items": SEGMENT}, "rest": TEXT,
        "cuts": {"type": "array", "items": {"type": "object"}}, "version": {"type": "integer"}, "state": TEXT,
        "computed_at": _INSTANT, "created_at": _INSTANT, "updated_at": _INSTANT,
    },
}  # fmt: skip
COUNTED = {
    "type": "object",
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "slug": SLUG, "name": TEXT, "accounts": {"type": "integer"}, "arr": {"type": "number"},
                    "share": {"type": "number"}, "arr_share": {"type": "number"},
                },
            },
        },
        "accounts": {"type": "integer"}, "arr": {"type": "number"}, "state": TEXT, "version": {"type": "integer"},
        "computed_at": _INSTANT,
    },
}  # fmt: skip
BODY = {
    "type": "object", "required": ["name", "kind", "segments"], "additionalProperties": False,
    "properties": {
        "name": TEXT, "kind": {"type": "string", "enum": ["rules", "bands", "matrix"]}, "spec": {"type": "object"},
        "segments": {"type": "array", "items": {"type": "object"}}, "rest": SLUG,
    },
}  # fmt: skip
SEGMENT_OF = Parameter("segment", "only those that stand in this segment", SLUG)
KEY = path("slug", "of the segmentation", SLUG, "tier")


async def every(request: Request) -> Answer:
    """Every segmentation: a workspace has few."""
    request.query(())
    found = await segmentations.all_segmentations(request.db, request.principal)
    return envelope([encoded(one) for one in found], request.now, segmentations.MOST)


async def presets(request: Request) -> Answer:
    """Bodies to put."""
    request.query(())
    return json({"data": segmentations.presets(request.principal)})


async def one(request: Request) -> Answer:
    """A segmentation."""
    request.query(())
    found = await segmentations.get(request.db, request.principal, request.values[0])
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
    await segmentations.delete(request.db, call(request), request.values[0], version)
    return nothing()


async def segments(request: Request) -> Answer:
    """Counts and money per segment."""
    request.query(())
    return json(await segmentations.segments(request.db, request.principal, request.values[0]))


async def accounts(request: Request) -> Answer:
    """A page of the accounts of a segment, or of all."""
    told: dict[str, Any] = dict(request.query((*reading.NAMES, "segment")))
    segment = told.pop("segment", None)
    ask = await segmentations.members(
        request.db, request.principal, request.values[0], segment, Ask("accounts", **told)
    )
    return await reading.page(request, ask)


async def chart(request: Request) -> Answer:
    """The picture."""
    request.query(())
    drawn = await segmentations.chart(request.db, request.principal, request.values[0])
    return Answer(drawn.encode(), 200, [SVG, SANDBOX])


SVG = (b"content-type", b"image/svg+xml; charset=utf-8")
SANDBOX = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox")

ROUTES = (
    Route("GET", "/v1/segmentations", "segmentations.read", every, "Segmentations", TAG,
          answer=Payload(schemas.collection(SEGMENTATION))),
    Route("GET", "/v1/segmentations/presets", "segmentations.read", presets, "Segmentations that come ready-made", TAG,
          "Bodies that can be put as they are, by the slug that they are meant for.",
          answer=Payload({"type": "object", "properties": {"data": {"type": "object"}}})),
    Route("GET", "/v1/segmentations/{slug}", "segmentations.read", one, "A segmentation", TAG,
          parameters=(KEY, IF_NONE_MATCH), headers=("ETag",), answer=Payload(SEGMENTATION)),
    Route("PUT", "/v1/segmentations/{slug}", "segmentations.write", put, "Define a segmentation", TAG,
          "Cuts are frozen and every account is placed before it answers. A change needs `If-Match`.",
          parameters=(KEY, IF_MATCH_IF_THERE, IF_NEW, IDEMPOTENCY_KEY), headers=("ETag",), answer=Payload(SEGMENTATION),
          body=Payload(BODY, example=ready("absolute", "absolute")["tier"]), problems=("conflict",)),
    Route("DELETE", "/v1/segmentations/{slug}", "segmentations.write", delete, "Delete a segmentation", TAG,
          "With who stands and stood in its segments. Refused with 409 where lists or segmentations ask for it; `errors` says which.",
          parameters=(KEY, IF_MATCH, IDEMPOTENCY_KEY), status=204, problems=("conflict",)),
    Route("GET", "/v1/segmentations/{slug}/segments", "segmentations.read", segments, "Accounts and ARR per segment", TAG,
          parameters=(KEY,), answer=Payload(COUNTED)),
    Route("GET", "/v1/segmentations/{slug}/accounts", "segmentations.read", accounts, "Accounts and where they stand", TAG,
          "Unless told otherwise they show name, segment and the values that they are placed by.",
          parameters=(KEY, SEGMENT_OF, *QUESTION), answer=Payload(schemas.collection(schemas.ref("Account")))),
    Route("GET", "/v1/segmentations/{slug}/chart.svg", "segmentations.read", chart, "The segments as a picture", TAG,
          parameters=(KEY,), answer=Payload(TEXT, ("image/svg+xml",))),
)  # fmt: skip
