"""The engagement models of a segmentation, read as they stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.segmentation.care import Care, care
from app.domain.values import UNSTORABLE
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
    """The segmentation of this slug, or the usual one, as it stands: the workspace may have been read before it was put. Raises
    Invalid that names the parameter."""
    known, wanted = workspace.segmentations, USUAL if slug is None else slug
    row = None if UNSTORABLE.search(wanted) else await kept.one(reader, workspace.id, wanted)
    if row is None:
        fault = Fault(_expected(slug, known), parameter="segmentation", suggestion=nearest(wanted, known))
        raise Invalid(faults=(fault,))
    return Cared(row, models(msgspec.json.decode(row["segments"])))


def _expected(slug: str | None, known: Collection[str]) -> str:
    """What to name, where the slug, or the usual one, is of no segmentation."""
    if not known:
        return (
            "Expected a segmentation, and the workspace has none: put one, as /v1/segmentations/presets has bodies of."
        )
    named = f"one of {', '.join(sorted(known))}"
    if slug is not None:
        return f"Expected the slug of a segmentation: {named}."
    return f"Expected segmentation to be named, as there is no `{USUAL}`, which holds where none is: {named}."


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
