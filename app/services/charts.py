"""A segmentation as a picture: its accounts between cuts, how a number is spread over its segments, or bars of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

import msgspec

from app.domain.catalogue import ACCOUNTS
from app.domain.criteria.check import shown
from app.domain.criteria.folds import NUMBERS
from app.domain.criteria.meant import Column, CustomOf, SegmentOf
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid
from app.domain.pictures.bars import Bar, Bars, bars
from app.domain.pictures.histogram import Histogram, Row, bands, binned, distribution
from app.domain.pictures.quadrant import MOST as POINTS
from app.domain.pictures.quadrant import Cell, Point, Quadrant, quadrant
from app.domain.pictures.scales import Measure
from app.domain.pictures.svg import REST, amount
from app.domain.roles import Principal, permit
from app.domain.segmentation.axes import LEVELS, Axis
from app.domain.segmentation.bands import is_cut
from app.domain.segmentation.bodies import axes_of
from app.domain.segmentation.cuts import Frozen, loaded
from app.domain.segmentation.matrix import SIDES
from app.domain.segmentation.relative import relative
from app.domain.workspaces import Workspace
from app.persistence import charts as rows
from app.persistence import segments as kept
from app.persistence.database import Reader, Record
from app.services.aside import aside
from app.services.segmentation_documents import computed, found, names

UPPER = ("arr", "mrr", "tcv", "nps")
MONEY = "arr"
"""What is spread where nothing else is told."""
Number = Column | CustomOf


async def chart(db: Reader, principal: Principal, slug: str) -> str:
    """The segments as SVG text: accounts between the cuts of a matrix, the spread of a number over bands, else bars. What
    has no cuts, or names a field that is gone, is bars too, and says why. Raises NotFound."""
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    note = row["detail"] or ""
    if row["kind"] in ("matrix", "bands"):
        if all(is_cut(axis, frozen) for axis, frozen in zip(axes, cuts, strict=True)):
            try:
                of = [_number(axis.field, workspace) for axis in axes]
            except Invalid:
                return await _bars(db, row, workspace, note)
            if row["kind"] == "matrix":
                return await _quadrant(db, row, workspace, axes, cuts, of)
            if axes[0].cuts.within is None:
                picture = await _histogram(db, row, workspace, of[0], axes[0].field, cuts[0])
                return await aside(lambda: bands(_drawn(picture, row)))
            note = f"{note} Each book has cuts of its own.".strip()
        else:
            note = f"{note} There are no cuts yet: too few accounts have a value.".strip()
    return await _bars(db, row, workspace, note)


async def spread(
    db: Reader, principal: Principal, slug: str, now: datetime, field: str | None = None
) -> dict[str, Any]:
    """How a number is spread over the segments: `edges` of bins, and for each segment how many accounts are in each, with
    its median; of the field told, else of the first axis, else of ARR. Bins end before the next edge, the last one with it.
    Raises NotFound, Invalid."""
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    path, of, cuts = _asked(row, workspace, field)
    picture = await _histogram(db, row, workspace, of, path, cuts)
    data = [
        {
            "slug": one.slug, "name": one.name, "accounts": one.accounts, "arr": workspace.major(round(one.arr * 10**workspace.minor_digits)),
            "without": one.empty, "median": one.median, "bins": list(one.bins),
        }
        for one in picture.rows
    ]  # fmt: skip
    return {
        "slug": slug, "name": row["name"], "field": path, "edges": list(picture.edges), "log": picture.log,
        "cuts": list(picture.measure.cuts), "segments": data, "version": row["version"], **computed(row, workspace, now),
    }  # fmt: skip


async def spread_chart(db: Reader, principal: Principal, slug: str, field: str | None = None) -> str:
    """The same as SVG text, a row for each segment. Raises NotFound, Invalid."""
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    path, of, cuts = _asked(row, workspace, field)
    picture = await _histogram(db, row, workspace, of, path, cuts)
    return await aside(lambda: distribution(_drawn(picture, row)))


def _asked(row: Record, workspace: Workspace, field: str | None) -> tuple[str, Number, Frozen | None]:
    """The field, what it is, and what it is cut at where it is an axis of its own."""
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    path = field if field is not None else axes[0].field if axes else MONEY
    cut = next((f for axis, f in zip(axes, cuts, strict=True) if axis.field == path and not axis.cuts.within), None)
    return path, _number(path, workspace), cut


def _number(path: str, workspace: Workspace) -> Number:
    """A field of numbers or money. Raises Invalid."""
    try:
        of = shown(path, ACCOUNTS, workspace)
    except Invalid as error:
        raise Invalid(
            faults=tuple(Fault(f.message, parameter="field", suggestion=f.suggestion) for f in error.faults)
        ) from None
    if isinstance(of, SegmentOf) or of.field.kind not in NUMBERS:
        known = [name for name, one in ACCOUNTS.fields.items() if one.kind in NUMBERS]
        message = "Expected a field of numbers or money."
        raise Invalid(faults=(Fault(message, parameter="field", suggestion=nearest(path, known)),))
    return of


def _factor(of: Number, workspace: Workspace) -> float:
    """From what is stored to what is shown."""
    return 10.0**-workspace.minor_digits if of.field.kind == "money" else 1.0


def _measure(path: str, of: Number, cuts: Frozen | None) -> Measure:
    name = path.rpartition(".")[2]
    title = name.upper() if name in UPPER else name.replace("_", " ").capitalize()
    return Measure(title, of.field.kind == "money", tuple(float(c) for c in cuts.at) if cuts else ())


def _slugs(row: Record) -> list[str]:
    """The segments in their order, the rest last."""
    return [*dict.fromkeys((*(case["slug"] for case in msgspec.json.decode(row["segments"])), row["rest"]))]


def _colours(row: Record) -> dict[str, str | None]:
    cases = msgspec.json.decode(row["segments"])
    return {row["rest"]: REST, **{case["slug"]: case.get("colour") for case in cases}}


# -- bars --------------------------------------------------------------------------------------------------------------


async def _bars(db: Reader, row: Record, workspace: Workspace, note: str) -> str:
    standing = await kept.standing(db, workspace.id, row["id"])
    known, colours, said = names(row), _colours(row), _said(row)
    every = dict.fromkeys((*_slugs(row), *sorted(standing)))
    shown_ = [slug for slug in every if slug != row["rest"] or slug in said or standing.get(slug)]
    drawn = [
        Bar(known.get(slug, slug), colours.get(slug), n, float(workspace.major(arr)), said.get(slug, ""))
        for slug in shown_
        for n, arr in (standing.get(slug, (0, 0)),)
    ]
    return bars(Bars(row["name"], workspace.currency, drawn, note))


def _said(row: Record) -> dict[str, str]:
    """What it takes to be in a segment of a score, in a few words."""
    cases = [case["slug"] for case in msgspec.json.decode(row["segments"])]
    if row["kind"] != "score":
        return dict.fromkeys(cases, "")
    at = [*reversed(msgspec.json.decode(row["spec"])["at"])]
    told = [f"score from {float(total):g}" for total in at]
    return dict(zip(cases, [*told, f"score below {float(at[-1]):g}"], strict=True))


# -- the spread of a number --------------------------------------------------------------------------------------------


async def _histogram(
    db: Reader, row: Record, workspace: Workspace, of: Number, path: str, cuts: Frozen | None
) -> Histogram:
    factor, measure = _factor(of, workspace), _measure(path, of, cuts)
    ranked = await rows.spread(db, workspace, row["id"], of)
    edges, log = binned(measure, [value * factor for value in ranked])
    stored: list[float] = [edge / factor for edge in edges]
    if of.field.kind != "number":  # whole units, as they are compared
        stored = sorted({float(round(edge)) for edge in stored})
        edges = tuple(edge * factor for edge in stored)
    listed = await rows.bins(db, workspace, row["id"], of, stored)
    whole = {one["segment"]: one for one in listed if one["bin"] is None}
    counts = {(one["segment"], one["bin"]): one["accounts"] for one in listed if one["bin"] is not None}
    known, colours, said = names(row), _colours(row), _levels(measure, row, workspace)
    drawn = []
    for slug in dict.fromkeys((*_slugs(row), *sorted(whole))):
        one = whole.get(slug)
        per_bin = tuple(counts.get((slug, n), 0) for n in range(1, len(edges)))
        median = None if one is None or one["median"] is None else one["median"] * factor
        arr = float(workspace.major(one["arr"])) if one else 0.0
        accounts = one["accounts"] if one else 0
        drawn.append(
            Row(known.get(slug, slug), colours.get(slug), accounts, arr, per_bin, median, said.get(slug, ""), slug)
        )
    return Histogram(row["name"], workspace.currency, measure, edges, log, drawn, row["detail"] or "")


def _drawn(picture: Histogram, row: Record) -> Histogram:
    """Without the rest where nobody stands in it, unless it is a segment of its own."""
    cases = {case["slug"] for case in msgspec.json.decode(row["segments"])}
    return replace(picture, rows=[one for one in picture.rows if one.accounts or one.slug in cases])


def _levels(measure: Measure, row: Record, workspace: Workspace) -> dict[str, str]:
    """What each band goes from, in words; of other kinds no words."""
    cases = [case["slug"] for case in msgspec.json.decode(row["segments"])]
    if row["kind"] != "bands" or len(cases) != len(measure.cuts) + 1:
        return dict.fromkeys(cases, "")
    told = [amount(cut, measure.money, workspace.currency, 6) for cut in reversed(measure.cuts)]
    return dict(zip(cases, [*(f"from {one}" for one in told), f"below {told[-1]}"], strict=True))


# -- the quadrant ------------------------------------------------------------------------------------------------------


async def _quadrant(
    db: Reader, row: Record, workspace: Workspace, axes: Sequence[Axis], cuts: Sequence[Frozen], of: Sequence[Number]
) -> str:
    asked = [
        (one, None if axis.cuts.within is None else shown(axis.cuts.within, ACCOUNTS, workspace))
        for one, axis in zip(of, axes, strict=True)
    ]
    listed, total = await rows.points(db, workspace, row["id"], asked, POINTS)
    standing = await kept.standing(db, workspace.id, row["id"])

    def drawn() -> str:
        points = [point for one in listed if (point := _point(one, axes, cuts, of, workspace)) is not None]
        measures = [_axis(axis, one, frozen) for axis, one, frozen in zip(axes, of, cuts, strict=True)]
        accounts = sum(n for n, _ in standing.values())
        panels: tuple[str, ...] = ("",)
        if len(axes) > 2:
            title = measures[2].title
            panels = tuple(f"{title}: {level}" for level in reversed(LEVELS[axes[2].cuts.count]))
        cells = _cells(row, axes, standing, workspace)
        x, y = measures[:2]
        return quadrant(
            Quadrant(
                row["name"],
                workspace.currency,
                x,
                y,
                cells,
                points,
                total,
                accounts - total,
                panels,
                row["detail"] or "",
            )
        )

    return await aside(drawn)


def _axis(axis: Axis, of: Number, frozen: Frozen) -> Measure:
    if axis.cuts.within is None:
        return _measure(axis.field, of, frozen)
    cuts = tuple(float(n + 1) for n in range(axis.cuts.count))
    name = _measure(axis.field, of, None).title
    told = f"{name} ÷ cut of the own book" if len(cuts) == 1 else f"{name} among the cuts of the own book"
    return Measure(told, False, cuts)


def _point(
    row: Record, axes: Sequence[Axis], cuts: Sequence[Frozen], of: Sequence[Number], workspace: Workspace
) -> Point | None:
    """None for one whose book has no cuts: it stands on no level."""
    places: list[float] = []
    for axis, frozen, one, value, key in zip(axes, cuts, of, row["at"], row["books"], strict=True):
        at = value * _factor(one, workspace)
        if axis.cuts.within is None:
            places.append(at)
        elif (book := frozen.books.get(key)) is None or len(book.at) != axis.cuts.count:
            return None
        else:
            places.append(relative(at, book.at))
    panel = 0
    if len(axes) > 2:
        bounds = (
            [float(c) for c in cuts[2].at]
            if axes[2].cuts.within is None
            else [float(n + 1) for n in range(axes[2].cuts.count)]
        )
        panel = sum(places[2] < bound for bound in bounds)
    return Point(row["segment"], places[0], places[1], row["arr"] * 10.0**-workspace.minor_digits, panel)


def _cells(
    row: Record, axes: Sequence[Axis], standing: Mapping[str, tuple[int, int]], workspace: Workspace
) -> list[Cell]:
    cells = []
    for case in msgspec.json.decode(row["segments"]):
        accounts, arr = standing.get(case["slug"], (0, 0))
        levels = [_places(axis, case.get(side)) for axis, side in zip(axes, SIDES, strict=False)]
        panels = [axes[2].cuts.count - level for level in levels[2]] if len(axes) > 2 else [0]
        every = ((i, j, panel) for i, j, panel in product(levels[0], levels[1], panels))
        places = sorted(every, key=lambda at: (at[2], -at[1], -at[0]))
        cells.append(
            Cell(case["slug"], case["name"], case.get("colour"), accounts, float(workspace.major(arr)), tuple(places))
        )
    return cells


def _places(axis: Axis, told: str | Sequence[str] | None) -> list[int]:
    """Which levels these are, the lowest 0; all where none is told."""
    levels = LEVELS[axis.cuts.count]
    return [levels.index(name) for name in ([told] if isinstance(told, str) else told or levels)]
