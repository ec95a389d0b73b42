"""Documents by their text: parsed, bounded and validated once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from graphql import GraphQLError, GraphQLSchema, parse, validate
from graphql.language import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode, OperationType

from app.api.graphql import limits

MAX_ERRORS = 10
KEPT = 500

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values used last, at most `size` of them."""

    def __init__(self, size: int = KEPT):
        self.size = size
        self.kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, if it is still here."""
        value = self.kept.get(key)
        if value is not None:
            self.kept.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> V:
        """Keep a value, and let go of the one that was not used for longest."""
        self.kept[key] = value
        if len(self.kept) > self.size:
            self.kept.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget everything."""
        self.kept.clear()


class DocumentError(Exception):
    """The document cannot be executed: GraphQL's errors say why."""

    def __init__(self, errors: list[GraphQLError]):
        self.errors = errors
        super().__init__(len(errors))


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document."""

    ast: DocumentNode
    operations: Mapping[str | None, OperationDefinitionNode]
    fragments: Mapping[str, FragmentDefinitionNode]

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to execute. Raises DocumentError where the name does not say which."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name)
        if name is None:
            raise DocumentError([GraphQLError("Expected an operationName: the document holds several operations.")])
        if found is None:
            raise DocumentError([GraphQLError("Expected an operationName that the document holds.")])
        return found


class Documents:
    """Reads documents against one schema; suggestions are for callers that are known."""

    def __init__(self, schema: GraphQLSchema):
        self.schema = schema
        self.valid: Recent[str, Document] = Recent()

    def read(self, text: str, variables: Mapping[str, Any], known: bool) -> Document:
        """The document, bounded under these variables. Raises Unreadable, DocumentError."""
        if (document := self.valid.get(text)) is not None:
            limits.check(document.ast, variables)
            return document
        ast = _parsed(text)
        limits.check(ast, variables)
        errors = validate(self.schema, ast, max_errors=MAX_ERRORS, hide_suggestions=not known)
        if not errors:
            errors = _executable(ast)
        if errors:
            raise DocumentError(errors)
        return self.valid.put(text, _document(ast))


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(
            text,
            max_lexical_tokens=limits.MAX_TOKENS,
            max_comments=limits.MAX_COMMENTS,
            max_source_length=limits.MAX_CHARACTERS,
        )
    except GraphQLError as error:
        raise DocumentError([error]) from None


def _executable(ast: DocumentNode) -> list[GraphQLError]:
    if any(
        isinstance(d, OperationDefinitionNode) and d.operation is OperationType.SUBSCRIPTION for d in ast.definitions
    ):
        return [GraphQLError("Expected a query or a mutation: there are no subscriptions.")]
    if not any(isinstance(d, OperationDefinitionNode) for d in ast.definitions):
        return [GraphQLError("Expected an operation: the document holds fragments alone.")]
    return []


def _document(ast: DocumentNode) -> Document:
    operations = {
        d.name.value if d.name else None: d for d in ast.definitions if isinstance(d, OperationDefinitionNode)
    }
    fragments = {d.name.value: d for d in ast.definitions if isinstance(d, FragmentDefinitionNode)}
    return Document(ast, operations, fragments)
