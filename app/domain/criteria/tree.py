"""The JSON spelling of criteria: `load` reads it, `dump` writes it; `load(dump(x)) == x`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_never

from app.domain.criteria import nodes
from app.domain.criteria.loader import Loader
from app.domain.criteria.members import Members
from app.domain.criteria.suggest import invalid
from app.domain.criteria.words import dump_value, dump_window

VERSION = 1


def load_document(document: object, pointer: str = "") -> nodes.Node:
    """`{"v": 1, "filter": …}`. Raises as `load` does."""
    members = Members(document, pointer, ("v", "filter"))
    version = members.get("v")
    if type(version) is not int or version != VERSION:
        raise invalid(members.at_member("v"), f"Expected version {VERSION} of criteria.")
    return load(members.get("filter"), members.pointer("filter"))


def dump_document(node: nodes.Node) -> dict[str, Any]:
    """`{"v": 1, "filter": …}`, as `load_document` reads it."""
    return {"v": VERSION, "filter": dump(node)}


def load(obj: object, pointer: str = "") -> nodes.Node:
    """Reads a decoded JSON value; `pointer` is where it stands in the body.

    An `and` or `or` of one argument is that argument. Raises Invalid with the pointer of what is wrong, what was
    expected and the nearest known name.
    """
    return Loader().node(obj, pointer)


def places(node: nodes.Node, pointer: str = "") -> Iterator[tuple[nodes.Node, str]]:
    """Every node that AND, OR and NOT join, with its place in the tree that is dumped of the whole."""
    yield node, pointer
    match node:
        case nodes.And(args) | nodes.Or(args):
            for n, arg in enumerate(args):
                yield from places(arg, f"{pointer}/args/{n}")
        case nodes.Not(arg):
            yield from places(arg, f"{pointer}/arg")


def dump(node: nodes.Node) -> dict[str, Any]:  # noqa: C901 - one arm for each node
    """As JSON has it: dict, list, str, int, float, bool."""
    match node:
        case nodes.And(args):
            return {"op": "and", "args": [dump(a) for a in args]}
        case nodes.Or(args):
            return {"op": "or", "args": [dump(a) for a in args]}
        case nodes.Not(arg):
            return {"op": "not", "arg": dump(arg)}
        case nodes.All():
            return {"op": "all"}
        case nodes.Cmp(of, cmp, value):
            return {"op": "cmp", "of": _operand(of), "cmp": cmp, "value": dump_value(value)}
        case nodes.In(of, values):
            return {"op": "in", "of": _operand(of), "values": _values(values)}
        case nodes.Range():
            return _range(node)
        case nodes.Time(of, window):
            return {"op": "time", "of": _operand(of), "in": dump_window(window)}
        case nodes.Text(of, match, value):
            return {"op": "text", "of": of.name, "match": match, "value": dump_value(value)}
        case nodes.Has(of, quantifier, values):
            return {"op": "has", "of": of.name, quantifier: _values(values)}
        case nodes.Empty(of):
            return {"op": "empty", "of": _operand(of)}
        case nodes.Quant(q, rel, where, window):
            return {"op": "quant", "q": q, "rel": rel, **_rows(where, window)}
        case nodes.Segment(segmentation, segment, event, window):
            move = {"event": event, **_rows(None, window)} if event else {}
            return {"op": "segment", "segmentation": segmentation, "segment": segment, **move}
        case nodes.InList(name):
            return {"op": "list", "list": name}
        case _:
            assert_never(node)


def _operand(of: nodes.Operand) -> str | dict[str, Any]:
    match of:
        case nodes.Path(name):
            return name
        case nodes.Aggregate(fn, rel, field, where, window):
            return {"fn": fn, "rel": rel, **({"field": field} if field else {}), **_rows(where, window)}
        case nodes.Change(fn, inner, now, was):
            return {"fn": fn, "of": _operand(inner), "now": dump_window(now), "was": dump_window(was)}
        case nodes.Rank(fn, field, by):
            return {"fn": fn, "field": field, **({"by": by} if by else {})}
        case _:
            assert_never(of)


def _range(node: nodes.Range) -> dict[str, Any]:
    ends = {key: dump_value(end) for key, end in (("lo", node.lo), ("hi", node.hi)) if end is not None}
    return {"op": "range", "of": _operand(node.of), **ends, **({"hi_open": True} if node.hi_open else {})}


def _rows(where: nodes.Node | None, window: nodes.Window | None) -> dict[str, Any]:
    return {**({"where": dump(where)} if where else {}), **({"in": dump_window(window)} if window else {})}


def _values(values: tuple[nodes.Value, ...]) -> list[Any]:
    return [dump_value(v) for v in values]
