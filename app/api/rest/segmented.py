"""What routes about segmentations say in the document: bodies and answers."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.rest.parameters import IDENTITY, SLUG
from app.domain.segmentation.care import KINDS as KINDS_OF_TOUCH
from app.domain.segmentation.care import OWNERS, TOUCHES
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
_CADENCE = {
    "type": "object", "properties": {kind: {**TEXT, "pattern": "^[1-9][0-9]{0,3}[dw]$"} for kind in KINDS_OF_TOUCH},
    "description": "days or weeks between touches, by kind; `any`: a check-in of whatever kind",
}  # fmt: skip
_HOURS = {
    "type": "object",
    "properties": {"month": MONEY, "year": MONEY},
    "description": "of a CSM for each account: a month or a year",
}
_STEPS = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "steps": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": TEXT, "owner": {"type": "string", "enum": list(OWNERS)},
                    "day": {**COUNT, "description": "after the account entered the segment"},
                    "kind": {"type": "string", "enum": list(KINDS_OF_TOUCH), "description": "the touch that fulfils it"},
                },
            },
        },
    },
}  # fmt: skip
ENGAGEMENT = {
    "type": ["object", "null"],
    "properties": {
        "touch": {"type": "string", "enum": list(TOUCHES)}, "aim": TEXT, "cadence": _CADENCE, "hours": _HOURS,
        "phases": {
            "type": "array",
            "items": {"type": "object", "properties": {"name": TEXT, "until": TEXT, "cadence": _CADENCE, "hours": _HOURS}},
            "description": "cadences that hold until so many days after the account became a customer, one after the other",
        },
        "playbook": _STEPS, "success_plan": _STEPS, "notes": TEXT,
    },
    "description": "how accounts of the segment are looked after; put with a segmentation, unknown members are refused",
}  # fmt: skip
SEGMENT = {
    "type": "object",
    "properties": {
        "slug": SLUG, "name": TEXT, "colour": TEXT_OR_NONE, "engagement": ENGAGEMENT,
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
STEADY: dict[str, Any] = {
    "band": {
        "type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1,
        "description": "an account stays in its segment while a number has left its cut by no more than this share of it; null: off",
    },
    "confirm": {
        "type": ["string", "null"], "pattern": "^[1-9][0-9]{0,3}[hdw]$",
        "description": "an account moves only when the criteria have put it elsewhere for so long (`36h`, `2d`, `1w`); null: off",
    },
}  # fmt: skip
DEFINED: dict[str, Any] = {
    "name": TEXT, "kind": {"type": "string", "enum": list(KINDS)}, "spec": {"type": "object"},
    "segments": {"type": "array", "items": SEGMENT}, "rest": TEXT,
    "refreeze": {"type": ["string", "null"], "enum": [*REFREEZES, None]}, **STEADY, "cuts": CUTS,
}  # fmt: skip
COMPUTED: dict[str, Any] = {
    "state": {
        "type": "string", "enum": ["fresh", "stale", "computing", "degraded", "broken"],
        "description": "of degraded and broken ones the members are those of the last time that went well",
    },
    "detail": {**TEXT_OR_NONE, "description": "why it is degraded or broken"}, "computed_at": INSTANT_OR_NONE,
    "as_of": {**INSTANT_OR_NONE, "description": "up to when time was followed; what is written moves members at once"},
    "checked_at": {**INSTANT_OR_NONE, "description": "when members were last compared with a full evaluation: each night"},
    "drifted": {"type": ["integer", "null"], "description": "accounts that then stood elsewhere, and were placed"},
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
    **STEADY,
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
        "csms": {**COUNT, "description": "the greater of both"}, "planned": COUNT, "by_arr": PEOPLE, "by_hours": PEOPLE,
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
        "sample": {
            **_each(id=dict(IDENTITY), name=TEXT, arr=MONEY, was=TEXT_OR_NONE, becomes=TEXT),
            "description": "of those that move, the 20 with the most ARR",
        },
    },
}  # fmt: skip
