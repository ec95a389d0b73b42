"""Scores: what a workspace makes them of; and of an account, what they are, were, and why they changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.api.graphql.build import argument, choices, entered, given, member, operated, output, resolved, told
from app.api.graphql.resources import beside, body
from app.api.graphql.writing import KEY, VERSION, Arguments, Writing, mended
from app.domain.catalogue import ACCOUNTS
from app.domain.engagement import CONSUMPTION, ENGAGEMENT, Component
from app.domain.scores import MISSING, NAMES
from app.services import account_scores, scores

choices("ScoreName", NAMES)
choices(
    "MissingValue", MISSING, "The other measures count for more; it counts as `countAs` points; there is no health."
)
choices("HealthSource", ("outside", "model"), "outside: set by hand or brought in.")
output("ScoreComponent", [
    member("weight", "float"), member("enough", "Optional[float]", "The count from which it is full; null where the data say how many there are."),
])  # fmt: skip
output("HealthMeasure", [
    member("of", "str", "A field of accounts, or a function as in criteria."), member("name", "str"), member("worst", "float", "Gives 0 points."),
    member("best", "float", "Gives 100 points."), member("weight", "float"), member("missing", "MissingValue"),
    member("count_as", "Optional[float]"),
])  # fmt: skip
output("HealthWeights", [
    member("segmentation", "str"), member("weights", "JSON", "By segment, by the name of the measure."),
])  # fmt: skip
output("HealthModel", [
    member("source", "HealthSource"), member("measures", "Optional[list[HealthMeasure]]"), member("by", "Optional[HealthWeights]"),
    member("state", "str", "ok; degraded: weights name a segment that is gone, and hold for no account; broken: a measure means nothing any more, and health stays as it was."),
    member("detail", "Optional[str]"),
])  # fmt: skip


def _component(one: Component) -> str:
    return f"{one.description}."


for _name, _components in (("EngagementScoreModel", ENGAGEMENT), ("ConsumptionScoreModel", CONSUMPTION)):
    output(_name, [member(one.name, "ScoreComponent", _component(one)) for one in _components])
    entered(f"{_name}Input", [given(one.name, "Optional[ScoreComponentInput]", _component(one)) for one in _components])
output("Scores", [
    member("health", "HealthModel"), member("engagement", "EngagementScoreModel"), member("consumption", "ConsumptionScoreModel"),
    member("version", "int"),
])  # fmt: skip
output("ScoresPayload", [resolved("scores", "Scores", lambda source, *_: body(source.body))])
entered("ScoreComponentInput", [given("weight", "Optional[float]"), given("enough", "Optional[float]")])
entered("HealthMeasureInput", [
    given("of", "str", "A field of accounts, or a function as in criteria; a day or an instant counts as the days since then."),
    given("name", "Optional[str]"), given("worst", "float", "Gives 0 points."), given("best", "float", "Gives 100 points."),
    given("weight", "Optional[float]", "1 where it is left out."), given("missing", "Optional[MissingValue]"),
    given("count_as", "Optional[float]"),
])  # fmt: skip
entered("HealthWeightsInput", [
    given("segmentation", "str"), given("weights", "JSON", "By segment, by the name of the measure; one that is not named has none there."),
])  # fmt: skip
entered("HealthModelInput", [
    given("source", "HealthSource"), given("measures", "Optional[list[HealthMeasureInput]]"),
    given("by", "Optional[HealthWeightsInput]", "Other weights in some segments."),
])  # fmt: skip
entered("ScoresInput", [
    given("health", "Optional[HealthModelInput]"), given("engagement", "Optional[EngagementScoreModelInput]"),
    given("consumption", "Optional[ConsumptionScoreModelInput]"),
], "What is left out is as it is unless told otherwise.")  # fmt: skip
output("ScorePart", [
    member("name", "str"), member("of", "str"), member("weight", "float"), member("value", "Optional[float]"), member("worst", "float"),
    member("best", "Optional[float]"), member("points", "Optional[float]", "0 to 100; null where it is left out because there is no value."),
    member("contribution", "float", "What it adds to the score: those of all parts add up to it."),
    member("assumed", "bool", "There is no value, and it counts as points that were set."),
])  # fmt: skip
output(
    "ScoreDay",
    [member("day", "Date"), member("score", "Optional[float]"), member("band", "Optional[AccountHealthBand]")],
)
output("ScoreShift", [
    member("name", "str"), member("difference", "float"), member("value_before", "Optional[float]"), member("value_after", "Optional[float]"),
    member("contribution_before", "Optional[float]"), member("contribution_after", "Optional[float]"),
])  # fmt: skip
output("ScoreChange", [
    member("from", "Date"), member("to", "Date"), member("before", "Optional[float]"), member("after", "Optional[float]"),
    member("difference", "Optional[float]"), member("parts", "list[ScoreShift]", "The one that moved it most first; they add up to the difference."),
    member("detail", "Optional[str]"),
])  # fmt: skip
output("AccountScore", [
    member("account_id", "ID"), member("name", "ScoreName"), member("source", "HealthSource"), member("on", "Date"),
    member("days", "Optional[int]", "Over how many days it counts, on the last; null of health."),
    member("score", "Optional[float]"), member("band", "Optional[AccountHealthBand]", "Of health alone."),
    member("segment", "Optional[str]", "Of health alone: whose weights it is made with."), member("parts", "list[ScorePart]"),
    member("detail", "Optional[str]"), member("history", "list[ScoreDay]", "The days at whose end it was another, and the one that stood when they began."),
    member("change", "ScoreChange", "Which parts moved it between the two days."),
])  # fmt: skip


def _get(_: Any, info: Any, _said: Arguments) -> Any:
    return body(scores.get(info.context.principal))


def _put(_: Any, info: Any, said: Arguments) -> Writing:
    caller = info.context
    return mended(scores.put(caller.db, caller.call(info, said), told(said["input"]), said["expected_version"]))


async def _score(account_id: UUID, info: Any, said: Arguments) -> Any:
    caller = info.context
    first, last = (None if said.get(name) is None else str(said[name]) for name in ("from_", "to"))
    return await account_scores.of_account(caller.db, caller.principal, account_id, said["name"].value, first, last)


OF_ACCOUNT = beside(
    ACCOUNTS, "score", "Optional[AccountScore]", _score, argument("name", "ScoreName"),
    argument("from", "Optional[Date]", None, "The first day; thirty days before the last one where it is left out."),
    argument("to", "Optional[Date]", None, "The last day; today where it is left out."),
    description="One of its scores: its parts, which add up to it, its history by day, and what moved it.",
)  # fmt: skip
QUERIES = [
    operated("workspace.read", "scores", "Scores", _get, description="What scores are made of."),
]
MUTATIONS = [
    operated(
        "scores.write", "put_scores", "Optional[ScoresPayload]", _put, VERSION, argument("input", "ScoresInput"), KEY,
        description="Says what scores are made of; every account has the scores that follow before it answers.",
    ),
]  # fmt: skip
