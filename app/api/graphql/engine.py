"""Operations: plain reads are answered from their selection, everything else by Strawberry's resolvers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import ExecutionResult, GraphQLError, execute, execute_sync, get_variable_values
from graphql.language import FieldNode, OperationDefinitionNode, OperationType

from app.api.errors import Refused as RequestRefused
from app.api.graphql import answers, refusals
from app.api.graphql.callers import Caller
from app.api.graphql.documents import Document, DocumentError, Documents, Recent
from app.api.graphql.plans import PLAIN, Plan, planned
from app.api.graphql.requests import Asked
from app.api.graphql.schema import SCHEMA
from app.api.graphql.selections import Reading, asks_beside
from app.domain.errors import Unauthenticated, Unavailable

CORE = SCHEMA._schema
KEPT_BYTES = 16_384
"""Requests up to this length are kept ready to be answered again."""
SCHEMA_ALONE = frozenset({"__schema", "__type", "__typename"})
"""Fields that say the same to everybody who is known, until another version of this is started."""
KEPT_DESCRIPTIONS, LONGEST_DESCRIPTION = 16, 2_000_000
"""Answers about the schema that are kept, and how many bytes one may have."""
UNKNOWN = frozenset({"__typename", "__type"})
"""What anybody may ask: what the query is called, and of a type, of which one without a credential knows none."""
MAX_ERRORS = 10
AT_ONCE = 4
"""Statements of one request that run side by side: connections are everybody's."""


@dataclass(slots=True)
class Prepared:
    """A request whose document is valid and whose variables fit; `plans` where every field of it is a plain read."""

    asked: Asked
    document: Document
    operation: OperationDefinitionNode
    reading: Reading
    fields: Mapping[str, list[FieldNode]]
    plain: bool
    plans: tuple[Plan, ...] | None = None
    schema_alone: bool = False

    @property
    def text(self) -> tuple[str, str | None, str]:
        """What is asked, whoever asks it."""
        asked = self.asked
        return asked.query, asked.operation_name, repr(asked.variables)


class Engine:
    """Answers GraphQL requests; keeps documents, plans, and what was said of the schema."""

    def __init__(self) -> None:
        self.documents = Documents(CORE)
        self.prepared: Recent[tuple[object, ...], Prepared] = Recent()
        self.described: Recent[tuple[str, str | None, str], bytes] = Recent(KEPT_DESCRIPTIONS)
        self.describing = asyncio.Semaphore(1)

    async def answer(self, caller: Caller, raw: bytes, read: Callable[[], Asked]) -> bytes:
        """The answer to a request, whose bytes are `raw`. Raises what refuses it as a whole."""
        who = caller.who
        key = (raw, who.workspace.id, who.workspace.epoch, who.user_id) if who else (raw,)
        prepared = self.prepared.get(key)
        if prepared is None:
            prepared = self._prepare(caller, read())
            if len(raw) <= KEPT_BYTES:
                self.prepared.put(key, prepared)
        if who is None:
            return _to_anybody(prepared)
        if prepared.plain:
            return await self._read(caller, prepared)
        if prepared.schema_alone:
            return await self._describe(caller, prepared)
        return await self._execute(caller, prepared)

    def _prepare(self, caller: Caller, asked: Asked) -> Prepared:
        known = caller.who is not None
        document = self.documents.read(asked.query, asked.variables, known)
        operation = document.operation(asked.operation_name)
        if asked.reading and operation.operation is not OperationType.QUERY:
            raise RequestRefused("method-not-allowed", "A mutation comes by POST.", headers=[(b"allow", b"POST")])
        variables = get_variable_values(
            CORE,
            operation.variable_definitions or (),
            dict(asked.variables),
            max_errors=MAX_ERRORS,
            hide_suggestions=not known,
        )
        if isinstance(variables, list):
            raise DocumentError(variables)
        reading = Reading(CORE, document.fragments, variables)
        root = CORE.query_type if operation.operation is OperationType.QUERY else CORE.mutation_type
        assert root is not None
        fields = reading.fields(root, [operation.selection_set])
        names = {nodes[0].name.value for nodes in fields.values()}
        reads = root is CORE.query_type
        plain = reads and names <= PLAIN and not asks_beside(document.ast)
        return Prepared(asked, document, operation, reading, fields, plain, None, reads and names <= SCHEMA_ALONE)

    async def _read(self, caller: Caller, prepared: Prepared) -> bytes:
        plans = prepared.plans
        if plans is None:
            plans = prepared.plans = _planned(prepared)
        if len(plans) == 1:
            found: list[list[bytes] | Exception] = [await _outcome(plans[0], caller)]
        else:
            few = asyncio.Semaphore(AT_ONCE)
            found = list(await asyncio.gather(*(_in_turn(few, plan, caller) for plan in plans)))
        pieces: list[bytes] = []
        for plan, one in zip(plans, found, strict=True):
            if isinstance(one, Exception):
                return _with_errors(plans, found, caller)
            pieces.append(b'%s"%s":' % (b"," if pieces else b'{"data":{', plan.key.encode()))
            pieces += one
        return b"".join([*pieces, b"}}"]) if pieces else b'{"data":{}}'

    async def _describe(self, caller: Caller, prepared: Prepared) -> bytes:
        """What is asked of the schema: a fifth of a second of Python, away from everybody else's requests, one at a time,
        and once for each document."""
        text = prepared.text
        kept = self.described.get(text)
        if kept is not None:
            return kept
        async with self.describing:
            kept = self.described.get(text)
            if kept is not None:
                return kept
            made, whole = await asyncio.to_thread(_described, prepared, caller.request_id)
            if whole and len(made) <= LONGEST_DESCRIPTION and len(text[0]) + len(text[2]) <= KEPT_BYTES:
                self.described.put(text, made)
            return made

    async def _execute(self, caller: Caller, prepared: Prepared) -> bytes:
        caller.reading = prepared.reading
        result = execute(
            CORE, prepared.document.ast, context_value=caller, variable_values=dict(prepared.asked.variables),
            operation_name=prepared.asked.operation_name,
        )  # fmt: skip
        done = await result if not isinstance(result, ExecutionResult) else result
        if done.errors and prepared.operation.operation is OperationType.MUTATION:
            await refusals.keep(caller, prepared.reading, CORE.mutation_type, prepared.fields, done.errors)
        _unless_lost(done.data, [error.original_error for error in done.errors or ()])
        return answers.answered(
            done.data, [answers.of_execution(error, caller.request_id) for error in done.errors or ()]
        )


def _described(prepared: Prepared, request_id: str) -> tuple[bytes, bool]:
    """The answer to a document about the schema alone, and whether nothing went wrong."""
    asked = prepared.asked
    done = execute_sync(
        CORE, prepared.document.ast, variable_values=dict(asked.variables), operation_name=asked.operation_name
    )
    errors = [answers.of_execution(error, request_id) for error in done.errors or ()]
    return answers.answered(done.data, errors), not errors


def _planned(prepared: Prepared) -> tuple[Plan, ...]:
    try:
        return tuple(planned(prepared.reading, key, nodes) for key, nodes in prepared.fields.items())
    except GraphQLError as error:
        raise DocumentError([error]) from None


async def _in_turn(few: asyncio.Semaphore, plan: Plan, caller: Caller) -> list[bytes] | Exception:
    async with few:
        return await _outcome(plan, caller)


async def _outcome(plan: Plan, caller: Caller) -> list[bytes] | Exception:
    try:
        return await plan.answer(caller)
    except Exception as error:
        return error


def _with_errors(plans: tuple[Plan, ...], found: list[list[bytes] | Exception], caller: Caller) -> bytes:
    """Data where it may be null, and the errors with their paths."""
    errors: list[Mapping[str, Any]] = []
    data: dict[str, Any] | None = {}
    for plan, one in zip(plans, found, strict=True):
        value = None
        if isinstance(one, list):
            value = msgspec.Raw(b"".join(one))
        else:
            errors.append(answers.of_field(one, [plan.key], plan.places, caller.request_id))
        if value is None and plan.required:
            data = None
        if data is not None:
            data[plan.key] = value
    _unless_lost(data, [one for one in found if isinstance(one, Exception)])
    return answers.answered(data, errors)


def _unless_lost(data: Mapping[str, Any] | None, causes: Sequence[Exception | None]) -> None:
    """Raises Unavailable where nothing was answered for that reason alone: the same request may be answered later."""
    lost = [cause for cause in causes if isinstance(cause, Unavailable)]
    if lost and len(lost) == len(causes) and all(value is None for value in (data or {}).values()):
        raise lost[0]


def _to_anybody(prepared: Prepared) -> bytes:
    if any(nodes[0].name.value not in UNKNOWN for nodes in prepared.fields.values()):
        raise Unauthenticated
    root = "Query" if prepared.operation.operation is OperationType.QUERY else "Mutation"
    named = {key: root if nodes[0].name.value == "__typename" else None for key, nodes in prepared.fields.items()}
    return answers.answered(named)
