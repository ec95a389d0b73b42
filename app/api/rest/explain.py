"""/v1/criteria/explain, and why an account stands in its segments."""

from __future__ import annotations

from typing import Any

from app.api import schemas
from app.api.requests import Request
from app.api.responses import Answer, json
from app.api.rest.explanation import ANSWER, ASKED
from app.api.rest.memberships import PENDING
from app.api.rest.parameters import ACCOUNT, IDENTITY, SLUG, path
from app.api.routes import Payload, Route
from app.domain.lists import ENTITIES
from app.services import explain

_TEXT: dict[str, Any] = {"type": "string"}
_TEXT_OR_NONE: dict[str, Any] = {"type": ["string", "null"]}
_FLAG: dict[str, Any] = {"type": "boolean"}
_INSTANT: dict[str, Any] = {"type": "string", "format": "date-time"}
_INSTANT_OR_NONE: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
_FLIP: dict[str, Any] = {
    "flips_at": {
        **_INSTANT_OR_NONE,
        "description": "the first moment of another verdict if data stays as it is; null where there is none before 2200",
    },
    "flips_known": {
        **_FLAG,
        "description": "false where that cannot be followed: too many related rows, or a fiscal calendar that ends before",
    },
}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _each(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": _object(**properties)}


_HEAD = {"id": IDENTITY, "external_id": _TEXT_OR_NONE, "name": _TEXT_OR_NONE}
_LEAF: dict[str, Any] = {
    "text": _TEXT,
    "english": _TEXT,
    "because_empty": {**_FLAG, "description": "it is as the criteria wants it only because a value is empty"},
    "value": {
        "description": "what the record has: of related rows how many pass, of a move its latest moment; null is empty"
    },
    "threshold": {
        "type": "object",
        "description": "what it is compared with: `cmp` and, as that takes, `value`, `values`, `lo`, `hi`, `hi_open`, `field`, "
        "`segment`; several under `and`, `or`, `not`",
    },
    "windows": {"type": "array", "items": schemas.ref("Window")},
    "ranks": _each(rank=_TEXT, at={"type": "number"}, computed_at=_INSTANT),
    "evidence": {
        **_each(entity=_TEXT, inside=_FLAG, passes=_FLAG, values={"type": "object"}),
        "maxItems": 3,
        "description": "the related rows that made it so, else the nearest: `inside` its window, and whether each `passes` WHERE",
    },
    **_FLIP,
}
NODE: dict[str, Any] = {
    "type": "object",
    "required": ["op", "pointer", "result"],
    "description": "a leaf, or with `args` what joins some: `and`, `or`, `not`, and `list`, which is a saved list opened",
    "properties": {
        "op": _TEXT,
        "pointer": {
            **_TEXT,
            "description": "where it stands in the criteria as a tree; what a list holds, under `/list`",
        },
        "result": _FLAG,
        "args": {"type": "array", "items": {"type": "object"}},
        **_LEAF,
    },
}
_WHOLE: dict[str, Any] = {
    "text": _TEXT,
    "english": _TEXT,
    "result": _FLAG,
    **_FLIP,
    "fewest": {
        "type": ["array", "null"],
        "items": _object(pointer=_TEXT, text=_TEXT),
        "description": "the fewest leaves that would admit it if each said the opposite; null where it is admitted, or none would",
    },
    "leaves": {
        "type": "array",
        "items": _object(op=_TEXT, pointer=_TEXT, result=_FLAG, **_LEAF),
        "description": "the leaves of `tree`, in document order",
    },
    "tree": NODE,
}
_MOMENT = {"as_of": _INSTANT, "zone": _TEXT}
EXPLANATION = _object(
    entity={"type": "string", "enum": list(ENTITIES)},
    **_HEAD,
    archived=_FLAG,
    **_MOMENT,
    **_WHOLE,
    segmentations=schemas.DOUBTFUL,
)
BODY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "entity": {
            "type": ["string", "null"],
            "enum": [*ENTITIES, None],
            "description": "accounts where it is left out",
        },
        "id": {**_TEXT_OR_NONE, "description": "of the record; or `external_id`"},
        "external_id": _TEXT_OR_NONE,
        "filter": {
            **_TEXT_OR_NONE,
            "description": "criteria as text; or `criteria`, `list`, or `segmentation` with `segment`",
        },
        "criteria": schemas.nullable(schemas.CRITERIA),
        "list": {**_TEXT_OR_NONE, "description": "the id of a saved list"},
        "segmentation": _TEXT_OR_NONE,
        "segment": _TEXT_OR_NONE,
        "params": {"type": ["object", "null"], "description": "a value for each `$name`"},
        "as_of": _TEXT_OR_NONE,
        "tz": _TEXT_OR_NONE,
        "for_user": _TEXT_OR_NONE,
    },
}
_NUMBER: dict[str, Any] = {"type": "number"}
_NUMBER_OR_NONE: dict[str, Any] = {"type": ["number", "null"]}
_CUTS = {
    **_each(
        at=_NUMBER, distance={**_NUMBER, "description": "how far the value is above it, negative below; on it is above"},
        share={**_NUMBER_OR_NONE, "description": "the distance as a share of the cut; null of a cut at 0"},
    ),
    "description": "ascending; money in major units. None where there is no value, no book or no cut",
}  # fmt: skip
_REACHED = {"type": ["integer", "null"], "description": "how many of the cuts it reaches"}
_NO_OBJECT = {"type": ["object", "null"]}
_PLACED = {
    **_object(
        axes={
            **_each(axis={**_TEXT_OR_NONE, "description": "`x`, `y` or `z` of a matrix"}, field=_TEXT, value=_NUMBER_OR_NONE, reached=_REACHED,
                    level={**_TEXT_OR_NONE, "description": "of a matrix: low, medium or high"}, within=_TEXT_OR_NONE,
                    book={**_TEXT_OR_NONE, "description": "the book whose cuts these are"}, cuts=_CUTS),
            "description": "of bands and matrices; none of other kinds",
        },
        score={
            **_object(points=_NUMBER_OR_NONE, cuts=_CUTS, measures=_each(
                field=_TEXT_OR_NONE, criteria=_TEXT_OR_NONE, value={"description": "what it has; null is empty"}, met={"type": ["boolean", "null"]},
                reached=_REACHED, cuts=_CUTS, points=_NUMBER_OR_NONE, weight=_NUMBER,
                given={**_NUMBER_OR_NONE, "description": "its part of the sum: points times weight"})),
            **_NO_OBJECT, "description": "of scores: the sum, the sums at which the next band begins, and what each measure gave",
        },
        lane={
            **_object(impact=_TEXT_OR_NONE, net={"type": "integer", "description": "how many more lift than lower: above 0 a lane better, below 0 a lane worse"},
                      considerations=_each(field=_TEXT, value=_NUMBER_OR_NONE, effect={"type": "string", "enum": ["lifts", "lowers", "none"]},
                                           lifts_from=_NUMBER_OR_NONE, lowers_below=_NUMBER_OR_NONE, cuts=_CUTS)),
            **_NO_OBJECT, "description": "of lanes: what the scenario means for its industry, and what lifts or lowers it",
        },
    ),
    "description": "the values that it is placed by, and how far they are from each cut",
}  # fmt: skip
SEGMENTED = _object(
    segmentation=SLUG, name=_TEXT, account=_object(**_HEAD), archived=_FLAG, **_MOMENT,
    segment={**_TEXT, "description": "where the criteria put it: the first segment whose criteria hold, else the rest. Where it stands says `stands`"},
    says={**_TEXT, "description": "both in a sentence, and what keeps it where they are not the same"},
    stands={
        "type": ["object", "null"], "description": "where it stands, in whatever segment the criteria put it: pins, the band and confirmation keep accounts elsewhere, as `pending` says",
        "properties": {
            "segment": _TEXT, "since": _INSTANT, "reason": {**_TEXT_OR_NONE, "description": "`pin` where somebody keeps it there"},
            "pending": PENDING,
        },
    },
    **_FLIP, becomes={**_TEXT_OR_NONE, "description": "the segment that it then comes into"}, rest=_TEXT,
    placed_by=_PLACED, segments=_each(segment=_TEXT, decides=_FLAG, name=_TEXT, **_WHOLE),
    segmentations=schemas.DOUBTFUL,
)  # fmt: skip


async def one(request: Request) -> Answer:
    """One record explained."""
    request.query(())
    body = await request.object()
    return json(await explain.of_record(request.db, request.principal, body, request.now))


async def segments(request: Request) -> Answer:
    """An account by each segment's criteria."""
    request.query(())
    account, slug = request.uuid(0), request.values[1]
    return json(await explain.of_segments(request.db, request.principal, account, slug, request.now))


SEGMENTATION = path("segmentation", "the segmentation's slug", SLUG, "tier")
TAG = "criteria"
ROUTES = (
    Route("POST", "/v1/criteria/explain", explain.OPERATION, one, "Why a record meets criteria, or does not", TAG,
          "Leaf by leaf: the verdict, the value, what it is compared with, the related rows that show why, and when it says "
          "something else if data stays as it is. Archived records are explained too, though lists leave them out.",
          answer=Payload(EXPLANATION, example=ANSWER), body=Payload(BODY, example=ASKED), problems=("conflict", "not-found")),
    Route("GET", "/v1/accounts/{id}/segments/{segmentation}/explain", explain.OPERATION, segments,
          "Why an account stands in its segment", "segmentations",
          "Each segment's criteria in order, explained: the first that holds decides. `flips_at` is when another one would.",
          parameters=(ACCOUNT, SEGMENTATION), answer=Payload(SEGMENTED), problems=("conflict",)),
)  # fmt: skip
