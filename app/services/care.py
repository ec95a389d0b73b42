"""The engagement models of a segmentation, read as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.segmentation.care import Care, care
from app.domain.workspaces import Workspace
from app.persistence import segments as kept
from app.persistence.database import Reader, Record
from app.services.segmentation_documents import computed, names

USUAL = "tier"
"""The segmentation whose engagement models hold where none is named."""


@dataclass(frozen=True, slots=True)
class Cared:
    """A segmentation with its models by segment, in order; the rest has none."""

    row: Record
    cares: Mapping[str, Care]

    @property
    def names(self) -> dict[str, str]:
        """What segments are called, by slug, the rest included."""
        return names(self.row)

    def told(self, workspace: Workspace, now: datetime) -> dict[str, Any]:
        """Which segmentation it is, and how far its members can be trusted."""
        return {
            "slug": self.row["slug"], "name": self.row["name"], "version": self.row["version"],
            **computed(self.row, workspace, now),
        }  # fmt: skip


async def cared(reader: Reader, workspace: Workspace, slug: str | None) -> Cared:
    """The segmentation of this slug, or the usual one. Raises Invalid that names the parameter."""
    known = workspace.segmentations
    row = await kept.one(reader, workspace.id, slug or USUAL) if (slug or USUAL) in known else None
    if row is None:
        near = nearest(slug or USUAL, known)
        raise Invalid(
            faults=(Fault("Expected the slug of a segmentation.", parameter="segmentation", suggestion=near),)
        )
    return Cared(row, models(msgspec.json.decode(row["segments"])))


def models(cases: list[dict[str, Any]]) -> dict[str, Care]:
    """The models of stored segments by their slugs."""
    return {case["slug"]: care(case.get("engagement")) for case in cases}


def segment(of: Cared, told: str | None) -> str | None:
    """A segment of it, or its rest. Raises Invalid."""
    known = of.names
    if told is None or told in known:
        return told
    fault = Fault("Expected the slug of one of its segments.", parameter="segment", suggestion=nearest(told, known))
    raise Invalid(faults=(fault,))
