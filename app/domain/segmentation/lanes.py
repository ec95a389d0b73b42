"""Lanes of reaction: what a scenario means for the account's industry first, then considerations, which together lift or
lower an account by one lane.

A consideration lifts from a value on, and lowers below one. Where more lift than lower the account stands a lane better,
where more lower a lane worse. Whoever has no impact, for want of an industry or of a word in the scenario, is in the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.criteria.nodes import All, And, Cmp, Const, Empty, Node, Not, Or, Path
from app.domain.scenarios import IMPACTS
from app.domain.segmentation.axes import NEEDED, Axis
from app.domain.segmentation.cuts import Frozen
from app.domain.segmentation.model import Segment
from app.domain.segmentation.points import at_least
from app.domain.segmentation.reading import Faults
from app.domain.segmentation.scorecard import plain, scale

IMPACT = "impact"
MOST = 5
INSIDE = 5
"""How deep what lifts may nest: it stands inside OR, AND and NOT."""


@dataclass(frozen=True, slots=True)
class Consideration:
    """A number that lifts from a value on, and lowers below another; None where it does not."""

    field: str
    lifts_from: Decimal | None
    lowers_below: Decimal | None
    pointer: str = ""


Spec = tuple[Consideration, ...]


def read(faults: Faults, told: object) -> Spec:
    """`{considerations: […]}`; without any the impact alone decides."""
    members = faults.members({} if told is None else told, "/spec", ("considerations",), ())
    given = members.get("considerations")
    if given is None or given == []:
        return ()
    listed = faults.array(given, "/spec/considerations", MOST, "considerations")
    return tuple(_consideration(faults, one, f"/spec/considerations/{n}") for n, one in enumerate(listed))


def _consideration(faults: Faults, told: object, pointer: str) -> Consideration:
    names = ("lifts_from", "lowers_below")
    members = faults.members(told, pointer, ("field", *names), {"field": NEEDED["field"]})
    lifts, lowers = (
        None if members.get(name) is None else faults.number(members[name], f"{pointer}/{name}") for name in names
    )
    if lifts is None and lowers is None:
        faults.add(pointer, "Expected lifts_from, lowers_below, or both.")
    elif lifts is not None and lowers is not None and lowers >= lifts:
        faults.add(f"{pointer}/lowers_below", "Expected less than lifts_from.")
    return Consideration(faults.line(members.get("field"), f"{pointer}/field"), lifts, lowers, pointer)


def told(spec: Spec) -> dict[str, Any]:
    """What reads as the considerations."""
    return {
        "considerations": [
            {"field": one.field, "lifts_from": one.lifts_from, "lowers_below": one.lowers_below} for one in spec
        ]
    }


def axes(_: Spec) -> tuple[Axis, ...]:
    """None: what lifts and lowers is said as amounts."""
    return ()


def fit(faults: Faults, _: Spec, segments: Sequence[Segment]) -> None:
    """A segment for each lane, the worst first."""
    for n, segment in enumerate(segments):
        faults.one_of(segment.lane or "", f"/segments/{n}/lane", IMPACTS)
    if not faults.found and [segment.lane for segment in segments] != list(IMPACTS):
        faults.add("/segments", f"Expected a segment for each lane, in order: {', '.join(IMPACTS)}.")


def expand(spec: Spec, _cuts: Sequence[Frozen], _segments: Sequence[Segment]) -> tuple[Node, ...]:
    """A criteria per lane, the worst first: those before it have taken what is worse."""
    severe, medium, low = (Cmp(Path(IMPACT), "eq", Const(name)) for name in IMPACTS)
    if not spec:
        return severe, medium, low
    scales = [
        scale(measure := plain(one.field, one.lifts_from, one.lowers_below), Frozen(_at(measure), date.min))
        for one in spec
    ]
    lifted, lowered = at_least(scales, Decimal(1), INSIDE), _not(at_least(scales, Decimal(0), INSIDE))
    return (
        _any((severe, _not(lifted)), (medium, lowered)),
        _any((severe,), (medium, _not(lifted)), (low, lowered)),
        Not(Empty(Path(IMPACT))),
    )


def _at(measure: Any) -> tuple[Decimal, ...]:
    found: tuple[Decimal, ...] = measure.axis.cuts.at
    return found


def _not(node: Node) -> Node:
    return node.arg if isinstance(node, Not) else Not(node)


def _any(*ways: tuple[Node, ...]) -> Node:
    """One of the ways, without those that are none."""
    held = [way for way in ways if not any(isinstance(part, Not) and isinstance(part.arg, All) for part in way)]
    made = [_all([part for part in way if not isinstance(part, All)]) for way in held]
    return made[0] if len(made) == 1 else Or(tuple(made))


def _all(parts: Sequence[Node]) -> Node:
    flat: list[Node] = []
    for part in parts:
        flat += part.args if isinstance(part, And) else (part,)
    return flat[0] if len(flat) == 1 else And(tuple(flat))
