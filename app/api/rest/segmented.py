"""What routes about segmentations say in the document: bodies and answers."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.rest.parameters import IDENTITY, SLUG
from app.api.segmentation_bodies import DEFINITION, ENGAGEMENT, LEAVING, STEADY
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
        "slug": SLUG, "name": TEXT, "colour": TEXT_OR_NONE, "engagement": ENGAGEMENT,
        "criteria": {
            "type": "object", "properties": {"text": TEXT, "tree": {"type": "object"}},
            "description": "its own: an account that an earlier segment takes stands there. Of cuts within books those of each book",
        },
        "filter": {**TEXT, "description": "finds who stands in it, however they came: what lists and `filter` take; not of earlier versions"},
        "detail": {**TEXT_OR_NONE, "description": "where books are too many for criteria to say their cuts: these ask for who stands in it then"}, **OWN,
    },
}  # fmt: skip
CUTS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "field": TEXT, "at": {"type": "array", "items": {"type": "number"}}, "frozen_at": {"type": "string", "format": "date", "description": "since when the oldest of them stands"},
            "accounts": {"type": ["integer", "null"]}, "within": TEXT_OR_NONE,
            "from": {
                "type": "string", "enum": ["start", "definition", "data"],
                "description": "where it comes from: the definition says so, taken from the accounts on `frozen_at`, or what the workspace began with",
            },
            "taken": {
                "type": "array", "items": {"type": "boolean"},
                "description": "for each cut, ascending, whether this version took it from the accounts; the others stand from before, or are as the definition says",
            },
            "books": {"type": "array", "items": {"type": "object"}, "description": "what each book is cut at, the first 50"},
        },
    },
}  # fmt: skip
_DEFINED: dict[str, Any] = {
    "name": TEXT, "kind": {"type": "string", "enum": list(KINDS)},
    "spec": {"type": "object", "description": "as the definition of its kind has it"},
    "segments": {"type": "array", "items": SEGMENT}, "rest": TEXT,
    "refreeze": {"type": ["string", "null"], "enum": [*REFREEZES, None]}, **STEADY,
}  # fmt: skip
DEFINED: dict[str, Any] = {**_DEFINED, "cuts": CUTS}
DEFINITION_OF = {
    **schemas.ref(DEFINITION),
    "description": "as PUT takes it: put back as it is it changes nothing, cuts that were taken from the accounts included",
}
COMPUTED: dict[str, Any] = {
    "state": {
        "type": "string", "enum": ["fresh", "stale", "computing", "degraded", "broken"],
        "description": "of degraded and broken ones the members are those of the last time that went well",
    },
    "detail": {**TEXT_OR_NONE, "description": "why it is stale, degraded or broken, what its cuts lack, or of which day it is not known where accounts stood"}, "computed_at": INSTANT_OR_NONE,
    "as_of": {**INSTANT_OR_NONE, "description": "a moment that members are right for: of fresh ones no earlier than the last move; what is written moves them at once"},
    "checked_at": {**INSTANT_OR_NONE, "description": "when members were last compared with a full evaluation: each night"},
    "drifted": {"type": ["integer", "null"], "description": "accounts that then stood elsewhere, and were placed"},
}  # fmt: skip
HISTORY: dict[str, Any] = {
    "history_begins": {**INSTANT, "description": "since when it is known where accounts stood"},
}  # fmt: skip
UNKNOWN: dict[str, Any] = {
    **TEXT_OR_NONE,
    "description": "where a day lies before `history_begins`: where accounts stood then is not known",
}
SEGMENTATION = {
    "type": "object",
    "properties": {
        "id": IDENTITY, "slug": SLUG, **DEFINED, "definition": DEFINITION_OF, **COMPUTED, "version": COUNT, "created_at": INSTANT_OR_NONE,
        "updated_at": INSTANT_OR_NONE, **HISTORY,
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
_HOLDS: dict[str, Any] = {
    **_COUNTS,
    "churned": {
        "type": "object", "properties": _COUNTS,
        "description": "what of that is of accounts that are churned today: capacity, loads and engagements leave those out",
    },
}  # fmt: skip
COUNTED = {
    "type": "object",
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"slug": SLUG, "name": TEXT, **_HOLDS, "share": MONEY, "arr_share": MONEY},
            },
        },
        **_HOLDS, "on": {"type": ["string", "null"], "format": "date"}, "version": COUNT, **COMPUTED, **HISTORY,
    },
}  # fmt: skip
_NOTHING = {"type": "object", "additionalProperties": False, "properties": LEAVING}
BODY = schemas.ref(DEFINITION)
TRIED: dict[str, Any] = {"anyOf": [BODY, _NOTHING]}
DRAFT = {
    "type": "object",
    "properties": {
        "slug": SLUG, **_DEFINED, **LEAVING, "definition": DEFINITION_OF, "version": COUNT, "author_id": AUTHOR, "created_at": INSTANT, "updated_at": INSTANT,
    },
}  # fmt: skip


def _each(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "properties": properties}}


_BOTH = {"type": "object", "properties": _COUNTS}
PEOPLE = {
    "type": "object",
    "properties": {
        "csms": {**COUNT, "description": "with full books"}, "planned": {**COUNT, "description": "at the target use"},
        "bound": {**COUNT, "description": "with fewer no packing can do"},
        "teams": {**COUNT, "description": "of them those of accounts above what one may have"},
    },
}  # fmt: skip
NEEDED = {
    "type": "object",
    "properties": {
        "csms": {**COUNT, "description": "with full books: the greater of what ARR and hours take"},
        "planned": {**COUNT, "description": "at the target use: the greater of what ARR and hours take"}, "by_arr": PEOPLE, "by_hours": PEOPLE,
    },
}  # fmt: skip
_LOAD = {
    "type": "object",
    "properties": {
        "accounts": {**COUNT, "description": "that are not churned"}, "touches": {**MONEY, "description": "a month"},
        "hours": {**MONEY, "description": "a month"}, "needed": {**NEEDED, "description": "CSMs"},
    },
}  # fmt: skip
_LOADS = {"type": "object", "properties": {"before": _LOAD, "after": _LOAD}}
SIMULATED = {
    "type": "object",
    "properties": {
        "slug": SLUG, "kind": TEXT, "as_of": INSTANT, "cuts": CUTS, "segments": _each(slug=SLUG, name=TEXT, before=_BOTH, after=_BOTH, load=_LOADS),
        "load": {**_LOADS, "description": "of all segments together"},
        "moves": _each(**{"from": TEXT_OR_NONE, "to": TEXT}, **_COUNTS), "moved": _BOTH,
        "rest": {**_BOTH, "description": "whom no segment would take"},
        "pinned": {**COUNT, "description": "accounts that stay where they are pinned"},
        "overlap": {
            **_each(segments={"type": "array", "items": SLUG}, **_COUNTS),
            "description": "accounts that two segments would take but for their order; of kinds other than rules there are none",
        },
        "removed": {
            **_each(slug=SLUG, name=TEXT, becomes=TEXT_OR_NONE, dependents=_each(what=TEXT, count=COUNT, examples={"type": "array", "items": TEXT})),
            "description": "segments that it leaves out, the one that takes the place of each by `replace`, and what names it: with any, and without "
            "`becomes`, publishing is refused",
        },
        "sample": {
            **_each(id=dict(IDENTITY), name=TEXT, arr=MONEY, was=TEXT_OR_NONE, becomes=TEXT),
            "description": "of those that move, the 20 with the most ARR",
        },
    },
}  # fmt: skip
