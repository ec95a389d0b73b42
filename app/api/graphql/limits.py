"""One rule bounds what a document may ask for, before it is validated: depth, fields, aliases, fragments, cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql.language import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from app.domain.catalogue import ENTITIES
from app.domain.errors import Fault, Unreadable
from app.domain.questions import DEFAULT_LIMIT, MAX_LIMIT

MAX_CHARACTERS = 16_384
MAX_TOKENS = 2_000
MAX_COMMENTS = 200
MAX_DEPTH = 15
MAX_DEFINITIONS = 50
MAX_FIELDS = 2_000
MAX_REPEATS = 20_000
MAX_ROOTS = 20
MAX_VALUES = 500_000

LISTS = frozenset(
    {"accounts", "contacts", "rows", *(r.name for e in ENTITIES.values() for r in e.relations.values() if r.many)}
)
"""Fields that give many records, `first` of them."""
INTROSPECTION = frozenset({"__schema", "__type"})
TYPE_LISTS = frozenset({"fields", "inputFields", "interfaces", "possibleTypes"})
SCHEMA_VALUES = 100_000


def _refused(limit: str) -> Unreadable:
    return Unreadable(
        f"The document {limit}.", (Fault(f"Expected a document that stays within the limit: it {limit}."),)
    )


@dataclass(slots=True)
class _Walk:
    """What one document has used up so far. Each fragment is opened anew where it is spread, within the same bounds."""

    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    fields: int = 0
    repeats: int = 0
    defaults: dict[str, Any] = field(default_factory=dict)

    def values(self, sets: Iterable[SelectionSetNode], depth: int, listed: bool) -> int:
        """How many values the merged selection sets can answer for one object."""
        if depth > MAX_DEPTH:
            raise _refused(f"is nested deeper than {MAX_DEPTH} levels")
        total = 0
        groups = self._merged(sets)
        if depth == 1 and len(groups) > MAX_ROOTS:
            raise _refused(f"asks for more than {MAX_ROOTS} fields of the query itself")
        for nodes in groups.values():
            # Telling whether fields of one name may stand together compares each with each.
            self.repeats += len(nodes) ** 2 if len(nodes) > 1 else 0
            if self.repeats > MAX_REPEATS:
                raise _refused("asks for the same names over and over")
            total += self._of(nodes, depth, listed)
        if total > MAX_VALUES:
            raise _refused(f"could answer more than {MAX_VALUES:,} values: ask for fewer records or fields")
        return total

    def _of(self, nodes: list[FieldNode], depth: int, listed: bool) -> int:
        node = nodes[0]
        name = node.name.value
        if name == "__schema":
            return SCHEMA_VALUES + self.values(_subsets(nodes), depth + 1, False)
        if name in TYPE_LISTS:
            if listed:
                raise _refused("asks for types of fields of types")
            listed = True
        subsets = _subsets(nodes)
        if not subsets:
            return 1
        return self._times(node) * self.values(subsets, depth + 1, listed)

    def _times(self, node: FieldNode) -> int:
        given = next((a for a in node.arguments or () if a.name.value == "first"), None)
        if given is None:
            return DEFAULT_LIMIT if node.name.value in LISTS else 1
        number = self._number(given)
        return min(max(number, 1), MAX_LIMIT) if number is not None else MAX_LIMIT

    def _number(self, argument: ArgumentNode) -> int | None:
        match argument.value:
            case IntValueNode(value=text):
                return int(text) if len(text) < 10 else MAX_LIMIT
            case VariableNode():
                name = argument.value.name.value
                told = self.variables.get(name, self.defaults.get(name))
                return told if isinstance(told, int) else None
        return None

    def _merged(self, sets: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        groups: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        rest = [selection for one in sets for selection in one.selections]
        while rest:
            self.fields += 1
            if self.fields > MAX_FIELDS:
                raise _refused(f"asks for more than {MAX_FIELDS:,} fields, fragments included wherever they are spread")
            match rest.pop():
                case FieldNode() as node:
                    groups.setdefault((node.alias or node.name).value, []).append(node)
                case InlineFragmentNode() as node:
                    rest.extend(node.selection_set.selections)
                case FragmentSpreadNode() as node:
                    name = node.name.value
                    if name not in spread and name in self.fragments:
                        spread.add(name)
                        rest.extend(self.fragments[name].selection_set.selections)
        return groups


def _subsets(nodes: list[FieldNode]) -> list[SelectionSetNode]:
    return [node.selection_set for node in nodes if node.selection_set is not None]


def check(document: DocumentNode, variables: Mapping[str, Any]) -> None:
    """Raises Unreadable, naming the limit, unless the document stays within all of them.

    The work is bounded by MAX_FIELDS however fragments are nested; unknown names are left to validation.
    """
    if len(document.definitions) > MAX_DEFINITIONS:
        raise _refused(f"has more than {MAX_DEFINITIONS} operations and fragments")
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    walk = _Walk(fragments, variables)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            for variable in definition.variable_definitions or ():
                if isinstance(variable.default_value, IntValueNode) and len(variable.default_value.value) < 10:
                    walk.defaults[variable.variable.name.value] = int(variable.default_value.value)
            walk.values([definition.selection_set], 1, False)
    for definition in fragments.values():
        walk.values([definition.selection_set], 2, False)
