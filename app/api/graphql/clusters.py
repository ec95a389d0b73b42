"""Clusters of accounts, told as rules to be put."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, choices, entered, given, member, operated, output, told
from app.api.graphql.writing import Arguments
from app.domain.segmentation.clusters import AGREED, KINDS, STABLE
from app.services import clusters

choices("SuggestedKind", KINDS)
output("SuggestedCluster", [
    member("slug", "Optional[str]", "Of its segment; null where no rule tells it: because says why."), member("name", "str"), member("accounts", "int"),
    member("share", "float"), member("medians", "JSON", "By field."),
    member("because", "Optional[str]", "Why it has no segment of its own."),
])  # fmt: skip
output("SegmentationSuggestion", [
    member("kind", "SuggestedKind"), member("fields", "list[str]"), member("count", "int"), member("accounts", "int"),
    member("sampled", "int", "Accounts that were clustered: all with every value, or so many drawn evenly."),
    member("stability", "float", f"The mean adjusted Rand index where accounts are drawn anew; below {STABLE} it is refused."),
    member("bootstraps", "int"), member("agreement", "float", f"The share of accounts that the rules place as the clusters did; below {AGREED} it is refused."),
    member("clusters", "list[SuggestedCluster]"), member("definition", "JSON", "Rules, as REST has them, ready to be put; whoever was not looked at is in the rest."),
])  # fmt: skip
entered("ClustersInput", [
    given("kind", "Optional[SuggestedKind]", "The one that there is, where it is left out."),
    given("fields", "list[str]", "Paths of numbers or money of accounts."), given("count", "int"),
    given("where", "Optional[CriteriaInput]", "Which accounts are clustered."), given("name", "Optional[str]"),
])  # fmt: skip


async def _suggest(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    return await clusters.suggest(caller.db, caller.principal, told(said["input"]), caller.now)


QUERIES = [
    operated(
        "segmentations.suggest", "suggest_segmentation", "Optional[SegmentationSuggestion]", _suggest, argument("input", "ClustersInput"),
        description="Clusters of accounts on a few fields, told as rules, with how well they hold. Nothing is written.",
    ),
]  # fmt: skip
