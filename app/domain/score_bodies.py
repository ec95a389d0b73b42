"""What scores are made of, as bodies say it: read, told, and stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.criteria import text
from app.domain.criteria.formatter import operand
from app.domain.criteria.nodes import Empty, Operand, Rank
from app.domain.engagement import CONSUMPTION, ENGAGEMENT, Component
from app.domain.errors import Fault, StrataError
from app.domain.members import below
from app.domain.scores import DEFAULT, FULL, MISSING, NAMES, HealthModel, Measure, Missing, Scores
from app.domain.segmentation.reading import Faults

MOST_MEASURES = 20
MOST_SEGMENTS = 50
MOST_WEIGHT = 1_000_000
MEASURE = ("of", "name", "worst", "best", "weight", "missing", "count_as")


def operand_of(measure: Measure) -> Operand:
    """What a measure is of, as criteria say it."""
    node = text.parse(f"{measure.of} IS EMPTY")
    assert isinstance(node, Empty), "it was read so"
    return node.of


def read(body: Mapping[str, object]) -> Scores:
    """`{health?, engagement?, consumption?}`; what is left out is as it is unless told otherwise. Raises Invalid."""
    faults = Faults()
    members = faults.members(body, "", NAMES, ())
    found = Scores(
        _health(faults, members.get("health")),
        _components(faults, members.get("engagement"), "/engagement", ENGAGEMENT),
        _components(faults, members.get("consumption"), "/consumption", CONSUMPTION),
    )
    faults.raise_any()
    return found


def _health(faults: Faults, told: object) -> HealthModel | None:
    if told is None:
        return None
    members = faults.members(told, "/health", ("source", "measures", "by"), ("source",))
    source = faults.one_of(members.get("source"), "/health/source", ("outside", "model"))
    if source != "model":
        for name in ("measures", "by"):
            if members.get(name) is not None:
                faults.add(f"/health/{name}", "Expected nothing here: health comes from outside.")
        return None
    given = faults.array(members.get("measures"), "/health/measures", MOST_MEASURES, "measures")
    measures = tuple(_measure(faults, one, f"/health/measures/{n}") for n, one in enumerate(given))
    for n, one in enumerate(measures):
        if one.name and one.name in [other.name for other in measures[:n]]:
            faults.add(f"/health/measures/{n}/name", "Expected a name that no other measure has.")
    if measures and not any(one.weight > 0 for one in measures):
        faults.add("/health/measures", "Expected a weight above 0.")
    by, weights = _by(faults, members.get("by"), [one.name for one in measures])
    return HealthModel(measures, by, weights)


def _measure(faults: Faults, told: object, pointer: str) -> Measure:
    members = faults.members(told, pointer, MEASURE, ("of", "worst", "best"))
    of = _of(faults, members.get("of"), f"{pointer}/of")
    worst, best = (_number(faults, members.get(name), f"{pointer}/{name}") for name in ("worst", "best"))
    if worst == best and not faults.found:
        faults.add(f"{pointer}/best", "Expected another number than the worst.")
        best = worst + 1
    missing: Missing = faults.one_of(members.get("missing"), f"{pointer}/missing", MISSING) or "leave_out"
    count_as = members.get("count_as")
    if (count_as is not None) != (missing == "count_as"):
        words = "the points that it counts as" if missing == "count_as" else "no points: a missing value has none"
        faults.add(f"{pointer}/count_as", f"Expected {words}.")
    name = faults.line(members.get("name"), f"{pointer}/name") or of
    weight = 1.0 if members.get("weight") is None else _weight(faults, members["weight"], f"{pointer}/weight")
    given = _number(faults, count_as, f"{pointer}/count_as", 0, FULL) if count_as is not None else 0.0
    return Measure(of, name, worst, best, weight, missing, given)


def _of(faults: Faults, told: object, pointer: str) -> str:
    """A field or a function as criteria write it, canonically."""
    written = faults.line(told, pointer)
    if not written:
        return ""
    try:
        node = text.parse(f"{written} IS EMPTY")
    except StrataError as error:
        faults.found += [Fault(fault.message, pointer=pointer) for fault in error.faults] or [
            Fault(error.detail, pointer=pointer)
        ]
        return ""
    if not isinstance(node, Empty) or isinstance(node.of, Rank):
        faults.add(pointer, "Expected a field, or a function such as count(tickets, last(90d)).")
        return ""
    return operand(node.of)


def _by(
    faults: Faults, told: object, names: Sequence[str]
) -> tuple[str | None, Mapping[str, tuple[float, ...]] | None]:
    if told is None:
        return None, None
    members = faults.members(told, "/health/by", ("segmentation", "weights"), ("segmentation", "weights"))
    slug = faults.slug(members.get("segmentation"), "/health/by/segmentation")
    given = members.get("weights")
    if not isinstance(given, Mapping) or not 1 <= len(given) <= MOST_SEGMENTS:
        faults.add("/health/by/weights", f"Expected an object of 1 to {MOST_SEGMENTS} segments and their weights.")
        return slug, None
    return slug, {
        segment: _weights(faults, of, f"/health/by/weights{below(segment)}", names) for segment, of in given.items()
    }


def _weights(faults: Faults, told: object, at: str, names: Sequence[str]) -> tuple[float, ...]:
    """A weight for each measure; one that is not named has none."""
    members = faults.members(told, at, names, ())
    found = tuple(_weight(faults, members.get(name, 0), f"{at}{below(name)}") for name in names)
    if not any(one > 0 for one in found):
        faults.add(at, "Expected a weight above 0.")
    return found


def _components(faults: Faults, told: object, pointer: str, usual: tuple[Component, ...]) -> tuple[Component, ...]:
    if told is None:
        return usual
    members = faults.members(told, pointer, [one.name for one in usual], ())
    found = tuple(_changed(faults, members.get(one.name), f"{pointer}/{one.name}", one) for one in usual)
    if not any(one.weight > 0 for one in found):
        faults.add(pointer, "Expected a weight above 0.")
    return found


def _changed(faults: Faults, told: object, pointer: str, usual: Component) -> Component:
    if told is None:
        return usual
    members = faults.members(told, pointer, ("weight", "enough"), ())
    said = members.get("weight")
    weight = usual.weight if said is None else _weight(faults, said, f"{pointer}/weight")
    enough = members.get("enough")
    if enough is None:
        return replace(usual, weight=weight)
    if usual.enough is None:
        faults.add(f"{pointer}/enough", "Expected no number: the data say how many there are.")
        return usual
    return replace(usual, weight=weight, enough=_number(faults, enough, f"{pointer}/enough", 1, MOST_WEIGHT))


def _weight(faults: Faults, told: object, pointer: str) -> float:
    return _number(faults, told, pointer, 0, MOST_WEIGHT)


def _number(faults: Faults, told: object, pointer: str, low: float | None = None, high: float | None = None) -> float:
    if told is None:
        return 0.0
    given = float(faults.number(told, pointer))
    if (low is not None and given < low) or (high is not None and given > high):
        faults.add(pointer, f"Expected a number from {low:g} to {high:g}.")
    return given


# -- telling -----------------------------------------------------------------------------------------------------------


def told(scores: Scores) -> dict[str, Any]:
    """What reads as the scores, every member said."""
    return {
        "health": _told_health(scores.health),
        "engagement": {one.name: {"weight": one.weight, "enough": one.enough} for one in scores.engagement},
        "consumption": {
            one.name: {"weight": one.weight} | ({"enough": one.enough} if one.enough is not None else {})
            for one in scores.consumption
        },
    }


def _told_health(model: HealthModel | None) -> dict[str, Any]:
    if model is None:
        return {"source": "outside", "measures": None, "by": None}
    names = [one.name for one in model.measures]
    weights = {segment: dict(zip(names, of, strict=True)) for segment, of in (model.weights or {}).items()}
    return {
        "source": "model",
        "measures": [_told_measure(one) for one in model.measures],
        "by": None if model.by is None else {"segmentation": model.by, "weights": weights},
    }


def _told_measure(one: Measure) -> dict[str, Any]:
    shown = {name: getattr(one, name) for name in MEASURE if name != "count_as"}
    return shown | {"count_as": one.count_as if one.missing == "count_as" else None}


@lru_cache(256)
def loaded(stored: bytes | str | None) -> Scores:
    """What was stored."""
    return DEFAULT if stored is None else read(_said(json.loads(stored, parse_float=Decimal)))


def _said(stored: Any) -> Any:
    """Without the members that say nothing."""
    if isinstance(stored, Mapping):
        return {name: _said(one) for name, one in stored.items() if one is not None}
    return [_said(one) for one in stored] if isinstance(stored, list) else stored
