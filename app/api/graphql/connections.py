"""Connections: which of a page's parts a document asks for, and how they are put together from its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from graphql import GraphQLObjectType
from graphql.language import FieldNode

from app.api.graphql.build import camel, plain
from app.api.graphql.selections import Reading, named, subsets
from app.domain.criteria.check import Echo
from app.domain.questions import COUNT_CAP, Count, Fixed, Group, Item, Selection
from app.services.reads import Answer

ENCODER = msgspec.json.Encoder(decimal_format="number")
_RECORDS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


@dataclass(frozen=True, slots=True)
class Edges:
    """`edges` or `nodes` under `key`: how what is shown is read, and the keys of cursors, before it or behind."""

    key: str
    shown: Callable[[Reading], Selection]
    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()

    @property
    def cursors(self) -> bool:
        return bool(self.before or self.behind)


@dataclass(slots=True)
class Page:
    """A page as it was answered: `before` says whether it continues another, `windows` are all that were resolved, `ranks`
    those that were compared, as REST tells them."""

    answer: Answer
    before: bool
    windows: Sequence[Echo]
    ranks: Sequence[Mapping[str, Any]]

    @property
    def records(self) -> Sequence[bytes] | bytes:
        """Each record's JSON, or all of them as one array."""
        return self.answer.data or self.answer.rows.records


Part = Callable[[Page], bytes]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a document asks of a connection. `singly`: records are needed one by one, to tell where each stands."""

    parts: tuple[tuple[str, Part | Edges], ...]
    count: Count
    singly: bool

    @property
    def bearers(self) -> list[Edges]:
        """The parts that show records."""
        return [part for _, part in self.parts if isinstance(part, Edges)]

    def selection(self, reading: Reading) -> Selection:
        """What is shown of each record: of several parts, each as a member of its own. Raises Invalid."""
        bearers = self.bearers
        if len(bearers) == 1:
            return bearers[0].shown(reading)
        return Selection(tuple(Group(f"g{n}", part.shown(reading)) for n, part in enumerate(bearers)))

    def write(self, page: Page) -> list[bytes]:
        """The connection as JSON, in pieces: a page that PostgreSQL made is not copied."""
        shown = _shown(self.bearers, page)
        pieces: list[bytes] = []
        for key, part in self.parts:
            pieces.append(b'%s"%s":' % (b"," if pieces else b"{", key.encode()))
            pieces.append(shown[key] if isinstance(part, Edges) else part(page))
        pieces.append(b"}" if pieces else b"{}")
        return pieces


Records = Callable[[Reading, Sequence[FieldNode]], Selection]
"""What is shown of each record where a document asks for records by these nodes."""


def layout(reading: Reading, of: GraphQLObjectType, nodes: Sequence[FieldNode], records: Records) -> Layout:
    """The layout of a connection's selection."""
    parts: list[tuple[str, Part | Edges]] = []
    modes: set[Count] = set()
    singly = False
    for key, group in reading.fields(of, subsets(nodes)).items():
        name = group[0].name.value
        match name:
            case "nodes":
                parts.append((key, Edges(key, partial(_of_nodes, records, group))))
            case "edges":
                parts.append((key, _edges(reading, named(of, group[0]), key, group, records)))
            case "pageInfo":
                made, placed = _page_info(reading, named(of, group[0]), group)
                singly = singly or placed
                parts.append((key, made))
            case "totalCount":
                mode: Count = plain(reading.arguments(of, group[0])["count"])
                modes.add(mode)
                parts.append((key, _capped if mode == "capped" else _counted))
            case "asOf":
                parts.append((key, lambda page: ENCODER.encode(page.answer.as_of)))
            case "windows":
                parts.append((key, _echoed(_members(reading, named(of, group[0]), group), _windows)))
            case "ranks":
                parts.append((key, _echoed(_members(reading, named(of, group[0]), group), _ranks)))
            case "notes":
                parts.append((key, lambda page: ENCODER.encode(page.answer.notes)))
            case "segmentations":
                parts.append((key, _echoed(_members(reading, named(of, group[0]), group), _segmentations)))
            case _:
                parts.append((key, _constant(of.name)))
    singly = singly or any(part.cursors for _, part in parts if isinstance(part, Edges))
    count: Count = "exact" if "exact" in modes else "capped" if modes else "none"
    return Layout(tuple(parts), count, singly)


def _of_nodes(records: Records, nodes: Sequence[FieldNode], reading: Reading) -> Selection:
    return records(reading, nodes)


def _edges(reading: Reading, of: GraphQLObjectType, key: str, nodes: Sequence[FieldNode], records: Records) -> Edges:
    asked = reading.fields(of, subsets(nodes))
    names = [(name, group[0].name.value) for name, group in asked.items()]
    first = next((n for n, (_, name) in enumerate(names) if name != "cursor"), len(names))

    def shown(reading: Reading) -> Selection:
        items: list[Item] = []
        for name, group in asked.items():
            match group[0].name.value:
                case "node":
                    items.append(Group(name, records(reading, group)))
                case "__typename":
                    items.append(Fixed(name, of.name))
        return Selection(tuple(items))

    before = tuple(name for name, _ in names[:first])
    return Edges(key, shown, before, tuple(name for name, of_ in names[first:] if of_ == "cursor"))


def _shown(bearers: Sequence[Edges], page: Page) -> dict[str, bytes]:
    if len(bearers) == 1:
        return {bearers[0].key: _listed(bearers[0], page.records, page)}
    if not bearers:
        return {}
    joined = page.records if isinstance(page.records, bytes) else b"[" + b",".join(page.records) + b"]"
    rows = _RECORDS.decode(joined)
    return {part.key: _listed(part, [bytes(row[f"g{n}"]) for row in rows], page) for n, part in enumerate(bearers)}


def _listed(part: Edges, records: Sequence[bytes] | bytes, page: Page) -> bytes:
    if isinstance(records, bytes):
        return records
    if part.cursors:
        records = [_with_cursor(part, record, page.answer.cursor(n)) for n, record in enumerate(records)]
    return b"[" + b",".join(records) + b"]"


def _with_cursor(part: Edges, record: bytes, cursor: str) -> bytes:
    value = cursor.encode()
    before = [b'"%s":"%s"' % (key.encode(), value) for key in part.before]
    behind = [b'"%s":"%s"' % (key.encode(), value) for key in part.behind]
    inner = [record[1:-1]] if len(record) > 2 else []
    return b"{" + b",".join([*before, *inner, *behind]) + b"}"


# -- the other parts ---------------------------------------------------------------------------------------------------


def _constant(value: str) -> Part:
    encoded = ENCODER.encode(value)
    return lambda _: encoded


def _counted(page: Page) -> bytes:
    return b"%d" % (page.answer.count[0] if page.answer.count else 0)


def _capped(page: Page) -> bytes:
    return b"%d" % min(page.answer.count[0] if page.answer.count else 0, COUNT_CAP)


def _page_info(reading: Reading, of: GraphQLObjectType, nodes: Sequence[FieldNode]) -> tuple[Part, bool]:
    """The part, and whether it needs to know where the first record stands."""
    asked = {key: group[0].name.value for key, group in reading.fields(of, subsets(nodes)).items()}

    def read(name: str, page: Page) -> object:
        match name:
            case "hasNextPage":
                return page.answer.rows.more
            case "hasPreviousPage":
                return page.before
            case "startCursor":
                return page.answer.cursor(0) if page.answer.rows.keys else None
            case "endCursor":
                return page.answer.end
            case _:
                return of.name

    def write(page: Page) -> bytes:
        return ENCODER.encode({key: read(name, page) for key, name in asked.items()})

    return write, "startCursor" in asked.values()


# -- what an answer was resolved to ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Members:
    """What a document asks of an object that is made here: by key its member, and what is asked of that."""

    of: str
    asked: Mapping[str, tuple[str, Members | None]]

    def shown(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """An object with its members by GraphQL name, as it is asked for."""
        return {key: self._member(told, name, inner) for key, (name, inner) in self.asked.items()}

    def _member(self, told: Mapping[str, Any], name: str, inner: Members | None) -> Any:
        if name == "__typename":
            return self.of
        return told[name] if inner is None else [inner.shown(one) for one in told[name]]


def _members(reading: Reading, of: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Members:
    asked: dict[str, tuple[str, Members | None]] = {}
    for key, group in reading.fields(of, subsets(nodes)).items():
        inner = _members(reading, named(of, group[0]), group) if subsets(group) else None
        asked[key] = group[0].name.value, inner
    return Members(of.name, asked)


def _echoed(members: Members, told: Callable[[Page], Iterable[Mapping[str, Any]]]) -> Part:
    return lambda page: ENCODER.encode([members.shown(one) for one in told(page)])


def _windows(page: Page) -> Iterable[Mapping[str, Any]]:
    return ({"window": one.window, "lo": one.lo, "hi": one.hi, "zone": one.zone} for one in page.windows)


def _ranks(page: Page) -> Iterable[Mapping[str, Any]]:
    return ({camel(name): value for name, value in one.items()} for one in page.ranks)


def _segmentations(page: Page) -> Iterable[Mapping[str, Any]]:
    return ({camel(name): value for name, value in one.items()} for one in page.answer.segmentations)
