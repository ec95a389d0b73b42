"""What criteria refer to by id or by name: people, accounts, contacts and saved lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.domain.catalogue import ENTITIES, Entity
from app.domain.criteria import nodes
from app.domain.criteria.asked import wheres
from app.domain.criteria.fields import find
from app.domain.criteria.meant import Column
from app.domain.criteria.nodes import Node
from app.domain.workspaces import Workspace

LISTS = "lists"
Referred = tuple[str, str]
"""The entity that is referred to, or LISTS, and what it is called there, as it was written."""
Names = Mapping[Referred, str]
"""What that is called among people."""


def referred(node: Node, entity: Entity, workspace: Workspace) -> Iterator[Referred]:
    """In the order of the text; of fields and relations that there are."""
    match node:
        case nodes.And(args) | nodes.Or(args):
            for arg in args:
                yield from referred(arg, entity, workspace)
        case nodes.Not(arg):
            yield from referred(arg, entity, workspace)
        case nodes.InList(name):
            yield LISTS, name
        case nodes.Cmp(nodes.Path(path), _, value):
            yield from _named(path, (value,), entity, workspace)
        case nodes.In(nodes.Path(path), values):
            yield from _named(path, values, entity, workspace)
        case _:
            for rel, where in wheres(node):
                relation = entity.relations.get(rel)
                if relation is not None:
                    yield from referred(where, ENTITIES[relation.target], workspace)


def _named(path: str, values: tuple[nodes.Value, ...], entity: Entity, workspace: Workspace) -> Iterator[Referred]:
    found = find(path, entity, workspace)
    if not isinstance(found, Column) or found.field.target is None or found.field.kind != "ref":
        return
    for value in values:
        if isinstance(value, nodes.Const) and isinstance(value.value, str):
            yield found.field.target, value.value
