"""What a body says of a saved list, read strictly; names are checked later, against the workspace."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from app.domain import records, values
from app.domain.criteria import spellings
from app.domain.criteria.nodes import Node
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, StrataError, Unreadable, escape
from app.domain.lists import ENTITIES, PARAMETER_KINDS, VISIBILITIES, Parameter, ParameterKind
from app.domain.selections import MAX_SORT
from app.domain.values import MisfitError

NAME_LENGTH = 200
MAX_COLUMNS = 50
MAX_PARAMS = 20
MAX_PATH = 200
FOLDER_LENGTH = 100
NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)
PARAMETER = ("name", "type", "default")
PARAMETER_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Said:
    """The members of a body that can be read: criteria as a Node, params as Parameters, the rest as stored. `wrong`: members
    that were given and cannot, with what is wrong in `error`."""

    given: dict[str, Any]
    wrong: frozenset[str] = frozenset()
    error: StrataError | None = None


def read(body: object, *, partial: bool) -> dict[str, Any]:
    """All members that were given. `partial` asks for no required ones (a change).

    Raises Invalid, and Unreadable for criteria that cannot be read.
    """
    found = said(body, partial=partial)
    if found.error is not None:
        raise found.error
    return found.given


def said(body: object, *, partial: bool) -> Said:
    """The members that were given, beside all that is wrong with the others. Raises Invalid for what is no object."""
    given: dict[str, Any] = {}
    faults: list[Fault] = []
    unread = False
    try:
        members = records.only(body, READERS)
    except Invalid as error:
        if not isinstance(body, Mapping):
            raise
        faults += error.faults
        members = {name: told for name, told in body.items() if name in READERS}
    for name, told in members.items():
        try:
            given[name] = READERS[name](told)
        except MisfitError as misfit:
            faults.append(misfit.fault(f"/{name}"))
        except (Invalid, Unreadable) as error:  # it says where itself
            faults += error.faults
            unread = unread or isinstance(error, Unreadable)
    if not partial:
        required = ("entity", "name", "criteria")
        faults += [
            Fault(f"Expected {name}: it cannot be left out.", pointer=f"/{name}")
            for name in required
            if name not in members
        ]
    if not faults:
        return Said(given)
    refused = Unreadable if unread else Invalid
    return Said(given, frozenset(members) - frozenset(given), refused(faults=tuple(faults)))


def parameter_value(kind: str, told: object) -> Any:
    """The value of a list's parameter in its type. Raises MisfitError."""
    match kind:
        case "text":
            return values.text(told)
        case "number":
            if isinstance(told, bool) or not isinstance(told, int | Decimal) or not Decimal(told).is_finite():
                raise MisfitError("a number")
            return told
        case "date":
            return values.day(told)
        case "instant":
            return values.instant(told)
        case _:
            return values.boolean(told)


def parameter_text(kind: str, told: object) -> object:
    """What an address says of a parameter as JSON would: there everything is text."""
    if not isinstance(told, str):
        return told
    if kind == "number":
        return Decimal(told) if NUMBER.fullmatch(told) else told
    return {"true": True, "false": False}.get(told, told) if kind == "bool" else told


def _name(told: object) -> str:
    if told in (None, ""):
        raise MisfitError("a name")
    return values.text(told, NAME_LENGTH)


def _description(told: object) -> str | None:
    return None if told in (None, "") else values.text(told, values.PROSE)


def folder(told: object) -> str | None:
    """The name of a folder, without spaces around it; None for no folder. Raises MisfitError."""
    return None if told in (None, "") else values.text(told, FOLDER_LENGTH).strip() or None


def _one_of(known: tuple[str, ...]) -> Callable[[object], str]:
    def read(told: object) -> str:
        if not isinstance(told, str) or told not in known:
            raise MisfitError(f"one of {', '.join(known)}", nearest(told, known) if isinstance(told, str) else None)
        return told

    return read


def _criteria(told: object) -> Node:
    return spellings.read(told, "/criteria")


def _paths(limit: int) -> Callable[[object], list[str]]:
    def read(told: object) -> list[str]:
        if not isinstance(told, list) or len(told) > limit:
            raise MisfitError(f"an array of at most {limit} fields")
        given = [values.text(path, MAX_PATH) for path in told]
        if any(path != path.strip() or not path for path in given):
            raise MisfitError("names of fields")
        if len({path.removeprefix("-") for path in given}) < len(given):
            raise MisfitError("each field once")
        return given

    return read


def _columns(told: object) -> list[str]:
    if not (given := _paths(MAX_COLUMNS)(told)):
        raise MisfitError("at least one column")
    return given


def _params(told: object) -> tuple[Parameter, ...]:
    if not isinstance(told, list) or len(told) > MAX_PARAMS:
        raise MisfitError(f"an array of at most {MAX_PARAMS} parameters")
    given: list[Parameter] = []
    faults: list[Fault] = []
    for index, one in enumerate(told):
        try:
            given.append(_parameter(one, f"/params/{index}"))
        except Invalid as error:
            faults += error.faults
    if faults:
        raise Invalid(faults=tuple(faults))
    if len({one.name for one in given}) < len(given):
        raise MisfitError("parameters of different names")
    return tuple(given)


def _parameter(told: object, at: str) -> Parameter:
    """One parameter; without a default, or with null, whoever asks the list says its value. Raises Invalid."""
    if not isinstance(told, Mapping):
        raise Invalid(faults=(MisfitError("a parameter of name, type and default").fault(at),))
    faults = [
        Fault(
            "Expected no such member here.",
            pointer=f"{at}/{escape(str(name)[:64])}",
            suggestion=nearest(str(name), PARAMETER),
        )
        for name in told
        if name not in PARAMETER
    ]
    name, kind, default = told.get("name"), told.get("type"), told.get("default")
    if not isinstance(name, str) or not PARAMETER_NAME.fullmatch(name):
        faults.append(MisfitError("a parameter's name: lower-case letters, digits and _").fault(f"{at}/name"))
    try:
        kind = _one_of(PARAMETER_KINDS)(kind)
        if default is not None:
            parameter_value(kind, default)
    except MisfitError as misfit:
        faults.append(misfit.fault(f"{at}/default" if kind in PARAMETER_KINDS else f"{at}/type"))
    if faults:
        raise Invalid(faults=tuple(faults))
    return Parameter(cast(str, name), cast(ParameterKind, kind), cast(Any, default))


READERS: Mapping[str, Callable[[object], Any]] = {
    "entity": _one_of(ENTITIES),
    "name": _name,
    "description": _description,
    "folder": folder,
    "criteria": _criteria,
    "columns": _columns,
    "sort": _paths(MAX_SORT),
    "visibility": _one_of(VISIBILITIES),
    "mine": values.boolean,
    "params": _params,
    "owner_id": values.identity,
}
