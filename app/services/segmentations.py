"""Segmentations: defined as a whole, computed at once, answered with counts, money and a picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from app.domain.criteria.nodes import All, And, Segment
from app.domain.errors import NotFound, VersionStale
from app.domain.roles import Principal, permit
from app.domain.segmentation import presets as ready
from app.domain.segmentation.bodies import fields_of, read
from app.domain.workspaces import Workspace
from app.persistence import facts, memberships, versions, workspaces
from app.persistence import segments as kept
from app.persistence.database import Database, Reader, Transaction
from app.services import dependents, effects, keys
from app.services.asks import Ask, said
from app.services.calls import Call, Written, once, versioned
from app.services.definitions import MOST, counted, define
from app.services.memberships import past
from app.services.segmentation_documents import audited, computed, document, found, names, plain
from app.services.settle import place
from app.services.versions import finish

__all__ = ["MOST", "all_segmentations", "delete", "get", "install_presets", "members", "presets", "put", "segments"]


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
    """Create or replace a segmentation, freeze its cuts anew and place every account, in one transaction.

    Raises Invalid, VersionRequired or VersionStale where it exists, VersionStale where a version of nothing is expected.
    """
    permit(call.principal, "segmentations.write")
    wanted = read(slug, body)

    async def act(tx: Transaction) -> Written:
        await workspaces.hold(tx, call.principal.workspace.id)
        workspace = await workspaces.load(tx, call.principal.workspace.id)
        standing = await kept.hold(tx, workspace.id, slug)
        before = await kept.one(tx, workspace.id, slug) if standing is not None else None
        if standing is not None:
            versioned(standing["version"], expected_version)
        elif expected_version is not None:
            raise VersionStale
        await define(tx, workspace, wanted, standing["id"] if standing else None, call.now)
        return await finish(tx, call, slug, before, "put")

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
            raise NotFound
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
    of them with the value, else absolute; putting a preset later freezes them anew."""
    counts = await counted(tx, workspace, ("arr", "growth_potential"), now)
    cutting: list[ready.Cutting] = ["relative" if n >= ready.ENOUGH else "absolute" for n in counts]
    bodies = ready.presets(*cutting)
    for slug in ready.INSTALLED:
        if slug not in workspace.segmentations:
            await define(tx, workspace, read(slug, bodies[slug]), None, now)
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
    """Accounts and ARR of each segment and of the rest, with their shares of both; archived accounts are left out.

    `on`: as they stood at the end of a past day, with today's ARR; segments that are no more come last. Raises NotFound,
    Invalid.
    """
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    day = None if on is None else past(on, workspace, now)
    if day is None:
        standing = await kept.standing(db, workspace.id, row["id"])
    else:
        standing = await memberships.counted(db, workspace.id, row["id"], day[1])
    cases = {case["slug"]: case for case in msgspec.json.decode(row["segments"])}
    accounts, arr = (sum(each) for each in zip(*standing.values(), strict=True)) if standing else (0, 0)
    known = names(row)
    data = [
        {
            "slug": name, "name": known.get(name, plain(name)), "colour": cases.get(name, {}).get("colour"),
            "engagement": cases.get(name, {}).get("engagement"), "accounts": standing.get(name, (0, 0))[0],
            "arr": workspace.major(standing.get(name, (0, 0))[1]), "share": _share(standing.get(name, (0, 0))[0], accounts),
            "arr_share": _share(standing.get(name, (0, 0))[1], arr),
        }
        for name in dict.fromkeys((*known, *sorted(standing)))
    ]  # fmt: skip
    return {
        "data": data, "accounts": accounts, "arr": workspace.major(arr), "on": None if day is None else day[0],
        "version": row["version"], **computed(row, workspace, now),
    }  # fmt: skip


async def members(db: Reader, principal: Principal, slug: str, segment: str | None, ask: Ask) -> Ask:
    """The ask for the accounts of a segment (None: of all), narrowed by what `ask` says; unless told otherwise they show
    their names, segment and the values that they are placed by. Raises NotFound."""
    permit(principal, "segmentations.read")
    row = await found(db, principal.workspace.id, slug)
    by = fields_of(row["kind"], msgspec.json.decode(row["spec"]))
    fields: tuple[str, ...] = ("id", "name", f"segment.{slug}", *by)
    if ask.on is not None:  # of a past day there are the segments alone
        fields = ("id", "external_id", f"segment.{slug}")
    untold = ask.fields is None and ask.include is None and ask.selection is None
    asked = replace(ask, entity="accounts", fields=tuple(dict.fromkeys(fields)) if untold else ask.fields)
    if segment is None:
        return asked
    if segment not in {case["slug"] for case in msgspec.json.decode(row["segments"])} | {row["rest"]}:
        raise NotFound
    stands, narrowed = Segment(slug, segment), said(ask).node
    return replace(asked, filter=None, criteria=stands if isinstance(narrowed, All) else And((stands, narrowed)))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
