"""Strawberry types made from data: fields, arguments, objects, inputs and enums by name."""

from __future__ import annotations

import enum
import keyword
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from app.api.graphql.scalars import BigInt, Date, DateTime, Json, Money, Value
from app.domain.roles import RULES

NAMES: dict[str, Any] = {
    "Optional": Optional, "ID": strawberry.ID, "Money": Money, "Date": Date, "DateTime": DateTime, "BigInt": BigInt,
    "JSON": Json, "Value": Value,
}  # fmt: skip
"""What annotations written as text may say; every type made here adds itself."""


class Answered(StrawberryField):
    """A field that the database has answered already, under the key that the document asks for."""

    @property
    def is_basic_field(self) -> bool:
        return False

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The member of the row; aliases are its keys."""
        return source[info.path.key]


def argument(name: str, annotation: str, default: object = None, description: str | None = None) -> StrawberryArgument:
    """An argument; without a default it may be left out where its annotation is optional."""
    said = StrawberryAnnotation(annotation, namespace=NAMES)
    python_name, graphql_name = _named(name)
    return StrawberryArgument(
        python_name,
        graphql_name,
        said,
        default=strawberry.UNSET if default is None else default,
        description=description,
    )


def answered(
    name: str, annotation: str, *arguments: StrawberryArgument, description: str | None = None
) -> StrawberryField:
    """A field of a row that comes from the database."""
    made = Answered(
        python_name=_named(name)[0],
        graphql_name=_named(name)[1],
        type_annotation=StrawberryAnnotation(annotation, namespace=NAMES),
        description=description,
    )
    made.arguments = list(arguments)
    return made


def resolved(
    name: str,
    annotation: str,
    resolver: Callable[..., Any],
    *arguments: StrawberryArgument,
    description: str | None = None,
) -> Resolved:
    """A field with a resolver that is called with the source, Strawberry's info and the given arguments."""
    made = Resolved(
        python_name=_named(name)[0],
        graphql_name=_named(name)[1],
        type_annotation=StrawberryAnnotation(annotation, namespace=NAMES),
        description=description,
    )
    made.arguments = list(arguments)
    made.call = resolver
    return made


def operated(
    operation: str,
    name: str,
    annotation: str,
    resolver: Callable[..., Any],
    *arguments: StrawberryArgument,
    description: str | None = None,
) -> Resolved:
    """A field of the query or the mutation: an operation of RULES, which is permitted before the resolver is called."""
    if operation not in RULES:
        raise LookupError(f"{name}: no rule is declared for {operation!r}")
    made = resolved(name, annotation, resolver, *arguments, description=description)
    made.operation = operation
    return made


class Member(StrawberryField):
    """A member of what a service answered, under its name in REST."""

    @property
    def is_basic_field(self) -> bool:
        return False

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """The member; null where the answer has none."""
        return source.get(self.python_name.removesuffix("_"))


def member(name: str, annotation: str, description: str | None = None) -> StrawberryField:
    """A field of a resource that a service answers as JSON."""
    return Member(
        python_name=_named(name)[0],
        graphql_name=_named(name)[1],
        type_annotation=StrawberryAnnotation(annotation, namespace=NAMES),
        description=description,
    )


class Resolved(StrawberryField):
    """A field whose resolver takes (source, info, arguments)."""

    call: Callable[..., Any]
    operation: str | None = None

    @property
    def is_basic_field(self) -> bool:
        return False

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """What the resolver gives; it may be awaitable."""
        if self.operation is not None:
            info.context.permit(self.operation)
        return self.call(source, info, kwargs)


def given(
    name: str, annotation: str, description: str | None = None, default: object = strawberry.UNSET
) -> StrawberryField:
    """A field of an input; optional ones may be left out."""
    return StrawberryField(
        python_name=_named(name)[0],
        graphql_name=_named(name)[1],
        type_annotation=StrawberryAnnotation(annotation, namespace=NAMES),
        description=description,
        default=default,
    )


def _named(name: str) -> tuple[str, str | None]:
    """The Python name and, where that cannot be the same, the GraphQL name."""
    return (f"{name}_", name) if keyword.iskeyword(name) else (name, None)


def output(
    name: str,
    fields: Sequence[StrawberryField],
    description: str | None = None,
    bases: tuple[type, ...] = (),
    resolve_type: Callable[..., str] | None = None,
) -> type:
    """An object type; an interface where `resolve_type` tells the type of a row."""
    if resolve_type is not None:
        return _made(
            name, fields, bases, lambda cls: strawberry.interface(cls, name=name, description=description),
            {"resolve_type": staticmethod(resolve_type)},
        )  # fmt: skip
    # Rows are JSON: what the schema says they are, they are.
    known = {"is_type_of": staticmethod(lambda *_: True)} if bases else {}
    return _made(name, fields, bases, lambda cls: strawberry.type(cls, name=name, description=description), known)


def extend(name: str, field: StrawberryField) -> None:
    """Adds a field to an object type that was declared before what answers it."""
    NAMES[name].__strawberry_definition__.fields.append(field)


def entered(name: str, fields: Sequence[StrawberryField], description: str | None = None, one_of: bool = False) -> type:
    """An input type."""
    return _made(
        name, fields, (), lambda cls: strawberry.input(cls, name=name, description=description, one_of=one_of), {}
    )


def choices(name: str, values: Sequence[str], description: str | None = None) -> type:
    """An enum whose names are its values, as REST spells them."""
    _only_once(name)
    made = enum.Enum(name, {value: value for value in values}, type=str)  # type: ignore[misc]  # made from data
    NAMES[name] = strawberry.enum(made, name=name, description=description)
    return made


def _made(
    name: str,
    fields: Sequence[StrawberryField],
    bases: tuple[type, ...],
    declare: Callable[[type], type],
    more: Mapping[str, Any],
) -> type:
    _only_once(name)
    annotations = {field.python_name: field.type_annotation for field in fields}
    members: dict[str, Any] = {field.python_name: field for field in fields}
    members |= {"__annotations__": dict.fromkeys(members, Any), **more}
    members["__module__"] = __name__
    cls = declare(types.new_class(name, bases, {}, lambda namespace: namespace.update(members)))
    # dataclasses wrote the class's own annotations over those of the fields, which know the names made here
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]  # set by Strawberry
    for field in definition.fields:
        if field.python_name in annotations:
            field.type_annotation = annotations[field.python_name]
    NAMES[name] = cls
    return cls


def _only_once(name: str) -> None:
    if name in NAMES:
        raise LookupError(f"{name} is declared twice: types, inputs and enums share their names")


def camel(name: str) -> str:
    """`renewal_date` as `renewalDate`; a digit keeps its underscore out: `active_days_30` is `activeDays30`."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def told(input_: Any) -> dict[str, Any]:
    """The members of an input that were given, by their names in REST; enums as their values."""
    return {
        name.removesuffix("_"): plain(value) for name, value in vars(input_).items() if value is not strawberry.UNSET
    }


def plain(value: Any) -> Any:
    """An argument as JSON: inputs as objects, enums as their values."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, list):
        return [plain(item) for item in value]
    return told(value) if hasattr(value, "__strawberry_definition__") else value
