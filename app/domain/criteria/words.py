"""The JSON spelling of values and windows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, assert_never, get_args

from app.domain.criteria import literals, nodes
from app.domain.criteria.formatter import duration
from app.domain.criteria.members import Members
from app.domain.criteria.nodes import At
from app.domain.criteria.suggest import invalid

_REFS = ("me", "my_team", "param", "field")
_DIRECTIONS: tuple[Literal["last", "next"], ...] = ("last", "next")
_PERIODS: tuple[Literal["this", "previous", "next"], ...] = ("this", "previous", "next")


def load_value(written: object, pointer: str) -> nodes.Value:
    """A scalar, or an object for `@me`, `$name`, `field(…)`, `ago(…)`. Raises Invalid."""
    at = At(pointer=pointer)
    try:
        match written:
            case bool():
                return nodes.Const(written, at=at)
            case str():
                return nodes.Const(literals.string(written), at=at)
            case int() | Decimal():
                return nodes.Const(literals.number(written), at=at)
            case float():
                return nodes.Const(literals.number(Decimal(repr(written))), at=at)
            case Mapping():
                return _load_reference(written, pointer)
            case _:
                raise invalid(
                    at, "Expected a value: text, a number, true, false or an object with ref, ago or from_now."
                )
    except ValueError as error:
        raise invalid(at, str(error)) from None


def _load_reference(written: Mapping[str, object], pointer: str) -> nodes.Value:
    at = At(pointer=pointer)
    if "ago" in written:
        return nodes.Ago(_load_duration(Members(written, pointer, ("ago",)), "ago"), at=at)
    if "from_now" in written:
        return nodes.FromNow(_load_duration(Members(written, pointer, ("from_now",)), "from_now"), at=at)
    members = Members(written, pointer, ("ref",), ("name", "field"))
    match members.word("ref", _REFS):
        case "param":
            name = Members(written, pointer, ("ref", "name")).text("name", literals.is_param, "a parameter's name")
            return nodes.Param(name, at=at)
        case "field":
            path = Members(written, pointer, ("ref", "field")).text("field", literals.is_path, "a field")
            return nodes.FieldValue(path, at=at)
        case who:
            Members(written, pointer, ("ref",))
            return nodes.Me(at=at) if who == "me" else nodes.MyTeam(at=at)


def _load_duration(members: Members, key: str) -> nodes.Duration:
    try:
        return literals.duration(members.text(key))
    except ValueError as error:
        raise invalid(members.at_member(key), str(error)) from None


def dump_value(value: nodes.Value) -> Any:
    """As `load_value` reads it."""
    match value:
        case nodes.Const(Decimal() as number):
            return float(number)  # exact, as literals.number sees to
        case nodes.Const(scalar):
            return scalar
        case nodes.Me():
            return {"ref": "me"}
        case nodes.MyTeam():
            return {"ref": "my_team"}
        case nodes.Param(name):
            return {"ref": "param", "name": name}
        case nodes.FieldValue(path):
            return {"ref": "field", "field": path}
        case nodes.Ago(span):
            return {"ago": duration(span)}
        case nodes.FromNow(span):
            return {"from_now": duration(span)}
        case _:
            assert_never(value)


def load_window(written: object, pointer: str) -> nodes.Window:
    """`{"win": "rolling", …}` or `{"win": "period", …}`. Raises Invalid."""
    at = At(pointer=pointer)
    outer = Members(written, pointer, ("win",), ("dir", "n", "unit", "which"))
    if outer.word("win", ("rolling", "period")) == "period":
        members = Members(written, pointer, ("win", "which", "unit"))
        return nodes.Period(members.word("which", _PERIODS), members.word("unit", get_args(nodes.Calendar)), at=at)
    members = Members(written, pointer, ("win", "dir", "n", "unit"))
    n = members.get("n")
    try:
        if not isinstance(n, int) or isinstance(n, bool):
            raise ValueError("Expected a whole number.")
        return nodes.Rolling(
            members.word("dir", _DIRECTIONS), literals.steps(n), members.word("unit", literals.UNITS), at=at
        )
    except ValueError as error:
        raise invalid(members.at_member("n"), str(error)) from None


def dump_window(window: nodes.Window) -> dict[str, Any]:
    """As `load_window` reads it."""
    match window:
        case nodes.Rolling(direction, n, unit):
            return {"win": "rolling", "dir": direction, "n": n, "unit": unit}
        case nodes.Period(which, unit):
            return {"win": "period", "which": which, "unit": unit}
        case _:
            assert_never(window)
