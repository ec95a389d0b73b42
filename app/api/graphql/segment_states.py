"""What answers tell of the segments that they stand on, where those are not fresh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.api.graphql.build import answered, member, output

NAMED = "The segmentations that are named whose members are not fresh."


def _declare(name: str, of: Callable[..., Any], description: str) -> None:
    output(name, [
        of("segmentation", "str", description="Its slug."), of("state", "str", description="stale, computing, degraded or broken."),
        of("detail", "Optional[str]", description="Why."), of("computed_at", "Optional[DateTime]"),
        of("as_of", "Optional[DateTime]", description="The moment that members are right for."),
    ], description)  # fmt: skip


_declare(
    "DoubtfulSegmentation",
    member,
    "A segmentation that is not fresh: its members are those of the last time that went well.",
)
_declare("ResolvedSegmentation", answered, "The same, of a page.")
DOUBTFUL = member("segmentations", "list[DoubtfulSegmentation]", NAMED)
DOUBTED_THEN = member(
    "segmentations", "Optional[list[DoubtfulSegmentation]]", f"{NAMED} Null in what was kept before this was told."
)
OF_PAGE = answered("segmentations", "list[ResolvedSegmentation]", description=NAMED)
