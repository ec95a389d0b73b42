"""Rules: each segment says its criteria itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.criteria.nodes import Node
from app.domain.segmentation.axes import Axis
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.model import NOTHING, Segment
from app.domain.segmentation.reading import Faults


def read(faults: Faults, told: object) -> None:
    """Nothing: rules need no spec."""
    if told is not None and told != {}:
        faults.add("/spec", "Expected no spec: rules say everything in their criteria.")


def told(_: None) -> dict[str, Any]:
    """The empty spec."""
    return {}


def axes(_: None) -> tuple[Axis, ...]:
    """None: nothing is cut."""
    return ()


def fit(_faults: Faults, _spec: None, _segments: Sequence[Segment]) -> None:
    """Rules fit as they are."""


def expand(_spec: None, _cuts: Sequence[Frozen], segments: Sequence[Segment]) -> tuple[Node, ...]:
    """The criteria as they were given."""
    return tuple(segment.criteria or NOTHING for segment in segments)
