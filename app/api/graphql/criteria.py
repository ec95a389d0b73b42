"""Criteria read, printed, checked and tried out: the twins of /v1/criteria."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from app.api.graphql.build import argument, camel, choices, member, operated, output
from app.api.graphql.callers import ENCODER
from app.api.graphql.filters import Spelled
from app.api.graphql.resources import body
from app.api.graphql.scalars import served
from app.api.graphql.segment_states import DOUBTFUL
from app.api.graphql.types import NOTES
from app.api.graphql.writing import Arguments
from app.domain.catalogue import ENTITIES
from app.domain.criteria.cost import CLASSES
from app.domain.errors import Fault, Invalid, StrataError
from app.services import criteria

choices("CriteriaEntity", tuple(ENTITIES))
choices("CriteriaCost", tuple(CLASSES))
choices("ProblemSeverity", ("error", "warning"))
_PLACE = [
    member("pointer", "Optional[str]", "Into the arguments."), member("line", "Optional[int]"), member("column", "Optional[int]"),
]  # fmt: skip
output("SpelledCriteria", [
    member("text", "str", "The canonical one."), member("tree", "JSON", "The tree as REST takes it."), member("english", "str"),
])  # fmt: skip
output("CriteriaProblem", [
    member("severity", "ProblemSeverity"), member("code", "str", "One of `problems` of the catalogue."), member("message", "str"),
    *_PLACE, member("suggestion", "Optional[str]"),
])  # fmt: skip
output("CriteriaCosted", [member("class", "CriteriaCost"), member("reason", "str")])
output("CriteriaWindow", [
    member("window", "str"), member("lo", "Optional[str]"), member("hi", "Optional[str]"), member("zone", "str"),
], "A relative window with the bounds that it meant, the upper one open.")  # fmt: skip
output("CheckedCriteria", [
    member("ok", "bool", "Whether it can be asked; warnings do not stand against it."),
    member("problems", "list[CriteriaProblem]"), member("windows", "list[CriteriaWindow]"),
    member("cost", "Optional[CriteriaCosted]"), member("english", "Optional[str]"), DOUBTFUL,
])  # fmt: skip
output("CriteriaRankGroup", [
    member("group", "Optional[str]"), member("records", "int"), member("reaches", "Optional[float]"), member("passes", "Optional[float]"),
])  # fmt: skip
output("CriteriaRank", [
    member("rank", "str"), member("at", "float"), member("computed_at", "DateTime"), member("groups", "list[CriteriaRankGroup]"),
], "The cut-offs that a rank is compared by, as `ranks` of a page.")  # fmt: skip
output("EmptyLeaf", [member("text", "str"), *_PLACE, member("count", "int")])
output("MatchedBecauseEmpty", [member("count", "int"), member("leaves", "list[EmptyLeaf]")])
output("CriteriaPreview", [
    member("count", "int"), member("sample", "JSON", "The first ten, as REST answers them."), member("as_of", "DateTime"),
    member("windows", "list[CriteriaWindow]"), member("ranks", "list[CriteriaRank]"), member("notes", "list[str]", NOTES),
    member("matched_because_empty", "MatchedBecauseEmpty", "How many match only because a value of theirs is empty."),
    member("cost", "CriteriaCosted"), member("english", "str"), DOUBTFUL,
])  # fmt: skip

ENTITY = argument("entity", "CriteriaEntity")
_ASKED = [
    ENTITY,
    argument("where", "Optional[RelatedFilter]", None, "The criteria as a filter of any entity."),
    argument("filter", "Optional[str]", None, "The criteria as text."),
    argument("criteria", "Optional[JSON]", None, "The criteria in any spelling of REST. Exactly one of the three is told."),
    argument("params", "Optional[JSON]", None, "A value for each `$name`."),
    argument("as_of", "Optional[str]", None), argument("tz", "Optional[str]", None), argument("for_user", "Optional[str]", None),
]  # fmt: skip


def _told(info: Any, said: Arguments) -> tuple[dict[str, Any], Spelled | None]:
    """The arguments as the body of REST, and the way back into `where`. Raises Invalid."""
    told = {name: value for name, value in said.items() if value is not None and name != "where"}
    told["entity"] = said["entity"].value
    if said.get("where") is None:
        return told, None
    if "criteria" in told:
        raise Invalid(faults=(Fault("Expected where or criteria, not both.", parameter="where"),))
    raw = info._raw_info
    where = info.context.reading.arguments(raw.parent_type, raw.field_nodes[0])["where"]
    spelled = Spelled(where, "/where")
    return {**told, "criteria": spelled.tree}, spelled


def _mended(error: StrataError, spelled: Spelled | None) -> StrataError:
    error.faults = tuple(replace(fault, pointer=_way(fault.pointer, spelled)) for fault in error.faults)
    return error


def _way(pointer: str | None, spelled: Spelled | None) -> str | None:
    """A pointer into the body as one into the arguments."""
    if not pointer:
        return pointer
    if spelled is not None and pointer.startswith("/criteria"):
        fault = spelled.mend(Invalid(faults=(Fault("", pointer=pointer.removeprefix("/criteria")),))).faults[0]
        return fault.pointer
    _, first, *rest = pointer.split("/")
    return "/".join(["", camel(first), *rest])


Case = Callable[[Any, Mapping[str, Any]], Awaitable[dict[str, Any]]]


async def _asked(info: Any, said: Arguments, case: Case) -> tuple[dict[str, Any], Spelled | None]:
    spelled = None
    try:
        told, spelled = _told(info, said)
        return await case(info.context, told), spelled
    except StrataError as error:
        raise _mended(error, spelled) from None


async def _parse(_: Any, info: Any, said: Arguments) -> Any:
    async def case(caller: Any, told: Mapping[str, Any]) -> dict[str, Any]:
        return await criteria.parse(caller.db, caller.principal, told)

    return (await _asked(info, said, case))[0]


async def _format(_: Any, info: Any, said: Arguments) -> Any:
    async def case(caller: Any, told: Mapping[str, Any]) -> dict[str, Any]:
        return await criteria.format(caller.db, caller.principal, told)

    return (await _asked(info, said, case))[0]


async def _check(_: Any, info: Any, said: Arguments) -> Any:
    found, spelled = await _asked(info, said, lambda c, told: criteria.check(c.db, c.principal, told, c.now))
    problems = [{**one, "pointer": _way(one["pointer"], spelled)} for one in found["problems"]]
    return {**found, "problems": problems, "windows": _windows(found)}


async def _preview(_: Any, info: Any, said: Arguments) -> Any:
    found, spelled = await _asked(info, said, lambda c, told: criteria.preview(c.db, c.principal, told, c.now))
    empty = found["matched_because_empty"]
    leaves = [{**one, "pointer": _way(one["pointer"], spelled)} for one in empty["leaves"]]
    return {
        **found,
        "sample": body(found["sample"]),
        "windows": _windows(found),
        "ranks": body(ENCODER.encode(found["ranks"])),
        "matched_because_empty": {**empty, "leaves": leaves},
    }


def _windows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"window": one.window, "lo": served(one.lo), "hi": served(one.hi), "zone": one.zone} for one in found["windows"]
    ]


QUERIES = [
    operated(
        criteria.OPERATION, "parse_criteria", "Optional[SpelledCriteria]", _parse, ENTITY, argument("text", "str"),
        description="Text as it is spelled canonically, as a tree, and in English.",
    ),
    operated(
        criteria.OPERATION, "format_criteria", "Optional[SpelledCriteria]", _format, ENTITY,
        argument("criteria", "Optional[JSON]", None, "A tree as REST takes it."),
        argument("where", "Optional[RelatedFilter]", None, "A filter of any entity instead."),
        description="A tree in the same spellings.",
    ),
    operated(
        criteria.OPERATION, "check_criteria", "Optional[CheckedCriteria]", _check, *_ASKED,
        description="What is wrong with criteria, and what is odd.",
    ),
    operated(
        criteria.OPERATION, "preview_criteria", "Optional[CriteriaPreview]", _preview, *_ASKED,
        argument("columns", "Optional[list[str]]", None, "Fields of the sample."),
        description="How many records criteria match, the first ten, and how many match only because a value is empty.",
    ),
]  # fmt: skip
