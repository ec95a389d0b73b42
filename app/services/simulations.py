"""What a definition would do if it were published now: who moves, counts and ARR before and after. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import Setting, check
from app.domain.criteria.nodes import Node
from app.domain.errors import NotFound
from app.domain.roles import Principal, permit
from app.domain.segmentation import books
from app.domain.segmentation.bodies import again, read
from app.domain.segmentation.kinds import MAKING, spec
from app.domain.segmentation.model import Segmentation
from app.domain.workspaces import Workspace, clock
from app.persistence import segments as kept
from app.persistence import simulations as rows
from app.persistence import versions
from app.persistence.database import Reader, Record
from app.persistence.segments import Rule
from app.services import definitions, drafts, named
from app.services.calls import new_id
from app.services.definitions import Made
from app.services.segmentation_documents import instant, names, plain, shown_cuts

Counts = dict[str, list[int]]
"""Accounts and ARR in minor units, by segment."""


async def simulate(
    db: Reader, principal: Principal, slug: str, body: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """A definition as a body, or, where the body is empty, the draft, else what stands with its cuts taken now.

    Segments with accounts and ARR before and after, moves between them, whom no segment would take (`rest`), and whom
    several would but for their order (`overlap`). Raises Invalid, NotFound.
    """
    permit(principal, "segmentations.read")
    workspace = principal.workspace
    standing = await kept.one(db, workspace.id, slug)
    wanted = read(slug, body) if body else await _wanted(db, workspace, slug, standing)
    made = await definitions.made(db, workspace, wanted, now)
    rule = await _rule(db, workspace, made, now)
    exclusive = MAKING[wanted.kind].exclusive
    found = await rows.tried(
        db, workspace, rule, None if standing is None else standing["id"], now, exclusive=exclusive
    )
    return {
        "slug": slug, "kind": wanted.kind, "as_of": instant(now), "cuts": shown_cuts(wanted.kind, spec(wanted), made.cuts),
        **_counted(wanted, standing, found["flow"], workspace),
        "overlap": [_pair(pair, wanted, workspace) for pair in found["overlap"]],
        "sample": [{**one, "arr": workspace.major(one["arr"])} for one in found["sample"]],
    }  # fmt: skip


async def _wanted(db: Reader, workspace: Workspace, slug: str, standing: Record | None) -> Segmentation:
    draft = await versions.draft(db, workspace.id, slug)
    if draft is not None:
        return drafts.wanted(draft)
    if standing is None:
        raise NotFound
    decoded = {name: msgspec.json.decode(standing[name]) for name in ("spec", "segments")}
    return again({**dict(standing), **decoded})


async def _rule(db: Reader, workspace: Workspace, made: Made, now: datetime) -> Rule:
    setting = Setting(workspace, clock(workspace, now), people=False)
    within = books.of(made.of.axes, made.cuts)
    return await named.reading(db, setting, None, now, partial(_checked, made.of, made.cases, within))


def _checked(of: Segmentation, cases: Sequence[Node], within: books.Books, setting: Setting) -> Rule:
    over = books.over(setting, within)
    meant = (check(node, ACCOUNTS, over).meaning for node in cases)
    return Rule(new_id(), tuple(zip((s.slug for s in of.segments), meant, strict=True)), of.rest)


def _counted(
    wanted: Segmentation, standing: Record | None, flow: Iterable[Mapping[str, Any]], workspace: Workspace
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
            }
            for slug in listed
        ],
        "moves": sorted(moves, key=lambda one: (-one["accounts"], one["from"] or "", one["to"])),
        "moved": _money(moved, workspace), "rest": _money(after.get(wanted.rest), workspace), "pinned": pinned,
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
