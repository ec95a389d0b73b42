"""/v1/imports: files of any size, received as they come, and what became of each."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from app.api import schemas
from app.api.conditions import call, tagged
from app.api.requests import Request, unreadable
from app.api.responses import JSON, Answer, etag
from app.api.rest.envelopes import envelope, paging
from app.api.rest.parameters import CURSOR, IDEMPOTENCY_KEY, IDENTITY, IF_NONE_MATCH, LIMIT, SLUG, path
from app.api.rest.writes import bare
from app.api.routes import Parameter, Payload, Route
from app.domain.catalogue import ENTITIES
from app.domain.decimals import DECIMALS
from app.domain.imports import MEDIA
from app.domain.mappings import DELIMITERS
from app.services import imports, mappings

TAG = "imports"
_COUNT = {"type": "integer"}
_TEXT = {"type": ["string", "null"]}
_INSTANT = {"type": ["string", "null"], "format": "date-time"}
ERROR = {
    "type": "object",
    "properties": {
        "line": _COUNT, "column": _TEXT, "code": {"type": "string"}, "message": {"type": "string"},
        "is_warning": {"type": "boolean"},
    },
}  # fmt: skip
NAMED = {
    "type": "object", "required": ["name", "count", "lines"],
    "properties": {"name": {"type": "string"}, "count": _COUNT, "lines": {"type": "array", "items": _COUNT}},
}  # fmt: skip
FINDING = {
    "type": "object", "required": ["code", "column", "message", "advice", "is_warning", "count", "lines"],
    "properties": {
        "code": {"type": "string"}, "column": _TEXT, "message": {"type": "string"},
        "advice": {**_TEXT, "description": "what can be done about it"}, "is_warning": {"type": "boolean"},
        "count": {**_COUNT, "description": "rows that have it"},
        "lines": {"type": "array", "items": _COUNT, "description": "the first of them"},
        "names": {"type": "array", "items": NAMED, "description": "what was made on the way, or not read: 100 at most"},
    },
}  # fmt: skip
IMPORT = {
    "type": "object",
    "properties": {
        "id": IDENTITY, "kind": {"type": "string"}, "state": {"type": "string", "enum": ["staged", "running", "done", "failed"]},
        "rows": _COUNT, "created": _COUNT, "updated": _COUNT, "unchanged": _COUNT, "rejected": _COUNT, "warned": _COUNT,
        "errors": {"type": "array", "items": ERROR, "description": "the first of them; left out where imports are listed"},
        "summary": {"type": "array", "items": FINDING, "description": "each kind of problem once, refusals first"}, "detail": _TEXT, "started_at": _INSTANT, "finished_at": _INSTANT,
    },
}  # fmt: skip
KIND = Parameter(
    "kind",
    "what each row is",
    {"type": "string", "enum": [e.name for e in ENTITIES.values() if e.imported]},
    required=True,
    example="accounts",
)
MAPPING = Parameter(
    "mapping", "which column is which field: the name of a stored mapping, or a JSON object; where it is left out, columns "
    "are named as the fields", {"type": "string"},
)  # fmt: skip
ID = path("id", "of the import", IDENTITY)


async def create(request: Request) -> Answer:
    """The import, whose rows are applied after this answer."""
    told = request.query(("kind", "mapping"))
    if "kind" not in told:
        raise unreadable("kind", "kind is missing: say what each row is.")
    media = request.content_type(*MEDIA)
    mapping: str | bytes | None = told.get("mapping")
    if isinstance(mapping, str) and mapping.startswith("{"):
        mapping = mapping.encode()
    bound = call(request, dict(told))
    written = await imports.start(request.db, bound, told["kind"], media, mapping, request.stream())
    headers = [
        JSON,
        (b"etag", etag(written.version, written.body)),
        (b"location", b"/v1/imports/%s" % str(written.id).encode()),
    ]
    return Answer(written.body, 202, headers)


async def one(request: Request) -> Answer:
    """An import as it stands."""
    request.query(())
    return tagged(request, await imports.get(request.db, request.principal, request.uuid(0), request.now), None)


async def every(request: Request) -> Answer:
    """A page of imports, newest first."""
    page = paging(request)
    before = cast(UUID, page.after[0]) if page.after else None
    found, following = await imports.latest(request.db, request.principal, page.limit, before, request.now)
    return envelope(found, request.now, page.limit, page.cursor((following,) if following else None))


async def errors(request: Request) -> Answer:
    """A page of what is wrong and what is suspicious, by line."""
    page = paging(request)
    after = str(page.after[0]) if page.after else None
    found, places, more = await imports.errors(request.db, request.principal, request.uuid(0), page.limit, after)
    return envelope(found, request.now, page.limit, page.cursor((places[-1],) if more else None))


async def mapping(request: Request) -> Answer:
    """A mapping kept by name."""
    request.query(())
    return tagged(request, await mappings.get(request.db, request.principal, request.values[0]), None)


async def every_mapping(request: Request) -> Answer:
    """All mappings, by name."""
    request.query(())
    found = await mappings.every(request.db, request.principal)
    return envelope(found, request.now, len(found))


async def keep_mapping(request: Request) -> Answer:
    """The mapping as it is kept."""
    request.query(())
    body = await request.object()
    return bare(await mappings.put(request.db, call(request, body), request.values[0], body))


NAME = path("name", "of the mapping", SLUG, "crm-accounts")
KEPT = {"type": "object", "properties": {"name": SLUG, "mapping": {"type": "object"}}}
WANTED = {
    "type": "object", "required": ["kind"], "additionalProperties": False,
    "properties": {
        "kind": KIND.schema,
        "columns": {"type": "object", "description": "by field, the column that has it: its name, or an object with `from`"},
        "constants": {"type": "object", "description": "by field, what every row has"},
        "delimiter": {"type": "string", "enum": list(DELIMITERS)},
        "decimal": {"type": "string", "enum": list(DECIMALS), "description": "what stands before decimals in numbers of this file; a column may say it for itself"},
    },
}  # fmt: skip
EXAMPLE = {"kind": "accounts", "columns": {"external_id": {"from": "account_id"}, "name": {"from": "account_name"}}}

ROUTES = (
    Route("POST", "/v1/imports", "imports.create", create, "Import a file", TAG,
          "The body is the file itself, of any size. It answers when the file is received; rows are applied afterwards, in "
          "chunks of whole rows. Rows are found again by their `external_id`, so that the same file changes nothing.",
          parameters=(KIND, MAPPING, IDEMPOTENCY_KEY), status=202, headers=("ETag", "Location"), answer=Payload(IMPORT),
          body=Payload({"type": "string", "format": "binary"}, tuple(MEDIA), example="external_id,name,arr\ncrm-1042,Acme,120000.50\n")),
    Route("GET", "/v1/imports", "imports.read", every, "Imports, newest first", TAG,
          parameters=(LIMIT, CURSOR), answer=Payload(schemas.collection(IMPORT))),
    Route("GET", "/v1/imports/{id}", "imports.read", one, "An import and how far it is", TAG,
          parameters=(ID, IF_NONE_MATCH), headers=("ETag",), answer=Payload(IMPORT)),
    Route("GET", "/v1/imports/{id}/errors", "imports.read", errors, "What is wrong with the rows of an import", TAG,
          parameters=(ID, LIMIT, CURSOR), answer=Payload(schemas.collection(ERROR))),
    Route("GET", "/v1/imports/mappings", "imports.read", every_mapping, "Mappings kept by name", TAG,
          answer=Payload(schemas.collection(KEPT))),
    Route("GET", "/v1/imports/mappings/{name}", "imports.read", mapping, "A mapping", TAG,
          parameters=(NAME, IF_NONE_MATCH), headers=("ETag",), answer=Payload(KEPT)),
    Route("PUT", "/v1/imports/mappings/{name}", "imports.create", keep_mapping, "Keep a mapping under a name", TAG,
          "It takes the place of the one before as a whole; imports that are running keep theirs.",
          parameters=(NAME, IDEMPOTENCY_KEY), answer=Payload(KEPT), body=Payload(WANTED, example=EXAMPLE)),
)  # fmt: skip
