"""Connections of what services answer page by page: resources that are small, with cursors of their own.

`connect` declares the types of a resource, PAGING are its field's arguments; the resolver reads them by `paging`, asks
the service for `limit` items behind `after`, and answers `Paging.connection`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from strawberry.types.field import StrawberryField

from app.api.graphql.build import Resolved, argument, member, output, plain, resolved
from app.api.graphql.callers import Caller
from app.api.graphql.selections import limit, mended, named, subsets
from app.api.graphql.writing import Arguments
from app.domain.errors import StrataError
from app.domain.questions import COUNT_CAP, DEFAULT_LIMIT, MAX_LIMIT
from app.services.cursors import Key, seal, unseal

PAGING = [
    argument("first", "int", DEFAULT_LIMIT, f"At most {MAX_LIMIT:,}."),
    argument("after", "Optional[str]", None, "A cursor of the same question."),
]


def connect(name: str, *more: StrawberryField) -> None:
    """`ListConnection` of `List`, whose nodes are members of what a service answered, and its edges; with `more` of its own."""
    output(f"{name}Edge", [resolved("cursor", "str", lambda source, *_: source["cursor"]()), member("node", name)])
    output(f"{name}Connection", [
        member("edges", f"list[{name}Edge]"),
        resolved("nodes", f"list[{name}]", lambda source, *_: [edge["node"] for edge in source["edges"]],
                 description="Without their cursors."),
        resolved("page_info", "PageInfo", _page_info), *more,
    ])  # fmt: skip


def total_count() -> Resolved:
    """How many there are on all pages, of a connection whose source has them, exact, under `count`."""
    return resolved("total_count", "int", _total, argument("count", "Count", "exact", "`capped` stops at 10,000."))


def _total(source: Any, _info: Any, said: Arguments) -> int:
    value = int(source["count"]["value"])
    return min(value, COUNT_CAP) if plain(said["count"]) == "capped" else value


@dataclass(frozen=True, slots=True)
class Paging:
    """What a document says of its page: at most `limit` items behind the one with the keys `after`."""

    caller: Caller
    limit: int
    after: tuple[Key, ...] | None
    bound: bytes

    def connection(self, nodes: Sequence[Any], keys: Sequence[Sequence[Key]], more: bool) -> dict[str, Any]:
        """The connection of these items, each with the keys that the page behind it begins after."""
        edges = [{"node": node, "cursor": self._sealed(key)} for node, key in zip(nodes, keys, strict=True)]
        return {"edges": edges, "more": more, "continued": self.after is not None}

    def _sealed(self, keys: Sequence[Key]) -> Any:
        caller = self.caller
        return lambda: seal(caller.secret, self.bound, caller.now, keys)


def paging(info: Any, said: Arguments) -> Paging:
    """`first` and `after` of a field; a cursor is bound to workspace, field and the other arguments.

    Raises Invalid, Unreadable.
    """
    caller: Caller = info.context
    others = sorted((name, repr(value)) for name, value in said.items() if name not in ("first", "after"))
    bound = repr(("graphql", info.field_name, caller.principal.workspace.id, others)).encode()
    told = said.get("after")
    try:
        after = unseal(caller.secret, bound, told)[1] if told is not None else None
    except StrataError as error:
        raise mended(error, None) from None
    return Paging(caller, limit(said), after, bound)


def _page_info(source: Any, info: Any, _said: Arguments) -> dict[str, Any]:
    """By the names that the document asks for: `PageInfo` is that of plain reads."""
    caller, raw, edges = info.context, info._raw_info, source["edges"]
    known: dict[str, Callable[[], Any]] = {
        "__typename": lambda: "PageInfo",
        "hasNextPage": lambda: source["more"],
        "hasPreviousPage": lambda: source["continued"],
        "startCursor": lambda: edges[0]["cursor"]() if edges else None,
        "endCursor": lambda: edges[-1]["cursor"]() if edges else None,
    }
    of = named(raw.parent_type, raw.field_nodes[0])
    asked = caller.reading.fields(of, subsets(raw.field_nodes))
    return {key: known[group[0].name.value]() for key, group in asked.items()}
