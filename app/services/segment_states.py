"""How far segments can be trusted that a question names: told beside its answer where they are not fresh."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from app.domain.criteria.meant import Moved, SegmentOf
from app.domain.segmentation.parts import parts
from app.domain.workspaces import SegmentationName, Workspace, clock
from app.persistence import segments
from app.persistence.database import Reader, Record
from app.services.segmentation_documents import LATE, computed, is_fresh

TOLD = ("state", "detail", "computed_at", "as_of")
State = Mapping[str, Any]


def named_in(asked: object) -> frozenset[str]:
    """The segmentations whose members of today are named anywhere in it, a question or a part of one, by slug."""
    return frozenset(slug for part in parts(asked) if (slug := _current(part)) is not None)


async def doubtful(reader: Reader, workspace: Workspace, slugs: Collection[str], now: datetime) -> tuple[State, ...]:
    """Of these segmentations those that are not fresh, by slug; nothing is read where there are none."""
    if not slugs:
        return ()
    is_followed = workspace.facts_day >= clock(workspace, now).today
    rows = await segments.behind(reader, workspace.id, slugs, now - LATE if is_followed else None)
    return tuple(_told(row, workspace, now) for row in rows)


def _told(row: Record, workspace: Workspace, now: datetime) -> State:
    told = computed(row, workspace, now)
    return {"segmentation": row["slug"], **{name: told[name] for name in TOLD}}


def words(row: Record, workspace: Workspace, now: datetime) -> str:
    """What a picture says of a segmentation that is not fresh; nothing where it is."""
    if is_fresh(row, workspace, now):
        return ""
    told = computed(row, workspace, now)
    return ": ".join(filter(None, (told["state"].capitalize(), told["detail"])))


def _current(part: object) -> str | None:
    """The segmentation that it asks about as it stands now; who stood where on a day that is over is history."""
    match part:
        case SegmentOf(slug=slug, on=None) | Moved(slug=slug) | SegmentationName(slug=slug):
            return slug
        case _:
            return None
