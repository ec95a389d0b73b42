"""Segmentations read strictly from bodies, and what is stored read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain.scenarios import IMPACTS
from app.domain.segmentation import care, hysteresis, lanes, matrix
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.kinds import MAKING
from app.domain.segmentation.model import (
    KINDS,
    MAX_SEGMENTS,
    REFREEZES,
    RESERVED,
    REST,
    Kind,
    Refreeze,
    Segment,
    Segmentation,
)
from app.domain.segmentation.reading import COLOUR, Faults, is_number
from app.domain.values import SLUG

MEMBERS = ("name", "kind", "spec", "segments", "rest", "refreeze", "band", "confirm")
NEEDED = {
    "name": "a name",
    "kind": f"one of {', '.join(KINDS)}",
    "segments": f"an array of 1 to {MAX_SEGMENTS} segments",
}
"""What a definition cannot be without, and what is expected of it."""
OF_ALL = ("slug", "name", "colour", "engagement")
OF_SEGMENTS = {
    "slug": "a slug of lower-case letters, digits, - and _", "name": "a name", "criteria": "criteria, such as arr >= 100000",
    "lane": f"one of {', '.join(IMPACTS)}",
}  # fmt: skip


def read(slug: str, body: object) -> Segmentation:
    """A segmentation from MEMBERS. Raises Invalid with every fault found."""
    faults = Faults()
    members = faults.members(body, "", MEMBERS, NEEDED)
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        faults.add("", f"Expected a slug of lower-case letters, digits, - and _, and not {' or '.join(RESERVED)}.")
    kind: Kind | None = faults.one_of(members.get("kind"), "/kind", KINDS)
    name = faults.line(members.get("name"), "/name")
    rest = faults.slug(REST if members.get("rest") is None else members["rest"], "/rest")
    refreeze: Refreeze | None = faults.one_of(members.get("refreeze"), "/refreeze", REFREEZES)
    band, confirm = _band(faults, members.get("band")), _confirm(faults, members.get("confirm"))
    if kind is None:
        faults.raise_any()
    assert kind is not None
    making = MAKING[kind]
    spec = making.read(faults, members.get("spec"))
    segments = () if members.get("segments") is None else _segments(faults, kind, members["segments"])
    if not faults.found:
        making.fit(faults, spec, segments)
    faults.raise_any()
    axes = making.axes(spec)
    if refreeze is not None and all(axis.cuts.by == "absolute" for axis in axes):
        faults.add("/refreeze", "Expected none: no cuts are taken from the accounts.")
    _one_population(faults, axes)
    faults.raise_any()
    return Segmentation(slug, name, kind, spec, axes, segments, rest, refreeze, band, confirm)


def again(row: Mapping[str, Any]) -> Segmentation:
    """The segmentation of which the slug and MEMBERS are stored."""
    own = {*OF_ALL, *MAKING[row["kind"]].own}
    segments = [{name: value for name, value in case.items() if name in own} for case in row["segments"]]
    return read(row["slug"], {name: row[name] for name in MEMBERS} | {"segments": segments})


def axes_of(kind: Kind, spec: Mapping[str, Any]) -> tuple[Axis, ...]:
    """The axes of a stored spec."""
    making = MAKING[kind]
    return making.axes(making.read(Faults(), spec))


def fields_of(kind: Kind, spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that a stored spec places accounts by, each once, in order; of criteria none."""
    read_ = MAKING[kind].read(Faults(), spec)
    if kind == "score":
        named = [one.field for one in read_.measures if one.field]
    elif kind == "lanes":
        named = [lanes.IMPACT, *(one.field for one in read_)]
    else:
        named = [axis.field for axis in MAKING[kind].axes(read_)]
    return tuple(dict.fromkeys(named))


def parts(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What of a stored spec names fields: the axes of bands and of a matrix, measures of a score, considerations of lanes."""
    axes = (spec, spec.get("x"), spec.get("y"), spec.get("z"))
    yield from (part for part in (*axes, *spec.get("measures", ()), *spec.get("considerations", ())) if part)


def _band(faults: Faults, told: object) -> float | None:
    if told is None or (is_number(told) and 0 < told < 1):
        return None if told is None else float(told)
    faults.add("/band", "Expected a share above 0 and below 1, such as 0.1.")
    return None


def _confirm(faults: Faults, told: object) -> str | None:
    if told is None or (isinstance(told, str) and hysteresis.span(told) is not None):
        return told
    faults.add("/confirm", "Expected a time of at most 366 days in hours, days or weeks, such as 36h, 2d or 1w.")
    return None


def _one_population(faults: Faults, axes: Sequence[Axis]) -> None:
    """Cuts of a field within the same books are told apart by their shares alone."""
    seen: dict[tuple[str, str], Any] = {}
    for axis in axes:
        if axis.cuts.within is None:
            continue
        if seen.setdefault((axis.field, axis.cuts.within), axis.cuts.among) != axis.cuts.among:
            faults.add(f"{axis.pointer}/cuts/among", "Expected the same accounts for the same field within its books.")


def _segments(faults: Faults, kind: Kind, told: object) -> tuple[Segment, ...]:
    listed = faults.array(told, "/segments", MAX_SEGMENTS, "segments")
    found = tuple(_segment(faults, kind, one, f"/segments/{n}") for n, one in enumerate(listed))
    seen: set[str] = set()
    for n, segment in enumerate(found):
        if segment.slug in seen:
            faults.add(f"/segments/{n}/slug", "Expected a slug that no other segment has.")
        seen.add(segment.slug)
    return found


def _segment(faults: Faults, kind: Kind, told: object, pointer: str) -> Segment:
    making = MAKING[kind]
    members = faults.members(
        told, pointer, (*OF_ALL, *making.own), {name: OF_SEGMENTS[name] for name in ("slug", "name", *making.needed)}
    )
    colour, engagement = members.get("colour"), members.get("engagement")
    if colour is not None and not (isinstance(colour, str) and COLOUR.fullmatch(colour)):
        faults.add(f"{pointer}/colour", "Expected a colour such as #2f6fde.")
        colour = None
    if engagement is not None:
        engagement = care.check(faults, engagement, f"{pointer}/engagement")
    criteria = None
    if "criteria" in making.own and members.get("criteria") is not None:
        criteria = faults.criteria(members["criteria"], f"{pointer}/criteria")
    return Segment(
        faults.slug(members.get("slug"), f"{pointer}/slug"), faults.line(members.get("name"), f"{pointer}/name"), colour,
        engagement, criteria, matrix.cell(members) if kind == "matrix" else None,
        faults.line(members.get("lane"), f"{pointer}/lane") if kind == "lanes" else None,
    )  # fmt: skip
