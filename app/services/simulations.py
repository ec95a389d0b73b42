"""What a definition would do if it were published now: who moves, counts, ARR and load before and after. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from struct import Struct
from typing import Any

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import Setting, check, for_nobody
from app.domain.criteria.nodes import Node
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.roles import Principal, permit
from app.domain.segmentation import books, hysteresis
from app.domain.segmentation import leaving as reading
from app.domain.segmentation.bodies import read
from app.domain.segmentation.care import Care, care
from app.domain.segmentation.kinds import MAKING, spec
from app.domain.segmentation.leaving import STAYING, Leaving
from app.domain.segmentation.model import Segmentation
from app.domain.workspaces import Workspace, clock
from app.persistence import segments as kept
from app.persistence import simulations as rows
from app.persistence import versions
from app.persistence.database import Reader, Record
from app.persistence.members import Rule
from app.services import definitions, drafts, leaving, named
from app.services.aside import aside
from app.services.calls import new_id
from app.services.care import models
from app.services.definitions import Made
from app.services.loads import Caps, Load, caps_of, hours, needs
from app.services.segmentation_documents import found, instant, names, plain, shown_cuts, stood

LOAD = Struct(">qi")
"""ARR and days of an account, as the database sends them."""
ALL, NONE = None, ""
"""What stands for all segments, and for one that is not there."""
Counts = dict[str, list[int]]
"""Accounts and ARR in minor units, by segment."""


async def simulate(
    db: Reader, principal: Principal, slug: str, body: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """A definition as a body, or, where the body has none, the draft: cut as putting or publishing it would; else what stands with its cuts taken anew.

    Segments with accounts, ARR, engagement load and CSMs needed before and after, moves between them, whom no segment would take (`rest`), and whom
    several would but for their order (`overlap`), and the segments that it leaves out with what names them (`removed`).
    Raises Invalid, NotFound, Conflict where what is stored means nothing any more.
    """
    permit(principal, "segmentations.read")
    workspace = principal.workspace
    standing = await kept.one(db, workspace.id, slug)
    definition, said = reading.read(body)
    draft = None if definition else await versions.draft(db, workspace.id, slug)
    if definition:
        wanted = read(slug, definition)
    elif draft is not None:
        wanted, said = drafts.wanted(draft), reading.either(said, drafts.left_out(draft))
    elif standing is not None:
        wanted = stood(standing)
    else:
        raise NotFound("There is no such segmentation in this workspace, and no draft of it: send a definition.")
    anew = not definition and draft is None
    try:
        made = await definitions.made(db, workspace, wanted, now, standing, anew=anew)
    except Invalid as error:
        if definition:
            raise
        raise Conflict(f"The {'segmentation' if anew else 'draft'} is broken: {error.detail}") from None
    return await tried(db, principal, standing, made, said, now)


async def refrozen(db: Reader, principal: Principal, slug: str, now: datetime) -> tuple[int, dict[str, Any]]:
    """The version that stands, and what taking its cuts anew would do, whatever draft there is. Raises NotFound, Conflict where
    none are taken from the accounts."""
    permit(principal, "segmentations.read")
    standing = await found(db, principal.workspace.id, slug)
    made = await definitions.made(db, principal.workspace, definitions.cut_anew(standing), now, standing, anew=True)
    return standing["version"], await tried(db, principal, standing, made, STAYING, now)


async def tried(
    db: Reader, principal: Principal, standing: Record | None, made: Made, said: Leaving, now: datetime
) -> dict[str, Any]:
    """The same of a definition that is cut, beside what stands. Raises Invalid for a place that cannot be taken."""
    wanted, workspace = made.of, principal.workspace
    rule = await _rule(db, workspace, made, now)
    alike = standing is not None and definitions.places_alike(standing, made.stored)
    told = await rows.tried(
        db, workspace, rule, None if standing is None else standing["id"], clock(workspace, now),
        exclusive=MAKING[wanted.kind].exclusive, holding=alike,
    )  # fmt: skip
    stood = {} if standing is None else models(msgspec.json.decode(standing["segments"]))
    meant = {segment.slug: care(segment.engagement) for segment in wanted.segments}
    loads = await aside(partial(_loads, told["flow"], stood, meant, workspace))
    return {
        "slug": wanted.slug, "kind": wanted.kind, "as_of": instant(now), "cuts": shown_cuts(wanted.kind, spec(wanted), made.cuts),
        **_counted(wanted, standing, told["flow"], workspace, loads),
        "overlap": [_pair(pair, wanted, workspace) for pair in told["overlap"]],
        "removed": await leaving.told(db, principal, standing, [*(one.slug for one in wanted.segments), wanted.rest], said),
        "sample": [{**one, "arr": workspace.major(one["arr"])} for one in told["sample"]],
    }  # fmt: skip


async def _rule(db: Reader, workspace: Workspace, made: Made, now: datetime) -> Rule:
    setting = for_nobody(workspace, now)
    within = books.of(made.of.axes, made.cuts)
    return await named.reading(db, setting, None, now, partial(_checked, made.of, made.cases, within))


def _checked(of: Segmentation, cases: Sequence[Node], within: books.Books, setting: Setting) -> Rule:
    over = books.over(setting, within)
    meant = (check(node, ACCOUNTS, over).meaning for node in cases)
    steady = hysteresis.Steady(of.band, None if of.confirm is None else hysteresis.span(of.confirm))
    return Rule(new_id(), tuple(zip((s.slug for s in of.segments), meant, strict=True)), of.rest, steady)


def _counted(
    wanted: Segmentation,
    standing: Record | None,
    flow: Iterable[Mapping[str, Any]],
    workspace: Workspace,
    loads: Mapping[str | None, Mapping[str, Any]],
) -> dict[str, Any]:
    before: Counts = {}
    after: Counts = {}
    moves, moved, pinned = [], [0, 0], 0
    for one in flow:
        was, becomes, accounts, arr = one["was"], one["becomes"], one["accounts"], one["arr"]
        pinned += one["pinned"]
        _add(after, becomes, accounts, arr)
        if was is not None:
            _add(before, was, accounts, arr)
        if was != becomes:
            moves.append({"from": was, "to": becomes, "accounts": accounts, "arr": workspace.major(arr)})
            moved = [moved[0] + accounts, moved[1] + arr]
    known = {segment.slug: segment.name for segment in wanted.segments}
    earlier = {} if standing is None else names(standing)
    listed = dict.fromkeys((*known, wanted.rest, *sorted(before)))
    return {
        "segments": [
            {
                "slug": slug, "name": known.get(slug) or earlier.get(slug) or plain(slug),
                "before": _money(before.get(slug), workspace), "after": _money(after.get(slug), workspace),
                "load": loads.get(slug, loads[NONE]),
            }
            for slug in listed
        ],
        "moves": sorted(moves, key=lambda one: (-one["accounts"], one["from"] or "", one["to"])),
        "moved": _money(moved, workspace), "rest": _money(after.get(wanted.rest), workspace), "pinned": pinned,
        "load": loads[ALL],
    }  # fmt: skip


def _loads(
    flow: Iterable[Mapping[str, Any]], stood: Mapping[str, Care], meant: Mapping[str, Care], workspace: Workspace
) -> dict[str | None, dict[str, Any]]:
    """What accounts ask for before and after, by segment, of ALL and of NONE; churned ones ask for nothing."""
    found: dict[str | None, tuple[Load, Load]] = {ALL: (Load(), Load()), NONE: (Load(), Load())}
    nothing = Care()
    for one in flow:
        for when, (segment, cares) in enumerate(((one["was"], stood), (one["becomes"], meant))):
            if segment is None:
                continue
            model = cares.get(segment, nothing)
            for span, arr in _spanned(model, one["loads"]).items():
                for load in (found[ALL], found.setdefault(segment, (Load(), Load()))):
                    load[when].add(arr, model.spans[span][3])
    caps = caps_of(workspace)
    return {slug: {"before": _asks(both[0], caps), "after": _asks(both[1], caps)} for slug, both in found.items()}


def _spanned(model: Care, loads: bytes) -> dict[int, list[int]]:
    """ARR of accounts by the span of a model that holds for them."""
    if not model.phases:
        return {0: [arr for arr, _ in LOAD.iter_unpack(loads)]}
    spans: dict[int, list[int]] = {}
    for arr, age in LOAD.iter_unpack(loads):
        spans.setdefault(model.at(None if age == rows.UNKNOWN else age), []).append(arr)
    return spans


def _asks(load: Load, caps: Caps) -> dict[str, Any]:
    return {
        "accounts": len(load.arr), "touches": round(load.touches, 2), "hours": hours(sum(load.hours)),
        "needed": needs(load.arr, load.hours, caps),
    }  # fmt: skip


def _add(counts: Counts, slug: str, accounts: int, arr: int) -> None:
    stands = counts.setdefault(slug, [0, 0])
    stands[0] += accounts
    stands[1] += arr


def _money(counts: Sequence[int] | None, workspace: Workspace) -> dict[str, Any]:
    accounts, arr = counts or (0, 0)
    return {"accounts": accounts, "arr": workspace.major(arr)}


def _pair(pair: Mapping[str, Any], wanted: Segmentation, workspace: Workspace) -> dict[str, Any]:
    both = [wanted.segments[pair[place]].slug for place in ("first", "second")]
    return {"segments": both, "accounts": pair["accounts"], "arr": workspace.major(pair["arr"])}
