"""A selection of a document as the domain's: merged, its fragments opened, its arguments read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    get_directive_values,
    get_named_type,
    is_abstract_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from app.api.graphql.build import camel
from app.api.graphql.filters import Spelled
from app.api.graphql.paths import spelled
from app.api.graphql.types import type_name
from app.domain.catalogue import ENTITIES, Entity, Field, Relation
from app.domain.criteria import check, text, tree
from app.domain.criteria.check import Checked, Setting
from app.domain.criteria.meant import Column, CustomOf, Meaning
from app.domain.criteria.nodes import Node
from app.domain.errors import Fault, Invalid, StrataError, Unreadable
from app.domain.questions import MAX_LIMIT, Fixed, Item, Nest, Pick, Selection, Sort
from app.domain.selections import sort, usual_order

FIELDS: Mapping[str, Mapping[str, Field | Relation]] = {
    e.name: {camel(f.column): f for f in e.fields.values()} | {camel(r.name): r for r in e.relations.values()}
    for e in ENTITIES.values()
}
"""What a field of a type is in the catalogue, by entity and GraphQL name."""


BESIDE: set[tuple[str, str]] = set()
"""Fields of a record that are no part of it, by entity and GraphQL name: each is answered by a statement of its own."""
OWN_ID = "0id"
"""The id of a record of which one of those is asked, under a name that no document can ask for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One operation being read: the schema, its fragments and variables; `within` a setting, its criteria too."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues
    within: Setting | None = None
    checked: list[Checked] = field(default_factory=list)

    def at(self, setting: Setting) -> Reading:
        """The same within a setting."""
        return Reading(self.schema, self.fragments, self.variables, setting)

    @property
    def relative(self) -> bool:
        """Whether criteria that were read so far would mean something else at another moment or to somebody else."""
        return any(one.relative for one in self.checked)

    @property
    def setting(self) -> Setting:
        """What criteria and names are read in."""
        assert self.within is not None, "names are read where the setting is known"
        return self.within

    def fields(self, of: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """The fields that are asked of a type, by response name in the order of the answer, each with all its nodes."""
        groups: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        rest = [selection for one in sets for selection in one.selections][::-1]
        while rest:
            node = rest.pop()
            if node.directives and not self._included(node):
                continue
            match node:
                case FieldNode():
                    groups.setdefault((node.alias or node.name).value, []).append(node)
                case InlineFragmentNode():
                    if node.type_condition is None or self._fits(node.type_condition.name.value, of):
                        rest.extend(reversed(node.selection_set.selections))
                case FragmentSpreadNode():
                    name = node.name.value
                    fragment = self.fragments[name]
                    if name not in spread and self._fits(fragment.type_condition.name.value, of):
                        spread.add(name)
                        rest.extend(reversed(fragment.selection_set.selections))
        return groups

    def _included(self, node: Any) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and not (include and not include["if"])

    def _fits(self, condition: str, of: GraphQLObjectType) -> bool:
        if condition == of.name:
            return True
        other = self.schema.type_map[condition]
        return is_abstract_type(other) and self.schema.is_sub_type(other, of)

    def arguments(self, of: GraphQLObjectType, node: FieldNode) -> dict[str, Any]:
        """The arguments of a field, coerced; those left out have their defaults. Raises GraphQLError."""
        return get_argument_values(of.fields[node.name.value], node, self.variables)

    def object_type(self, name: str) -> GraphQLObjectType:
        """An object type of the schema by its name."""
        found = self.schema.type_map[name]
        assert isinstance(found, GraphQLObjectType)
        return found

    # -- records -------------------------------------------------------------------------------------------------------

    def selection(self, entity: Entity, nodes: Iterable[FieldNode]) -> Selection:
        """What is shown of each record of an entity, relations included. Raises Invalid."""
        of = self.object_type(type_name(entity))
        items = [self._item(entity, of, key, group) for key, group in self.fields(of, subsets(nodes)).items()]
        return Selection(tuple({item.key: item for item in items}.values()))

    def _item(self, entity: Entity, of: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Item:
        node = nodes[0]
        name = node.name.value
        if name == "__typename":
            return Fixed(key, of.name)
        match FIELDS[entity.name].get(name):
            case Field(kind="json") as field:
                slug = self.arguments(of, node).get("slug")
                return Pick(key, Column(field) if slug is None else self._own(entity, slug))
            case Field() as field:
                return Pick(key, Column(field))
            case Relation(many=False) as relation:
                return Nest(key, relation, self.selection(ENTITIES[relation.target], nodes))
            case Relation() as relation:
                return self._many(relation, key, nodes, self.arguments(of, node))
        if (entity.name, name) in BESIDE:
            return Pick(OWN_ID, Column(entity.fields["id"]))
        slug = self.arguments(of, node)["segmentation"]
        return Pick(key, check.shown(f"segment.{slug}", entity, self.setting.workspace, parameter="segmentation"))

    def _own(self, entity: Entity, slug: str) -> CustomOf:
        found = check.shown(f"custom.{slug}", entity, self.setting.workspace, parameter="slug")
        assert isinstance(found, CustomOf)
        return found

    def _many(self, relation: Relation, key: str, nodes: list[FieldNode], arguments: Mapping[str, Any]) -> Nest:
        target = ENTITIES[relation.target]
        meaning, order = self._criteria(target, arguments), self._sort(target, arguments)
        return Nest(key, relation, self.selection(target, nodes), meaning, order, limit(arguments))

    # -- arguments -----------------------------------------------------------------------------------------------------

    def _criteria(self, entity: Entity, arguments: Mapping[str, Any]) -> Meaning | None:
        """`where` or `filter` of related records; None where neither is given. Raises Unreadable, Invalid."""
        where, said = arguments.get("where"), arguments.get("filter")
        if where is None and said is None:
            return None
        node, spelled = criteria(where, said)
        try:
            found = check.check(node, entity, self.setting)
        except StrataError as error:
            raise mended(error, spelled) from None
        self.checked.append(found)
        return found.meaning

    def _sort(self, entity: Entity, arguments: Mapping[str, Any]) -> tuple[Sort, ...]:
        told = arguments.get("orderBy")
        if told is None:
            return usual_order(entity)
        try:
            return sort(tuple(map(spelled, told)), entity, self.setting.workspace)
        except StrataError as error:
            raise mended(error, None) from None


def criteria(where: Mapping[str, Any] | None, said: str | None) -> tuple[Node, Spelled | None]:
    """`where` or `filter` as a tree, with the way back into `where`. Raises Unreadable, Invalid."""
    if where is not None and said is not None:
        raise Invalid(faults=(Fault("Expected where or filter, not both.", parameter="where"),))
    spelled = None if where is None else Spelled(where, "/where")
    try:
        if spelled is not None:
            return tree.load(spelled.tree), spelled
        if not said or not said.strip():
            raise Unreadable(
                faults=(Fault("Expected criteria: leave filter out to ask for everything.", line=1, column=1),)
            )
        return text.parse(said), None
    except StrataError as error:
        raise mended(error, spelled) from None


ARGUMENTS = {
    "sort": "orderBy",
    "limit": "first",
    "cursor": "after",
    "as_of": "asOf",
    "for_user": "forUser",
    "group_by": "groupBy",
    "target_use": "targetUse",
}


def mended(error: StrataError, spelled: Spelled | None) -> StrataError:
    """The same error, its faults pointing into the arguments of the field."""
    if spelled is not None:
        error = spelled.mend(error)
    error.faults = tuple(replace(fault, parameter=_argument(fault)) for fault in error.faults)
    return error


def _argument(fault: Fault) -> str | None:
    if fault.parameter is None:
        return "filter" if fault.line is not None else None
    return ARGUMENTS.get(fault.parameter, fault.parameter)


def limit(arguments: Mapping[str, Any]) -> int:
    """`first`. Raises Invalid."""
    first = arguments["first"]
    if not isinstance(first, int) or not 1 <= first <= MAX_LIMIT:
        raise Invalid(faults=(Fault(f"Expected a whole number from 1 to {MAX_LIMIT:,}.", parameter="first"),))
    return first


def asks_beside(document: DocumentNode) -> bool:
    """Whether a field of some record is asked for that is no part of it."""
    names = {name for _, name in BESIDE}
    rest: list[Any] = [definition for definition in document.definitions if hasattr(definition, "selection_set")]
    while rest:
        node = rest.pop()
        if isinstance(node, FieldNode) and node.name.value in names:
            return True
        if not isinstance(node, FragmentSpreadNode) and node.selection_set is not None:
            rest += node.selection_set.selections
    return False


def subsets(nodes: Iterable[FieldNode]) -> list[SelectionSetNode]:
    """The selection sets of one field's nodes."""
    return [node.selection_set for node in nodes if node.selection_set is not None]


def named(of: GraphQLObjectType, node: FieldNode) -> GraphQLObjectType:
    """The object type that a field gives, one or many."""
    found = get_named_type(of.fields[node.name.value].type)
    assert isinstance(found, GraphQLObjectType)
    return found
