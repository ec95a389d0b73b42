"""JSON Schemas of definitions of segmentations, one for each kind, each with an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api.schemas import CRITERIA, nullable, ref
from app.domain.scenarios import IMPACTS
from app.domain.segmentation import axes, care, lanes, scorecard
from app.domain.segmentation.model import MAX_SEGMENTS, REFREEZES, REST, Kind
from app.domain.segmentation.presets import presets
from app.domain.segmentation.reading import NAME_LENGTH
from app.domain.values import PROSE

Schema = dict[str, Any]
SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH}
NUMBER: Schema = {"type": "number"}
FIELD: Schema = {**NAME, "description": "a field of numbers or money by its path: `arr`, `custom.seats`"}
STEADY: dict[str, Schema] = {
    "band": {
        "type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": None,
        "description": "an account stays in its segment while a number has left its cut by no more than this share of it; null: off",
    },
    "confirm": {
        "type": ["string", "null"], "pattern": "^[1-9][0-9]{0,3}[hdw]$", "default": None,
        "description": "an account moves only when the criteria have put it elsewhere for so long (`36h`, `2d`, `1w`); null: off",
    },
}  # fmt: skip
LEAVING: dict[str, Schema] = {
    "replace": {
        "type": ["object", "null"], "additionalProperties": {"type": "string"},
        "description": "for a segment that is left out the slug of the one that takes its place: lists, weights of health and pins follow",
    },
    "with_dependents": {
        "type": ["boolean", "null"], "default": False,
        "description": "leave segments out although lists or weights of health name them: those mean nothing then",
    },
}  # fmt: skip


def _object(required: tuple[str, ...], **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required), "additionalProperties": False, "properties": properties}


def _array(items: Schema, least: int, most: int, description: str) -> Schema:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most, "description": description}


# -- what the kinds say ------------------------------------------------------------------------------------------------

_AMONG = {
    **nullable(CRITERIA),
    "default": None,
    "description": "criteria of the accounts that cuts are taken over; null: all",
}
_WITHIN = {
    "type": ["string", "null"], "enum": [*axes.BOOKS, None], "default": None,
    "description": "each CSM's book, industry or region has cuts of its own; null: one for all",
}  # fmt: skip
_NULL = {"type": "null"}


def _cuts(most: int) -> Schema:
    """Cuts of which there are at most so many."""
    ascending = f"1 to {most}, ascending; an account on a cut stands above it"

    def by(way: axes.By, required: tuple[str, ...] = (), **more: Schema) -> Schema:
        return _object(("by", *required), by={"type": "string", "enum": [way]}, **more)

    return {
        "description": "where the field is cut: at amounts, at shares of the accounts, at the median, or where values leave gaps",
        "oneOf": [
            by("absolute", ("at",), at=_array(NUMBER, 1, most, f"amounts, money in major units, {ascending}"), among=_NULL, within=_NULL),
            by("percentile", ("at",), at=_array({**NUMBER, "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 1, most, f"shares, {ascending}"),
               among=_AMONG, within=_WITHIN),
            by("median", among=_AMONG, within=_WITHIN),
            by("natural", ("parts",), parts={"type": "integer", "minimum": 2, "maximum": most + 1, "description": "levels, one more than cuts"},
               among=_AMONG, within=_NULL),
        ],
    }  # fmt: skip


def _axis(most: int, description: str) -> Schema:
    return {**_object(("field", "cuts"), field=FIELD, cuts=_cuts(most)), "description": description}


_GIVEN: dict[str, Schema] = {
    "otherwise": {**NUMBER, "default": 0, "description": "points of all other values, or of whoever does not meet the criteria"},
    "empty": {**NUMBER, "default": 0, "description": "points of accounts without a value"},
    "weight": {**NUMBER, "exclusiveMinimum": 0, "default": 1, "description": "all points of the measure are times this"},
}  # fmt: skip
_VALUES = {
    "type": "object", "minProperties": 1, "maxProperties": scorecard.MOST_VALUES, "additionalProperties": NUMBER,
    "description": "points by value of the field",
}  # fmt: skip
_MEASURE: Schema = {
    "description": "what gives points: a number by its levels, a field by its values, or criteria",
    "oneOf": [
        _object(("field", "cuts", "points"), field=FIELD, cuts=_cuts(4), points=_array(NUMBER, 2, 5, "of each level, the lowest first"),
                values=_NULL, criteria=_NULL, **_GIVEN),
        _object(("field", "values"), field={**NAME, "description": "a field by its path"}, values=_VALUES, points=_NULL, cuts=_NULL,
                criteria=_NULL, **_GIVEN),
        _object(("criteria", "points"), criteria=CRITERIA, points={**NUMBER, "description": "of whoever meets the criteria"}, field=_NULL,
                cuts=_NULL, values=_NULL, **_GIVEN),
    ],
}  # fmt: skip
_CONSIDERATION: Schema = {
    **_object(
        ("field",), field=FIELD,
        lifts_from={"type": ["number", "null"], "default": None, "description": "from this on the account is lifted"},
        lowers_below={"type": ["number", "null"], "default": None, "description": "below this it is lowered"},
    ),
    "anyOf": [{"required": ["lifts_from"]}, {"required": ["lowers_below"]}],
}  # fmt: skip
SPECS: Mapping[Kind, Schema] = {
    "rules": {
        "type": ["object", "null"], "additionalProperties": False, "default": {},
        "description": "nothing: the criteria of the segments say everything",
    },
    "bands": _axis(axes.MAX_CUTS, "the number, and where it is cut"),
    "matrix": _object(("x", "y"), **{side: _axis(2, f"the {nth} axis") for side, nth in (("x", "first"), ("y", "second"), ("z", "third"))}),
    "score": _object(
        ("measures", "at"), measures=_array(_MEASURE, 1, scorecard.MOST_MEASURES, "what gives points"),
        at=_array(NUMBER, 1, axes.MAX_CUTS, "sums of points at which the next band begins, ascending"),
    ),
    "lanes": {
        **_object((), considerations={
            "type": ["array", "null"], "items": _CONSIDERATION, "maxItems": lanes.MOST, "default": [],
            "description": "beside the impact; where more lift than lower the account stands a lane better, where more lower a lane worse",
        }),
        "type": ["object", "null"], "default": {},
    },
}  # fmt: skip
"""What `spec` holds, by kind."""

# -- care -----------------------------------------------------------------------------------------------------------------

_LASTS: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,3}[dw]$"}
_CADENCE = {
    "type": ["object", "null"], "additionalProperties": False, "properties": dict.fromkeys(care.KINDS, _LASTS), "default": None,
    "description": "days or weeks between touches (`30d`, `2w`), by kind; `any`: a check-in of whatever kind",
}  # fmt: skip
_HOURS = {
    "type": ["object", "null"], "additionalProperties": False, "minProperties": 1, "maxProperties": 1, "default": None,
    "properties": {
        "month": {**NUMBER, "minimum": 0, "maximum": care.MOST_HOURS}, "year": {**NUMBER, "minimum": 0, "maximum": care.MOST_HOURS * care.MONTHS},
    },
    "description": "of a CSM for each account: a month or a year",
}  # fmt: skip
_PHASE = _object(
    ("name", "until", "cadence"), name=NAME, until={**_LASTS, "description": "so long after the account became a customer"},
    cadence={**_CADENCE, "type": "object"}, hours=_HOURS,
)  # fmt: skip
_STEP = _object(
    ("name", "owner", "day"), name=NAME, owner={"type": "string", "enum": list(care.OWNERS)},
    day={"type": "integer", "minimum": 0, "maximum": care.LONGEST, "description": "after the account entered the segment"},
    kind={"type": ["string", "null"], "enum": [*care.KINDS, None], "default": None, "description": "the touch that fulfils it"},
)  # fmt: skip
_STEPS = {
    **_object(("name", "steps"), name=NAME, steps=_array(_STEP, 1, care.MOST_STEPS, "in the order of their days")),
    "type": ["object", "null"], "default": None,
}  # fmt: skip
ENGAGEMENT: Schema = {
    "type": ["object", "null"], "additionalProperties": False, "default": None,
    "properties": {
        "touch": {"type": ["string", "null"], "enum": [*care.TOUCHES, None], "default": None}, "aim": {**nullable(NAME), "default": None},
        "cadence": _CADENCE, "hours": _HOURS,
        "phases": {
            **_array(_PHASE, 1, care.MOST_PHASES, "cadences that hold until so many days after the account became a customer, one after the other"),
            "type": ["array", "null"], "default": None,
        },
        "playbook": _STEPS, "success_plan": _STEPS, "notes": {"type": ["string", "null"], "maxLength": PROSE, "default": None},
    },
    "description": "how accounts of the segment are looked after; null: nothing is asked",
}  # fmt: skip

# -- their segments ----------------------------------------------------------------------------------------------------

_LEVEL = {"type": "string", "enum": list(axes.LEVELS[2])}
_LEVELS = {
    "anyOf": [_LEVEL, {"type": "array", "items": _LEVEL}, {"type": "null"}], "default": None,
    "description": "a level of the axis or several, `low` and `high`, with two cuts `medium` between them; null: any",
}  # fmt: skip
OWN: Mapping[Kind, dict[str, Schema]] = {
    "rules": {"criteria": {**CRITERIA, "description": f"whom the segment takes, of those that no segment before it took: {CRITERIA['description']}"}},
    "bands": {},
    "matrix": {"x": _LEVELS, "y": _LEVELS, "z": _LEVELS},
    "score": {},
    "lanes": {"lane": {"type": "string", "enum": list(IMPACTS)}},
}  # fmt: skip
"""What segments say beside slug, name, colour and engagement, by kind."""
NEEDED: Mapping[Kind, tuple[str, ...]] = {"rules": ("criteria",), "lanes": ("lane",)}
ORDER: Mapping[Kind, str] = {
    "rules": "in the order in which they are tried: the first whose criteria hold takes the account",
    "bands": "the highest first, one more than there are cuts",
    "matrix": "each cell in one of them",
    "score": "the highest first, one more than there are sums",
    "lanes": "one for each lane: severe, medium, low",
}


def _segments(kind: Kind) -> Schema:
    colour = {"type": ["string", "null"], "pattern": "^#[0-9a-fA-F]{6}$", "default": None}
    one = _object(
        ("slug", "name", *NEEDED.get(kind, ())), slug=SLUG, name=NAME, **OWN[kind], colour=colour, engagement=ENGAGEMENT
    )
    least, most = (len(IMPACTS), len(IMPACTS)) if kind == "lanes" else (1, MAX_SEGMENTS)
    return _array(one, least, most, ORDER[kind])


# -- bodies ------------------------------------------------------------------------------------------------------------

_PRESETS = presets("absolute", "absolute")
_BANDS = {
    "name": "Size", "kind": "bands", "spec": {"field": "employees", "cuts": {"by": "natural", "parts": 2, "among": "employees > 0"}},
    "segments": [{"slug": "large", "name": "Large"}, {"slug": "small", "name": "Small"}], "refreeze": "quarter",
}  # fmt: skip
_MATRIX = {
    "name": "Worth", "kind": "matrix",
    "spec": {"x": {"field": "arr", "cuts": {"by": "percentile", "at": [0.5, 0.8], "within": "csm"}}, "y": {"field": "margin", "cuts": {"by": "absolute", "at": [0]}}},
    "segments": [
        {"slug": "keep", "name": "Keep", "x": ["medium", "high"], "y": "high"}, {"slug": "mend", "name": "Mend", "x": ["medium", "high"], "y": "low"},
        {"slug": "light", "name": "Light", "x": "low"},
    ],
}  # fmt: skip
_SCORE = {
    "name": "Fit", "kind": "score",
    "spec": {
        "measures": [
            {"field": "arr", "cuts": {"by": "absolute", "at": [25_000, 100_000]}, "points": [0, 1, 2], "weight": 2},
            {"field": "status", "values": {"customer": 1}, "otherwise": 0}, {"criteria": "nps >= 9", "points": 1},
        ],
        "at": [2, 4],
    },
    "segments": [{"slug": "good", "name": "Good"}, {"slug": "fair", "name": "Fair"}, {"slug": "poor", "name": "Poor"}],
}  # fmt: skip
EXAMPLES: Mapping[Kind, Schema] = {
    "rules": {
        "name": "Size", "kind": "rules", "rest": "small",
        "segments": [{"slug": "large", "name": "Large", "criteria": "arr >= 100000"}, {"slug": "middle", "name": "Middle", "criteria": "arr >= 25000"}],
    },
    "bands": _BANDS, "matrix": _MATRIX, "score": _SCORE,
    "lanes": {name: told for name, told in _PRESETS["lanes"].items() if name != "segments"}
    | {"segments": [{"slug": one, "name": one.capitalize(), "lane": one} for one in IMPACTS]},
}  # fmt: skip
"""A body of each kind."""


def _body(kind: Kind) -> Schema:
    needed = ("name", "kind", "segments", *(("spec",) if kind in ("bands", "matrix", "score") else ()))
    refreeze = {
        "type": ["string", "null"], "enum": [*REFREEZES, None], "default": None,
        "description": "how often cuts are taken anew; null: when …/refreeze asks for it. Nothing where cuts are amounts",
    }  # fmt: skip
    rest = {**nullable(SLUG), "default": REST, "description": "the segment of whoever no other takes"}
    made = _object(
        needed, name=NAME, kind={"type": "string", "enum": [kind]}, spec=SPECS[kind], segments=_segments(kind), rest=rest,
        refreeze=refreeze, **STEADY, **LEAVING,
    )  # fmt: skip
    return {**made, "examples": [EXAMPLES[kind]]}


def called(kind: Kind) -> str:
    """The name of a kind's schema."""
    return f"{kind.capitalize()}Definition"


DEFINITION = "SegmentationDefinition"
SCHEMAS: Mapping[str, Schema] = {
    DEFINITION: {
        "oneOf": [ref(called(kind)) for kind in SPECS],
        "discriminator": {"propertyName": "kind", "mapping": {kind: ref(called(kind))["$ref"] for kind in SPECS}},
        "description": "a definition of a segmentation, by its kind",
    },
    **{called(kind): _body(kind) for kind in SPECS},
}
"""By their names in the document."""
