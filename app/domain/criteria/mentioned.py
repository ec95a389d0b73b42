"""What a criteria mentions of the record itself."""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.catalogue import Entity
from app.domain.criteria import nodes
from app.domain.criteria.fields import find
from app.domain.criteria.nodes import Node
from app.domain.workspaces import Workspace


def paths(node: Node, entity: Entity, workspace: Workspace) -> tuple[str, ...]:
    """The fields that a criteria asks of the record, in the order of the text, each once; of those that there are."""
    return tuple(dict.fromkeys(path for path in _paths(node) if find(path, entity, workspace)))


def _paths(node: Node) -> Iterator[str]:
    match node:
        case nodes.And(args) | nodes.Or(args):
            for arg in args:
                yield from _paths(arg)
        case nodes.Not(arg):
            yield from _paths(arg)
        case nodes.Cmp(of, _, value):
            yield from _operand(of)
            if isinstance(value, nodes.FieldValue):
                yield value.path
        case nodes.In(of) | nodes.Range(of) | nodes.Time(of) | nodes.Text(of) | nodes.Has(of) | nodes.Empty(of):
            yield from _operand(of)
        case nodes.Segment(segmentation):
            yield f"segment.{segmentation}"
        case _:
            return


def _operand(of: nodes.Operand) -> Iterator[str]:
    match of:
        case nodes.Path(name):
            yield name
        case nodes.Rank(_, field, by):
            yield field
            if by is not None:
                yield by
        case _:
            return
