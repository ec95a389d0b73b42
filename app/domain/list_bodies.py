"""What a body says of a saved list, read strictly; names are checked later, against the workspace."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain import records
from app.domain.criteria import text, tree
from app.domain.criteria.nodes import Node
from app.domain.criteria.suggest import nearest
from app.domain.errors import Fault, Invalid, Unreadable
from app.domain.lists import ENTITIES, PARAMETER_KINDS, VISIBILITIES, Parameter
from app.domain.records import MisfitError
from app.domain.selections import MAX_SORT

NAME_LENGTH = 200
MAX_COLUMNS = 50
MAX_PARAMS = 20
MAX_PATH = 200
FOLDER_LENGTH = 100
NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?", re.ASCII)
PARAMETER_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


def read(body: object, *, partial: bool) -> dict[str, Any]:
    """The members that were given: criteria as a Node, params as Parameters, the rest as stored.

    `partial` asks for no required ones (a change). Raises Invalid, and Unreadable for criteria that cannot be read.
    """
    members = records.only(body, READERS)
    given: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, told in members.items():
        try:
            given[name] = READERS[name](told)
        except MisfitError as misfit:
            faults.append(misfit.fault(f"/{name}"))
    if not partial:
        required = ("entity", "name", "criteria")
        faults += [
            Fault(f"Expected {name}: it cannot be left out.", pointer=f"/{name}")
            for name in required
            if name not in members
        ]
    if faults:
        raise Invalid(faults=tuple(faults))
    return given


def parameter_value(kind: str, told: object) -> Any:
    """The value of a list's parameter in its type. Raises MisfitError."""
    match kind:
        case "text":
            return records.text(told)
        case "number":
            if isinstance(told, bool) or not isinstance(told, int | Decimal) or not Decimal(told).is_finite():
                raise MisfitError("a number")
            return told
        case "date":
            return records.day(told)
        case "instant":
            return records.instant(told)
        case _:
            return records.boolean(told)


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
    return records.text(told, NAME_LENGTH)


def _description(told: object) -> str | None:
    return None if told in (None, "") else records.text(told, records.PROSE)


def folder(told: object) -> str | None:
    """The name of a folder, without spaces around it; None for no folder. Raises MisfitError."""
    return None if told in (None, "") else records.text(told, FOLDER_LENGTH).strip() or None


def _one_of(known: tuple[str, ...]) -> Callable[[object], str]:
    def read(told: object) -> str:
        if not isinstance(told, str) or told not in known:
            raise MisfitError(f"one of {', '.join(known)}", nearest(told, known) if isinstance(told, str) else None)
        return told

    return read


def _criteria(told: object) -> Node:
    """As text, as a tree, or as both where they say the same."""
    if not isinstance(told, Mapping) or not told or not set(told) <= {"text", "tree"}:
        raise MisfitError('an object with "text" or "tree"')
    trees = [tree.load_document(told["tree"], "/criteria/tree")] if told.get("tree") is not None else []
    texts = [_parsed(told["text"])] if told.get("text") is not None else []
    spelled = [*trees, *texts]
    if not spelled:
        raise MisfitError('an object with "text" or "tree"')
    if spelled[0] != spelled[-1]:
        raise MisfitError("one criteria: its text and its tree differ")
    return spelled[0]


def _parsed(told: object) -> Node:
    if not isinstance(told, str):
        raise MisfitError("criteria as text")
    try:
        return text.parse(told)
    except (Invalid, Unreadable) as error:
        faults = tuple(replace(fault, pointer="/criteria/text") for fault in error.faults)
        raise type(error)(error.detail, faults) from None


def _paths(limit: int) -> Callable[[object], list[str]]:
    def read(told: object) -> list[str]:
        if not isinstance(told, list) or len(told) > limit:
            raise MisfitError(f"an array of at most {limit} fields")
        given = [records.text(path, MAX_PATH) for path in told]
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
    given = tuple(_parameter(one) for one in told)
    if len({one.name for one in given}) < len(given):
        raise MisfitError("parameters of different names")
    return given


def _parameter(told: object) -> Parameter:
    if not isinstance(told, Mapping) or set(told) != {"name", "type", "default"}:
        raise MisfitError("parameters of name, type and default")
    name, kind, default = told["name"], told["type"], told["default"]
    if not isinstance(name, str) or not PARAMETER_NAME.fullmatch(name):
        raise MisfitError("a parameter's name: lower-case letters, digits and _")
    if kind not in PARAMETER_KINDS:
        raise MisfitError(f"a parameter's type: one of {', '.join(PARAMETER_KINDS)}")
    parameter_value(kind, default)
    return Parameter(name, kind, default)


READERS: Mapping[str, Callable[[object], Any]] = {
    "entity": _one_of(ENTITIES),
    "name": _name,
    "description": _description,
    "folder": folder,
    "criteria": _criteria,
    "columns": _columns,
    "sort": _paths(MAX_SORT),
    "visibility": _one_of(VISIBILITIES),
    "mine": records.boolean,
    "params": _params,
    "owner_id": records.identity,
}
