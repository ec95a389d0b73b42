"""Segmentations: their rules, their segments with counts and money, who stands in them."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, entered, given, member, operated, output, resolved, told
from app.api.graphql.resources import body, connected, single
from app.api.graphql.types import paging
from app.api.graphql.writing import KEY, VERSION, Arguments, mended
from app.domain.criteria.nodes import NOWHERE, At, Segment
from app.domain.segmentation.matrix import SIDES
from app.domain.segmentation.model import KINDS, REFREEZES
from app.services import segmentations

choices("SegmentationKind", KINDS)
choices("Refreezing", REFREEZES)
output("SegmentRule", [
    member("slug", "str"), member("name", "str"), member("x", "Optional[list[str]]", "The levels on the first axis of a matrix."),
    member("y", "Optional[list[str]]"), member("z", "Optional[list[str]]"), member("lane", "Optional[str]"),
    member("criteria", "Criteria", "Its own: an account that an earlier rule takes stands there. Of cuts within books those of each book."),
    member("filter", "Optional[str]", "Finds who stands in it, however they came: what lists and `filter` take; null of earlier versions."),
    member("detail", "Optional[str]", "Where books are too many for criteria to say their cuts: these ask for who stands in it then."), member("engagement", "Optional[JSON]"),
    member("colour", "Optional[str]"),
], "A segment as it is defined; the first that an account meets is its own.")  # fmt: skip
output("Churned", [member("accounts", "int"), member("arr", "Money")])
output("Segment", [
    member("slug", "str"), member("name", "str"), member("colour", "Optional[str]"), member("engagement", "Optional[JSON]"),
    member("accounts", "int"), member("arr", "Money"),
    member("churned", "Churned", "What of that is of accounts that are churned today: capacity, loads and engagements leave those out."),
    member("share", "float", "Of the accounts."),
    member("arr_share", "float"),
], "A segment as it stands: how many accounts, how much ARR.")  # fmt: skip
output("AxisCuts", [
    member("field", "str"), member("at", "list[float]"), member("frozen_at", "Date"), member("accounts", "Optional[int]"),
    member("within", "Optional[str]"), member("books", "JSON", "What each book is cut at, the first 50."),
    member("taken", "list[bool]", "For each cut, ascending, whether this version took it from the accounts; the others stand from before, or are as the definition says."),
    member("from", "str", "The `definition` says so, taken from the `data` on `frozenAt`, or what the workspace began with at its `start`."),
])  # fmt: skip


STAYS = "An account stays in its segment while a number has left its cut by no more than this share of it; null: off."
WAITS = "An account moves only when the criteria have put it elsewhere for so long: `36h`, `2d`, `1w`; null: off."
COMPUTED = [
    member("state", "str", "fresh, stale, computing, degraded or broken; of the last two the members are those of before."),
    member("detail", "Optional[str]", "Why it is stale, degraded or broken, or what its cuts lack."), member("computed_at", "Optional[DateTime]"),
    member("as_of", "Optional[DateTime]", "A moment that members are right for: of fresh ones no earlier than the last move; what is written moves them at once."),
    member("checked_at", "Optional[DateTime]", "When members were last compared with a full evaluation: each night."),
    member("drifted", "Optional[int]", "Accounts that then stood elsewhere, and were placed."),
]  # fmt: skip
HISTORY = member("history_begins", "DateTime", "Since when it is known where accounts stood.")
LEAVING = [
    given("replace", "Optional[JSON]", "For each segment that is left out and that lists or weights of health name, the slug of the one that takes its place."),
    given("with_dependents", "Optional[bool]", "Leave segments out although lists or weights of health name them: those mean nothing then."),
]  # fmt: skip
DEFINED = [
    member("name", "str"), member("kind", "SegmentationKind"), member("spec", "JSON"),
    member("rules", "list[SegmentRule]", "The segments in the order in which they are tried."),
    member("rest", "str", "The segment of whoever no rule takes."), member("refreeze", "Optional[Refreezing]"),
    member("band", "Optional[float]", STAYS), member("confirm", "Optional[str]", WAITS),
    member("cuts", "list[AxisCuts]"),
]  # fmt: skip


async def _segments(source: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    single(info, "segmentation(slug)")
    found = await segmentations.segments(caller.db, caller.principal, source["slug"], caller.now, said.get("on"))
    return found["data"]


async def _history(source: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    single(info, "segmentation(slug)")
    found = await segmentations.history(caller.db, caller.principal, source["slug"], caller.now, said["on"])
    return found["detail"]


async def _accounts(source: Any, info: Any, said: Arguments) -> Any:
    single(info, "segmentation(slug)")
    segment = said.get("segment")
    within = None if segment is None else Segment(source["slug"], segment, places=(NOWHERE, At(pointer="/segment")))
    return await connected(info, "accounts", within, segmentation=source["slug"])


output("Segmentation", [
    member("id", "ID"), member("slug", "str"), *DEFINED,
    resolved(
        "segments", "list[Segment]", _segments,
        argument("on", "Optional[str]", None, "A past day: as they stood at its end, with today's ARR."),
        description="Counts and money now, the rest included.",
    ),
    resolved(
        "accounts", "AccountConnection", _accounts,
        argument("segment", "Optional[str]", None, "Only those of this segment."), *paging("accounts"),
        description="Who stands in them; with `on` who stood in them at the end of a past day: segments and stages are of then, what else is shown of today.",
    ),
    member("definition", "JSON", "As putSegmentation takes it: put back as it is it changes nothing, cuts that were taken from the accounts included."),
    member("version", "int"), *COMPUTED, member("created_at", "DateTime"), member("updated_at", "DateTime"), HISTORY,
    resolved(
        "history_detail", "Optional[str]", _history, argument("on", "str", description="A past day."),
        description="That it is not known where accounts stood on a day before `historyBegins`; null where it is.",
    ),
])  # fmt: skip
output("SegmentationPreset", [
    member("slug", "str"), member("definition", "JSON", "As putSegmentation takes it, but that `criteria` are to be put as `{text: …}`."),
    member("source", "JSON", "The publication that it follows, and its page of documentation."),
])  # fmt: skip
output("SegmentationPayload", [
    resolved("segmentation", "Segmentation", lambda source, *_: document(body(source.body))),
    resolved("created", "bool", lambda source, *_: source.created),
])  # fmt: skip
entered("SegmentInput", [
    given("slug", "str"), given("name", "str"), given("colour", "Optional[str]", "`#2f6fde`"),
    given("engagement", "Optional[JSON]", "How its accounts are looked after: touch, cadence, hours, phases, playbook, as in REST."), given("criteria", "Optional[CriteriaInput]", "Of rules."),
    given("x", "Optional[list[str]]", "Of a matrix: `low`, `medium`, `high`; left out, any."), given("y", "Optional[list[str]]"),
    given("z", "Optional[list[str]]"), given("lane", "Optional[str]", "Of lanes: `severe`, `medium`, `low`."),
])  # fmt: skip
entered("SegmentationInput", [
    given("name", "str"), given("kind", "SegmentationKind"), given("spec", "Optional[JSON]", "The axes and their cuts, as in REST."),
    given("segments", "list[SegmentInput]"), given("rest", "Optional[str]"),
    given("refreeze", "Optional[Refreezing]", "How often cuts are taken anew; null: when refreezeSegmentation asks for it."),
    given("band", "Optional[float]", STAYS), given("confirm", "Optional[str]", WAITS), *LEAVING,
])  # fmt: skip


def document(found: dict[str, Any]) -> dict[str, Any]:
    """As REST has it, its definitions told apart from how the segments stand; who may not read is answered neither."""
    return {**found, "rules": [_levels(one) for one in found.get("segments", ())]}


def _levels(rule: dict[str, Any]) -> dict[str, Any]:
    told = {side: rule.get(side) for side in SIDES}
    return {**rule, **{side: [one] if isinstance(one, str) else one for side, one in told.items()}}


async def _one(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return document(await segmentations.get(caller.db, caller.principal, said["slug"], caller.now))


async def _all(_: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    found = await segmentations.all_segmentations(caller.db, caller.principal, caller.now)
    return [document(one) for one in found]


def _presets(_: Any, info: Any, _said: Arguments) -> Any:
    found = segmentations.presets(info.context.principal)
    return [
        {"slug": slug, "definition": definition, "source": found["sources"][slug]}
        for slug, definition in found["data"].items()
    ]


async def _put(_: Any, info: Any, said: Arguments) -> Any:
    caller, wanted = info.context, definition(said["input"])
    call = caller.call(info, said)
    return await mended(segmentations.put(caller.db, call, said["slug"], wanted, said.get("expected_version")))


def _delete(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return mended(segmentations.delete(caller.db, caller.call(info, said), said["slug"], said["expected_version"]))


def definition(input_: Any) -> dict[str, Any]:
    """A body as REST has it."""
    wanted = {name: value for name, value in told(input_).items() if value is not None}
    wanted["segments"] = [
        {name: value for name, value in one.items() if value is not None} for one in wanted["segments"]
    ]
    return wanted


QUERIES = [
    operated("segmentations.read", "segmentation", "Optional[Segmentation]", _one, argument("slug", "str")),
    operated("segmentations.read", "segmentations", "list[Segmentation]", _all),
    operated("segmentations.read", "segmentation_presets", "list[SegmentationPreset]", _presets, description="Ready to be put."),
]  # fmt: skip
MUTATIONS = [
    operated(
        "segmentations.write", "put_segmentation", "Optional[SegmentationPayload]", _put, argument("slug", "str"), argument("input", "SegmentationInput"),
        argument("expected_version", "Optional[int]", None, "Needed where it is there already."), KEY,
        description="Makes or replaces it, and places every account, before it answers. Cuts that are said as before stay as they were frozen: refreezeSegmentation takes them anew. Where nothing differs the version stays.",
    ),
    operated(
        "segmentations.write", "delete_segmentation", "Optional[DeletedPayload]", _delete, argument("slug", "str"), VERSION, KEY,
        description="With who stands and stood in its segments. Refused while lists or segmentations ask for it; `errors` says which.",
    ),
]  # fmt: skip
