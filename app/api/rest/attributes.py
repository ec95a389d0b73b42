"""/v1/attributes: what an organisation knows of its accounts and contacts beyond what everybody does."""

from __future__ import annotations

from app.api import schemas
from app.api.conditions import call, expected_if_any, expected_version, only_new
from app.api.requests import Request
from app.api.responses import Answer
from app.api.rest.parameters import IDEMPOTENCY_KEY, IDENTITY, IF_MATCH, IF_MATCH_IF_THERE, IF_NEW, path
from app.api.rest.writes import answered, gone
from app.api.routes import Payload, Route
from app.domain.attributes import MOST, MOST_INDEXED
from app.domain.catalogue import ATTRIBUTES
from app.services import attributes

TAG = "directory"
WRITE = "attributes.write"
RECORD = Payload(schemas.ref(schemas.title(ATTRIBUTES)))
NEW = schemas.entered(ATTRIBUTES, partial=False)
CHANGE = schemas.entered(ATTRIBUTES, partial=True)
CHANGE["properties"]["replace"] = {
    "type": "object",
    "description": "for each value that is removed from `values` while records have it: another one, or null",
    "additionalProperties": {"type": ["string", "null"]},
}
CHANGE["properties"]["with_dependents"] = {
    "type": "boolean",
    "description": "retire it although lists, segmentations or mappings name it: they mean nothing until it is back",
}
EXAMPLE = {"entity": "accounts", "slug": "region", "name": "Region", "type": "enum", "values": ["emea", "apac"]}
ID = path("id", "of the attribute", IDENTITY)
EXTERNAL_ID = path("external_id", "of the attribute, percent-encoded", {"type": "string", "minLength": 1}, "attr-7")
RULES = (
    f"At most {MOST} per entity. Required and unique are for what the records allow: 409 counts those that stand against "
    f"it and names some. At most {MOST_INDEXED} are promoted or unique; their indexes are built after the answer, "
    "while everybody writes: see `index_state`."
)


async def create(request: Request) -> Answer:
    """A new attribute."""
    request.query(())
    body = await request.object()
    written = await attributes.create(request.db, call(request, body), body)
    return answered(written, f"/v1/attributes/{written.id}")


async def change(request: Request) -> Answer:
    """The attribute as changed."""
    request.query(())
    attribute_id, version = request.uuid(0), expected_version(request)
    body = await request.object()
    return answered(await attributes.change(request.db, call(request, body), attribute_id, body, version))


async def upsert(request: Request) -> Answer:
    """The attribute of an external id, made or changed."""
    request.query(())
    external_id, version = request.values[0], expected_if_any(request)
    body = await request.object()
    with only_new(request):
        written = await attributes.upsert(request.db, call(request, body), external_id, body, version)
    return answered(written, f"/v1/attributes/{written.id}")


async def delete(request: Request) -> Answer:
    """Nothing: the attribute is gone, and every value of it."""
    request.query(())
    attribute_id, version = request.uuid(0), expected_version(request)
    await request.nothing()
    return gone(await attributes.delete(request.db, call(request), attribute_id, version))


ROUTES = (
    Route("POST", "/v1/attributes", WRITE, create, "Define an attribute", TAG, RULES,
          parameters=(IDEMPOTENCY_KEY,), status=201, headers=("ETag", "Location"), answer=RECORD,
          body=Payload(NEW, example=EXAMPLE), problems=("conflict",)),
    Route("PATCH", "/v1/attributes/{id}", WRITE, change, "Change, rename or retire an attribute", TAG,
          "A new slug takes the place of the old one in lists, segmentations and mappings. `retired_at` hides it and keeps "
          "every value, null brings it back; refused with 409 while a list, a segmentation or a mapping names it, unless "
          "`with_dependents` is true. The type stays, but that an integer may become a number and an enum a text.",
          parameters=(ID, IF_MATCH, IDEMPOTENCY_KEY), headers=("ETag",), answer=RECORD,
          body=Payload(CHANGE, example={"slug": "territory"}), problems=("conflict",)),
    Route("PUT", "/v1/attributes/external/{external_id}", WRITE, upsert, "Define or change the attribute of an external id", TAG,
          "201 where it was made. A change needs `If-Match` and leaves members alone that are not given.",
          parameters=(EXTERNAL_ID, IF_MATCH_IF_THERE, IF_NEW, IDEMPOTENCY_KEY), headers=("ETag",), answer=RECORD,
          body=Payload(CHANGE, example=EXAMPLE), problems=("conflict",)),
    Route("DELETE", "/v1/attributes/{id}", WRITE, delete, "Delete a retired attribute with its values", TAG,
          "Refused with 409 while it is not retired, or while a list, a segmentation or a mapping names it; `errors` says which.",
          parameters=(ID, IF_MATCH, IDEMPOTENCY_KEY), status=204, problems=("conflict",)),
)  # fmt: skip
