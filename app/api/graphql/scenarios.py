"""Scenarios: kept side by side, edited, and switched."""

from __future__ import annotations

from app.api.graphql.build import entered, given, output, resolved
from app.api.graphql.resources import record
from app.api.graphql.writing import Cases, Operations, mutations
from app.domain.catalogue import SCENARIOS
from app.services import scenarios
from app.services.writing import known_by

WRITE = "scenarios.write"
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

CASES = Cases(
    scenarios.create,
    lambda db, call, told, changed, version: scenarios.change(
        db, call, known_by(SCENARIOS, told), told, changed, version
    ),
    scenarios.upsert,
    lambda db, call, told, version: scenarios.delete(db, call, known_by(SCENARIOS, told), told, version),
)
MUTATIONS = mutations(
    SCENARIOS,
    Operations(WRITE, WRITE, WRITE),
    CASES,
    "The active one only where it is the last: switch to another one first.",
)
