"""Segments that leave a definition: what takes their place, and where criteria name them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from app.domain.criteria.nodes import Cmp, Const, In, Path, Segment, Value
from app.domain.criteria.suggest import nearest
from app.domain.dependents import ALONG, along
from app.domain.errors import Fault, Invalid
from app.domain.members import below

REPLACE = "replace"
MEMBERS = (REPLACE, ALONG)
NOBODY = "\0"
"""What no segment is called."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """`instead`: for a segment that leaves the one that takes its place. `along`: what names the others may mean nothing;
    None where nothing was said of it."""

    instead: Mapping[str, str] = field(default_factory=dict)
    along: bool | None = None


STAYING = Leaving()
"""Nothing was said of segments that leave."""


def read(body: object) -> tuple[Any, Leaving]:
    """The body without MEMBERS, and what these say. Raises Invalid."""
    if not isinstance(body, Mapping):
        return body, STAYING
    instead = body.get(REPLACE)
    said, wrong = along(body)
    faults = [*wrong]
    if instead is not None and not (isinstance(instead, Mapping) and all(isinstance(v, str) for v in instead.values())):
        message = "Expected an object: for each segment that leaves the slug of the one that takes its place."
        faults.append(Fault(message, pointer=f"/{REPLACE}"))
    if faults:
        raise Invalid(faults=tuple(faults))
    rest = {name: told for name, told in body.items() if name not in MEMBERS}
    return rest, Leaving(dict(instead or {}), said)


def told(said: Leaving) -> dict[str, Any]:
    """What reads as it; nothing where nothing was said."""
    return ({REPLACE: dict(said.instead)} if said.instead else {}) | ({ALONG: True} if said.along else {})


def either(said: Leaving, before: Leaving) -> Leaving:
    """What is said now, and what was before where nothing is: what was said then can be taken back."""
    return Leaving({**before.instead, **said.instead}, before.along if said.along is None else said.along)


def gone(before: Iterable[str], after: Collection[str]) -> tuple[str, ...]:
    """The segments of before, the rest included, that are none of after, in their order."""
    return tuple(dict.fromkeys(slug for slug in before if slug not in after))


def verify(said: Leaving, left: Sequence[str], after: Collection[str]) -> None:
    """Raises Invalid unless what is to take a place stays, and what it takes the place of leaves. Where nothing leaves
    nothing is asked: what was said for an earlier change may be said again."""
    faults = []
    for old, new in said.instead.items():
        pointer = f"/{REPLACE}{below(old)}"
        if old in after or (left and old not in left):
            message = "Expected a segment that is defined no more: others stay as they are."
            faults.append(Fault(message, pointer=pointer, suggestion=nearest(old, left)))
        elif new not in after:
            message = "Expected a segment of the definition, or its rest."
            faults.append(Fault(message, pointer=pointer, suggestion=nearest(new, after)))
    if faults:
        raise Invalid(faults=tuple(faults))


# -- criteria ----------------------------------------------------------------------------------------------------------


def names(thing: Any, of: str, segment: str) -> bool:
    """Whether criteria name a segment of the segmentation that they call `of`."""
    return bool(renamed(thing, of, {segment: NOBODY}) != thing)


def renamed(thing: Any, of: str, instead: Mapping[str, str]) -> Any:
    """Criteria with segments of the segmentation that they call `of` in the place of others."""
    match thing:
        case Segment(segmentation, segment) if segmentation == of:
            return replace(thing, segment=instead.get(segment, segment))
        case Cmp(Path(path), _, value) if path in _paths(of):
            return replace(thing, value=_value(value, instead))
        case In(Path(path), values) if path in _paths(of):
            return replace(thing, values=tuple(dict.fromkeys(_value(one, instead) for one in values)))
        case tuple():
            return tuple(renamed(one, of, instead) for one in thing)
        case _ if is_dataclass(thing) and not isinstance(thing, type):
            return replace(thing, **{f.name: renamed(getattr(thing, f.name), of, instead) for f in fields(thing)})
        case _:
            return thing


def _paths(of: str) -> tuple[str, str]:
    """From an account itself, and from its contacts."""
    return f"segment.{of}", f"account.segment.{of}"


def _value(value: Value, instead: Mapping[str, str]) -> Value:
    if not isinstance(value, Const) or not isinstance(value.value, str):
        return value
    return replace(value, value=instead.get(value.value, value.value))
