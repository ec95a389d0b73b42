"""The kinds of segmentation: how each is read, cut and expanded into ordered criteria."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.domain.criteria import text
from app.domain.criteria.nodes import Node
from app.domain.segmentation import bands, lanes, matrix, rules, scorecard
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.model import Kind, Segment, Segmentation
from app.domain.segmentation.reading import Faults


@dataclass(frozen=True, slots=True)
class Making:
    """`own` are the members that segments of the kind have beside those of all, `needed` those that they cannot be without.
    `told` gives the spec that reads as a spec. `exclusive`: no account can meet two segments but by their order."""

    own: tuple[str, ...]
    needed: tuple[str, ...]
    read: Callable[[Faults, object], Any]
    told: Callable[[Any], dict[str, Any]]
    axes: Callable[[Any], tuple[Axis, ...]]
    fit: Callable[[Faults, Any, Sequence[Segment]], None]
    expand: Callable[[Any, Sequence[Frozen], Sequence[Segment]], tuple[Node, ...]]
    exclusive: bool = True


def _making(of: Any, *own: str, needed: bool = True, exclusive: bool = True) -> Making:
    return Making(own, own if needed else (), of.read, of.told, of.axes, of.fit, of.expand, exclusive)


MAKING: Mapping[Kind, Making] = MappingProxyType(
    {
        "rules": _making(rules, "criteria", exclusive=False),
        "bands": _making(bands),
        "matrix": _making(matrix, *matrix.SIDES, needed=False),
        "score": _making(scorecard),
        "lanes": _making(lanes, "lane"),
    }
)


def expanded(of: Segmentation, cuts: Sequence[Frozen]) -> tuple[Node, ...]:
    """The criteria of each segment, in order, whatever the kind. Raises TooManyError."""
    return MAKING[of.kind].expand(of.spec, cuts, of.segments)


def spec(of: Segmentation) -> dict[str, Any]:
    """The `spec` that reads as what the segmentation has."""
    return MAKING[of.kind].told(of.spec)


def own(segment: Segment) -> dict[str, Any]:
    """What a segment of a matrix or of lanes says beside its names."""
    if segment.cell is not None:
        return matrix.shown(segment.cell)
    return {} if segment.lane is None else {"lane": segment.lane}


def body(of: Segmentation) -> dict[str, Any]:
    """The body that reads as the segmentation."""
    return {
        "name": of.name, "kind": of.kind, "spec": spec(of), "segments": [_said(one) for one in of.segments], "rest": of.rest,
        "refreeze": of.refreeze, "band": of.band, "confirm": of.confirm,
    }  # fmt: skip


def definition(of: Segmentation) -> dict[str, Any]:
    """The body, criteria spelt so that both doors read them: what is answered to be put back."""
    told = body(of)
    return {**told, "segments": [_spelt(one) for one in told["segments"]]}


def _spelt(segment: dict[str, Any]) -> dict[str, Any]:
    return {**segment, "criteria": {"text": segment["criteria"]}} if "criteria" in segment else segment


def _said(segment: Segment) -> dict[str, Any]:
    criteria = {} if segment.criteria is None else {"criteria": text.format(segment.criteria)}
    named = {"slug": segment.slug, "name": segment.name, "colour": segment.colour, "engagement": segment.engagement}
    return {**named, **criteria, **own(segment)}
