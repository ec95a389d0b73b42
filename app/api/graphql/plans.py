"""Plain reads: a field of the query as the ask that services answer in one statement, and its answer as bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLObjectType, is_non_null_type
from graphql.language import FieldNode, FragmentSpreadNode, VariableNode
from graphql.language import Node as Part

from app.api.graphql.build import camel
from app.api.graphql.callers import Caller
from app.api.graphql.connections import Page, layout
from app.api.graphql.filters import Spelled
from app.api.graphql.paths import spelled
from app.api.graphql.selections import Reading, criteria, mended, named, subsets
from app.api.graphql.types import naming, type_name
from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria.check import Checked, Setting
from app.domain.criteria.nodes import And, Node
from app.domain.errors import Fault, Invalid, StrataError
from app.domain.questions import Fixed, Selection
from app.domain.workspaces import Workspace, clock
from app.services import ranks, reads
from app.services.named import reading as settled
from app.services.plans import Recent
from app.services.reads import Answer, Ask

ONE = {entity.singular: entity for entity in ENTITIES.values() if naming(entity)}
"""The fields that give one record, by its names."""
PLAIN = frozenset({*ENTITIES, *ONE, "node", "__typename"})
"""The fields of the query that are answered from their selection."""
TYPE = "0type"
"""A member that no document can ask for."""
NODES = tuple(e for e in ENTITIES.values() if e.key != "none")
KEPT = 500
"""What so many documents show of a record is kept."""


Answering = Callable[[Caller], Awaitable[list[bytes]]]
"""Gives the value of a field as JSON, in pieces that follow one another."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One field of the query. `required`: it cannot be null; `places`: where the document asks for it."""

    key: str
    required: bool
    places: tuple[Mapping[str, int], ...]
    answer: Answering


@dataclass(frozen=True, slots=True, eq=False)
class Held(Selection):
    """A selection that equals itself alone: kept with its plan, it is not compared member by member at each request."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__


def planned(reading: Reading, key: str, nodes: Sequence[FieldNode], *, typed: bool = False) -> Plan:
    """The plan of a plain read. Raises GraphQLError for arguments that are none; all else is found when it answers.

    `typed`: a node tells its type under TYPE, for those who go on with it.
    """
    of = reading.schema.query_type
    assert of is not None
    node = nodes[0]
    name = node.name.value
    if name == "__typename":
        return Plan(key, True, (), _typename)
    arguments = reading.arguments(of, node)
    places = tuple({"line": n.loc.start_token.line, "column": n.loc.start_token.column} for n in nodes if n.loc)
    answer: Answering
    match name:
        case "node":
            answer = _node(reading, nodes, arguments["id"], typed)
        case _ if name in ONE:
            answer = _one(reading, ONE[name], nodes, arguments)
        case _:
            answer = connection(reading, ENTITIES[name], named(of, node), nodes, arguments)
    return Plan(key, is_non_null_type(of.fields[name].type), places, answer)


async def _typename(_: Caller) -> list[bytes]:
    return [b'"Query"']


# -- collections -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Collection:
    """A question as a document asks it: `within` are criteria that hold besides the document's own; `segmentation`: the one
    whose page it is, where of a past day what has no history is shown as it is today."""

    reading: Reading
    entity: Entity
    arguments: Mapping[str, Any]
    shown: Callable[[Reading], Selection]
    count: str | None = None
    edges: bool = False
    within: Node | None = None
    segmentation: str | None = None
    spelled: Spelled | None = field(default=None, init=False)
    ask: Ask | None = field(default=None, init=False)

    async def answer(self, caller: Caller) -> Page:
        """One statement, and all that was resolved for it. Raises Unreadable, Invalid, pointing into the arguments."""
        nested: list[Checked] = []
        try:
            ask = self.ask or self._asked(caller, nested)
            answer = await reads.collection(caller.db, caller.principal, ask, caller.now, secret=caller.secret)
        except StrataError as error:
            raise mended(error, self.spelled if self.within is None else None) from None
        return page_of(answer, caller, self.arguments.get("after") is not None, nested)

    def _asked(self, caller: Caller, nested: list[Checked]) -> Ask:
        told = self.arguments
        archived = told.get("archived")
        selection = self._selection(caller, nested)
        ask = Ask(
            self.entity.name, criteria=self._criteria(), sort=None if told.get("orderBy") is None else tuple(map(spelled, told["orderBy"])), limit=told["first"],
            cursor=told.get("after"), count=self.count, as_of=told.get("asOf"), on=told.get("on"), tz=told.get("tz"),
            for_user=told.get("forUser"), archived=archived.value if archived else None, selection=selection,
            edges=self.edges, segmentation=self.segmentation,
        )  # fmt: skip
        if isinstance(selection, Held):
            self.ask = ask
        return ask

    def _selection(self, caller: Caller, nested: list[Checked]) -> Selection | Callable[[Setting], Selection]:
        """Read once where no nested criteria depends on the moment or the person, else in each request's setting."""
        reading = self.reading.at(setting_of(caller))
        made = self.shown(reading)
        if not reading.relative:
            return Held(made.items)

        def anew(setting: Setting) -> Selection:
            within = self.reading.at(setting)
            shown = self.shown(within)
            nested.extend(within.checked)
            return shown

        return anew

    def _criteria(self) -> Node | None:
        where, said = self.arguments.get("where"), self.arguments.get("filter")
        if where is None and said is None:
            return self.within
        own, self.spelled = criteria(where, said)
        return own if self.within is None else And((self.within, own))


def connection(
    reading: Reading, entity: Entity, of: GraphQLObjectType, nodes: Sequence[FieldNode],
    arguments: Mapping[str, Any], within: Node | None = None, segmentation: str | None = None,
) -> Answering:  # fmt: skip
    """A connection."""
    laid = layout(reading, of, nodes, lambda within, group: within.selection(entity, group))
    asked = Collection(
        reading,
        entity,
        arguments,
        laid.selection,
        laid.count if laid.count != "none" else None,
        laid.singly,
        within,
        segmentation,
    )

    async def answer(caller: Caller) -> list[bytes]:
        return laid.write(await asked.answer(caller))

    return answer


def page_of(answer: Answer, caller: Caller, continued: bool, nested: Sequence[Checked] = ()) -> Page:
    """A page as connections are written from it; `nested` are criteria of what is related to its records."""
    windows = dict.fromkeys([*answer.windows, *(echo for one in nested for echo in one.windows)])
    compared = [*answer.ranks, *(echo for one in nested for echo in one.ranks)]
    told = [ranks.told(one, caller.principal.workspace) for one in compared]
    return Page(answer, continued, tuple(windows), told)


# -- single records ----------------------------------------------------------------------------------------------------


_shown: Recent[tuple[Sequence[FieldNode], Mapping[str, Selection]]] = Recent(KEPT)
"""What documents show of one record, whichever it is, by the fields that ask for it."""


@dataclass(slots=True)
class Shown:
    """What is shown of one record under these fields, read once where that depends on neither moment nor person, and once
    for all records that a document is asked for where it does not depend on variables either."""

    reading: Reading
    nodes: Sequence[FieldNode]
    typed: bool
    make: Callable[[Reading], Mapping[str, Selection]]
    kept: Mapping[str, Selection] | None = field(default=None, init=False)

    async def now(self, caller: Caller) -> Mapping[str, Selection]:
        """By entity. Raises Unreadable, Invalid."""
        if self.kept is None and (found := _shown.get(self._key(caller.principal.workspace))) is not None:
            self.kept = found[1]
        if self.kept is not None:
            return self.kept
        setting = setting_of(caller)
        return await settled(caller.db, setting, caller.principal.user_id, caller.now, self._made)

    def _made(self, setting: Setting) -> Mapping[str, Selection]:
        reading = self.reading.at(setting)
        made = {name: Held(selection.items) for name, selection in self.make(reading).items()}
        if not reading.relative:
            self.kept = made
            if not _varies(reading, self.nodes):
                _shown.put(self._key(setting.workspace), (self.nodes, made))
        return made

    def _key(self, workspace: Workspace) -> tuple[object, ...]:
        # Fields are kept along with what they show: while they are, no other has their identity.
        return workspace.id, workspace.epoch, self.typed, *map(id, self.nodes)


def _varies(reading: Reading, nodes: Sequence[FieldNode]) -> bool:
    """Whether what is asked under these fields depends on variables."""
    rest: list[object] = list(subsets(nodes))
    spread: set[str] = set()
    while rest:
        match rest.pop():
            case VariableNode():
                return True
            case FragmentSpreadNode() as one:
                rest += one.directives or ()
                if one.name.value not in spread:
                    spread.add(one.name.value)
                    rest.append(reading.fragments[one.name.value].selection_set)
            case Part() as part:
                rest += [getattr(part, key) for key in part.keys]
            case list() | tuple() as parts:
                rest += parts
    return False


def setting_of(caller: Caller) -> Setting:
    """What criteria mean to the caller now."""
    workspace = caller.principal.workspace
    return Setting(workspace, clock(workspace, caller.now), caller.principal.person)


def _one(reading: Reading, entity: Entity, nodes: Sequence[FieldNode], arguments: Mapping[str, Any]) -> Answering:
    """One record by whichever of its names is given."""
    ways = naming(entity)
    told = [(by, str(name)) for by in ways if (name := arguments.get(camel(by))) is not None]
    shown = Shown(reading, nodes, False, lambda within: {entity.name: within.selection(entity, nodes)})

    async def answer(caller: Caller) -> list[bytes]:
        if len(told) != 1:
            expected = f"Expected {' or '.join(map(camel, ways))}, one of them."
            raise Invalid(faults=(Fault(expected, parameter="id"),))
        ((by, name),) = told
        selection = (await shown.now(caller))[entity.name]
        found = await reads.one_selected(caller.db, caller.principal, entity.name, by, name, selection)
        return [found.body]

    return answer


def _node(reading: Reading, nodes: Sequence[FieldNode], identity: str, typed: bool) -> Answering:
    def make(within: Reading) -> dict[str, Selection]:
        made = {entity.name: within.selection(entity, nodes) for entity in NODES}
        if not typed:
            return made
        return {name: Selection((Fixed(TYPE, type_name(ENTITIES[name])), *shown.items)) for name, shown in made.items()}

    shown = Shown(reading, nodes, typed, make)

    async def answer(caller: Caller) -> list[bytes]:
        return [(await reads.any_one(caller.db, caller.principal, identity, await shown.now(caller)))[1]]

    return answer
