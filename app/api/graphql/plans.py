"""Plain reads: a field of the query as the ask that services answer in one statement, and its answer as bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import GraphQLObjectType, is_non_null_type
from graphql.language import FieldNode

from app.api.graphql.callers import Caller
from app.api.graphql.connections import Layout, Page, layout
from app.api.graphql.filters import Spelled
from app.api.graphql.selections import Reading, named
from app.api.graphql.types import CONNECTED, type_name
from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria import text, tree
from app.domain.criteria.check import Echo, Setting
from app.domain.criteria.nodes import And, Node
from app.domain.errors import Fault, Invalid, NotFound, StrataError, Unreadable
from app.domain.questions import Selection
from app.domain.workspaces import clock
from app.services import reads
from app.services.reads import Answer, Ask

DIRECTORY = ("users", "teams", "industries", "products", "features", "stages")
"""What an organisation has few of: plain lists."""
PLAIN = frozenset({*CONNECTED, *DIRECTORY, "account", "node", "__typename"})
"""The fields of the query that are answered from their selection."""
NODES = tuple(e for e in ENTITIES.values() if e.key != "none")
NAMES = {"sort": "orderBy", "limit": "first", "cursor": "after", "as_of": "asOf", "for_user": "forUser"}


@dataclass(frozen=True, slots=True)
class Plan:
    """One field of the query. `required`: it cannot be null; `places`: where the document asks for it."""

    key: str
    required: bool
    places: tuple[Mapping[str, int], ...]
    answer: Callable[[Caller], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, eq=False)
class Held(Selection):
    """A selection that equals itself alone: kept with its plan, it is not compared member by member at each request."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__


def planned(reading: Reading, caller: Caller, key: str, nodes: Sequence[FieldNode]) -> Plan:
    """The plan of a plain read. Raises GraphQLError for arguments that are none; all else is found when it answers."""
    of = reading.schema.query_type
    assert of is not None
    node = nodes[0]
    name = node.name.value
    if name == "__typename":
        return Plan(key, True, (), _typename)
    arguments = reading.arguments(of, node)
    places = tuple({"line": n.loc.start_token.line, "column": n.loc.start_token.column} for n in nodes if n.loc)
    answer: Callable[[Caller], Awaitable[bytes]]
    match name:
        case "account":
            answer = _account(reading, nodes, arguments)
        case "node":
            answer = _node(reading, nodes, arguments["id"])
        case _ if name in CONNECTED:
            answer = connection(reading, caller, ENTITIES[name], named(of, node), nodes, arguments)
        case _:
            answer = _listed(reading, caller, ENTITIES[name], nodes, arguments)
    return Plan(key, is_non_null_type(of.fields[name].type), places, answer)


async def _typename(_: Caller) -> bytes:
    return b'"Query"'


# -- collections -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Collection:
    """A question as a document asks it: `within` are criteria that hold besides the document's own."""

    reading: Reading
    entity: Entity
    arguments: Mapping[str, Any]
    shown: Callable[[Reading], Selection]
    count: str | None = None
    edges: bool = False
    within: Node | None = None
    spelled: Spelled | None = field(default=None, init=False)
    ask: Ask | None = field(default=None, init=False)

    async def answer(self, caller: Caller) -> Answer:
        """One statement. Raises Unreadable, Invalid, with faults that point into the arguments."""
        try:
            ask = self.ask or self._asked(caller)
            return await reads.collection(caller.db, caller.principal, ask, caller.now, secret=caller.secret)
        except StrataError as error:
            raise self._mended(error) from None

    def _asked(self, caller: Caller) -> Ask:
        told = self.arguments
        archived = told.get("archived")
        selection = self._selection(caller)
        ask = Ask(
            self.entity.name, criteria=self._criteria(), sort=_names(told.get("orderBy")), limit=told["first"],
            cursor=told.get("after"), count=self.count, as_of=told.get("asOf"), tz=told.get("tz"),
            for_user=told.get("forUser"), archived=archived.value if archived else None, selection=selection,
            edges=self.edges,
        )  # fmt: skip
        if isinstance(selection, Held):
            self.ask = ask
        return ask

    def _selection(self, caller: Caller) -> Selection | Callable[[Setting], Selection]:
        """Read once where no nested criteria depends on the moment or the person, else in each request's setting."""
        workspace = caller.principal.workspace
        reading = replace(self.reading, within=Setting(workspace, clock(workspace, caller.now), caller.principal.person))
        made = self.shown(reading)
        if not reading.relative:
            return Held(made.items)
        return lambda setting: self.shown(replace(self.reading, within=setting))

    def _criteria(self) -> Node | None:
        where, said = self.arguments.get("where"), self.arguments.get("filter")
        if where is not None and said is not None:
            raise Invalid(faults=(Fault("Expected where or filter, not both.", parameter="where"),))
        own: Node | None = None
        if said is not None:
            own = text.parse(said) if said.strip() else None
            if own is None:
                raise Unreadable(faults=(Fault("Expected criteria: leave filter out to get everything.", parameter="filter"),))
        elif where is not None:
            self.spelled = Spelled(where, "/where")
            own = tree.load(self.spelled.tree)
        if self.within is None or own is None:
            return self.within or own
        return And((self.within, own))

    def _mended(self, error: StrataError) -> StrataError:
        if self.spelled is not None and self.within is None:
            error = self.spelled.mend(error)
        error.faults = tuple(
            replace(f, parameter="filter" if f.line is not None and f.parameter is None else NAMES.get(f.parameter or "", f.parameter))
            for f in error.faults
        )
        return error


def connection(
    reading: Reading, caller: Caller, entity: Entity, of: GraphQLObjectType, nodes: Sequence[FieldNode],
    arguments: Mapping[str, Any], within: Node | None = None,
) -> Callable[[Caller], Awaitable[bytes]]:  # fmt: skip
    """A connection."""
    laid: Layout = layout(reading, of, entity, nodes)
    asked = Collection(
        reading, entity, arguments, laid.selection, laid.count if laid.count != "none" else None, laid.singly, within
    )

    async def answer(caller: Caller) -> bytes:
        return laid.write(page_of(await asked.answer(caller), arguments.get("after") is not None))

    return answer


def page_of(answer: Answer, continued: bool) -> Page:
    """A page as connections are written from it."""
    records = answer.records if answer.keys or not answer.data else answer.data
    return Page(records, answer.more, continued, answer.count, answer.as_of, answer.windows, answer.cursor)


def _listed(
    reading: Reading, caller: Caller, entity: Entity, nodes: Sequence[FieldNode], arguments: Mapping[str, Any]
) -> Callable[[Caller], Awaitable[bytes]]:
    asked = Collection(reading, entity, arguments, lambda within: within.selection(entity, nodes))

    async def answer(caller: Caller) -> bytes:
        return (await asked.answer(caller)).data

    return answer


def _names(told: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(told) if told else None


# -- single records ----------------------------------------------------------------------------------------------------


def _account(
    reading: Reading, nodes: Sequence[FieldNode], arguments: Mapping[str, Any]
) -> Callable[[Caller], Awaitable[bytes]]:
    identity, external = arguments.get("id"), arguments.get("externalId")
    kept: dict[str, Selection] = {}

    async def answer(caller: Caller) -> bytes:
        if (identity is None) == (external is None):
            raise Invalid(faults=(Fault("Expected id or externalId, one of them.", parameter="id"),))
        shows = kept.get("it") or read_in(reading, caller, ENTITIES["accounts"], nodes, kept)
        by, value = ("id", identity) if external is None else ("external_id", external)
        return (await reads.one_selected(caller.db, caller.principal, "accounts", by, str(value), shows)).body

    return answer
