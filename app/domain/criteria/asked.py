"""What a leaf of criteria asks: its operand, the values that it equals, the related rows that it looks into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.domain.criteria import meant, nodes
from app.domain.criteria.meant import Meaning, Operand
from app.domain.criteria.nodes import Node

NOTHING = nodes.Not(nodes.All())


def says_all(node: Node) -> bool:
    """ALL and NOT ALL are said on purpose."""
    return isinstance(undenied(node), nodes.All)


def undenied(node: Node) -> Node:
    """A leaf without its NOT."""
    return node.arg if isinstance(node, nodes.Not) else node


def operand(node: Node) -> nodes.Operand | None:
    """The operand as it was said; None where a leaf has none."""
    return getattr(node, "of", None)


def key_of(meaning: Meaning) -> Operand | None:
    """The operand that a leaf asks."""
    match meaning:
        case meant.Not(arg):
            return key_of(arg)
        case meant.And(args) | meant.Or(args):
            return key_of(args[0]) if args else None
        case meant.All() | meant.Related() | meant.Moved():
            return None
        case _:
            return meaning.of


def holds_empty(meaning: Meaning, negated: bool = False) -> bool:
    """Whether a leaf holds where its operand is empty."""
    match meaning:
        case meant.Not(arg):
            return holds_empty(arg, not negated)
        case meant.And(args) | meant.Or(args):
            every = isinstance(meaning, meant.And) != negated
            return (all if every else any)(holds_empty(arg, negated) for arg in args)
        case meant.Compare(_, "ne") | meant.Missing():
            return not negated
        case _:
            return negated


def written(node: Node) -> Iterator[nodes.Const]:
    """The values that a leaf equals its operand with."""
    match node:
        case nodes.Cmp(cmp="eq" | "ne", value=nodes.Const() as value):
            yield value
        case nodes.In(values=values) | nodes.Has(values=values):
            yield from (value for value in values if isinstance(value, nodes.Const))


def lessened(node: Node, value: nodes.Const) -> Node:
    """The leaf without a value that nothing has."""
    match node:
        case nodes.Cmp(cmp="ne"):
            return nodes.All()
        case nodes.In(values=values) | nodes.Has(quantifier="any_of", values=values) if len(values) > 1:
            return replace(node, values=tuple(v for v in values if v is not value))
        case _:
            return NOTHING


def wheres(node: Node) -> Iterator[tuple[str, Node]]:
    """The criteria of related rows that a leaf holds, with their relation."""
    if isinstance(node, nodes.Quant) and node.where is not None:
        yield node.rel, node.where
    of = operand(node)
    while isinstance(of, nodes.Change):
        of = of.of
    if isinstance(of, nodes.Aggregate) and of.where is not None:
        yield of.rel, of.where
