"""Whether a segmentation separates what it claims to, with a verdict in words."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, member, output, resolved
from app.api.graphql.resources import single
from app.api.graphql.writing import Arguments
from app.domain.segmentation.validation import OUTCOMES
from app.services import validation

choices("ValidationOutcome", OUTCOMES)
_TEST = [
    member("p", "Optional[float]"),
    member("q", "Optional[float]", "The false discovery rate among all that was tried."),
]
output("ValidatedSegment", [
    member("slug", "str"), member("name", "str"), member("accounts", "int"), member("enough", "bool"), member("hits", "int"),
    member("rate", "Optional[float]"), member("low", "Optional[float]"), member("high", "Optional[float]"), member("arr", "Money"),
    member("arr_after", "Money"), member("nrr", "Optional[float]", "What the ARR of the day had become."),
])  # fmt: skip
output("ValidationTest", [
    member("name", "str", "outcome, money or times."), member("measure", "str"), member("statistic", "Optional[float]"),
    member("value", "Optional[float]"), member("low", "Optional[float]"), member("high", "Optional[float]"), *_TEST,
])  # fmt: skip
output("ValidationSkill", [
    member("value", "Optional[float]"), member("standard_error", "Optional[float]"),
    member("lift", "Optional[float]", "Of the top tenth."), member("because", "Optional[str]", "Why it is not known."),
])  # fmt: skip
output("ValidationStability", [
    member("adjusted_rand", "Optional[float]"), member("bootstraps", "int"), member("because", "Optional[str]"),
])  # fmt: skip
output("ValidatedField", [
    member("field", "str"), member("levels", "int"), member("value", "Optional[float]", "Cramer's V of the field alone."), *_TEST,
    member("word", "str"), member("rho", "Optional[float]", "Rank correlation with the money kept."), member("rho_low", "Optional[float]"),
    member("rho_high", "Optional[float]"),
])  # fmt: skip
output("SegmentationValidation", [
    member("verdict", "str", "holds, weak, not shown, or refused."), member("reasons", "list[str]"), member("on", "Date"),
    member("until", "Date"), member("months", "int"), member("outcome", "ValidationOutcome"),
    member("source", "str", "Who stood where by the history of members, or by the criteria as of then."),
    member("history_begins", "Optional[DateTime]"), member("taken_as_today", "list[str]", "Fields of which no past is kept."),
    member("accounts", "int"), member("least", "int", "Accounts that a segment needs."),
    member("sampled", "bool", "Of a workspace with more than 100,000 accounts as many are scored, drawn evenly."), member("segments", "list[ValidatedSegment]"),
    member("tests", "list[ValidationTest]"), member("information_value", "Optional[float]"), member("skill", "ValidationSkill"),
    member("stability", "ValidationStability"), member("fields", "list[ValidatedField]"), member("tried", "int"),
    member("version", "int"),
])  # fmt: skip


async def _validation(source: Any, info: Any, said: Arguments) -> Any:
    caller, outcome = info.context, said.get("outcome")
    single(info, "segmentation(slug)")
    return await validation.validation(
        caller.db,
        caller.principal,
        source["slug"],
        caller.now,
        said.get("on"),
        outcome and outcome.value,
        said.get("months"),
    )


OF_SEGMENTATION = resolved(
    "validation",
    "SegmentationValidation",
    _validation,
    argument("on", "Optional[str]", None, "The latest day whose outcome is known where it is left out."),
    argument("outcome", "Optional[ValidationOutcome]", None, "churned where it is left out."),
    argument("months", "Optional[int]", None, f"{validation.MONTHS} where it is left out."),
    description="Whether it separates what it claims to, as of a past day and scored on what came since.",
)
