"""Said beside an answer: of what decides it the workspace knows nothing at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.domain.catalogue import Entity
from app.domain.criteria import gaps
from app.domain.criteria.gaps import Gap, Stand
from app.persistence import gaps as rows
from app.persistence.database import Reader
from app.services.plans import Recent

KEPT = 10_000
AGAIN = timedelta(minutes=1)
"""What there is some of is seldom gone: so long it is not looked for again."""
_there: Recent[datetime] = Recent(KEPT)


async def notes(
    reader: Reader, workspace_id: UUID, standing: Sequence[Stand], entity: Entity, now: datetime
) -> tuple[str, ...]:
    """A sentence for each; no statement where the criteria stand on nothing that is not known to be there, else one."""
    if not standing:
        return ()
    return gaps.notes(standing, await missing(reader, workspace_id, (one.gap for one in standing), now), entity)


async def missing(reader: Reader, workspace_id: UUID, asked: Iterable[Gap], now: datetime) -> frozenset[Gap]:
    """Those of which the workspace has nothing, as far as that can be told at once."""
    sought = [gap for gap in dict.fromkeys(asked) if rows.can_ask(gap) and not _seen(workspace_id, gap, now)]
    if not sought:
        return frozenset()
    found = await rows.missing(reader, workspace_id, sought)
    for gap in sought:
        if gap not in found:
            _there.put((workspace_id, gap), now)
    return found


def _seen(workspace_id: UUID, gap: Gap, now: datetime) -> bool:
    at = _there.get((workspace_id, gap))
    return at is not None and abs(now - at) < AGAIN
