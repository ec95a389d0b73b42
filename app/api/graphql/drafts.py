"""Drafts of segmentations, what they would do, their publication, versions and the way back."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, entered, given, member, operated, output, resolved, told
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import body
from app.api.graphql.segmentations import DEFINED, LEAVING, definition, document
from app.api.graphql.writing import KEY, VERSION, VERSION_IF_THERE, Arguments, mended
from app.services import drafts, simulations, versions


def _dependents(source: Any, *_: Any) -> Any:
    return [{"what": one.what, "count": one.count, "examples": list(one.examples)} for one in source["dependents"]]


output("SegmentationVersion", [
    member("version", "int"), *DEFINED, member("cause", "str", "put, publish, rollback or refreeze."),
    member("restores", "Optional[int]", "The version that a rollback brought back."), member("author_id", "Optional[ID]"),
    member("author", "Optional[str]"), member("note", "Optional[str]"), member("created_at", "DateTime"),
], "A segmentation as it was defined and cut.")  # fmt: skip
connect("SegmentationVersion")
output("SegmentationDraft", [
    member("slug", "str"), member("definition", "JSON", "As putSegmentationDraft takes it."), member("version", "int"),
    member("author_id", "Optional[ID]"), member("created_at", "DateTime"), member("updated_at", "DateTime"),
])  # fmt: skip
output("SegmentationDraftPayload", [
    resolved("draft", "SegmentationDraft", lambda source, *_: body(source.body)),
    resolved("created", "bool", lambda source, *_: source.created),
])  # fmt: skip
output("DiscardedPayload", [resolved("slug", "str", lambda source, *_: source)])
_COUNTS = [member("accounts", "int"), member("arr", "Money")]
output("SimulatedCounts", _COUNTS)
output("SimulatedLoad", [
    member("accounts", "int", "That are not churned."), member("touches", "float", "A month."), member("hours", "float", "A month."),
    member("needed", "CsmsNeeded"),
])  # fmt: skip
output("SimulatedLoads", [member("before", "SimulatedLoad"), member("after", "SimulatedLoad")])
output("SimulatedSegment", [
    member("slug", "str"), member("name", "str"), member("before", "SimulatedCounts"), member("after", "SimulatedCounts"),
    member("load", "SimulatedLoads"),
])  # fmt: skip
output("SimulatedMove", [
    member("from", "Optional[str]", "Null where accounts stand nowhere."), member("to", "str"), member("accounts", "int"),
    member("arr", "Money"),
])  # fmt: skip
output("SimulatedOverlap", [member("segments", "list[str]"), member("accounts", "int"), member("arr", "Money")])
output("SimulatedAccount", [
    member("id", "ID"), member("name", "Optional[str]"), member("arr", "Money"), member("was", "Optional[str]"),
    member("becomes", "str"),
])  # fmt: skip
output("SegmentLeftOut", [
    member("slug", "str"), member("name", "str"), member("becomes", "Optional[str]", "The segment that takes its place, by `replace`."),
    resolved("dependents", "list[ListDependent]", _dependents, description="What names it, as far as you can see that. With any, and without `becomes`, publishing is refused."),
])  # fmt: skip
output("SegmentationSimulation", [
    member("slug", "str"), member("kind", "SegmentationKind"), member("as_of", "DateTime"), member("cuts", "list[AxisCuts]"),
    member("segments", "list[SimulatedSegment]"), member("moves", "list[SimulatedMove]"), member("moved", "SimulatedCounts"),
    member("rest", "SimulatedCounts", "Whom no segment would take."),
    member("load", "SimulatedLoads", "What all segments together ask for."),
    member("overlap", "list[SimulatedOverlap]", "Whom two segments would take but for their order."),
    member("pinned", "int", "Accounts that stay where they are pinned."),
    member("removed", "list[SegmentLeftOut]", "Segments that it leaves out."),
    member("sample", "list[SimulatedAccount]", "Of those that move, the 20 with the most ARR."),
], "What a definition would do if it were published now.")  # fmt: skip
entered("PublishInput", [
    given("note", "Optional[str]", "Why."), given("draft_version", "Optional[int]", "Of the draft that was seen: another one is refused."),
    *LEAVING,
])  # fmt: skip
entered("RefreezeInput", [given("note", "Optional[str]", "Why.")])
entered("RollbackInput", [given("version", "int"), given("note", "Optional[str]", "Why."), *LEAVING])
SLUG = argument("slug", "str")
READ, WRITE = "segmentations.read", "segmentations.write"


async def _one(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return await drafts.get(caller.db, caller.principal, said["slug"])


async def _versions(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    after: Any = page.after
    found, keys, more = await versions.every(
        caller.db, caller.principal, said["slug"], after[0] if after else None, page.limit
    )
    return page.connection([document(one) for one in found], keys, more)


async def _simulate(_: Any, info: Any, said: Arguments) -> Any:
    caller, given_ = info.context, said.get("input")
    wanted = {} if given_ is None else definition(given_)
    return await simulations.simulate(caller.db, caller.principal, said["slug"], wanted, caller.now)


def _put(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return mended(drafts.put(caller.db, call, said["slug"], definition(said["input"]), said.get("expected_version")))


async def _discard(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    await mended(drafts.discard(caller.db, call, said["slug"], said["expected_version"]))
    return said["slug"]


def _publish(_: Any, info: Any, said: Arguments) -> Any:
    caller, given_ = info.context, said.get("input")
    call = caller.call(info, said)
    note = {} if given_ is None else told(given_)
    return mended(drafts.publish(caller.db, call, said["slug"], note, said.get("expected_version")))


def _rollback(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return mended(versions.rollback(caller.db, call, said["slug"], told(said["input"]), said["expected_version"]))


def _refreeze(_: Any, info: Any, said: Arguments) -> Any:
    caller, given_ = info.context, said.get("input")
    call = caller.call(info, said)
    note = {} if given_ is None else told(given_)
    return mended(versions.refreeze(caller.db, call, said["slug"], note, said["expected_version"]))


QUERIES = [
    operated(READ, "segmentation_draft", "Optional[SegmentationDraft]", _one, SLUG),
    operated(
        READ, "segmentation_versions", "SegmentationVersionConnection", _versions, SLUG, *PAGING,
        description="The latest first, each as it was defined and cut, by whom and when.",
    ),
    operated(
        READ, "simulate_segmentation", "Optional[SegmentationSimulation]", _simulate, SLUG,
        argument("input", "Optional[SegmentationInput]", None, "Left out, the draft is meant, else what stands with its cuts taken anew, as refreezeSegmentation does."),
        description="Who would move, accounts and ARR before and after. Nothing is written.",
    ),
]  # fmt: skip
MUTATIONS = [
    operated(
        WRITE, "put_segmentation_draft", "Optional[SegmentationDraftPayload]", _put, SLUG, argument("input", "SegmentationInput"),
        VERSION_IF_THERE, KEY, description="Keeps a draft, checked as if it were to be published; nobody is placed by it.",
    ),
    operated(
        WRITE, "discard_segmentation_draft", "Optional[DiscardedPayload]", _discard, SLUG, VERSION, KEY,
        description="The draft is no more.",
    ),
    operated(
        WRITE, "publish_segmentation", "Optional[SegmentationPayload]", _publish, SLUG, argument("input", "Optional[PublishInput]", None),
        VERSION_IF_THERE, KEY, description="The draft becomes the next version, in one transaction with all that moves. Where it says what stands, the version stays.",
    ),
    operated(
        WRITE, "refreeze_segmentation", "Optional[SegmentationPayload]", _refreeze, SLUG, argument("input", "Optional[RefreezeInput]", None), VERSION, KEY,
        description="Takes all cuts that are taken from the accounts anew, as the next version. Where they are what they were, the version stays.",
    ),
    operated(
        WRITE, "rollback_segmentation", "Optional[SegmentationPayload]", _rollback, SLUG, argument("input", "RollbackInput"), VERSION,
        KEY, description="An earlier version becomes the next one, with the cuts that it had. Where it is what stands, the version stays.",
    ),
]  # fmt: skip
