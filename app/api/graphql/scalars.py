"""Scalars of the schema: how values are spelled going in and coming out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID

import strawberry
from graphql import GraphQLError
from graphql.language import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)
from strawberry.types.scalar import ScalarDefinition

Money = NewType("Money", Decimal)
Date = NewType("Date", str)
DateTime = NewType("DateTime", str)
BigInt = NewType("BigInt", int)
Json = NewType("Json", object)
Value = NewType("Value", object)

INT64 = 2**63 - 1
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Exact(float):
    """A number of a body that is a float to graphql-core and stays what was written, so that money is exact."""

    written: Decimal

    def __new__(cls, written: Decimal) -> Exact:
        made = super().__new__(cls, written)
        made.written = written
        return made


def floating(value: Any) -> Any:
    """A JSON value with Decimals as graphql-core knows numbers."""
    if isinstance(value, Decimal):
        return Exact(value)
    if isinstance(value, dict):
        return {name: floating(member) for name, member in value.items()}
    if isinstance(value, list):
        return [floating(item) for item in value]
    return value


def exact(value: Any) -> Any:
    """A JSON value in which numbers with a fraction are Decimal. Raises GraphQLError where one is not finite."""
    if isinstance(value, Exact):
        return value.written
    if isinstance(value, float):
        if not math.isfinite(value):
            raise GraphQLError("Expected a finite number.")
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: exact(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return value


def literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> Any:
    """A value written in the document; names without quotes are text, so that trees read as they do elsewhere."""
    del variables  # graphql-core has put them into the node before it asks
    match node:
        case IntValueNode():
            return int(node.value)
        case FloatValueNode():
            return Decimal(node.value)
        case StringValueNode() | EnumValueNode() | BooleanValueNode():
            return node.value
        case NullValueNode():
            return None
        case ListValueNode():
            return [literal(item) for item in node.values]
        case ObjectValueNode():
            return {field.name.value: literal(field.value) for field in node.fields}
    raise GraphQLError("Expected a value.")


def _money(value: Any) -> Decimal:
    told = exact(value)
    if isinstance(told, bool) or not isinstance(told, int | Decimal):
        raise GraphQLError("Expected an amount of money: a number.")
    amount = Decimal(told)
    if abs(amount) > INT64:
        raise GraphQLError("Expected an amount within 64 bits.")
    return amount


def _day(value: Any) -> str:
    try:
        if isinstance(value, str) and DAY.fullmatch(value):
            date.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise GraphQLError("Expected a date: YYYY-MM-DD.")


def _instant(value: Any) -> str:
    try:
        if isinstance(value, str) and len(value) > 10 and datetime.fromisoformat(value.upper()).tzinfo is not None:
            return value
    except ValueError:
        pass
    raise GraphQLError("Expected an instant as of RFC 3339: 2026-01-31T12:00:00Z.")


def _big(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > INT64:
        raise GraphQLError("Expected a whole number within 64 bits.")
    return value


def served(value: Any) -> Any:
    """What PostgreSQL and services answer, as JSON says it."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | UUID):
        return str(value)
    return value


def _scalar(name: str, description: str, parse: Any, url: str | None = None) -> ScalarDefinition:
    def parse_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> Any:
        try:
            return parse(literal(node, variables))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return strawberry.scalar(
        name=name, description=description, specified_by_url=url,
        serialize=served, parse_value=parse, parse_literal=parse_literal,
    )  # fmt: skip


SCALARS: Mapping[object, ScalarDefinition] = {
    Money: _scalar("Money", "A number in major units of the workspace's currency, exact to the minor unit.", _money),
    Date: _scalar("Date", "A calendar day: YYYY-MM-DD.", _day),
    DateTime: _scalar(
        "DateTime",
        "An instant as of RFC 3339; answers are in UTC.",
        _instant,
        "https://scalars.graphql.org/andimarek/date-time.html",
    ),
    BigInt: _scalar("BigInt", "A whole number within 64 bits.", _big),
    Json: _scalar("JSON", "Any JSON value.", exact),
    Value: _scalar(
        "Value",
        "A value in criteria: text, a number, true, false, or one of "
        '{ref: "me"}, {ref: "my_team"}, {ref: "param", name: "…"}, {ref: "field", field: "…"}, {ago: "30d"}, {from_now: "30d"}.',
        exact,
    ),
}
