"""What a segmentation is: ordered segments of criteria, however its kind says them; whoever none takes stands in the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.domain.criteria.nodes import All, Node, Not
from app.domain.segmentation.axes import Axis

Kind = Literal["rules", "bands", "matrix", "score", "lanes"]
KINDS: tuple[Kind, ...] = ("rules", "bands", "matrix", "score", "lanes")
Refreeze = Literal["week", "month", "quarter", "year"]
REFREEZES: tuple[Refreeze, ...] = ("week", "month", "quarter", "year")
REST = "unclassified"
RESERVED = ("presets", "suggest")
MAX_SEGMENTS = 50
NOTHING: Node = Not(All())
"""Holds for no account: what a level means as long as there are no cuts."""


@dataclass(frozen=True, slots=True)
class Segment:
    """`criteria` is given for rules alone; `cell` are the levels on each axis of a matrix, none where any will do; `lane` is
    that of lanes."""

    slug: str
    name: str
    colour: str | None = None
    engagement: Mapping[str, Any] | None = None
    criteria: Node | None = None
    cell: tuple[tuple[str, ...], ...] | None = None
    lane: str | None = None


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Segments in the order in which they are tried; of bands and scores the highest first. `spec` is what the kind needs,
    `axes` what of it is cut, in the order in which cuts are kept. Accounts that no segment takes stand in `rest`.
    `refreeze`: how often cuts are taken anew; None: when somebody asks. `band` and `confirm` stop flapping (see
    hysteresis); None of either is off."""

    slug: str
    name: str
    kind: Kind
    spec: Any
    axes: tuple[Axis, ...]
    segments: tuple[Segment, ...]
    rest: str = REST
    refreeze: Refreeze | None = None
    band: float | None = None
    confirm: str | None = None
