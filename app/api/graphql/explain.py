"""Why a record meets criteria, or does not, and why an account stands in its segments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.api.graphql.addressed import addressed
from app.api.graphql.build import argument, camel, member, operated, output
from app.api.graphql.callers import ENCODER
from app.api.graphql.filters import Spelled
from app.api.graphql.resources import body, uuid
from app.api.graphql.segment_states import DOUBTFUL
from app.api.graphql.types import filter_name, type_name
from app.api.graphql.writing import Arguments
from app.domain.catalogue import ACCOUNTS, CONTACTS, Entity
from app.domain.errors import Fault, Invalid, StrataError
from app.services import explain

_FLIP = [
    member("flips_at", "Optional[DateTime]", "The first moment of another verdict if data stays as it is."),
    member(
        "flips_known",
        "bool",
        "False where that cannot be followed: too many related rows, or a fiscal calendar that ends before.",
    ),
]
_HEAD = [member("id", "ID"), member("external_id", "Optional[str]"), member("name", "Optional[str]")]
output("ExplainedRank", [member("rank", "str"), member("at", "float"), member("computed_at", "DateTime")])
output("ExplainedRow", [
    member("entity", "str"), member("inside", "bool", "Of the leaf's window."), member("passes", "bool", "WHERE."),
    member("values", "JSON"),
], "A related row that shows why.")  # fmt: skip
output("ExplainedLeaf", [
    member("op", "str"), member("pointer", "str", "Into the criteria as a tree; what a list holds, under `/list`."),
    member("text", "str"), member("english", "str"), member("result", "bool"),
    member("because_empty", "bool", "It is as the criteria wants it only because a value is empty."),
    member("value", "Optional[JSON]", "What the record has; null is empty."),
    member("threshold", "JSON", "What it is compared with, as in REST."), member("windows", "list[CriteriaWindow]"),
    member("ranks", "list[ExplainedRank]"), member("evidence", "list[ExplainedRow]", "At most three."), *_FLIP,
])  # fmt: skip
output("TurnedLeaf", [member("pointer", "str"), member("text", "str")])
_WHOLE = [
    member("text", "str"), member("english", "str"), member("result", "bool"), *_FLIP,
    member("fewest", "Optional[list[TurnedLeaf]]", "The fewest leaves that would admit it if each said the opposite."),
    member("leaves", "list[ExplainedLeaf]", "In document order."), member("tree", "JSON", "Leaves and what joins them, as in REST."),
]  # fmt: skip
output("Explanation", [
    member("entity", "str"), *_HEAD, member("archived", "bool"), member("as_of", "DateTime"), member("zone", "str"), *_WHOLE, DOUBTFUL,
])  # fmt: skip
output("ExplainedSegment", [member("segment", "str"), member("name", "str"), member("decides", "bool"), *_WHOLE])
output("ExplainedCut", [
    member("at", "float"), member("distance", "float", "How far the value is above it, negative below; on it is above."),
    member("share", "Optional[float]", "The distance as a share of the cut; null of a cut at 0."),
])  # fmt: skip
_CUTS = member("cuts", "list[ExplainedCut]", "Ascending. None where there is no value, no book or no cut.")
_REACHED = member("reached", "Optional[int]", "How many of the cuts it reaches.")
output("ExplainedAxis", [
    member("axis", "Optional[str]", "x, y or z of a matrix."), member("field", "str"), member("value", "Optional[float]"), _REACHED,
    member("level", "Optional[str]", "Of a matrix: low, medium or high."), member("within", "Optional[str]"),
    member("book", "Optional[str]", "The book whose cuts these are."), _CUTS,
])  # fmt: skip
output("ExplainedPart", [
    member("field", "Optional[str]"), member("criteria", "Optional[str]"), member("value", "Optional[JSON]"),
    member("met", "Optional[bool]"), _REACHED, _CUTS, member("points", "Optional[float]"), member("weight", "float"),
    member("given", "Optional[float]", "Its part of the sum: points times weight."),
])  # fmt: skip
output("ExplainedScore", [
    member("points", "Optional[float]", "The sum of the parts."), _CUTS, member("measures", "list[ExplainedPart]"),
])  # fmt: skip
output("ExplainedConsideration", [
    member("field", "str"), member("value", "Optional[float]"), member("effect", "str", "lifts, lowers or none."),
    member("lifts_from", "Optional[float]"), member("lowers_below", "Optional[float]"), _CUTS,
])  # fmt: skip
output("ExplainedLane", [
    member("impact", "Optional[str]", "What the scenario means for its industry."),
    member("net", "int", "How many more lift than lower: above 0 a lane better, below 0 a lane worse."),
    member("considerations", "list[ExplainedConsideration]"),
])  # fmt: skip
output("ExplainedPlace", [
    member("axes", "list[ExplainedAxis]", "Of bands and matrices; none of other kinds."),
    member("score", "Optional[ExplainedScore]"), member("lane", "Optional[ExplainedLane]"),
], "The values that an account is placed by, and how far they are from each cut.")  # fmt: skip
output("ExplainedStanding", [
    member("segment", "str"), member("since", "DateTime"), member("reason", "Optional[str]", "`pin` where somebody keeps it there."),
    member("pending", "Optional[PendingMove]", "Null where it stands as the criteria say."),
], "Where an account stands, in whatever segment the criteria put it.")  # fmt: skip
output("ExplainedSegments", [
    member("segmentation", "str"), member("name", "str"), member("account", "NamedAccount"), member("archived", "bool"), member("as_of", "DateTime"),
    member("zone", "str"), member("segment", "str", "Where the criteria put it: the first whose criteria hold, else the rest. Where it stands says `stands`."),
    member("says", "str", "Both in a sentence, and what keeps it where they are not the same."),
    member("stands", "Optional[ExplainedStanding]", "Null where it was placed nowhere yet."), *_FLIP,
    member("becomes", "Optional[str]", "The segment that it then comes into."), member("rest", "str"),
    member("placed_by", "ExplainedPlace"), DOUBTFUL, member("segments", "list[ExplainedSegment]"),
])  # fmt: skip


def _plain(found: Any) -> Any:
    """As JSON has it."""
    return body(ENCODER.encode(found))


def _of(entity: Entity) -> Callable[..., Any]:
    async def resolve(_: Any, info: Any, said: Arguments) -> Any:
        caller, spelled = info.context, None
        told = {name: value for name, value in said.items() if value is not None and name not in ("where", "list_id")}
        told |= {"entity": entity.name, "list": said.get("list_id")}
        try:
            if said.get("where") is not None:
                if told.get("filter") is not None:
                    raise Invalid(faults=(Fault("Expected where or filter, not both.", parameter="where"),))
                raw = info._raw_info
                spelled = Spelled(caller.reading.arguments(raw.parent_type, raw.field_nodes[0])["where"], "")
                told["criteria"] = spelled.tree
            return _plain(await explain.of_record(caller.db, caller.principal, told, caller.now))
        except StrataError as error:
            raise _mended(error, spelled) from None

    return resolve


ARGUMENTS = {"list": "listId"}


def _mended(error: StrataError, spelled: Spelled | None) -> StrataError:
    """The same error, its faults pointing into the arguments instead of the body of REST."""
    error.faults = tuple(replace(fault, pointer=_way(fault.pointer, spelled)) for fault in error.faults)
    return error


def _way(pointer: str | None, spelled: Spelled | None) -> str | None:
    if not pointer:
        return pointer
    _, first, *rest = pointer.split("/")
    if first == "criteria" and spelled is not None:
        within = Invalid(faults=(Fault("", pointer="/".join(["", *rest])),))
        return f"/where{spelled.mend(within).faults[0].pointer}"
    return "/".join(["", ARGUMENTS.get(first, camel(first)), *rest])


async def _segments(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    account = uuid(said["id"])
    found = await explain.of_segments(caller.db, caller.principal, account, said["segmentation"], caller.now)
    return _plain(found)


def _query(entity: Entity) -> Any:
    segmented = [
        argument("segmentation", "Optional[str]", None, "Whose segment's criteria are meant."),
        argument("segment", "Optional[str]", None),
    ]
    return operated(
        explain.OPERATION, f"explain_{entity.singular}", "Optional[Explanation]", _of(entity),
        argument("id", "Optional[ID]", None), argument("external_id", "Optional[str]", None),
        argument("where", f"Optional[{filter_name(entity)}]", None, "Criteria as a tree; or `filter`, `listId`, a segment."),
        argument("filter", "Optional[str]", None), argument("list_id", "Optional[ID]", None, "Of a saved list."),
        *(segmented if entity is ACCOUNTS else ()),
        argument("params", "Optional[JSON]", None, "A value for each `$name`."),
        argument("as_of", "Optional[str]", None), argument("tz", "Optional[str]", None), argument("for_user", "Optional[str]", None),
        description=f"Why a{'n' if entity is ACCOUNTS else ''} {type_name(entity).lower()} meets criteria, or does not.",
    )  # fmt: skip


QUERIES = [
    _query(ACCOUNTS),
    _query(CONTACTS),
    addressed(
        explain.OPERATION, "explain_segments", "Optional[ExplainedSegments]", _segments,
        argument("segmentation", "str"), description="Each segment's criteria in order: the first that holds decides.",
    ),
]  # fmt: skip
