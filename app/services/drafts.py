"""Drafts: a definition that nothing is placed by yet, tried out as often as wanted, then published in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.domain import records, values
from app.domain.errors import Conflict, Fault, Invalid, NotFound, VersionStale
from app.domain.roles import Principal, permit
from app.domain.segmentation import leaving
from app.domain.segmentation.bodies import read
from app.domain.segmentation.kinds import body as told
from app.domain.segmentation.kinds import definition
from app.domain.segmentation.leaving import Leaving
from app.domain.segmentation.model import Segmentation
from app.persistence import segments as kept
from app.persistence import versions, workspaces
from app.persistence.database import Database, Reader, Record, Transaction
from app.services import definitions, effects, keys
from app.services.calls import ENCODER, Call, Effect, Written, once, versioned
from app.services.segmentation_documents import instant
from app.services.versions import finish, note_of, unchanged

NOBODY = UUID(int=0)
"""What a draft is known by: its slug; it has no id."""


async def put(db: Database, call: Call, slug: str, body: object, expected_version: int | None) -> Written:
    """Keeps a draft of a segmentation, there or not, checked as if it were to be published now. What it says of segments
    that it leaves out is kept with it, and asked when it is published.

    Raises Invalid, Conflict for one too many, VersionRequired or VersionStale where there is a draft.
    """
    permit(call.principal, "segmentations.write")
    rest, said = leaving.read(body)
    wanted = read(slug, rest)
    said_so = ENCODER.encode({**told(wanted), **leaving.told(said)})

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        workspace = await workspaces.load(tx, workspace_id)
        before = await versions.draft(tx, workspace_id, slug, held=True)
        if before is not None:
            versioned(before["version"], expected_version)
        elif expected_version is not None:
            raise VersionStale
        elif await versions.count_drafts(tx, workspace_id) >= definitions.MOST:
            raise Conflict(f"A workspace has at most {definitions.MOST} drafts.")
        await definitions.made(tx, workspace, wanted, call.now, await kept.one(tx, workspace_id, slug))
        await versions.put_draft(tx, workspace_id, slug, said_so, call.principal.user_id, call.now)
        row = await versions.draft(tx, workspace_id, slug)
        assert row is not None
        done = effects.differing("segmentations", None, _said(slug, before), _said(slug, row))
        return Written(NOBODY, row["version"], ENCODER.encode(document(row)), before is None, done)

    return await once(db, call, f"segmentations.write draft {slug}", act)


async def get(db: Reader, principal: Principal, slug: str) -> dict[str, Any]:
    """The draft with its version. Raises NotFound."""
    permit(principal, "segmentations.read")
    return document(await found(db, principal.workspace.id, slug))


async def discard(db: Database, call: Call, slug: str, expected_version: int | None) -> Written:
    """The draft is no more. Raises NotFound, VersionRequired, VersionStale."""
    permit(call.principal, "segmentations.write")

    async def act(tx: Transaction) -> Written:
        before = await versions.draft(tx, call.principal.workspace.id, slug, held=True)
        if before is None:
            raise NotFound("There is no draft of this segmentation.")
        versioned(before["version"], expected_version)
        await versions.forget_draft(tx, call.principal.workspace.id, slug)
        done = (Effect("segmentations", None, _said(slug, before), _said(slug, None)),)
        return Written(NOBODY, before["version"], b"", False, done)

    return await once(db, call, f"segmentations.write discard {slug}", act)


async def publish(
    db: Database, call: Call, slug: str, body: Mapping[str, object], expected_version: int | None
) -> Written:
    """The draft becomes the segmentation's next version, its first where there is none: cut as `segmentations.put` does, every account
    that stands elsewhere is moved, and the draft is no more, in one transaction; where it says what stands there is no next
    version. `{note?, draft_version?, replace?, with_dependents?}`: with the draft's version nothing is published that its
    reader has not seen, the others as in `segmentations.put`, before what the draft says of them.

    Raises NotFound without a draft, VersionRequired or VersionStale where the segmentation is there, VersionStale for
    another version of the draft, Invalid where the draft means nothing any more, Conflict that tells what names segments that
    it leaves out.
    """
    permit(call.principal, "segmentations.write")
    rest, said = leaving.read(records.only(body, ("note", "draft_version", *leaving.MEMBERS)))
    note, seen = note_of(rest), rest.get("draft_version")
    if seen is not None and (not isinstance(seen, int) or isinstance(seen, bool) or not 1 <= seen < 2**31):
        raise Invalid(faults=(Fault("Expected the number of a version.", pointer="/draft_version"),))

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        workspace = await workspaces.load(tx, workspace_id)
        standing = await kept.hold(tx, workspace_id, slug)
        draft = await found(tx, workspace_id, slug)
        if seen is not None and seen != draft["version"]:
            raise VersionStale
        before = await kept.one(tx, workspace_id, slug) if standing is not None else None
        if standing is not None:
            versioned(standing["version"], expected_version)
        elif expected_version is not None:
            raise VersionStale
        await versions.forget_draft(tx, workspace_id, slug)
        if not await definitions.redefine(tx, workspace, wanted(draft), before, call.now):
            return unchanged(workspace, before, call.now)
        return await finish(tx, call, slug, before, "publish", note=note, said=leaving.either(said, left_out(draft)))

    written = await once(db, call, f"segmentations.write publish {slug}", act)
    keys.forget(db)
    return written


async def found(db: Reader, workspace_id: UUID, slug: str) -> Record:
    """The stored draft. Raises NotFound."""
    row = None if values.UNSTORABLE.search(slug) else await versions.draft(db, workspace_id, slug)
    if row is None:
        raise NotFound("There is no draft of this segmentation: put one first.")
    return row


def wanted(row: Record) -> Segmentation:
    """The draft as a segmentation."""
    return read(row["slug"], leaving.read(msgspec.json.decode(row["body"]))[0])


def left_out(row: Record) -> Leaving:
    """What the draft says of segments that it leaves out."""
    return leaving.read(msgspec.json.decode(row["body"]))[1]


def document(row: Record) -> dict[str, Any]:
    """A draft as it is answered, its `definition` as `put` takes it."""
    defined = {**definition(wanted(row)), **leaving.told(left_out(row))}
    return {
        "slug": row["slug"], **defined, "definition": defined, "version": row["version"], "author_id": row["author_id"],
        "created_at": instant(row["created_at"]), "updated_at": instant(row["updated_at"]),
    }  # fmt: skip


def _said(slug: str, row: Record | None) -> dict[str, Any]:
    return {"slug": slug, "draft": None if row is None else msgspec.json.decode(row["body"])}
