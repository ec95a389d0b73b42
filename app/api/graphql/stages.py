"""Lifecycle stages: an organisation's own, accounts moved between them, what they went through."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.api.graphql.addressed import addressed
from app.api.graphql.build import argument, choices, entered, given, member, operated, output, resolved, told
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import beside, body, record, uuid
from app.api.graphql.writing import ID_OR_SLUG, KEY, VERSION, Arguments, Cases, Operations, mended, mutations
from app.domain.catalogue import ACCOUNTS, STAGES
from app.domain.lifecycle import CAUSES
from app.services import lifecycle, moves, stages
from app.services.writing import known_by

WRITE = "stages.write"
POSITION = "From 1; those behind it move, and beyond the last it is the last."
_RULED = [
    given("entry", "Optional[str]", "Criteria: accounts that begin to meet them move here, forward only."),
    given("expected_days", "Optional[int]", "Accounts that stay longer are stuck."),
    given("leaves_after_days", "Optional[int]", "Accounts then move on to the next stage by themselves."),
]
_NAMED = [given("external_id", "Optional[str]"), given("name", "Optional[str]"), given("slug", "Optional[str]")]

entered("CreateStageInput", [
    given("name", "str"), given("slug", "str"), given("position", "Optional[int]", f"{POSITION} The last where it is left out."),
    given("external_id", "Optional[str]"), *_RULED,
], "A stage to make.")  # fmt: skip
entered(
    "UpdateStageInput",
    [*_NAMED, given("position", "Optional[int]", POSITION), *_RULED],
    "What is named is set; all else stays as it is.",
)
entered("ArrangeStagesInput", [given("stages", "list[str]", "The slugs of all stages, each once.")])
entered("MoveStageInput", [
    given("stage", "Optional[str]", "Null, which has to be said: out of all stages."), given("note", "Optional[str]"),
])  # fmt: skip
output("StagePayload", [
    resolved("stage", "Stage", lambda source, info, _: record(info, "stages", source.id)),
    resolved("created", "bool", lambda source, *_: source.created, description="Whether it was made just now."),
])  # fmt: skip
output("StagePlace", [
    member("id", "ID"), member("slug", "str"), member("name", "str"), member("position", "int"), member("version", "int"),
])  # fmt: skip
output(
    "StageOrderPayload",
    [resolved("stages", "list[StagePlace]", lambda source, *_: body(source.body)["data"])],
    "All stages in their new order.",
)
choices("StageMoveCause", CAUSES)
output("StuckAccount", [
    member("id", "ID"), member("external_id", "Optional[str]"), member("name", "str"), member("arr", "Money"), member("csm_id", "Optional[ID]"),
    member("stage", "str"), member("stage_since", "Date"), member("days", "int"), member("expected_days", "int"),
    member("over", "int", "Days beyond what is expected."), member("leaves_on", "Optional[Date]", "When the stage will have lasted."),
], "An account that stands in a stage for longer than is expected there.")  # fmt: skip
connect("StuckAccount")
output("StageVisit", [
    member("stage", "Optional[str]", "Null where the account stood in none."), member("from_at", "DateTime"),
    member("to_at", "Optional[DateTime]", "Null where it stands there still."), member("days", "float"),
    member("note", "Optional[str]"), member("cause", "StageMoveCause", "By hand, by entry criteria, or because the stage had lasted."), member("actor_id", "Optional[ID]", "Who moved it there; none for a service."),
    member("actor_name", "Optional[str]"),
], "A stage that an account went through.")  # fmt: skip
connect("StageVisit")
output("StageSummary", [
    member("slug", "str"), member("name", "str"), member("position", "int"), member("accounts", "int"), member("arr", "Money"),
    member("days_median", "Optional[float]", "That accounts have been in it by now."), member("days_p90", "Optional[float]"),
    member("left", "int", "Moves out of it, ever."),
    member("days_completed", "Optional[float]", "That those stayed on average who left it."),
    member("next", "Optional[str]"), member("advanced", "int", "Moves out of it to the next stage."),
    member("conversion", "Optional[float]", "The share of moves out of it that led to the next stage."),
    member("state", "str", "ok; broken: its entry criteria mean nothing any more."), member("detail", "Optional[str]", "Why it is broken."),
])  # fmt: skip
output("Unstaged", [member("accounts", "int"), member("arr", "Money")], "The accounts that stand in no stage.")
output("StagesSummary", [
    member("data", "list[StageSummary]", "In the order of the stages."), member("without", "Unstaged"), member("on", "Date"),
])  # fmt: skip


async def _history(account_id: UUID, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, {**said, "account": str(account_id)})
    after: Any = page.after
    found, keys, more = await moves.history(caller.db, caller.principal, account_id, caller.now, after, page.limit)
    return page.connection(found, keys, more)


async def _summary(_: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    return await moves.summary(caller.db, caller.principal, caller.now)


async def _stuck(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    after: Any = page.after
    found, keys, more = await lifecycle.stuck(
        caller.db, caller.principal, said.get("stage"), caller.now, after, page.limit
    )
    return page.connection(found, keys, more)


def _move(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return mended(moves.move(caller.db, call, uuid(said["id"]), told(said["input"]), said.get("expected_version")))


def _arrange(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return mended(stages.arrange(caller.db, caller.call(info, said), told(said["input"])))


def _delete(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    call = caller.call(info, said)
    return mended(
        stages.delete(
            caller.db, call, known_by(STAGES, said["id"]), said["id"], said["expected_version"], said.get("move_to")
        )
    )


OF_ACCOUNT = beside(
    ACCOUNTS, "stage_history", "Optional[StageVisitConnection]", _history, *PAGING,
    description="The stages that it went through, the latest first; one ends when the next begins.",
)  # fmt: skip
CASES = Cases(
    stages.create,
    lambda db, call, told, changed, version: stages.change(db, call, known_by(STAGES, told), told, changed, version),
    stages.upsert,
)
QUERIES = [
    operated(
        "records.read", "stages_summary", "StagesSummary", _summary,
        description="Accounts, ARR and time per stage, and how many went on to the next one. Archived accounts are left out of what is now.",
    ),
    operated(
        "records.read", "stuck_accounts", "StuckAccountConnection", _stuck,
        argument("stage", "Optional[str]", None, "Only the accounts in this stage."), *PAGING,
        description="Accounts that stand in a stage for longer than its `expectedDays`, the longest beyond it first.",
    ),
]  # fmt: skip
MUTATIONS = [
    *mutations(STAGES, Operations(WRITE, WRITE, WRITE), CASES),
    operated(
        WRITE, "delete_stage", "Optional[DeletedPayload]", _delete, ID_OR_SLUG, VERSION,
        argument("move_to", "Optional[str]", None, "The stage that accounts in this one move to; without it they keep it from going."),
        KEY, description="Refused while lists or segmentations name it; `errors` says what depends on it. History keeps the slug.",
    ),
    operated(
        WRITE, "arrange_stages", "Optional[StageOrderPayload]", _arrange,
        argument("input", "ArrangeStagesInput"), KEY,
        description="Puts all stages in order.",
    ),
    addressed(
        "accounts.stage", "move_stage", "Optional[AccountPayload]", _move, argument("input", "MoveStageInput"),
        argument("expected_version", "Optional[int]", None, "Compared where it is told: the account's."), KEY,
        description="Moves an account to a stage, with a note; one that stands there already stays as it is.",
    ),
]  # fmt: skip
