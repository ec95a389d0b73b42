"""Scenarios: kept side by side, edited, and switched."""

from __future__ import annotations

from typing import Any

from app.api.graphql import selections
from app.api.graphql.build import argument, entered, given, member, operated, output, resolved, told
from app.api.graphql.envelopes import PAGING, connect, paging
from app.api.graphql.resources import record
from app.api.graphql.summaries import WHEN, when
from app.api.graphql.writing import ID_OR_SLUG, KEY, VERSION, Arguments, Cases, Operations, mended, mutations
from app.domain.catalogue import SCENARIOS
from app.domain.errors import StrataError
from app.services import scenario_comparison, scenario_versions, scenarios
from app.services.asks import Ask
from app.services.writing import known_by

READ, WRITE = "records.read", "scenarios.write"
_SHAPED = [
    given("impacts", "Optional[JSON]", "`severe`, `medium` or `low` by the slug of an industry; null takes it out, others stay as they are."),
    given("lanes", "Optional[JSON]", "The shift of the renewal logit per impact; one that is not named stays as it is."),
    given("is_active", "Optional[bool]", "True switches to it; one is active always."),
    given("external_id", "Optional[str]"),
]  # fmt: skip

entered("CreateScenarioInput", [given("name", "str"), given("slug", "str"), *_SHAPED], "A scenario to make.")
entered(
    "UpdateScenarioInput",
    [given("name", "Optional[str]"), given("slug", "Optional[str]"), *_SHAPED],
    "What is named is set; all else stays as it is.",
)
output("ScenarioPayload", [
    resolved("scenario", "Scenario", lambda source, info, _: record(info, "scenarios", source.id)),
    resolved("created", "bool", lambda source, *_: source.created, description="Whether it was made just now."),
])  # fmt: skip

output("ScenarioVersion", [
    member("version", "int"), member("name", "str"), member("impacts", "JSON"), member("lanes", "JSON"),
    member("is_active", "bool"), member("author_id", "Optional[ID]"), member("author", "Optional[str]"),
    member("created_at", "DateTime"),
], "A scenario as it was.")  # fmt: skip
connect("ScenarioVersion")
_HELD = [member("accounts", "int"), member("arr", "Money")]
output("ScenarioImpact", [
    member("impact", "Optional[str]", "Null: no industry, or one that the scenario says nothing of."), *_HELD,
])  # fmt: skip
output("ScenarioMove", [member("from", "Optional[str]"), member("to", "Optional[str]"), *_HELD])
output("ComparedScenario", [
    member("slug", "str"), member("name", "str"), member("is_active", "bool"), member("version", "int"),
    member("impacts", "list[ScenarioImpact]"),
    member("moves", "list[ScenarioMove]", "Who would have another impact if it took the place of the active one."),
])  # fmt: skip
output("ComparedIndustry", [
    member("slug", "str"), member("name", "str"), *_HELD, member("impacts", "JSON", "By scenario."),
])  # fmt: skip
output("WithoutIndustry", [*_HELD, member("filter", "str", "Finds them among accounts.")])
output("ScenarioComparison", [
    member("as_of", "DateTime"), member("active", "Optional[str]"), *_HELD, member("scenarios", "list[ComparedScenario]"),
    member("industries", "list[ComparedIndustry]"),
    member("without_impact", "list[str]", "Industries that some of the scenarios say nothing of."),
    member("without_industry", "WithoutIndustry", "Accounts that no scenario can say anything of."),
])  # fmt: skip
entered("RollbackScenarioInput", [given("version", "int")])


async def _versions(_: Any, info: Any, said: Arguments) -> Any:
    caller, page = info.context, paging(info, said)
    after: Any = page.after
    found, keys, more = await scenario_versions.every(
        caller.db, caller.principal, said["slug"], after[0] if after else None, page.limit
    )
    return page.connection(found, keys, more)


async def _compare(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    ask = Ask("accounts", filter=said.get("filter"), **when(said))
    try:
        return await scenario_comparison.compare(caller.db, caller.principal, said.get("scenarios"), ask, caller.now)
    except StrataError as error:
        raise selections.mended(error, None) from None


def _rollback(_: Any, info: Any, said: Arguments) -> Any:
    caller, call = info.context, info.context.call(info, said)
    by = known_by(SCENARIOS, said["id"])
    return mended(
        scenario_versions.rollback(caller.db, call, by, said["id"], told(said["input"]), said["expected_version"])
    )


QUERIES = [
    operated(
        READ, "scenario_versions", "ScenarioVersionConnection", _versions, argument("slug", "str"), *PAGING,
        description="The latest first, each as it was, by whom and when.",
    ),
    operated(
        READ, "scenario_comparison", "Optional[ScenarioComparison]", _compare,
        argument("scenarios", "Optional[list[str]]", None, "Slugs; all where they are left out."),
        argument("filter", "Optional[str]", None, "Criteria as text."), *WHEN,
        description="Scenarios side by side, over the accounts as they are.",
    ),
]  # fmt: skip
CASES = Cases(
    scenarios.create,
    lambda db, call, told, changed, version: scenarios.change(
        db, call, known_by(SCENARIOS, told), told, changed, version
    ),
    scenarios.upsert,
    lambda db, call, told, version: scenarios.delete(db, call, known_by(SCENARIOS, told), told, version),
)
MUTATIONS = [
    *mutations(
        SCENARIOS,
        Operations(WRITE, WRITE, WRITE),
        CASES,
        "The active one only where it is the last: switch to another one first.",
    ),
    operated(
        WRITE, "rollback_scenario", "Optional[ScenarioPayload]", _rollback, ID_OR_SLUG, argument("input", "RollbackScenarioInput"),
        VERSION, KEY, description="Name, impacts and lanes of an earlier version, as the next one.",
    ),
]  # fmt: skip
