"""What a workspace begins with is cut at amounts that are nobody's: taken from its accounts once, when an import has brought them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from app.domain.segmentation import presets as ready
from app.domain.segmentation.bodies import axes_of, read
from app.domain.segmentation.cuts import loaded
from app.domain.segmentation.kinds import definition
from app.domain.workspaces import Workspace
from app.persistence import segments, versions, workspaces
from app.persistence.database import Record, Transaction
from app.services.cuts import counted
from app.services.definitions import define
from app.services.segmentation_documents import stood
from app.services.settle import place

FIELDS = ("arr", "growth_potential")
"""What the segmentations that a workspace begins with are cut by."""


async def take(tx: Transaction, workspace_id: UUID, now: datetime) -> str | None:
    """Takes starting cuts from the accounts, each as soon as enough of them have the value, as a version that says so; places
    every account. Whoever has defined a segmentation keeps it as it is. What was taken, in words; None where nothing was."""
    slugs = await versions.starting(tx, workspace_id)
    if not slugs:
        return None
    await workspaces.hold(tx, workspace_id)
    workspace = await workspaces.load(tx, workspace_id)
    counts = dict(zip(FIELDS, await counted(tx, workspace, FIELDS, now), strict=True))
    told = [(slug, said) for slug in slugs if (said := await _taken(tx, workspace, slug, counts, now)) is not None]
    if not told:
        return None
    await place(tx, await workspaces.load(tx, workspace_id), now)
    return " ".join(f"Cuts of {slug} were taken from the accounts that have come: {said}." for slug, said in told)


async def _taken(tx: Transaction, workspace: Workspace, slug: str, counts: dict[str, int], now: datetime) -> str | None:
    await segments.hold(tx, workspace.id, slug)
    row = await segments.one(tx, workspace.id, slug)
    assert row is not None, "its workspace is held"
    fields = [field for field in _starting(row) if counts[field] >= ready.ENOUGH]
    if not fields:
        return None
    relative: dict[str, ready.Cutting] = {
        field: "relative" if count >= ready.ENOUGH else "absolute" for field, count in counts.items()
    }
    spec = ready.presets(*(relative[field] for field in FIELDS))[slug]["spec"]
    wanted = read(slug, {**definition(stood(row)), "spec": spec})
    await define(tx, workspace, wanted, row, now, starting=True)
    said = ", ".join(f"{field} of {counts[field]:,}" for field in fields)
    note = f"Starting values until then; cuts taken from the accounts that have come: {said}."
    await versions.keep(tx, workspace.id, slug, "refreeze", now, note=note)
    return said


def _starting(row: Record) -> list[str]:
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    return [axis.field for axis, frozen in zip(axes, cuts, strict=True) if frozen.starting]
