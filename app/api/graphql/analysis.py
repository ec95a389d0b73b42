"""How the segments of a segmentation differ, with effect sizes."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, member, output, resolved
from app.api.graphql.resources import single
from app.api.graphql.segment_states import DOUBTFUL
from app.api.graphql.segmentations import COMPUTED
from app.api.graphql.selections import mended
from app.api.graphql.writing import Arguments
from app.domain.errors import StrataError
from app.services import analysis
from app.services.analysis import CUSTOMERS

output("AnalysedFeature", [
    member("slug", "str"), member("name", "str"), member("module", "Optional[str]"), member("is_key", "bool"),
])  # fmt: skip
output("AnalysisEffect", [
    member("name", "str", "epsilon_squared of numbers, cramers_v of shares."), member("value", "float"), member("low", "float"),
    member("high", "float"), member("p", "float"), member("q", "float", "The false discovery rate among all measures tried."),
], "Between the segments, with its 95 % interval.")  # fmt: skip
output("AnalysedSegment", [
    member("slug", "str"), member("n", "int"), member("known", "int", "Accounts with a value."), member("mean", "Optional[float]"),
    member("median", "Optional[float]"), member("q1", "Optional[float]"), member("q3", "Optional[float]"),
    member("share", "Optional[float]"), member("share_low", "Optional[float]"), member("share_high", "Optional[float]"),
    member("delta", "Optional[float]", "Cliff's, of the segment against all others, -1 to 1; of a share by how much it is larger."),
    member("delta_low", "Optional[float]"), member("delta_high", "Optional[float]"), member("word", "str"),
])  # fmt: skip
output("AnalysedMeasure", [
    member("name", "str"), member("area", "str", "activity, adoption, value or support."), member("unit", "str"),
    member("description", "str"), member("feature", "Optional[AnalysedFeature]"),
    member("defining", "bool", "The segments are made by it, so that it must differ."),
    member("word", "str", "none, small, medium or large; none too where the difference may be chance."),
    member("effect", "Optional[AnalysisEffect]"), member("because", "Optional[str]", "Why there is no effect to tell."),
    member("segments", "list[AnalysedSegment]"),
])  # fmt: skip
output("CountedSegment", [
    member("slug", "str"), member("name", "str"), member("accounts", "int", "That are counted."), member("left_out", "int"),
])  # fmt: skip
output("SegmentationAnalysis", [
    member("accounts", "int", "That are counted."), member("filter", "str", "Whom it counts."),
    member("left_out", "int", "Accounts that it does not count; archived ones apart."),
    member("counted", "str", "Who is counted, who is not, and how to ask for everybody, in words."),
    member("sampled", "int", "Accounts that were measured: all, or so many drawn evenly."),
    member("segments", "list[CountedSegment]"), member("measures", "list[AnalysedMeasure]"),
    member("tried", "int", "Measures that were compared."), member("level", "float"),
    member("features", "int", "That there are; the 50 in use by most accounts are told."), member("until", "DateTime", "When windows end."), member("version", "int"), *COMPUTED, DOUBTFUL,
])  # fmt: skip


async def _analysis(source: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    single(info, "segmentation(slug)")
    asked = (source["slug"], caller.now, said.get("as_of"), said.get("filter"))
    try:
        return await analysis.analysis(caller.db, caller.principal, *asked)
    except StrataError as error:
        raise mended(error, None) from None


OF_SEGMENTATION = resolved(
    "analysis",
    "SegmentationAnalysis",
    _analysis,
    argument(
        "as_of", "Optional[str]", None, "When windows of usage, tickets and contracts end; now where it is left out."
    ),
    argument(
        "filter",
        "Optional[str]",
        None,
        f"Criteria of the accounts that are counted; {CUSTOMERS} where it is left out, ALL counts everybody.",
    ),
    description="How the segments differ in activity, adoption, value and support, with effect sizes.",
)
