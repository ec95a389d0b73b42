"""What routes about segmentations say in the document: bodies and answers."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.rest.parameters import IDENTITY, SLUG
from app.domain.segmentation.model import KINDS, REFREEZES

TEXT: dict[str, Any] = {"type": "string"}
TEXT_OR_NONE: dict[str, Any] = {"type": ["string", "null"]}
COUNT: dict[str, Any] = {"type": "integer"}
MONEY: dict[str, Any] = {"type": "number"}
INSTANT: dict[str, Any] = {"type": "string", "format": "date-time"}
INSTANT_OR_NONE: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
AUTHOR = schemas.nullable(dict(IDENTITY))
LEVELS: dict[str, Any] = {
    "type": ["string", "array"],
    "items": TEXT,
    "description": "of a matrix: one level of the axis or several; left out, any",
}
OWN: dict[str, Any] = {"x": LEVELS, "y": LEVELS, "z": LEVELS, "lane": {**TEXT, "description": "of lanes"}}
SEGMENT = {
    "type": "object",
    "properties": {
        "slug": SLUG, "name": TEXT, "colour": TEXT_OR_NONE, "engagement": {"type": ["object", "null"]},
        "criteria": {"type": "object", "properties": {"text": TEXT, "tree": {"type": "object"}}}, **OWN,
    },
}  # fmt: skip
CUTS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "field": TEXT, "at": {"type": "array", "items": {"type": "number"}}, "frozen_at": {"type": "string", "format": "date"},
            "accounts": {"type": ["integer", "null"]}, "within": TEXT_OR_NONE,
            "books": {"type": "array", "items": {"type": "object"}, "description": "what each book is cut at, the first 50"},
        },
    },
}  # fmt: skip
DEFINED: dict[str, Any] = {
    "name": TEXT, "kind": {"type": "string", "enum": list(KINDS)}, "spec": {"type": "object"},
    "segments": {"type": "array", "items": SEGMENT}, "rest": TEXT,
    "refreeze": {"type": ["string", "null"], "enum": [*REFREEZES, None]}, "cuts": CUTS,
}  # fmt: skip
COMPUTED: dict[str, Any] = {
    "state": {
        "type": "string", "enum": ["fresh", "stale", "computing", "degraded", "broken"],
        "description": "of degraded and broken ones the members are those of the last time that went well",
    },
    "detail": {**TEXT_OR_NONE, "description": "why it is degraded or broken"}, "computed_at": INSTANT_OR_NONE,
    "as_of": {**INSTANT_OR_NONE, "description": "up to when time was followed; what is written moves members at once"},
}  # fmt: skip
SEGMENTATION = {
    "type": "object",
    "properties": {
        "id": IDENTITY, "slug": SLUG, **DEFINED, **COMPUTED, "version": COUNT, "created_at": INSTANT_OR_NONE,
        "updated_at": INSTANT_OR_NONE,
    },
}  # fmt: skip
VERSION = {
    "type": "object",
    "properties": {
        "version": COUNT, **DEFINED, "cause": {"type": "string", "enum": ["put", "publish", "rollback", "refreeze"]},
        "restores": {"type": ["integer", "null"], "description": "the version that a rollback brought back"},
        "author_id": AUTHOR, "author": TEXT_OR_NONE, "note": TEXT_OR_NONE, "created_at": INSTANT,
    },
}  # fmt: skip
_COUNTS = {"accounts": COUNT, "arr": MONEY}
COUNTED = {
    "type": "object",
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"slug": SLUG, "name": TEXT, **_COUNTS, "share": MONEY, "arr_share": MONEY},
            },
        },
        **_COUNTS, "on": {"type": ["string", "null"], "format": "date"}, "version": COUNT, **COMPUTED,
    },
}  # fmt: skip
_TOLD: dict[str, Any] = {
    "name": {**TEXT, "minLength": 1, "maxLength": 200}, "kind": {"type": "string", "enum": list(KINDS)}, "spec": {"type": "object"},
    "segments": {"type": "array", "items": {"type": "object"}}, "rest": SLUG,
    "refreeze": {
        "type": ["string", "null"], "enum": [*REFREEZES, None],
        "description": "how often cuts are taken anew; null: when it is defined anew",
    },
}  # fmt: skip
BODY: dict[str, Any] = {
    "type": "object", "required": ["name", "kind", "segments"], "additionalProperties": False, "properties": _TOLD,
}  # fmt: skip
TRIED: dict[str, Any] = {"oneOf": [BODY, {"type": "object", "additionalProperties": False}]}
DRAFT = {
    "type": "object",
    "properties": {
        "slug": SLUG, **_TOLD, "version": COUNT, "author_id": AUTHOR, "created_at": INSTANT, "updated_at": INSTANT,
    },
}  # fmt: skip


def _each(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": properties}}


_BOTH = {"type": "object", "properties": _COUNTS}
SIMULATED = {
    "type": "object",
    "properties": {
        "slug": SLUG, "kind": TEXT, "as_of": INSTANT, "cuts": CUTS, "segments": _each(slug=SLUG, name=TEXT, before=_BOTH, after=_BOTH),
        "moves": _each(**{"from": TEXT_OR_NONE, "to": TEXT}, **_COUNTS), "moved": _BOTH,
        "rest": {**_BOTH, "description": "whom no segment would take"},
        "pinned": {**COUNT, "description": "accounts that stay where they are pinned"},
        "overlap": {
            **_each(segments={"type": "array", "items": SLUG}, **_COUNTS),
            "description": "accounts that two segments would take but for their order; of kinds other than rules there are none",
        },
        "sample": {
            **_each(id=dict(IDENTITY), name=TEXT, arr=MONEY, was=TEXT_OR_NONE, becomes=TEXT),
            "description": "of those that move, the 20 with the most ARR",
        },
    },
}  # fmt: skip
