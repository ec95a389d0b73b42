"""Segmentations: defined as a whole, computed at once, answered with counts, money and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria import text, tree
from app.domain.criteria.check import shown
from app.domain.criteria.meant import SegmentOf, Shown
from app.domain.criteria.nodes import All, And, Segment
from app.domain.errors import NotFound, VersionStale
from app.domain.roles import Principal, permit
from app.domain.segmentation import presets as ready
from app.domain.segmentation.chart import MOST as POINTS
from app.domain.segmentation.chart import Cell, Picture, Point, quadrant
from app.domain.segmentation.cuts import Frozen, loaded
from app.domain.segmentation.model import LEVELS, read
from app.domain.segmentation.scales import Measure
from app.domain.workspaces import Workspace
from app.persistence import facts, workspaces
from app.persistence import segments as kept
from app.persistence.database import Database, Reader, Record, Transaction
from app.services import dependents, effects, keys
from app.services.asks import Ask, said
from app.services.calls import ENCODER, Call, Written, once, versioned
from app.services.definitions import MOST, counted, define
from app.services.settle import place

__all__ = [
    "MOST",
    "all_segmentations",
    "chart",
    "delete",
    "document",
    "get",
    "install_presets",
    "members",
    "presets",
    "put",
    "segments",
]

UPPER = ("arr", "mrr", "tcv", "nps")
BESIDE = "health"
"""What bands of ARR are drawn against; other bands are drawn against ARR."""


def presets(principal: Principal) -> dict[str, dict[str, Any]]:
    """Bodies that can be put as they are, by the slug that they are meant for."""
    permit(principal, "segmentations.read")
    return ready.presets()


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
        await place(tx, workspace, call.now)
        row = await kept.one(tx, workspace.id, slug)
        assert row is not None
        done = effects.differing("segmentations", row["id"], _defined(before), _defined(row))
        return Written(row["id"], row["version"], ENCODER.encode(document(row)), standing is None, done)

    written = await once(db, call, f"segmentations.put {slug}", act)
    keys.forget(db)
    return written


async def delete(db: Database, call: Call, slug: str, expected_version: int | None) -> Written:
    """Takes a segmentation away, with who stands and stood in its segments.

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
        await dependents.refuse(tx, workspace_id, "segmentations", standing["id"], slug)
        before = await kept.one(tx, workspace_id, slug)
        # Whoever writes an account has either placed it in here or waits, and then knows that this is gone.
        await facts.lock(tx, workspace_id, None)
        await kept.delete(tx, workspace_id, standing["id"])
        done = effects.differing("segmentations", standing["id"], _defined(before), None)
        return Written(standing["id"], standing["version"], b"", False, done)

    written = await once(db, call, f"segmentations.delete {slug}", act)
    keys.forget(db)
    return written


async def install_presets(tx: Transaction, workspace: Workspace, now: datetime) -> None:
    """`tier` and `portfolio`, unless the workspace has them. Cuts are relative to the accounts where there are enough
    of them with the value, else absolute; putting a preset later freezes them anew."""
    counts = await counted(tx, workspace, ("arr", "growth_potential"), now)
    cutting: list[ready.Cutting] = ["relative" if n >= ready.ENOUGH else "absolute" for n in counts]
    for slug, body in ready.presets(*cutting).items():
        if slug not in workspace.segmentations:
            await define(tx, workspace, read(slug, body), None, now)
    await place(tx, workspace, now)


async def get(db: Reader, principal: Principal, slug: str) -> dict[str, Any]:
    """The segmentation with its version. Raises NotFound."""
    permit(principal, "segmentations.read")
    return document(await _found(db, principal, slug))


async def all_segmentations(db: Reader, principal: Principal) -> list[dict[str, Any]]:
    """Every segmentation, by slug."""
    permit(principal, "segmentations.read")
    return [document(row) for row in await kept.all_of(db, principal.workspace.id)]


async def segments(db: Reader, principal: Principal, slug: str) -> dict[str, Any]:
    """Accounts and ARR of each segment and of the rest, with their shares of both; archived accounts are left out."""
    permit(principal, "segmentations.read")
    row = await _found(db, principal, slug)
    found = await kept.standing(db, principal.workspace.id, row["id"])
    cases = msgspec.json.decode(row["segments"])
    places = {case["slug"]: case for case in cases}
    places.setdefault(row["rest"], {"slug": row["rest"], "name": row["rest"].replace("_", " ").capitalize()})
    accounts, arr = (sum(each) for each in zip(*found.values(), strict=True)) if found else (0, 0)
    data = [
        {
            "slug": name,
            "name": case["name"],
            "colour": case.get("colour"),
            "engagement": case.get("engagement"),
            "accounts": found.get(name, (0, 0))[0],
            "arr": principal.workspace.major(found.get(name, (0, 0))[1]),
            "share": _share(found.get(name, (0, 0))[0], accounts),
            "arr_share": _share(found.get(name, (0, 0))[1], arr),
        }
        for name, case in places.items()
    ]
    return {
        "data": data, "accounts": accounts, "arr": principal.workspace.major(arr), "state": row["state"],
        "version": row["version"], "computed_at": _instant(row["computed_at"]),
    }  # fmt: skip


async def members(db: Reader, principal: Principal, slug: str, segment: str | None, ask: Ask) -> Ask:
    """The ask for the accounts of a segment (None: of all), narrowed by what `ask` says; unless told otherwise they show
    their names, segment and axis values. Raises NotFound."""
    permit(principal, "segmentations.read")
    row = await _found(db, principal, slug)
    fields: tuple[str, ...] = ("id", "name", f"segment.{slug}", *(axis["field"] for axis in _axes(row)))
    plain = ask.fields is None and ask.include is None and ask.selection is None
    asked = replace(ask, entity="accounts", fields=tuple(dict.fromkeys(fields)) if plain else ask.fields)
    if segment is None:
        return asked
    if segment not in {case["slug"] for case in msgspec.json.decode(row["segments"])} | {row["rest"]}:
        raise NotFound
    stands, narrowed = Segment(slug, segment), said(ask).node
    return replace(asked, filter=None, criteria=stands if isinstance(narrowed, All) else And((stands, narrowed)))


def document(row: Record) -> dict[str, Any]:
    """A stored segmentation as it is answered; encode Decimals as numbers."""
    return {
        "id": row["id"], "slug": row["slug"], "name": row["name"], "kind": row["kind"], "spec": msgspec.json.decode(row["spec"]),
        "segments": [_segment(case) for case in msgspec.json.decode(row["segments"])], "rest": row["rest"],
        "cuts": _shown_cuts(row), "version": row["version"], "state": row["state"],
        "computed_at": _instant(row["computed_at"]), "created_at": _instant(row["created_at"]),
        "updated_at": _instant(row["updated_at"]),
    }  # fmt: skip


def _defined(row: Record | None) -> dict[str, Any] | None:
    """What a definition says and what it was cut at, for the audit: a definition put again is cut anew."""
    if row is None:
        return None
    shown = document(row)
    return {name: shown[name] for name in ("slug", "name", "kind", "spec", "segments", "rest", "cuts", "version")}


def _segment(case: Mapping[str, Any]) -> dict[str, Any]:
    criteria = {"text": case["criteria"], "tree": tree.dump(text.parse(case["criteria"]))}
    cell = {side: case[side] for side in ("x", "y") if side in case}
    return {"slug": case["slug"], "name": case["name"], **cell, "criteria": criteria,
            "engagement": case.get("engagement"), "colour": case.get("colour")}  # fmt: skip


def _shown_cuts(row: Record) -> list[dict[str, Any]]:
    """What each axis is cut at, as numbers; money in major units."""
    return [
        {
            "field": axis["field"],
            "at": list(cuts.at),
            "frozen_at": cuts.frozen_at.isoformat(),
            "accounts": cuts.accounts,
        }
        for axis, cuts in zip(_axes(row), loaded(msgspec.json.decode(row["cuts"])), strict=True)
    ]


def _axes(row: Record) -> list[dict[str, Any]]:
    told = msgspec.json.decode(row["spec"])
    return {"rules": [], "bands": [told], "matrix": [told.get("x"), told.get("y")]}[row["kind"]]


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


async def _found(db: Reader, principal: Principal, slug: str) -> Record:
    row = await kept.one(db, principal.workspace.id, slug)
    if row is None:
        raise NotFound
    return row


# -- the picture -------------------------------------------------------------------------------------------------------


async def chart(db: Reader, principal: Principal, slug: str) -> str:
    """The segmentation's axes, cuts and accounts as SVG text. Raises NotFound where there are no axes to draw."""
    permit(principal, "segmentations.read")
    row, workspace = await _found(db, principal, slug), principal.workspace
    paths = [axis["field"] for axis in _axes(row)]
    if not paths:
        raise NotFound("Rules have no axes to draw.")
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    if len(paths) == 1:
        paths.append(BESIDE if paths[0] == "arr" else "arr")
    axes = [shown(path, ACCOUNTS, workspace) for path in paths]
    rows, total = await kept.points(db, workspace, row["id"], axes, POINTS)
    found = await kept.standing(db, workspace.id, row["id"])
    factors = [10.0**-workspace.minor_digits if _is_money(of) else 1.0 for of in axes]
    x, y = (
        _measure(path, of, cuts[n] if n < len(cuts) else None)
        for n, (path, of) in enumerate(zip(paths, axes, strict=True))
    )
    points = [
        Point(r["segment"], r["x"] * factors[0], r["y"] * factors[1], r["arr"] * 10.0**-workspace.minor_digits)
        for r in rows
    ]
    accounts = sum(n for n, _ in found.values())
    return quadrant(
        Picture(row["name"], workspace.currency, x, y, _cells(row, found, workspace), points, total, accounts - total)
    )


def _is_money(of: Shown) -> bool:
    return not isinstance(of, SegmentOf) and of.field.kind == "money"


def _measure(path: str, of: Shown, cuts: Frozen | None) -> Measure:
    name = path.rpartition(".")[2]
    title = name.upper() if name in UPPER else name.replace("_", " ").capitalize()
    return Measure(title, _is_money(of), tuple(float(c) for c in cuts.at) if cuts else ())


def _cells(row: Record, found: Mapping[str, tuple[int, int]], workspace: Workspace) -> list[Cell]:
    cases = msgspec.json.decode(row["segments"])
    cells = []
    for n, case in enumerate(cases):
        accounts, arr = found.get(case["slug"], (0, 0))
        place_ = (
            (len(cases) - 1 - n, 0)
            if row["kind"] == "bands"
            else (_level(row, 0, case["x"]), _level(row, 1, case["y"]))
        )
        cells.append(
            Cell(case["slug"], case["name"], case.get("colour"), accounts, float(workspace.major(arr)), place_)
        )
    return cells


def _level(row: Record, axis: int, name: str) -> int:
    """Which level it is, the lowest 0: by the names that an axis of so many cuts has."""
    cuts = _axes(row)[axis]["cuts"]
    return LEVELS[len(cuts.get("at", (None,)))].index(name)
