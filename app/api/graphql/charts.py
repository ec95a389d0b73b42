"""Pictures of a segmentation as SVG text, and how a number is spread over its segments."""

from __future__ import annotations

from typing import Any

from app.api.graphql.build import argument, member, output, resolved
from app.api.graphql.resources import single
from app.api.graphql.segmentations import COMPUTED
from app.api.graphql.writing import Arguments
from app.services import charts


async def _segments(source: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    single(info, "segmentation(slug)")
    return await charts.chart(caller.db, caller.principal, source["slug"], caller.now)


async def _spread(source: Any, info: Any, said: Arguments) -> Any:
    caller = info.context
    single(info, "segmentation(slug)")
    return await charts.spread(caller.db, caller.principal, source["slug"], caller.now, said.get("field"))


async def _spread_chart(source: Any, info: Any, _said: Arguments) -> Any:
    caller = info.context
    single(info, "segmentation(slug)")
    return await charts.spread_chart(caller.db, caller.principal, source["slug"], caller.now, source["field"])


output("SpreadSegment", [
    member("slug", "str"), member("name", "str"), member("accounts", "int"), member("arr", "Money"),
    member("without", "int", "Accounts without a value."), member("median", "Optional[float]"),
    member("bins", "list[int]", "Accounts in each bin."),
])  # fmt: skip
output("SegmentationDistribution", [
    member("field", "str"),
    member("edges", "list[float]", "Of the bins, ascending: each goes from one edge to before the next, the last one with it."),
    member("log", "bool", "Whether bins widen evenly by factors."), member("cuts", "list[float]"),
    member("segments", "list[SpreadSegment]"), member("version", "int"), *COMPUTED,
    resolved("chart", "str", _spread_chart, description="As SVG, a row for each segment."),
])  # fmt: skip
OF_SEGMENTATION = (
    resolved(
        "chart", "str", _segments,
        description="As SVG: a matrix as its accounts between the cuts, bands as the spread of their number, others as bars.",
    ),
    resolved(
        "distribution", "SegmentationDistribution", _spread,
        argument("field", "Optional[str]", None, "Of numbers or money; where it is left out the first axis, else ARR."),
        description="How a number is spread over the segments.",
    ),
)  # fmt: skip
