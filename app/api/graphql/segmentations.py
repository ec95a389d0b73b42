"""Segmentations: their rules, their segments with counts and money, who stands in them."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, entered, given, member, operated, output, resolved, told
from app.api.graphql.resources import body, connected, single
from app.api.graphql.types import paging
from app.api.graphql.writing import KEY, VERSION, Arguments, mended
from app.domain.criteria.nodes import Segment
from app.domain.segmentation.model import KINDS
from app.services import segmentations

choices("SegmentationKind", KINDS)
output("SegmentRule", [
    member("slug", "str"), member("name", "str"), member("x", "Optional[str]", "The level on the first axis of a matrix."),
    member("y", "Optional[str]"), member("criteria", "Criteria"), member("engagement", "Optional[JSON]"),
    member("colour", "Optional[str]"),
], "A segment as it is defined; the first that an account meets is its own.")  # fmt: skip
output("Segment", [
    member("slug", "str"), member("name", "str"), member("colour", "Optional[str]"), member("engagement", "Optional[JSON]"),
    member("accounts", "int"), member("arr", "Money"), member("share", "float", "Of the accounts."),
    member("arr_share", "float"),
], "A segment as it stands: how many accounts, how much ARR.")  # fmt: skip
output("AxisCuts", [
    member("field", "str"), member("at", "list[float]"), member("frozen_at", "Date"), member("accounts", "Optional[int]"),
])  # fmt: skip


async def _segments(source: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    single(info, "segmentation(slug)")
    found = await segmentations.segments(caller.db, caller.principal, source["slug"])
    return found["data"]


async def _accounts(source: Any, info: Any, said: Arguments) -> Any:
    single(info, "segmentation(slug)")
    segment = said.get("segment")
    within = None if segment is None else Segment(source["slug"], segment)
    return await connected(info, "accounts", within)


output("Segmentation", [
    member("id", "ID"), member("slug", "str"), member("name", "str"), member("kind", "SegmentationKind"), member("spec", "JSON"),
    member("rules", "list[SegmentRule]", "The segments in the order in which they are tried."),
    member("rest", "str", "The segment of whoever no rule takes."), member("cuts", "list[AxisCuts]"),
    resolved("segments", "list[Segment]", _segments, description="Counts and money now, the rest included."),
    resolved(
        "accounts", "AccountConnection", _accounts,
        argument("segment", "Optional[str]", None, "Only those of this segment."), *paging("accounts"),
        description="Who stands in them.",
    ),
    member("version", "int"), member("state", "str"), member("computed_at", "Optional[DateTime]"),
    member("created_at", "DateTime"), member("updated_at", "DateTime"),
])  # fmt: skip
output("SegmentationPreset", [member("slug", "str"), member("definition", "JSON", "As putSegmentation takes it.")])
output("SegmentationPayload", [
    resolved("segmentation", "Segmentation", lambda source, *_: _document(body(source.body))),
    resolved("created", "bool", lambda source, *_: source.created),
])  # fmt: skip
entered("SegmentInput", [
    given("slug", "str"), given("name", "str"), given("colour", "Optional[str]", "`#2f6fde`"),
    given("engagement", "Optional[JSON]"), given("criteria", "Optional[CriteriaInput]", "Of rules."),
    given("x", "Optional[str]", "Of a matrix: `low`, `medium`, `high`."), given("y", "Optional[str]"),
])  # fmt: skip
entered("SegmentationInput", [
    given("name", "str"), given("kind", "SegmentationKind"), given("spec", "Optional[JSON]", "The axes and their cuts, as in REST."),
    given("segments", "list[SegmentInput]"), given("rest", "Optional[str]"),
])  # fmt: skip


def _document(found: dict[str, Any]) -> dict[str, Any]:
    """As REST has it, its definitions told apart from how the segments stand."""
    return {**found, "rules": found["segments"]}


async def _one(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return _document(await segmentations.get(caller.db, caller.principal, said["slug"]))


async def _all(_: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    found = await segmentations.all_segmentations(caller.db, caller.principal)
    return [_document(one) for one in found]


def _presets(_: Any, info: Any, _said: Arguments) -> Any:
    found = segmentations.presets(info.context.principal)
    return [{"slug": slug, "definition": definition} for slug, definition in found.items()]


async def _put(_: Any, info: Any, said: Arguments) -> Any:
    caller, wanted = info.context, told(said["input"])
    wanted = {name: value for name, value in wanted.items() if value is not None}
    wanted["segments"] = [_segment(one) for one in wanted["segments"]]
    call = caller.call(info, said)
    return await mended(segmentations.put(caller.db, call, said["slug"], wanted, said.get("expected_version")))


def _delete(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return mended(segmentations.delete(caller.db, caller.call(info, said), said["slug"], said["expected_version"]))


def _segment(given_: dict[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in given_.items() if value is not None}
    if "criteria" in made:
        made["criteria"] = next(iter(made["criteria"].values()))
    return made


QUERIES = [
    operated("segmentations.read", "segmentation", "Optional[Segmentation]", _one, argument("slug", "str")),
    operated("segmentations.read", "segmentations", "list[Segmentation]", _all),
    operated("segmentations.read", "segmentation_presets", "list[SegmentationPreset]", _presets, description="Ready to be put."),
]  # fmt: skip
MUTATIONS = [
    operated(
        "segmentations.write", "put_segmentation", "Optional[SegmentationPayload]", _put, argument("slug", "str"), argument("input", "SegmentationInput"),
        argument("expected_version", "Optional[int]", None, "Needed where it is there already."), KEY,
        description="Makes or replaces it, and places every account, before it answers.",
    ),
    operated(
        "segmentations.write", "delete_segmentation", "Optional[DeletedPayload]", _delete, argument("slug", "str"), VERSION, KEY,
        description="With who stands and stood in its segments. Refused while lists or segmentations ask for it; `errors` says which.",
    ),
]  # fmt: skip
