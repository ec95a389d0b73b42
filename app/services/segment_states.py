"""How far segments can be trusted that a question names: told beside its answer where they are not fresh."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain.criteria.meant import Moved, SegmentOf
from app.domain.segmentation.parts import parts
from app.domain.workspaces import SegmentationName, Workspace
from app.persistence import segments
from app.persistence.database import Reader, Record
from app.services.segmentation_documents import computed

TOLD = ("state", "detail", "computed_at", "as_of")
State = Mapping[str, Any]


async def doubtful(reader: Reader, workspace: Workspace, asked: object, now: datetime) -> tuple[State, ...]:
    """Of the segmentations whose members of today are named anywhere in it, a question or a part of one, those that are not
    fresh, by slug; nothing is read where all are."""
    if all(one.is_sound for one in workspace.segmentations.values()) and _followed(workspace, now):
        return ()
    named = {slug for part in parts(asked) if (slug := _current(part)) is not None}
    if not named:
        return ()
    told = ((row["slug"], computed(row, workspace, now)) for row in await segments.all_of(reader, workspace.id))
    return tuple(
        {"segmentation": slug, **{name: one[name] for name in TOLD}}
        for slug, one in told
        if slug in named and one["state"] != "fresh"
    )


def words(row: Record, workspace: Workspace, now: datetime) -> str:
    """What a picture says of a segmentation that is not fresh; nothing where it is."""
    told = computed(row, workspace, now)
    if told["state"] == "fresh":
        return ""
    return ": ".join(filter(None, (told["state"].capitalize(), told["detail"])))


def _current(part: object) -> str | None:
    """The segmentation that it asks about as it stands now; who stood where on a day that is over is history."""
    match part:
        case SegmentOf(slug=slug, on=None) | Moved(slug=slug) | SegmentationName(slug=slug):
            return slug
        case _:
            return None


def _followed(workspace: Workspace, now: datetime) -> bool:
    return workspace.facts_day >= now.astimezone(workspace.zone).date()
