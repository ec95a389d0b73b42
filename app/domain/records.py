"""Strict reading of what a body says into the fields of the catalogue: nothing is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType

from app.domain.catalogue import Entity, Field
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, escape
from app.domain.values import HOLLOW, MisfitError, Named, Value, described, text, value

MAX_FAULTS = 50
FEW = 20
"""Names that are told together, each time that one is wrong."""
AHEAD = timedelta(days=1)
"""What has happened lies no further ahead: clocks differ, and where days are told it is tomorrow already in the east."""


@dataclass(frozen=True, slots=True)
class Told:
    """A body as far as it can be read: the sound members by field name, and what is wrong with the others."""

    given: Mapping[str, Value]
    faults: tuple[Fault, ...] = ()

    @property
    def wrong(self) -> frozenset[str]:
        """The members that are at fault, as they were told or, left out, as they are stored."""
        return frozenset((fault.pointer or "").split("/")[1] for fault in self.faults if fault.pointer)


def read(
    entity: Entity,
    body: object,
    *,
    minor_digits: int,
    attributes: Mapping[tuple[str, str], Field],
    partial: bool,
    now: datetime,
) -> dict[str, Value]:
    """The members that were given, by field name. `partial` asks for no required ones (a change).

    Raises Invalid with a Fault per wrong member, each with its JSON pointer.
    """
    told = look(entity, body, minor_digits=minor_digits, attributes=attributes, partial=partial, now=now)
    if told.faults:
        raise Invalid(faults=told.faults)
    return dict(told.given)


def look(
    entity: Entity,
    body: object,
    *,
    minor_digits: int,
    attributes: Mapping[tuple[str, str], Field],
    partial: bool,
    now: datetime,
) -> Told:
    """The same for those who find more faults than reading does, and tell all of them at once. Raises Invalid for a body
    that is no object."""
    members = _object(body)
    own = {slug: field for (name, slug), field in attributes.items() if name == entity.name}
    given: dict[str, Value] = {}
    faults: list[Fault] = []
    for member, told in members.items():
        if len(faults) >= MAX_FAULTS:
            break
        pointer = f"/{escape(member)}"
        try:
            field = _field(entity, member)
            if field.name in given:
                raise MisfitError(f"given once: {field.name} is named twice here")
            if field.kind == "json":
                given[field.name] = _custom(told, own, minor_digits, pointer, faults)
            else:
                given[field.name] = _member(field, member, told, minor_digits, pointer, now)
        except MisfitError as misfit:
            faults.append(misfit.fault(pointer))
    if not partial:
        faults += [
            _missing(entity, name)
            for name in entity.required
            if name not in given and not _faulty(faults, entity, name)
        ]
        faults += _own_missing(entity, own, given, faults)
    return Told(given, tuple(faults[:MAX_FAULTS]))


def only(body: object, allowed: Iterable[str], meant: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, object]:
    """The body as an object that has no member but the allowed ones; `meant` are names that they have elsewhere. Raises
    Invalid."""
    members, names = _object(body), tuple(allowed)
    unknown = islice((member for member in members if member not in names), MAX_FAULTS)
    faults = tuple(
        Fault(
            f"Expected one of {', '.join(names)}.", pointer=f"/{escape(m)}", suggestion=meant.get(m) or nearest(m, names)
        )
        for m in unknown
    )  # fmt: skip
    if faults:
        raise Invalid(faults=faults)
    return members


def _object(body: object) -> Mapping[str, object]:
    if not isinstance(body, Mapping):
        raise Invalid(faults=(Fault("Expected a JSON object.", pointer=""),))
    return body


def _field(entity: Entity, member: str) -> Field:
    """The writable field that a member names: references go by their name and by `<name>_id`."""
    for field in entity.fields.values():
        if member in (field.name, field.column):
            if not field.writable:
                raise MisfitError(f"no {field.name} here: Strata keeps it")
            return field
    fields = [f for f in entity.fields.values() if f.writable]
    near = nearest(member, [name for f in fields for name in dict.fromkeys((f.name, f.column))])
    few = ", ".join(f.name for f in fields) if len(fields) <= FEW else None
    raise MisfitError(f"one of {few}" if few else f"a field of {entity.name} that can be written", near)


def _member(field: Field, member: str, told: object, minor_digits: int, pointer: str, now: datetime) -> Value:
    if field.kind == "ref" and member == field.name and told is not None:
        if told == "":
            raise MisfitError(HOLLOW if field.optional else f"{described(field)}, which cannot be empty")
        return Named(text(told), pointer)
    found = value(field, None if field.kind == "ref" and member == field.name else told, minor_digits)
    if field.happened and isinstance(found, datetime) and found - now > AHEAD:
        raise MisfitError("an instant that is not more than a day ahead")
    return found


def _custom(
    told: object, own: Mapping[str, Field], minor_digits: int, pointer: str, faults: list[Fault]
) -> Mapping[str, object]:
    """Own attributes by slug; None takes one away. Faults of single attributes are added to `faults`."""
    if not isinstance(told, Mapping):
        raise MisfitError("an object of the organisation's own attributes")
    given: dict[str, object] = {}
    for name, one in told.items():
        if len(faults) >= MAX_FAULTS:
            break
        try:
            if name not in own:
                raise MisfitError("an attribute that this workspace has defined", nearest(name, own))
            given[name] = _own(own[name], one, minor_digits)
        except MisfitError as misfit:
            at = f"{pointer}/{escape(name)}"
            faults.append(misfit.fault(at))
    return given


def _own(field: Field, told: object, minor_digits: int) -> Value:
    """A value of an own attribute, whose name means nothing to us; no tags are none."""
    empty = field.kind == "tags" and told in ([], ())
    return value(replace(field, name="custom"), None if empty else told, minor_digits)


def _missing(entity: Entity, name: str) -> Fault:
    field = entity.fields[name]
    return Fault(f"Expected {described(field)}: it cannot be left out.", pointer=f"/{field.column}")


def _own_missing(
    entity: Entity, own: Mapping[str, Field], given: Mapping[str, Value], faults: Iterable[Fault]
) -> list[Fault]:
    """Required attributes that a new record is without."""
    wrong = {fault.pointer for fault in faults}
    told = given.get("custom")
    if "/custom" in wrong or "custom" not in entity.fields:
        return []
    lacking = [name for name, f in own.items() if not (f.optional or (isinstance(told, Mapping) and name in told))]
    pointers = {name: f"/custom/{escape(name)}" for name in lacking}
    return [
        Fault(f"Expected {described(own[name])}: it cannot be left out.", pointer=pointer)
        for name, pointer in pointers.items()
        if pointer not in wrong
    ]


def _faulty(faults: Iterable[Fault], entity: Entity, name: str) -> bool:
    field = entity.fields[name]
    return any(f.pointer in (f"/{field.name}", f"/{field.column}") for f in faults)
