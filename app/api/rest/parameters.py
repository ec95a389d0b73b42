"""Parameters that many routes share."""

from __future__ import annotations

from app.api.routes import Parameter, Schema
from app.domain.questions import COUNT_CAP, DEFAULT_LIMIT, MAX_LIMIT

IDENTITY = {"type": "string", "format": "uuid"}
SLUG = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"}
ENTITY_TAG = {"type": "string"}
MOMENT = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}

IF_MATCH = Parameter(
    "If-Match", "the ETag that the resource was read with, or its version in quotes, which must still be the one that is stored",
    ENTITY_TAG, "header", required=True, example='"3-0123456789abcdef"',
)  # fmt: skip
IF_MATCH_IF_THERE = Parameter(
    "If-Match",
    "the ETag where the resource is to be changed; left out where it is to be made",
    ENTITY_TAG,
    "header",
    example='"3-0123456789abcdef"',
)
IF_NONE_MATCH = Parameter(
    "If-None-Match", "an ETag: 304 when the representation is still that one", {"type": "string"}, "header"
)
IF_NEW = Parameter("If-None-Match", "`*`: only where there is none yet", {"type": "string", "enum": ["*"]}, "header")
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key", "the same key and request within 24 hours: the same answer again, and one effect",
    {"type": "string", "pattern": "^[ -~]{1,255}$"}, "header",
)  # fmt: skip

FILTER = Parameter(
    "filter",
    "criteria as text, of accounts such as `arr >= 50000 AND renewal_date IN next(90d)`; every record that is not archived "
    "where it is left out",
    {"type": "string"},
)
FIELDS = Parameter(
    "fields", "what to answer of each record, separated by commas, such as `name,arr,csm.name`", {"type": "string"}
)
INCLUDE = Parameter(
    "include",
    "related records to nest: `csm`, or with a limit, an order or both `interactions(3,-occurred_at)`",
    {"type": "string"},
)
SORT = Parameter(
    "sort",
    "fields in order of weight, `-` for descending, such as `-arr,csm.name`; empty values come last either way",
    {"type": "string"},
)
LIMIT = Parameter(
    "limit",
    "records of a page",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    example=3,
)
CURSOR = Parameter("cursor", "`page.next` of the page before, with the same question", {"type": "string"})
COUNT = Parameter(
    "count", f"whether to count what matches: exactly, or up to {COUNT_CAP:,}",
    {"type": "string", "enum": ["none", "capped", "exact"], "default": "none"},
)  # fmt: skip
AS_OF = Parameter(
    "as_of",
    "the moment that windows are resolved at, a date or an instant; now where it is left out",
    MOMENT,
)
ON = Parameter("on", "a past day to read history of, where it is kept", {"type": "string", "format": "date"})
TZ = Parameter(
    "tz",
    "the zone that windows are cut by, such as `Europe/Berlin`; the workspace's where it is left out",
    {"type": "string"},
)
FOR_USER = Parameter("for_user", "who `@me` is, where a service asks: id, external id or e-mail", {"type": "string"})
ARCHIVED = Parameter("archived", "archived records alone, or too", {"type": "string", "enum": ["only", "with"]})

QUESTION = (FILTER, FIELDS, INCLUDE, SORT, LIMIT, CURSOR, COUNT, AS_OF, ON, TZ, FOR_USER, ARCHIVED)
"""What a collection takes."""


def path(name: str, description: str, schema: Schema, example: object = None) -> Parameter:
    """A variable of the path."""
    return Parameter(name, description, schema, "path", required=True, example=example)


ACCOUNT = path("id", "of the account", IDENTITY)
