"""JSON Schemas of what goes in and out, derived from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.domain.catalogue import ACCOUNTS, Entity, Field
from app.domain.codes import COUNTRIES
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT
from app.domain.values import BLANK, FORMS, LINE, PROSE, PROSES

_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "slug": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"},
    "enum": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer", "format": "int64"},
    "money": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "bool": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "json": {"type": "object"},
    "id": {"type": "string", "format": "uuid"},
    "ref": {"type": "string", "format": "uuid"},
}
_PATTERNS = {name: f"^{form.pattern}$" for name, form in FORMS.items()}
"""Of what is text and has a form."""
SEGMENTED = (ACCOUNTS.name,)
CRITERIA: dict[str, Any] = {
    "type": ["object", "string"],
    "properties": {"text": {"type": ["string", "null"]}, "tree": {"type": ["object", "null"]}},
    "description": 'criteria as text, as a tree (`{"op": …}` or `{"v": 1, "filter": …}`), or `{"text": …}` or `{"tree": …}`',
}
"""Criteria as a body gives them."""


def ref(name: str) -> dict[str, str]:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    if "null" in schema["type"]:
        return schema
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    made = {**schema, "type": [*kinds, "null"]}
    return {**made, "enum": [*made["enum"], None]} if "enum" in made else made


def of_field(field: Field) -> dict[str, Any]:
    """A field's values as they are answered."""
    schema = dict(_TYPES[field.kind])
    if field.values:
        schema["enum"] = list(field.values)
    if field.kind in ("number", "integer"):
        schema |= {name: edge for name, edge in (("minimum", field.low), ("maximum", field.high)) if edge is not None}
    if field.optional:
        schema = nullable(schema)
    words = ", ".join(word for word in (field.description, field.unit and f"in {field.unit}") if word)
    if field.fallback:
        words = f"{words}; kept from related records where there are any".removeprefix("; ")
    if words:
        schema["description"] = words
    return schema


def title(entity: Entity) -> str:
    """The name of an entity's schema: `Account`."""
    return entity.singular.capitalize()


def record(entity: Entity) -> dict[str, Any]:
    """A record as answered. Which members are there follows from `fields` and `include`."""
    properties = {field.column: of_field(field) for field in entity.fields.values()}
    if entity.name in SEGMENTED:
        properties["segment"] = {
            "type": "object",
            "description": "by segmentation, the slug of the segment that the account stands in",
            "additionalProperties": {"type": ["string", "null"]},
        }
    for relation in entity.relations.values():
        if relation.many:
            properties[relation.name] = {"type": "array", "items": {"type": "object"}, "description": "when included"}
        else:
            properties[relation.name] = {"type": ["object", "null"], "description": "when included"}
    return {"type": "object", "properties": properties}


def new(entity: Entity) -> str:
    """The name of what makes one: `NewAccount`."""
    return f"New{title(entity)}"


def below(entity: Entity) -> str:
    """The name of what makes one of the account that the address names."""
    return f"New{title(entity)}OfAccount"


def change(entity: Entity) -> str:
    """The name of what changes one: `AccountChange`."""
    return f"{title(entity)}Change"


def entered(entity: Entity, *, partial: bool, below: bool = False) -> dict[str, Any]:
    """What a body may say of a record; nothing is required of a partial one, nor the account of one that lies below it."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    once: list[dict[str, Any]] = []
    for field in entity.fields.values():
        if not field.writable or (below and field.name == "account"):
            continue
        properties[field.column] = _entered(entity, field)
        if field.kind == "ref":
            named = {
                "type": "string",
                "description": "by id, external id or e-mail, instead of the id",
                "minLength": 1,
                "maxLength": LINE,
            }
            properties[field.name] = nullable(named) if field.optional else named
            once.append({"not": {"required": [field.name, field.column]}})
        elif field.name in entity.required:
            required.append(field.name)
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required and not partial:
        made["required"] = required
    if "account" in entity.required and not partial and not below:
        made["anyOf"] = [{"required": ["account_id"]}, {"required": ["account"]}]
    if once:
        made["allOf"] = once
    return made


def changed(entity: Entity) -> dict[str, Any]:
    """What a body may say of a record that is changed or stands under an address: a slug that it is known by stays."""
    made = entered(entity, partial=True)
    if entity.key == "slug":
        del made["properties"]["slug"]
    return made


def _entered(entity: Entity, field: Field) -> dict[str, Any]:
    """A field's values as they are told: text has bounds, and what follows where it is empty may be."""
    schema = of_field(field)
    if field.kind == "json":
        return {**schema, "type": "object"}
    if field.kind == "text" and field.name == "slug":
        schema |= {"pattern": _TYPES["slug"]["pattern"]}
    elif field.kind == "text":
        schema |= {"minLength": 1, "maxLength": PROSE if field.name in PROSES else LINE}
        if field.name in _PATTERNS:
            schema |= {"pattern": _PATTERNS[field.name]}
        if field.name == "country":
            schema |= {"enum": [*sorted(COUNTRIES), *([None] if field.optional else [])]}
        if not field.optional:
            schema |= {"pattern": _PATTERNS.get(field.name, f"[^{BLANK}]")}
    elif field.least is not None:
        schema |= {"minimum": field.least}
    return nullable(schema) if field.fallback and entity.name != ACCOUNTS.name else schema


DOUBTFUL: dict[str, Any] = {
    "type": "array",
    "items": {"$ref": "#/components/schemas/DoubtfulSegmentation"},
    "description": "the segmentations that are named whose members are not fresh",
}
"""What answers tell of the segments that they stand on."""


NOTES: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string"},
    "description": "of what the criteria ask nothing was ever recorded in the workspace, and what follows from that",
}
"""What answers tell of what nothing is known of."""


def collection(item: dict[str, Any]) -> dict[str, Any]:
    """The envelope of a collection."""
    return {
        "type": "object",
        "required": ["data", "page", "count", "as_of", "windows"],
        "properties": {
            "data": {"type": "array", "items": item},
            "page": ref("Page"),
            "count": nullable(ref("Count")),
            "as_of": {
                "type": "string",
                "format": "date-time",
                "description": "the moment that windows were resolved at",
            },
            "windows": {"type": "array", "items": ref("Window")},
            "ranks": {"type": "array", "items": ref("Rank"), "description": "left out where nothing was ranked"},
            "segmentations": {
                **DOUBTFUL,
                "description": f"{DOUBTFUL['description']}; left out where there are none",
            },
            "notes": {**NOTES, "description": f"{NOTES['description']}; left out where there are none"},
        },
    }


def strings(description: str, items: Iterable[str] = ()) -> dict[str, Any]:
    """A list of texts, of which some are known."""
    known = list(items)
    return {
        "type": "array",
        "items": {"type": "string", **({"enum": known} if known else {})},
        "description": description,
    }


def either(description: str) -> dict[str, Any]:
    """Names separated by commas, or an array of them."""
    name = {"type": "string", "minLength": 1}
    return {"anyOf": [name, {"type": "array", "items": name}, {"type": "null"}], "description": description}


QUESTION: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "filter": {"type": ["string", "null"], "description": "criteria as text"},
        "criteria": {**nullable(CRITERIA), "description": "criteria in any spelling; not beside `filter`"},
        "fields": either("what to answer of each record"),
        "include": either("related records to nest"),
        "sort": either("fields in order of weight, `-` for descending"),
        "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "cursor": {"type": ["string", "null"]},
        "count": {"type": ["string", "null"], "enum": ["none", "capped", "exact", None]},
        "as_of": {"type": ["string", "null"]},
        "on": {"type": ["string", "null"]},
        "tz": {"type": ["string", "null"]},
        "for_user": {"type": ["string", "null"]},
        "archived": {"type": ["string", "null"], "enum": ["only", "with", None]},
    },
}
SHARED: dict[str, Any] = {
    "Question": QUESTION,
    "Page": {
        "type": "object",
        "required": ["next", "limit"],
        "properties": {
            "next": {"type": ["string", "null"], "description": "cursor of the next page; null on the last"},
            "limit": {"type": "integer"},
        },
    },
    "Count": {
        "type": "object",
        "required": ["value", "exact"],
        "properties": {
            "value": {"type": "integer"},
            "exact": {"type": "boolean", "description": "false: there are more than `value`"},
        },
    },
    "Window": {
        "type": "object",
        "description": "a relative window of the criteria with the bounds that it meant, the upper one open",
        "required": ["window", "lo", "hi", "zone"],
        "properties": {
            "window": {"type": "string", "examples": ["last(30d)"]},
            "lo": {"type": ["string", "null"]},
            "hi": {"type": ["string", "null"]},
            "zone": {"type": "string", "examples": ["Europe/Berlin"]},
        },
    },
    "DoubtfulSegmentation": {
        "type": "object",
        "description": "a segmentation that is not fresh: its members are those of the last time that went well",
        "required": ["segmentation", "state", "detail", "computed_at", "as_of"],
        "properties": {
            "segmentation": {"type": "string"},
            "state": {"type": "string", "enum": ["stale", "computing", "degraded", "broken"]},
            "detail": {"type": ["string", "null"], "description": "why"},
            "computed_at": {"type": ["string", "null"], "format": "date-time"},
            "as_of": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "the moment that members are right for",
            },
        },
    },
    "Rank": {
        "type": "object",
        "description": "a rank of the criteria, the number that it was compared with, and the cut-offs that this meant",
        "required": ["rank", "at", "computed_at", "groups"],
        "properties": {
            "rank": {"type": "string", "examples": ["percent_rank(arr BY industry)"]},
            "at": {"type": "number", "examples": [0.9]},
            "computed_at": {"type": "string", "format": "date-time", "description": "of when the cut-offs are"},
            "groups": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["group", "records", "reaches", "passes"],
                    "properties": {
                        "group": {"type": ["string", "null"], "description": "the value grouped by"},
                        "records": {"type": "integer", "description": "how many were ranked"},
                        "reaches": {
                            "type": ["number", "null"],
                            "description": "whoever lies beyond it has a rank of at least `at`",
                        },
                        "passes": {
                            "type": ["number", "null"],
                            "description": "whoever lies beyond it has a greater one",
                        },
                    },
                },
            },
        },
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457; the page at `type` says what to do",
        "required": ["type", "title", "status", "detail", "request_id", "errors"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "errors": {"type": "array", "items": ref("Fault")},
        },
    },
    "Fault": {
        "type": "object",
        "required": ["pointer", "parameter", "line", "column", "message", "suggestion"],
        "properties": {
            "pointer": {"type": ["string", "null"], "description": "JSON pointer into the body"},
            "parameter": {"type": ["string", "null"], "description": "query parameter or header"},
            "line": {"type": ["integer", "null"]},
            "column": {"type": ["integer", "null"]},
            "message": {"type": "string"},
            "suggestion": {"type": ["string", "null"], "description": "the nearest known name"},
        },
    },
}
