"""A criteria taken apart into the leaves that are asked: each checked by itself, lists opened, in document order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeGuard, assert_never

from app.domain.catalogue import Entity
from app.domain.criteria import nodes
from app.domain.criteria.check import Checked, Setting, check
from app.domain.criteria.coerce import identity
from app.domain.criteria.meant import (
    All,
    And,
    Between,
    Compare,
    FoldOf,
    Grouped,
    Match,
    Meaning,
    Missing,
    Moved,
    Not,
    OneOf,
    Operand,
    Or,
    Refers,
    Related,
    Tagged,
)
from app.domain.criteria.nodes import Node

Asked = Operand | Moved
"""What has a value that a leaf is decided by; of moves it is the latest moment at which the record moved so."""
Joint = Literal["and", "or", "not", "list"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One predicate. `pointer` is its place in the tree as JSON; what a list holds stands under `…/list`.

    `negated`: an odd number of NOT stand above it, so that the criteria wants it false. `index` counts leaves.
    """

    node: Node
    entity: Entity
    setting: Setting
    pointer: str
    negated: bool
    index: int
    checked: Checked

    @property
    def meaning(self) -> Meaning:
        return self.checked.meaning

    @property
    def wanted(self) -> Meaning:
        """What the criteria wants of it: the leaf, or that it does not hold."""
        return Not(self.meaning) if self.negated else self.meaning

    def at(self, moment: datetime) -> Meaning:
        """What it means at another moment."""
        return check(self.node, self.entity, at_moment(self.setting, moment)).meaning


@dataclass(frozen=True, slots=True)
class Branch:
    """Leaves joined; `list` is a saved list that is named, opened as its one argument."""

    op: Joint
    node: Node
    pointer: str
    args: tuple[Tree, ...]
    name: str | None = None


Tree = Leaf | Branch


def at_moment(setting: Setting, moment: datetime) -> Setting:
    """The setting with its clock at another moment."""
    return replace(setting, clock=replace(setting.clock, as_of=moment))


def grown(node: Node, entity: Entity, setting: Setting, begin: int = 0) -> Tree:
    """The tree of a criteria that `check` accepts in this setting, its leaves counted from `begin` on. Raises Invalid
    as `check` does."""
    return _Grower(entity, begin).tree(node, setting, "", negated=False)


class _Grower:
    def __init__(self, entity: Entity, begin: int) -> None:
        self._entity = entity
        self._count = begin

    def tree(self, node: Node, setting: Setting, at: str, *, negated: bool) -> Tree:
        match node:
            case nodes.And(args) | nodes.Or(args):
                inner = [self.tree(arg, setting, f"{at}/args/{n}", negated=negated) for n, arg in enumerate(args)]
                return Branch("and" if isinstance(node, nodes.And) else "or", node, at, tuple(inner))
            case nodes.Not(arg):
                return Branch("not", node, at, (self.tree(arg, setting, f"{at}/arg", negated=not negated),))
            case nodes.InList(told):
                key = identity(told)
                assert key is not None, "checked criteria name lists by id"
                of = setting.lists[key]
                within = replace(setting, params=of.params)
                return Branch("list", node, at, (self.tree(of.node, within, f"{at}/list", negated=negated),), of.name)
            case _:
                index, self._count = self._count, self._count + 1
                return Leaf(node, self._entity, setting, at, negated, index, check(node, self._entity, setting))


def leaves(tree: Tree) -> Iterator[Leaf]:
    """In document order, which is that of their indexes."""
    if isinstance(tree, Leaf):
        yield tree
    else:
        for arg in tree.args:
            yield from leaves(arg)


def decided(tree: Tree, verdicts: Sequence[bool] | Mapping[int, bool]) -> bool:
    """What the tree says where its leaves say this, by index."""
    if isinstance(tree, Leaf):
        return verdicts[tree.index]
    args = (decided(arg, verdicts) for arg in tree.args)
    match tree.op:
        case "and":
            return all(args)
        case "or":
            return any(args)
        case "not":
            return not next(args)
        case "list":
            return next(args)
        case _:
            assert_never(tree.op)


def is_operand(value: object) -> TypeGuard[Operand]:
    """Whether a comparison's value is another operand."""
    return isinstance(value, Operand)


def asked(meaning: Meaning) -> tuple[Asked, ...]:
    """What a leaf's meaning asks, each once: of related rows how many pass, for `all` also how many there are."""
    return tuple(dict.fromkeys(_asked(meaning)))


def _asked(meaning: Meaning) -> Iterator[Asked]:
    match meaning:
        case And(args) | Or(args):
            for arg in args:
                yield from _asked(arg)
        case Not(arg):
            yield from _asked(arg)
        case All():
            return
        case Compare(of, _, value):
            yield of
            if is_operand(value):
                yield value
        case Grouped(of, by):
            yield from (of, by)
        case OneOf(of) | Between(of) | Match(of) | Tagged(of) | Missing(of) | Refers(of):
            yield of
        case Related(q, relation, where, bounds):
            yield FoldOf("count", relation, None, where, bounds)
            if q == "all" and where is not None:
                yield FoldOf("count", relation, None, None, bounds)
        case Moved():
            yield meaning
        case _:
            assert_never(meaning)
