"""One rule bounds what a document may ask for, before it is validated: depth, fields, aliases, fragments, work, cost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from graphql import get_introspection_query, parse
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from app.api.graphql.sizes import DESCRIBED, LISTS
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
MAX_WORK = 4_000
"""What planning may take: about 10 microseconds each."""
NESTED, JOINED, BRACKET, TREE = 3, 7, 3, 4
"""The work of a field with fields of its own, of a joined criterion, of a bracket in its text, of an object of its tree."""
TEXT, VALUES = 100, 10
"""Characters of criteria, and values in a list of theirs, that are one more."""
JOINTS = re.compile(r"\b(?:and|or|not)\b", re.ASCII | re.IGNORECASE)
NODES = sum(entity.key != "none" for entity in ENTITIES.values())
"""The types that `node` may answer: what is asked of all of them is read for each."""
OF_NODES = frozenset({"id", "__typename"})

INTROSPECTION = frozenset({"__schema", "__type"})
CRITERIA = frozenset({"where", "filter", "criteria", "text"})
TYPE_LISTS = frozenset({"fields", "inputFields", "interfaces", "possibleTypes"})
STANDARD = 0.8
"""The share of MAX_VALUES that what tools ask of the schema at first counts: its values are resolved one by one."""


def _refused(limit: str) -> Unreadable:
    return Unreadable(
        f"The document {limit}.", (Fault(f"Expected a document that stays within the limit: it {limit}."),)
    )


@dataclass(slots=True)
class _Walk:
    """What one document has used up so far. Each fragment is opened anew where it is spread, within the same bounds."""

    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    introspected: float = 1.0
    fields: int = 0
    repeats: int = 0
    work: int = 0
    weights: dict[int, int] = field(default_factory=dict)
    defaults: dict[str, ValueNode] = field(default_factory=dict)

    def values(self, sets: Iterable[SelectionSetNode], depth: int, listed: bool, kinds: int = 1) -> float:
        """How many values the merged selection sets can answer for one object, which may be of so many kinds."""
        if depth > MAX_DEPTH:
            raise _refused(f"is nested deeper than {MAX_DEPTH} levels")
        total = 0.0
        groups = self._merged(sets)
        if depth == 1 and len(groups) > MAX_ROOTS:
            raise _refused(f"asks for more than {MAX_ROOTS} fields of the query itself")
        for nodes in groups.values():
            # Telling whether fields of one name may stand together compares each with each.
            self.repeats += len(nodes) ** 2 if len(nodes) > 1 else 0
            if self.repeats > MAX_REPEATS:
                raise _refused("asks for the same names over and over")
            total += self._of(nodes, depth, listed, kinds)
        if total > MAX_VALUES:
            raise _refused(f"could answer more than {MAX_VALUES:,} values: ask for fewer records or fields")
        return total

    def _of(self, nodes: list[FieldNode], depth: int, listed: bool, kinds: int) -> float:
        node = nodes[0]
        name = node.name.value
        self._spend(node, kinds)
        if name in TYPE_LISTS:
            if listed:
                raise _refused("asks for types of fields of types")
            listed = True
        subsets = _subsets(nodes)
        if not subsets:
            return 1
        times = self._times(node) * (self.introspected if name in INTROSPECTION else 1)
        return times * self.values(subsets, depth + 1, listed, NODES if (name, depth) == ("node", 1) else 1)

    def _spend(self, node: FieldNode, kinds: int) -> None:
        self.work += kinds if node.name.value in OF_NODES else 1
        self.work += NESTED if node.selection_set is not None else 0
        for argument in node.arguments or ():
            if argument.name.value in CRITERIA:
                if id(argument) not in self.weights:
                    self.weights[id(argument)] = self._weight(argument.value)
                self.work += self.weights[id(argument)]
        if self.work > MAX_WORK:
            raise _refused("takes more work than one document may: ask for fewer fields, or for less in its criteria")

    def _weight(self, value: ValueNode) -> int:
        """The work of criteria as they stand in the document, variables included."""
        total = 0
        rest: list[Any] = [value]
        while rest and total <= MAX_WORK:
            match rest.pop():
                case StringValueNode() as written:
                    rest.append(written.value)
                case str() as text:
                    total += JOINED + JOINED * len(JOINTS.findall(text)) + BRACKET * text.count("(") + len(text) // TEXT
                case ObjectValueNode() as made:
                    total += TREE
                    rest += [one.value for one in made.fields]
                case ListValueNode() as made:
                    rest += made.values
                case VariableNode() as told:
                    name = told.name.value
                    rest.append(self.variables.get(name, self.defaults.get(name)))
                case dict() as told:
                    total += TREE
                    rest += told.values()
                case list() as told:
                    total += len(told) // VALUES
                    rest += told
        return total

    def _times(self, node: FieldNode) -> float:
        given = next((a for a in node.arguments or () if a.name.value == "first"), None)
        if given is None:
            name = node.name.value
            return DEFAULT_LIMIT if name in LISTS else DESCRIBED.get(name, 1)
        number = self._number(given.value)
        return min(max(number, 1), MAX_LIMIT) if number is not None else MAX_LIMIT

    def _number(self, value: ValueNode) -> int | None:
        match value:
            case IntValueNode(value=text):
                return int(text) if len(text) < 10 else MAX_LIMIT
            case VariableNode():
                name = value.name.value
                told = self.variables.get(name)
                if name not in self.variables and isinstance(self.defaults.get(name), IntValueNode):
                    return self._number(self.defaults[name])
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
    fragments = _fragments(document)
    walk = _Walk(fragments, variables, _introspected())
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            for variable in definition.variable_definitions or ():
                if variable.default_value is not None:
                    walk.defaults[variable.variable.name.value] = variable.default_value
            walk.values([definition.selection_set], 1, False)
    for definition in fragments.values():
        walk.values([definition.selection_set], 2, False)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


@cache
def _introspected() -> float:
    """What a value of the schema counts."""
    document = parse(get_introspection_query(input_value_deprecation=True, specified_by_url=True))
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    return STANDARD * MAX_VALUES / _Walk(_fragments(document), {}).values([operation.selection_set], 1, False)
