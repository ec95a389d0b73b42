"""Clusters of accounts, told as rules to be put."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, entered, given, member, operated, output, told
from app.api.graphql.writing import Arguments
from app.services import clusters

output("SuggestedCluster", [
    member("slug", "Optional[str]", "Of its segment; null where no rule tells it."), member("name", "str"), member("accounts", "int"),
    member("share", "float"), member("medians", "JSON", "By field."),
])  # fmt: skip
output("SegmentationSuggestion", [
    member("fields", "list[str]"), member("count", "int"), member("accounts", "int"),
    member("sampled", "int", "Accounts that were clustered: all with every value, or so many drawn evenly."),
    member("stability", "float", "The mean adjusted Rand index where accounts are drawn anew; below 0.75 it is refused."),
    member("bootstraps", "int"), member("agreement", "float", "The share of accounts that the rules place as the clusters did."),
    member("clusters", "list[SuggestedCluster]"), member("definition", "JSON", "Rules, as REST has them, ready to be put."),
])  # fmt: skip
entered("ClustersInput", [
    given("fields", "list[str]", "Paths of numbers or money of accounts."), given("count", "int"),
    given("where", "Optional[CriteriaInput]", "Which accounts are clustered."), given("name", "Optional[str]"),
])  # fmt: skip


async def _suggest(_: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    wanted = {"kind": "clusters", **told(said["input"])}
    return await clusters.suggest(caller.db, caller.principal, wanted, caller.now)


QUERIES = [
    operated(
        "segmentations.suggest", "suggest_segmentation", "Optional[SegmentationSuggestion]", _suggest, argument("input", "ClustersInput"),
        description="Clusters of accounts on a few fields, told as rules, with how well they hold. Nothing is written.",
    ),
]  # fmt: skip
