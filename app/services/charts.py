"""A segmentation as a picture: its accounts between cuts, how a number is spread over its segments, or bars of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from app.domain.errors import Invalid
from app.domain.pictures.bars import Bar, Bars, bars
from app.domain.pictures.histogram import Histogram, Row, bands, binned, distribution
from app.domain.pictures.scales import Measure
from app.domain.pictures.svg import REST, amount
from app.domain.roles import Principal, permit
from app.domain.segmentation.bands import is_cut
from app.domain.segmentation.bodies import axes_of
from app.domain.segmentation.cuts import Frozen, loaded
from app.domain.workspaces import Workspace
from app.persistence import charts as rows
from app.persistence import segments as kept
from app.persistence.database import Reader, Record
from app.services.aside import aside
from app.services.numbers import Number, measured, number, unit
from app.services.quadrants import quadrant_of
from app.services.segment_states import words
from app.services.segmentation_documents import computed, found, names

MONEY = "arr"
"""What is spread where nothing else is told."""


async def chart(db: Reader, principal: Principal, slug: str, now: datetime) -> str:
    """The segments as SVG text: accounts between the cuts of a matrix, the spread of a number over bands, else bars. What
    has no cuts, or names a field that is gone, is bars too, and says why. Raises NotFound."""
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    note = words(row, workspace, now)
    if row["kind"] in ("matrix", "bands"):
        if all(is_cut(axis, frozen) for axis, frozen in zip(axes, cuts, strict=True)):
            try:
                of = [number(axis.field, workspace) for axis in axes]
            except Invalid:
                return await _bars(db, row, workspace, note)
            if row["kind"] == "matrix":
                return await quadrant_of(db, row, workspace, axes, cuts, of, now)
            if axes[0].cuts.within is None:
                picture = await _histogram(db, row, workspace, of[0], axes[0].field, cuts[0], now)
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
    picture = await _histogram(db, row, workspace, of, path, cuts, now)
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


async def spread_chart(db: Reader, principal: Principal, slug: str, now: datetime, field: str | None = None) -> str:
    """The same as SVG text, a row for each segment. Raises NotFound, Invalid."""
    permit(principal, "segmentations.read")
    row, workspace = await found(db, principal.workspace.id, slug), principal.workspace
    path, of, cuts = _asked(row, workspace, field)
    picture = await _histogram(db, row, workspace, of, path, cuts, now)
    return await aside(lambda: distribution(_drawn(picture, row)))


def _asked(row: Record, workspace: Workspace, field: str | None) -> tuple[str, Number, Frozen | None]:
    """The field, what it is, and what it is cut at where it is an axis of its own."""
    axes = axes_of(row["kind"], msgspec.json.decode(row["spec"]))
    cuts = loaded(msgspec.json.decode(row["cuts"]))
    path = field if field is not None else axes[0].field if axes else MONEY
    cut = next((f for axis, f in zip(axes, cuts, strict=True) if axis.field == path and not axis.cuts.within), None)
    return path, number(path, workspace), cut


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
    db: Reader, row: Record, workspace: Workspace, of: Number, path: str, cuts: Frozen | None, now: datetime
) -> Histogram:
    factor, measure = unit(of, workspace), measured(path, of, cuts)
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
    return Histogram(row["name"], workspace.currency, measure, edges, log, drawn, words(row, workspace, now))


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
