"""What a segmentation is: read strictly from a body, expanded by its cuts into ordered criteria."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, TypeGuard

from app.domain.criteria import text, tree
from app.domain.criteria.nodes import Node
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, StrataError, escape
from app.domain.records import SLUG, UNSTORABLE

Kind = Literal["bands", "matrix", "rules"]
KINDS: tuple[Kind, ...] = ("bands", "matrix", "rules")
By = Literal["absolute", "percentile", "median"]
BYS: tuple[By, ...] = ("absolute", "percentile", "median")
LEVELS: Mapping[int, tuple[str, ...]] = {1: ("low", "high"), 2: ("low", "medium", "high")}
"""What the parts of an axis are called, lowest first, by its number of cuts."""
REST = "unclassified"
RESERVED = ("presets",)
MAX_SEGMENTS = 50
MAX_CUTS = 20
NAME_LENGTH = 200
MOST_FAULTS = 50
ENGAGEMENT_BYTES = 4096
COLOUR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where a number is cut, ascending: amounts (money in major units), shares from 0 to 1, or the median.

    `among` says over which accounts shares are taken; an account on a cut belongs above it.
    """

    by: By
    at: tuple[Decimal, ...]
    among: Node | None = None

    @property
    def count(self) -> int:
        return 1 if self.by == "median" else len(self.at)

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares to be looked up in the accounts; empty where the cuts are amounts."""
        if self.by == "absolute":
            return ()
        return (0.5,) if self.by == "median" else tuple(float(share) for share in self.at)


@dataclass(frozen=True, slots=True)
class Axis:
    """A numeric field by its path, and its cuts."""

    field: str
    cuts: Cuts


@dataclass(frozen=True, slots=True)
class Segment:
    """`criteria` is given for rules alone; `cell` is the level on each axis of a matrix."""

    slug: str
    name: str
    colour: str | None = None
    engagement: Mapping[str, Any] | None = None
    criteria: Node | None = None
    cell: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Segments in the order in which they are tried; of bands the highest first. `axes`: none for rules, one for bands,
    two for a matrix (x, y). Accounts that no segment takes stand in `rest`."""

    slug: str
    name: str
    kind: Kind
    axes: tuple[Axis, ...]
    segments: tuple[Segment, ...]
    rest: str = REST


def read(slug: str, body: object) -> Segmentation:
    """A segmentation from the members name, kind, spec, segments, rest. Raises Invalid with every fault found."""
    faults = _Faults()
    members = faults.members(body, "", ("name", "kind", "spec", "segments", "rest"), ("name", "kind", "segments"))
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        faults.add("", f"Expected a slug of lower-case letters, digits, - and _, and not {RESERVED[0]}.")
    kind = faults.one_of(members.get("kind"), "/kind", KINDS)
    name = faults.line(members.get("name"), "/name")
    rest = faults.slug(REST if members.get("rest") is None else members["rest"], "/rest")
    axes = _axes(faults, kind, members.get("spec")) if kind else ()
    segments = _segments(faults, kind, members.get("segments")) if kind else ()
    if kind and not faults.found:
        _fitting(faults, kind, axes, segments)
    faults.raise_any()
    assert kind is not None
    return Segmentation(slug, name, kind, axes, segments, rest)


def spec(of: Segmentation) -> dict[str, Any]:
    """The `spec` that reads as these axes."""
    shown = [{"field": axis.field, "cuts": _spec_of_cuts(axis.cuts)} for axis in of.axes]
    match of.kind:
        case "rules":
            return {}
        case "bands":
            return shown[0]
        case "matrix":
            return {"x": shown[0], "y": shown[1]}


def _spec_of_cuts(cuts: Cuts) -> dict[str, Any]:
    shown: dict[str, Any] = {"by": cuts.by}
    if cuts.by != "median":
        shown["at"] = list(cuts.at)
    return shown if cuts.among is None else shown | {"among": text.format(cuts.among)}


# -- reading -----------------------------------------------------------------------------------------------------------


class _Faults:
    """Reads members and keeps what was wrong with them, each by its JSON pointer."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, pointer: str, message: str, suggestion: str | None = None) -> None:
        self.found.append(Fault(message, pointer=pointer, suggestion=suggestion))

    def raise_any(self) -> None:
        if self.found:
            raise Invalid(faults=tuple(self.found[:MOST_FAULTS]))

    def members(self, told: object, pointer: str, allowed: Sequence[str], required: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(told, Mapping):
            self.add(pointer, "Expected an object.")
            return {}
        for member in told:
            if member not in allowed and len(self.found) < MOST_FAULTS:
                where = f"{pointer}/{escape(str(member))}"
                self.add(where, "Expected no member of this name.", nearest(str(member), allowed))
        for member in required:
            if told.get(member) is None:
                self.add(f"{pointer}/{member}", "Expected a value.")
        return told

    def one_of(self, told: object, pointer: str, allowed: Iterable[Any]) -> Any:
        names = tuple(allowed)
        if told in names:
            return told
        if told is not None:
            near = nearest(told, names) if isinstance(told, str) else None
            self.add(pointer, f"Expected one of {', '.join(names)}.", near)
        return None

    def line(self, told: object, pointer: str) -> str:
        if isinstance(told, str) and 0 < len(told) <= NAME_LENGTH and not UNSTORABLE.search(told):
            return told
        if told is not None:
            self.add(pointer, f"Expected a name of 1 to {NAME_LENGTH} characters.")
        return ""

    def slug(self, told: object, pointer: str) -> str:
        if isinstance(told, str) and SLUG.fullmatch(told):
            return told
        if told is not None:
            self.add(pointer, "Expected a slug of lower-case letters, digits, - and _.")
        return ""

    def criteria(self, told: object, pointer: str) -> Node | None:
        """Text or tree; what is wrong within keeps its line and column, or its pointer."""
        try:
            if isinstance(told, str):
                return text.parse(told)
            return tree.load(told, pointer)
        except StrataError as error:
            for fault in error.faults or (Fault(error.detail),):
                self.found.append(
                    Fault(fault.message, fault.pointer or pointer, None, fault.line, fault.column, fault.suggestion)
                )
        return None


def _axes(faults: _Faults, kind: Kind, told: object) -> tuple[Axis, ...]:
    match kind:
        case "rules":
            if told is not None and told != {}:
                faults.add("/spec", "Expected no spec: rules say everything in their criteria.")
            return ()
        case "bands":
            return (_axis(faults, told, "/spec", MAX_CUTS),)
        case "matrix":
            both = faults.members(told, "/spec", ("x", "y"), ("x", "y"))
            return tuple(_axis(faults, both.get(side), f"/spec/{side}", 2) for side in ("x", "y") if side in both)


def _axis(faults: _Faults, told: object, pointer: str, most: int) -> Axis:
    members = faults.members(told, pointer, ("field", "cuts"), ("field", "cuts"))
    field = faults.line(members.get("field"), f"{pointer}/field")
    return Axis(field, _cuts(faults, members.get("cuts", {}), f"{pointer}/cuts", most))


def _cuts(faults: _Faults, told: object, pointer: str, most: int) -> Cuts:
    members = faults.members(told, pointer, ("by", "at", "among"), ("by",))
    by: By | None = faults.one_of(members.get("by"), f"{pointer}/by", BYS)
    at: tuple[Decimal, ...] = ()
    if by == "median":
        if "at" in members:
            faults.add(f"{pointer}/at", "Expected no cuts: the median is one.")
    elif by is not None:
        at = _points(faults, members.get("at"), f"{pointer}/at", most, share=by == "percentile")
    among = members.get("among")
    if among is not None and by == "absolute":
        faults.add(f"{pointer}/among", "Expected no accounts: absolute cuts are not taken over any.")
        among = None
    return Cuts(by or "absolute", at, None if among is None else faults.criteria(among, f"{pointer}/among"))


def _points(faults: _Faults, told: object, pointer: str, most: int, *, share: bool) -> tuple[Decimal, ...]:
    if not isinstance(told, list | tuple) or not 1 <= len(told) <= most or not all(map(_is_number, told)):
        faults.add(pointer, f"Expected an array of 1 to {most} numbers.")
        return ()
    points = tuple(Decimal(str(point)) for point in told)
    if any(above <= below for below, above in pairwise(points)):
        faults.add(pointer, "Expected cuts in ascending order, each once.")
    if share and not all(0 < point < 1 for point in points):
        faults.add(pointer, "Expected shares between 0 and 1.")
    return points


def _is_number(told: object) -> TypeGuard[int | float | Decimal]:
    if isinstance(told, bool) or not isinstance(told, int | float | Decimal):
        return False
    return math.isfinite(told) and abs(Decimal(told)) < 10**18


def _segments(faults: _Faults, kind: Kind, told: object) -> tuple[Segment, ...]:
    if not isinstance(told, list | tuple) or not 1 <= len(told) <= MAX_SEGMENTS:
        faults.add("/segments", f"Expected an array of 1 to {MAX_SEGMENTS} segments.")
        return ()
    found = tuple(_segment(faults, kind, one, f"/segments/{n}") for n, one in enumerate(told))
    seen: set[str] = set()
    for n, segment in enumerate(found):
        if segment.slug in seen:
            faults.add(f"/segments/{n}/slug", "Expected a slug that no other segment has.")
        seen.add(segment.slug)
    return found


OF_KIND: Mapping[Kind, tuple[str, ...]] = {"bands": (), "matrix": ("x", "y"), "rules": ("criteria",)}


def _segment(faults: _Faults, kind: Kind, told: object, pointer: str) -> Segment:
    own = OF_KIND[kind]
    members = faults.members(told, pointer, ("slug", "name", "colour", "engagement", *own), ("slug", "name", *own))
    colour, engagement = members.get("colour"), members.get("engagement")
    if colour is not None and not (isinstance(colour, str) and COLOUR.fullmatch(colour)):
        faults.add(f"{pointer}/colour", "Expected a colour such as #2f6fde.")
        colour = None
    if engagement is not None and not (isinstance(engagement, Mapping) and _fits(engagement)):
        faults.add(f"{pointer}/engagement", f"Expected an object of at most {ENGAGEMENT_BYTES} bytes.")
        engagement = None
    criteria = (
        faults.criteria(members["criteria"], f"{pointer}/criteria")
        if "criteria" in own and "criteria" in members
        else None
    )
    return Segment(
        faults.slug(members.get("slug"), f"{pointer}/slug"), faults.line(members.get("name"), f"{pointer}/name"), colour,
        engagement, criteria, (members.get("x", ""), members.get("y", "")) if kind == "matrix" else None,
    )  # fmt: skip


def _fits(engagement: Mapping[Any, Any]) -> bool:
    try:
        return len(written := json.dumps(engagement, default=str)) <= ENGAGEMENT_BYTES and "\\u0000" not in written
    except (RecursionError, ValueError):
        return False


def _fitting(faults: _Faults, kind: Kind, axes: tuple[Axis, ...], segments: tuple[Segment, ...]) -> None:
    """As many segments as the cuts leave room for: each band and each cell once."""
    if kind == "bands" and len(segments) != axes[0].cuts.count + 1:
        faults.add(
            "/segments", f"Expected {axes[0].cuts.count + 1} segments, the highest first: one more than there are cuts."
        )
    if kind == "matrix":
        x, y = (LEVELS[axis.cuts.count] for axis in axes)
        for n, segment in enumerate(segments):
            for side, level, levels in zip("xy", segment.cell or (), (x, y), strict=False):
                faults.one_of(level or "", f"/segments/{n}/{side}", levels)
        if not faults.found and (len({s.cell for s in segments}) != len(segments) or len(segments) != len(x) * len(y)):
            faults.add("/segments", f"Expected a segment for each of the {len(x) * len(y)} cells, and no cell twice.")
