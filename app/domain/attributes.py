"""An organisation's own attributes: what one may be, how it may change, and where its name stands in criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from app.domain.catalogue import ENTITIES, Entity, Field, Kind
from app.domain.criteria import nodes
from app.domain.criteria.nodes import Aggregate, Cmp, Const, FieldValue, Has, In, Operand, Path, Quant, Rank
from app.domain.errors import Fault, Invalid
from app.domain.values import Value
from app.domain.workspaces import Workspace

Order = Literal["unique", "order"]
"""What an index of an attribute is for: that no value comes twice, or that values are found and sorted by it."""

MOST = 100
"""Attributes of one entity in a workspace, retired ones among them."""
MOST_INDEXED = 10
"""Promoted and unique attributes of one workspace, of all entities together: every write keeps their indexes."""
MOST_VALUES = 500
"""Values of one enum, or of one set of tags."""
CLOSED: tuple[Kind, ...] = ("enum", "tags")
UNIQUE: tuple[Kind, ...] = ("text", "number", "integer", "money", "date", "instant")
ORDERED: tuple[Kind, ...] = (*UNIQUE, "bool", "enum")
PLAIN = 1e16
"""Below it a whole number is written without an exponent."""
WIDER: Mapping[str, str] = {"integer": "number", "enum": "text"}
"""Types that may become another one: each of their values is one of that type too, spelled alike."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """`values` are those of an enum or of tags. `key` is what its values are kept under: its own for ever."""

    id: UUID
    entity: str
    slug: str
    name: str
    type: Kind
    values: tuple[str, ...]
    is_required: bool
    is_unique: bool
    is_promoted: bool
    retired_at: datetime | None
    external_id: str | None
    key: str

    @property
    def field(self) -> Field:
        """The field that records have by it."""
        return Field(
            self.slug,
            self.type,
            optional=not self.is_required,
            values=self.values,
            stored=self.key,
            unique=self.is_unique,
        )

    @property
    def indexes(self) -> frozenset[Order]:
        """The indexes that it wants; none while it is retired."""
        if self.retired_at is not None:
            return frozenset()
        wanted: tuple[tuple[Order, bool], ...] = (("unique", self.is_unique), ("order", self.is_promoted))
        return frozenset(order for order, is_wanted in wanted if is_wanted)


def changed(standing: Attribute, given: Mapping[str, Value]) -> Attribute:
    """The attribute with what is given; an enum that becomes a text has no values of its own any more."""
    wanted = replace(standing, **cast(dict[str, Any], dict(given)))
    if wanted.type != standing.type and "values" not in given:
        wanted = replace(wanted, values=() if wanted.type not in CLOSED else wanted.values)
    return wanted


def verify(wanted: Attribute, standing: Attribute | None, now: datetime) -> None:
    """Raises Invalid with every member that does not go with the others, or with what it was."""
    faults = [*_of_itself(wanted), *(_of_change(wanted, standing) if standing else ())]
    if wanted.retired_at is not None and wanted.retired_at > now:
        faults.append(Fault("Expected an instant that is not to come.", pointer="/retired_at"))
    if faults:
        raise Invalid(faults=tuple(faults))


def _of_itself(wanted: Attribute) -> list[Fault]:
    faults = []
    if wanted.type == "enum" and not wanted.values:
        faults.append(Fault("Expected at least one value of the enum.", pointer="/values"))
    if wanted.type not in CLOSED and wanted.values:
        faults.append(Fault("Expected no values: an enum and tags have them.", pointer="/values"))
    if len(wanted.values) > MOST_VALUES or "" in wanted.values:
        faults.append(Fault(f"Expected at most {MOST_VALUES} values, none of them empty.", pointer="/values"))
    if wanted.is_unique and wanted.type not in UNIQUE:
        faults.append(Fault(f"Expected one of {', '.join(UNIQUE)} for what is unique.", pointer="/is_unique"))
    if wanted.is_promoted and wanted.type not in ORDERED:
        faults.append(
            Fault("Expected no promotion: tags have no order that an index could keep.", pointer="/is_promoted")
        )
    if not wanted.name:
        faults.append(Fault("Expected a name.", pointer="/name"))
    return faults


def _of_change(wanted: Attribute, standing: Attribute) -> list[Fault]:
    faults = []
    if wanted.entity != standing.entity:
        faults.append(Fault("An attribute keeps its entity: make another one.", pointer="/entity"))
    if wanted.type not in (standing.type, WIDER.get(standing.type)):
        wider = WIDER.get(standing.type)
        others = f", or {wider}, which holds all of its values" if wider else ": make another one"
        faults.append(Fault(f"Expected {standing.type}{others}.", pointer="/type", suggestion=wider))
    return faults


def key_of(attribute_id: UUID) -> str:
    """What values are kept under, whatever the attribute is called. No other workspace has it: an expression over it is
    null in their rows, and so can be counted over all of them."""
    return attribute_id.hex[-12:]


# -- values --------------------------------------------------------------------------------------------------------------


def kept(workspace: Workspace, entity: Entity, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values by slug as they are kept: by key, whole numbers without a point."""
    return {workspace.attributes[entity.name, slug].key: _plain(value) for slug, value in given.items()}


def _plain(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < PLAIN else value


def spelled(workspace: Workspace, entity: Entity, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Values by key as answers spell them: by slug, money in major units; those of retired attributes are left out."""
    own = {field.key: field for (owner, _), field in workspace.attributes.items() if owner == entity.name}
    return {
        own[key].name: workspace.major(value) if own[key].kind == "money" and value is not None else value
        for key, value in stored.items()
        if key in own
    }


# -- names in criteria ---------------------------------------------------------------------------------------------------

NOBODY = "~"
"""No slug, and no value: what is put in the place of one that is only to be found."""


@dataclass(frozen=True, slots=True)
class Rename:
    """`custom.<slug>` of one entity becomes `custom.<to>`, wherever a path leads there: `-account.custom.<slug>` too.
    `instead` takes the place of values that it is compared with."""

    owner: str
    slug: str
    to: str
    instead: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, path: str, entity: Entity) -> str:
        """The path as it is to be."""
        sign = "-" if path.startswith("-") else ""
        steps = path.removeprefix("-").split(".")
        here = entity
        for n, step in enumerate(steps):
            if step == "custom":
                found = here.name == self.owner and steps[n + 1 :] == [self.slug]
                return sign + ".".join([*steps[: n + 1], self.to]) if found else path
            relation = here.relations.get(step)
            if relation is None or relation.many:
                return path
            here = ENTITIES[relation.target]
        return path

    def names(self, operand: Operand, entity: Entity) -> bool:
        """Whether an operand is the attribute."""
        return isinstance(operand, Path) and replace(self, to=NOBODY)(operand.name, entity) != operand.name

    def value(self, told: nodes.Value) -> nodes.Value:
        """The value that takes the place of one that is compared with."""
        if not isinstance(told, Const) or not isinstance(told.value, str):
            return told
        return replace(told, value=self.instead.get(told.value, told.value))


def renamed(thing: Any, entity: Entity, rename: Rename) -> Any:
    """Criteria about records of `entity` with every path renamed, and values that others take the place of; within
    related rows paths are theirs."""
    match thing:
        case Cmp(of, _, value) if rename.instead and rename.names(of, entity):
            return replace(thing, of=renamed(of, entity, rename), value=rename.value(value))
        case In(of=of, values=values) | Has(of=of, values=values) if rename.instead and rename.names(of, entity):
            others = tuple(dict.fromkeys(map(rename.value, values)))
            return replace(thing, of=renamed(of, entity, rename), values=others)
        case Path(name):
            return replace(thing, name=rename(name, entity))
        case FieldValue(path):
            return replace(thing, path=rename(path, entity))
        case Rank(_, field, by):
            return replace(thing, field=rename(field, entity), by=rename(by, entity) if by is not None else None)
        case Quant(rel=rel) | Aggregate(rel=rel):
            relation = entity.relations.get(rel)
            return thing if relation is None else _each(thing, ENTITIES[relation.target], rename)
        case tuple():
            return tuple(renamed(one, entity, rename) for one in thing)
        case _:
            return _each(thing, entity, rename)


def _each(thing: Any, entity: Entity, rename: Rename) -> Any:
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    return replace(thing, **{f.name: renamed(getattr(thing, f.name), entity, rename) for f in fields(thing)})
