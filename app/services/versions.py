"""Versions of a segmentation: kept with author and moment, read page by page, brought back by a rollback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from app.domain import records, values
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.roles import Principal, permit
from app.domain.segmentation.leaving import MEMBERS, STAYING, Leaving
from app.domain.segmentation.leaving import read as read_leaving
from app.domain.values import MisfitError
from app.domain.workspaces import Workspace
from app.persistence import segments as kept
from app.persistence import versions as rows
from app.persistence import workspaces
from app.persistence.database import Database, Reader, Record, Transaction
from app.services import definitions, effects, keys, leaving
from app.services.calls import ENCODER, Call, Effect, Written, once, versioned
from app.services.segmentation_documents import audited, defined, document, found, instant
from app.services.settle import place

Cause = Literal["put", "publish", "rollback", "refreeze"]
NOTE = 500


async def finish(
    tx: Transaction, call: Call, slug: str, before: Record | None, cause: Cause, *, note: str | None = None,
    restores: int | None = None, said: Leaving = STAYING,
) -> Written:  # fmt: skip
    """What every change of a definition ends with: the version kept, what names segments that are gone seen to, every
    account placed, and what that is for the audit. Raises Invalid and Conflict as `leaving.follow` does."""
    (written,) = await finish_all(tx, call, {slug: before}, cause, note=note, restores=restores, said={slug: said})
    return written


async def finish_all(
    tx: Transaction, call: Call, changed: Mapping[str, Record | None], cause: Cause, *, note: str | None = None,
    restores: int | None = None, said: Mapping[str, Leaving] = MappingProxyType({}),
) -> list[Written]:  # fmt: skip
    """The same for several, by slug as they were before: accounts are placed once."""
    workspace_id, author = call.principal.workspace.id, call.principal.user_id
    followed: dict[str, tuple[Effect, ...]] = {}
    anew: set[UUID] = set()
    for slug, before in changed.items():
        await rows.keep(tx, workspace_id, slug, cause, call.now, author_id=author, note=note, restores=restores)
        row = await kept.one(tx, workspace_id, slug)
        assert row is not None
        followed[slug] = await leaving.follow(tx, call, before, row, said.get(slug, STAYING))
        if before is None or not definitions.places_alike(before, row):
            anew.add(row["id"])
    workspace = await workspaces.load(tx, workspace_id)
    await place(tx, workspace, call.now, anew=anew)
    return [await _written(tx, call, workspace, slug, before, followed[slug]) for slug, before in changed.items()]


async def _written(
    tx: Transaction, call: Call, workspace: Workspace, slug: str, before: Record | None, followed: Sequence[Effect]
) -> Written:
    row = await kept.one(tx, workspace.id, slug)
    assert row is not None
    done = (*effects.differing("segmentations", row["id"], audited(before), audited(row)), *followed)
    return Written(row["id"], row["version"], ENCODER.encode(document(row, workspace, call.now)), before is None, done)


def unchanged(workspace: Workspace, row: Record | None, now: datetime) -> Written:
    """What a change answers that changes nothing: the segmentation as it stands, in its version."""
    assert row is not None, "what is not there is always another"
    return Written(row["id"], row["version"], ENCODER.encode(document(row, workspace, now)), created=False)


async def every(
    db: Reader, principal: Principal, slug: str, before: int | None, limit: int
) -> tuple[list[dict[str, Any]], list[tuple[int]], bool]:
    """Versions, the latest first; the key of each, and whether there are more. Raises NotFound."""
    permit(principal, "segmentations.read")
    row = await found(db, principal.workspace.id, slug)
    listed = await rows.page(db, principal.workspace.id, row["id"], before, limit + 1)
    page = listed[:limit]
    return [_shown(one, slug) for one in page], [(one["version"],) for one in page], len(listed) > limit


async def rollback(
    db: Database, call: Call, slug: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """An earlier version as the next one, with the cuts that it had; every account is placed. Where it is what stands there
    is no next one. `{version, note?, replace?, with_dependents?}`, the last two as in `segmentations.put`.

    Raises NotFound for a segmentation or version that is not there, VersionRequired, VersionStale, Invalid where the
    version means nothing any more, Conflict that tells what names segments that it leaves out.
    """
    permit(call.principal, "segmentations.write")
    wanted, note, said = _read(body)

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        workspace = await workspaces.load(tx, workspace_id)
        standing = await kept.hold(tx, workspace_id, slug)
        if standing is None:
            raise NotFound("There is no such segmentation in this workspace.")
        versioned(standing["version"], expected_version)
        earlier = await rows.one(tx, workspace_id, standing["id"], wanted)
        if earlier is None:
            raise NotFound("There is no such version.")
        await definitions.sound(tx, workspace, slug, earlier, call.now)
        before = await kept.one(tx, workspace_id, slug)
        assert before is not None, "it is held"
        if definitions.same(before, earlier):
            return unchanged(workspace, before, call.now)
        await kept.replace(tx, workspace_id, standing["id"], definitions.brought_back(earlier), call.now)
        return await finish(tx, call, slug, before, "rollback", note=note, restores=wanted, said=said)

    written = await once(db, call, f"segmentations.write rollback {slug}", act)
    keys.forget(db)
    return written


async def refreeze(
    db: Database, call: Call, slug: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """Takes all cuts that are taken from the accounts anew, as the next version; every account is placed. Where they are what
    they were there is no next one. `{note?}`. A definition keeps those that it says as before, so that this is asked for.

    Raises NotFound, VersionRequired, VersionStale, Invalid where the definition means nothing any more, Conflict where no
    cuts are taken from the accounts.
    """
    permit(call.principal, "segmentations.write")
    note = note_of(records.only(body, ("note",)))

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        workspace = await workspaces.load(tx, workspace_id)
        standing = await kept.hold(tx, workspace_id, slug)
        before = await kept.one(tx, workspace_id, slug) if standing is not None else None
        if standing is None or before is None:
            raise NotFound("There is no such segmentation in this workspace.")
        versioned(standing["version"], expected_version)
        if not await definitions.redefine(tx, workspace, definitions.cut_anew(before), before, call.now, anew=True):
            return unchanged(workspace, before, call.now)
        return await finish(tx, call, slug, before, "refreeze", note=note)

    written = await once(db, call, f"segmentations.write refreeze {slug}", act)
    keys.forget(db)
    return written


def note_of(members: Mapping[str, object]) -> str | None:
    """Why somebody did it. Raises Invalid."""
    try:
        told = members.get("note")
        return None if told in (None, "") else values.text(told, NOTE)
    except MisfitError as misfit:
        raise Invalid(faults=(misfit.fault("/note"),)) from None


def _read(body: Mapping[str, object]) -> tuple[int, str | None, Leaving]:
    members, said = read_leaving(records.only(body, ("version", "note", *MEMBERS)))
    version = members.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version < 2**31:
        raise Invalid(faults=(Fault("Expected the number of a version.", pointer="/version"),))
    return version, note_of(members), said


def _shown(row: Record, slug: str) -> dict[str, Any]:
    return {
        "version": row["version"], **defined(row, slug), "cause": row["cause"], "restores": row["restores"],
        "author_id": row["author_id"], "author": row["author"], "note": row["note"], "created_at": instant(row["created_at"]),
    }  # fmt: skip
