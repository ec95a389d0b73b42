"""Cut-offs of ranks: computed when they are first asked for, and kept until they are refreshed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.domain.criteria.check import RankEcho
from app.domain.criteria.ranks import Cuts, Threshold
from app.domain.workspaces import Workspace
from app.persistence import ranks
from app.persistence.database import Reader

GROUPS = 50
"""Groups of a rank whose cut-offs an answer tells."""


async def cuts(
    reader: Reader, workspace: Workspace, asked: Sequence[Threshold], now: datetime
) -> dict[Threshold, Cuts]:
    """The cut-offs as they are kept; those that are not are computed and kept from now on."""
    kept = await ranks.load(reader, workspace.id, asked)
    missing = [one for one in asked if one not in kept]
    return {**kept, **await ranks.compute(reader, workspace, missing, now)} if missing else kept


def told(echo: RankEcho, workspace: Workspace) -> dict[str, Any]:
    """What a rank was compared by, as answers have it: money in major units, the first GROUPS groups. `reaches` and
    `passes` are values that stay behind: a greater one reaches the number, or passes it; for rank_desc a smaller one.
    They are null where nothing, or everything, stays behind. Encode Decimals as numbers."""

    def value(cut: float | None) -> Any:
        return workspace.major(int(cut)) if cut is not None and echo.money else cut

    groups = [
        {"group": group.key or None, "records": group.n, "reaches": value(group.reaches), "passes": value(group.passes)}
        for group in echo.cuts.groups[:GROUPS]
    ]
    return {"rank": echo.rank, "at": echo.at, "computed_at": echo.cuts.computed_at, "groups": groups}
