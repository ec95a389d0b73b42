"""/v1/lists/{id}/export, /v1/accounts/export, /v1/contacts/export: every record of a question as one stream."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize
from urllib.parse import quote

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, encoded
from app.api.rest import lists, related
from app.api.rest.lists import ID, PARAMS, TAG, WITHIN
from app.api.rest.parameters import FIELDS, INCLUDE, SORT
from app.api.rest.reading import MEMBERS, READ, told
from app.api.routes import Parameter, Payload, Route
from app.domain.errors import Fault, Invalid
from app.domain.exports import FORMS, MEDIA
from app.domain.members import Members
from app.services import exports
from app.services.asks import Ask
from app.services.exports import Stream

APART = ("format", "bom")
OF_PAGES = ("limit", "cursor", "count")
BODY: Members = {
    **{name: known for name, known in MEMBERS.items() if name not in OF_PAGES},
    "format": ((str,), f"one of {', '.join(FORMS)}"),
    "bom": ((bool,), "true or false"),
}
"""What the body of an export may say: a query's but for its page."""
FORMAT = Parameter(
    "format", "a JSON object a line, comma-separated values, or an Arrow IPC stream",
    {"type": "string", "enum": list(FORMS), "default": FORMS[0]},
)  # fmt: skip
BOM = Parameter(
    "bom",
    "`true`: CSV begins with a byte order mark, by which some spreadsheets know UTF-8",
    {"type": "string", "enum": ["true", "false"], "default": "false"},
)
AS_OF_HEADER, WINDOWS_HEADER = "X-Strata-As-Of", "X-Strata-Windows"
WORDS = """All of it, of one moment, in order, sent while it is read. It is whole when the chunked encoding has its end, \
and an Arrow stream its end mark: what fails on the way closes the connection before. In CSV a text that begins with `=`, \
`+`, `-`, `@`, a tab, a line break or `'` has a `'` in front, which readers take off again; numbers are as they are. \
Nested values are columns with dotted names, tags have `;` between them, an empty value is an empty cell. Arrow has money \
as decimals and instants in UTC. Few exports run at a time, two of \
one workspace: others get 429 or 503 with `Retry-After`. Who takes nothing for 30 seconds is let go."""


async def of_list(request: Request) -> Answer:
    """Everything that a list holds."""
    known = [one.name for one in _LISTED]
    ask = await lists.asked(request, known, apart=APART)
    said = request.query(known, lists.PARAM)
    bom = _flag(said.get("bom"))
    form, list_id = said.get("format"), request.uuid(0)
    return _answer(await exports.of_list(request.db, request.principal, list_id, ask, form, request.now, bom=bom))


def _flag(said: str | None) -> bool:
    if said not in (None, "true", "false"):
        raise Invalid(faults=(Fault("Expected true or false.", parameter="bom"),))
    return said == "true"


def asked_route(entity: str, tag: str) -> Route:
    """POST of a question whose every record is wanted."""

    async def export(request: Request) -> Answer:
        request.query(())
        said = told(await request.object(), BODY)
        form, bom = said.pop("format", None), said.pop("bom", False)
        ask = Ask(entity, **said, body=True)
        return _answer(await exports.question(request.db, request.principal, ask, form, request.now, bom=bom))

    example = {"format": "csv", "fields": ["name"], "filter": "ALL"}
    return Route("POST", f"/v1/{entity}/export", READ, export, f"Export {entity}", tag, WORDS, headers=_HEADERS,
                 answer=_STREAM, body=Payload(_ENTERED, example=example), problems=("busy",))  # fmt: skip


def _answer(stream: Stream) -> Answer:
    """The stream with what is known of it before: its type, its file's name, its moment and its windows."""
    name = stream.file_name
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lstrip("-.")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    headers = [
        (b"content-type", MEDIA[stream.form].type.encode()),
        (b"content-disposition", disposition.encode()),
        (AS_OF_HEADER.lower().encode(), encoded(stream.as_of).strip(b'"')),
        (WINDOWS_HEADER.lower().encode(), encoded(stream.windows)),
    ]
    return Answer(b"", 200, headers, stream.write)


_LISTED = (FORMAT, BOM, FIELDS, INCLUDE, SORT, *WITHIN)
_HEADERS = ("Content-Disposition", AS_OF_HEADER, WINDOWS_HEADER)
_STREAM = Payload({"type": "string", "format": "binary"}, tuple(one.type for one in MEDIA.values()))
_QUESTION: dict[str, Any] = schemas.QUESTION["properties"]
_ENTERED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **{name: _QUESTION[name] for name in BODY if name in _QUESTION},
        "format": {**FORMAT.schema, "type": ["string", "null"], "enum": [*FORMS, None]},
        "bom": {"type": ["boolean", "null"], "description": BOM.description},
    },
}

ROUTES = (
    Route("GET", "/v1/lists/{id}/export", "lists.read", of_list, "Export what a list holds", TAG, WORDS,
          parameters=(ID, *_LISTED, PARAMS), headers=_HEADERS, answer=_STREAM, problems=("busy", "conflict")),
    asked_route("accounts", "accounts"),
    asked_route("contacts", related.TAG),
)  # fmt: skip
