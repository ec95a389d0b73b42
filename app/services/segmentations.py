"""Segmentations: defined as a whole, computed at once, answered with counts, money and a picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.fields import find
from app.domain.criteria.nodes import All, And, Segment
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, NotFound, VersionStale
from app.domain.roles import Principal, permit
from app.domain.segmentation import leaving
from app.domain.segmentation import presets as ready
from app.domain.segmentation.bodies import fields_of, read
from app.domain.workspaces import Workspace
from app.persistence import facts, memberships, versions, workspaces
from app.persistence import segments as kept
from app.persistence.database import Database, Reader, Transaction
from app.persistence.segments import Held
from app.services import dependents, effects, keys
from app.services.asks import Ask, said
from app.services.calls import Call, Written, once, versioned
from app.services.cuts import counted
from app.services.definitions import MOST, define, redefine
from app.services.memberships import past
from app.services.segmentation_documents import audited, document, found, instant, names, of_days, plain, unknown
from app.services.settle import place
from app.services.versions import finish, unchanged

__all__ = ["MOST", "all_segmentations", "delete", "get", "install_presets", "members", "presets", "put", "segments"]

NOTHING = Held(0, 0, 0, 0)


def presets(principal: Principal) -> dict[str, Any]:
    """Bodies that can be put as they are, by the slug that they are meant for, and the publication that each follows."""
    permit(principal, "segmentations.read")
    sources = {
        slug: {
            "title": one.title,
            "publisher": one.publisher,
            "year": one.year,
            "page": f"docs/segmentations/{slug}.md",
        }
        for slug, one in ready.SOURCES.items()
    }
    return {"data": ready.presets(), "sources": sources}


async def put(db: Database, call: Call, slug: str, body: object, expected_version: int | None) -> Written:
    """Create or replace a segmentation and place every account, in one transaction. Cuts that are said as before stay as they
    were frozen, others are taken now. Where nothing differs it stays the version that it is. `replace` and `with_dependents` beside the definition say
    what becomes of what names segments that it leaves out.

    Raises Invalid, VersionRequired or VersionStale where it exists, VersionStale where a version of nothing is expected,
    Conflict that tells what names segments that are left out.
    """
    permit(call.principal, "segmentations.write")
    definition, said = leaving.read(body)
    wanted = read(slug, definition)

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        workspace = await workspaces.load(tx, call.principal.workspace.id)
        standing = await kept.hold(tx, workspace.id, slug)
        before = await kept.one(tx, workspace.id, slug) if standing is not None else None
        if standing is not None:
            versioned(standing["version"], expected_version)
        elif expected_version is not None:
            raise VersionStale
        if not await redefine(tx, workspace, wanted, before, call.now):
            return unchanged(workspace, before, call.now)
        return await finish(tx, call, slug, before, "put", said=said)

    written = await once(db, call, f"segmentations.write put {slug}", act)
    keys.forget(db)
    return written


async def delete(db: Database, call: Call, slug: str, expected_version: int | None) -> Written:
    """Takes a segmentation away, with its versions, draft and pins, and who stands and stood in its segments.

    Raises NotFound, VersionRequired, VersionStale, Conflict that names the lists and segmentations that ask for it.
    """
    permit(call.principal, "segmentations.write")

    async def act(tx: Transaction) -> Written:
        workspace_id = call.principal.workspace.id
        await workspaces.hold(tx, workspace_id)
        standing = await kept.hold(tx, workspace_id, slug)
        if standing is None:
            raise NotFound("There is no such segmentation in this workspace.")
        versioned(standing["version"], expected_version)
        await dependents.refuse(tx, call.principal, "segmentations", standing["id"], slug)
        before = await kept.one(tx, workspace_id, slug)
        # Whoever writes an account has either placed it in here or waits, and then knows that this is gone.
        await facts.lock(tx, workspace_id, None)
        await kept.delete(tx, workspace_id, standing["id"])
        await versions.forget_draft(tx, workspace_id, slug)
        done = effects.differing("segmentations", standing["id"], audited(before), None)
        return Written(standing["id"], standing["version"], b"", False, done)

    written = await once(db, call, f"segmentations.write delete {slug}", act)
    keys.forget(db)
    return written


async def install_presets(tx: Transaction, workspace: Workspace, now: datetime) -> None:
    """`tier` and `portfolio`, unless the workspace has them. Cuts are relative to the accounts where there are enough
    of them with the value, else absolute, as starting values: `starting_cuts` takes them from the data once there is some."""
    counts = await counted(tx, workspace, ("arr", "growth_potential"), now)
    cutting: list[ready.Cutting] = ["relative" if n >= ready.ENOUGH else "absolute" for n in counts]
    bodies = ready.presets(*cutting)
    for slug in ready.INSTALLED:
        if slug not in workspace.segmentations:
            await define(tx, workspace, read(slug, bodies[slug]), None, now, starting=True)
            await versions.keep(tx, workspace.id, slug, "put", now)
    await place(tx, workspace, now)


async def get(db: Reader, principal: Principal, slug: str, now: datetime) -> dict[str, Any]:
    """The segmentation with its version. Raises NotFound."""
    permit(principal, "segmentations.read")
    return document(await found(db, principal.workspace.id, slug), principal.workspace, now)


async def all_segmentations(db: Reader, principal: Principal, now: datetime) -> list[dict[str, Any]]:
    """Every segmentation, by slug."""
    permit(principal, "segmentations.read")
    return [document(row, principal.workspace, now) for row in await kept.all_of(db, principal.workspace.id)]


async def segments(db: Reader, principal: Principal, slug: str, now: datetime, on: str | None = None) -> dict[str, Any]:
    """Accounts and ARR of each segment and of the rest, with their shares of both, and how much of that is of churned
    accounts; archived accounts are left out.

    `on`: as they stood at the end of a past day, with today's ARR and who is churned today; segments that are no more come last. `detail` says so where
    that is not known, as the day lies before `history_begins`. Raises NotFound, Invalid.
    """
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    day = None if on is None else past(on, workspace, now)
    if day is None:
        standing = await kept.held(db, workspace.id, row["id"])
    else:
        standing = await memberships.counted(db, workspace.id, row["id"], day[1])
    cases = {case["slug"]: case for case in msgspec.json.decode(row["segments"])}
    whole, known, earlier = _sum(standing.values()), names(row), dict[str, str]()
    if not standing.keys() <= known.keys():
        earlier = await versions.names(db, workspace.id, row["id"])
    data = [
        {
            "slug": name, "name": known.get(name) or earlier.get(name) or plain(name), "colour": cases.get(name, {}).get("colour"),
            "engagement": cases.get(name, {}).get("engagement"), **_holds(held, workspace),
            "share": _share(held.accounts, whole.accounts), "arr_share": _share(held.arr, whole.arr),
        }
        for name in dict.fromkeys((*known, *sorted(standing)))
        for held in (standing.get(name, NOTHING),)
    ]  # fmt: skip
    return {
        "data": data, **_holds(whole, workspace), "on": None if day is None else day[0],
        "version": row["version"], **of_days(row, workspace, now, [] if day is None else [day]),
    }  # fmt: skip


async def members(db: Reader, principal: Principal, slug: str, segment: str | None, ask: Ask) -> Ask:
    """The ask for the accounts of a segment (None: of all), narrowed by what `ask` says; unless told otherwise they show
    their names, segment and the values that they are placed by, as far as those mean anything still. Of a past day segments and stages are those of then, and
    what else is shown is of today. Raises NotFound, Invalid."""
    permit(principal, "segmentations.read")
    row = await found(db, principal.workspace.id, slug)
    by = fields_of(row["kind"], msgspec.json.decode(row["spec"]))
    fields: tuple[str, ...] = ("id", "external_id", "name", f"segment.{slug}")
    if ask.on is None:  # values of today do not say why an account stood where it did
        fields = (*fields, *(one for one in by if find(one, ACCOUNTS, principal.workspace)))
    untold = ask.fields is None and ask.include is None and ask.selection is None
    asked = replace(
        ask, entity="accounts", segmentation=slug, fields=tuple(dict.fromkeys(fields)) if untold else ask.fields
    )
    if segment is None:
        return asked
    known = names(row)
    if segment not in known:
        message = "Expected the slug of one of its segments, or of its rest."
        raise Invalid(faults=(Fault(message, parameter="segment", suggestion=nearest(segment, known)),))
    stands, narrowed = Segment(slug, segment), said(ask).node
    return replace(asked, filter=None, criteria=stands if isinstance(narrowed, All) else And((stands, narrowed)))


async def history(db: Reader, principal: Principal, slug: str, now: datetime, on: str | None) -> dict[str, Any]:
    """Since when it is known where accounts stood, `history_begins`; `detail` says so where the day lies before, else None.
    Raises NotFound, Invalid."""
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    detail = None if on is None else unknown(row, workspace, [past(on, workspace, now)])
    return {"history_begins": instant(row["created_at"]), "detail": detail}


def _sum(held: Iterable[Held]) -> Held:
    return Held(*(sum(each) for each in zip(NOTHING, *held, strict=True)))


def _holds(held: Held, workspace: Workspace) -> dict[str, Any]:
    churned = {"accounts": held.churned, "arr": workspace.major(held.churned_arr)}
    return {"accounts": held.accounts, "arr": workspace.major(held.arr), "churned": churned}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
