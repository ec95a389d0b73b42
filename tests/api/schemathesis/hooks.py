"""What Schemathesis is told of Strata: which refusals of well-formed requests are right, and how a file is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import positive_data_acceptance

from app.domain.catalogue import ENTITIES

FIELDS = [field for entity in ENTITIES.values() for field in entity.fields.values()]
STATES = {"conflict", "key-reused", "key-still-running", "version-required", "version-stale"}
"""Problems of what is stored by now, and of no request by itself."""
LANGUAGE = {"filter", "criteria", "where", "text", "tree", "entry"}
"""Criteria are a language, which JSON Schema cannot describe."""
NAMES = {
    "fields", "include", "sort", "columns", "constants", "custom", "impacts", "segment", "operation", "entity", "group_by", "measures",
}  # fmt: skip
"""Names of fields, relations, attributes and the like, of which each workspace has its own."""
THERE = {name for field in FIELDS if field.kind in ("ref", "slug") for name in (field.name, field.column)} | {
    "to", "to_id", "list_id", "owner_id", "user_id", "stages", "mapping", "move_to", "actor", "field", "param", "step",
    "scenario", "scenarios", "was", "becomes", "csm", "segmentation",
}  # fmt: skip
"""What refers to something that must be there, or be fit for it."""
MONEY = {field.name for field in FIELDS if field.kind == "money"} | {"target", "arr_per_csm"}
"""Exact to the minor unit of a currency that the document does not know, and within 64 bits of such units."""
SEALED = {"cursor", "If-Match"}
"""What only the server can make."""
WHO = {"for_user"}
"""What only some may ask for."""
WHEN = {"on", "as_of", "from", "to", "expires_at", "retired_at", "tz", "day", "until", "due_from", "due_to"}
"""Days without history, moments that are over or to come, ends before their beginnings, zones of the IANA database."""
TOGETHER = {
    "spec", "segments", "params", "default", "is_promoted", "is_unique", "values", "replace", "type", "rest", "scopes", "bom", "id", "score",
    "refreeze", "confirm", "periods", "generate", "outcome", "decided_at", "end_date", "closed_at", "due_at", "resolved_at",
    "lanes", "targets", "consumption", "engagement", "health", "by",
}  # fmt: skip
"""Members that depend on each other."""
MEANT = LANGUAGE | NAMES | THERE | MONEY | SEALED | WHO | WHEN | TOGETHER
UNSAYABLE = (
    "40 digits",
    "a new record cannot be without",
    "it cannot be left out",
    "the same key",
    "each record once",
    "that no other record has",
    "more than a day ahead",
    "no more than the user's own role",
    "either filter or criteria",
    "one of filter, criteria, list and segmentation",
)
"""A number that is too long to be kept exactly; what only a record that is not there yet needs; what another has; what
cannot have happened; what the user may not; what stands for the same."""
OF_THE_ADDRESS = {"external_id", "slug", "account_id", "account"}


@schemathesis.check
def said_and_meant(ctx: Any, response: Any, case: Any) -> None:
    """Fails where what is documented as well-formed is refused, unless for what it means here and now."""
    try:
        positive_data_acceptance(ctx, response, case)
    except Failure:
        if places := list(unexplained(response.json(), case)):
            raise AssertionError(f"Well-formed, and refused at {', '.join(places)}") from None


def unexplained(told: dict[str, Any], case: Any) -> Iterator[str]:
    """Places that are refused although a document can say all that there is to know of them."""
    if told["type"].rpartition("/")[2] in STATES:
        return
    of_address = OF_THE_ADDRESS if case.method == "PUT" or "/accounts/{" in case.path else set()
    for fault in told["errors"]:
        place = fault["parameter"] or fault["pointer"] or ""
        if not place and fault["line"]:  # of a file, or of what a file must have
            continue
        if (MEANT | of_address).isdisjoint(re.split("[/.]", place)) and not any(
            words in fault["message"] for words in UNSAYABLE
        ):
            yield place


@schemathesis.serializer("application/x-ndjson", "text/csv")
def lines(_: Any, value: Any) -> bytes:
    """A file as it is."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")
