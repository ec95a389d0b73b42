"""Criteria checked against the catalogue and a workspace: what is said becomes what is meant, or an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from app.domain.catalogue import ENTITIES, Entity, Relation
from app.domain.criteria import fields, meant, nodes, ranking
from app.domain.criteria.fields import QUESTIONS, SPELLINGS, Question, Typing, shown
from app.domain.criteria.folds import NUMBERS, fold_typing
from app.domain.criteria.inner import Lists
from app.domain.criteria.meant import Bounds, Meaning
from app.domain.criteria.nodes import At, place
from app.domain.criteria.simplify import compared, one_of, within
from app.domain.criteria.suggest import invalid, nearest
from app.domain.criteria.values import Echo, NamedList, RankEcho, Setting, Values, for_nobody
from app.domain.errors import Fault, Invalid

__all__ = ["Checked", "Echo", "NamedList", "RankEcho", "Setting", "check", "for_nobody", "shown"]


@dataclass(frozen=True, slots=True)
class Checked:
    """`relative`: another moment, zone or person would make it another meaning, or another state of what it names."""

    meaning: Meaning
    windows: tuple[Echo, ...]
    relative: bool
    ranks: tuple[RankEcho, ...] = ()


def check(node: nodes.Node, entity: Entity, setting: Setting) -> Checked:
    """Raises Invalid with every fault that stands in AND and OR side by side."""
    values = Values(setting)
    meaning = _Checker(setting, values).meaning(node, entity)
    for at in values.lacking.values():
        raise invalid(at, "Ranks cannot be asked here.")
    return Checked(meaning, tuple(values.windows), values.relative, tuple(values.ranks.values()))


class _Checker:
    """Walks one criteria; its values keep what they depended on."""

    def __init__(self, setting: Setting, values: Values) -> None:
        self._workspace = setting.workspace
        self._values = values
        self._lists = Lists(setting, values)

    def meaning(self, node: nodes.Node, entity: Entity) -> Meaning:  # noqa: C901 - one arm for each node
        self._lists.spend(node)
        match node:
            case nodes.Cmp(nodes.Rank() as rank) | nodes.In(nodes.Rank() as rank):
                return ranking.asked(node, rank, entity, self._values)
            case nodes.Range(nodes.Rank() as rank) | nodes.Empty(nodes.Rank() as rank):
                return ranking.asked(node, rank, entity, self._values)
            case nodes.And(args):
                return meant.And(self._each(args, entity))
            case nodes.Or(args):
                return meant.Or(self._each(args, entity))
            case nodes.Not(arg):
                return meant.Not(self.meaning(arg, entity))
            case nodes.All():
                return meant.All()
            case nodes.Cmp():
                return self._cmp(node, entity)
            case nodes.In():
                return self._in(node, entity)
            case nodes.Range():
                return self._range(node, entity)
            case nodes.Time():
                return self._time(node, entity)
            case nodes.Text():
                return self._text(node, entity)
            case nodes.Has():
                return self._has(node, entity)
            case nodes.Empty():
                of, typing = self._operand(node.of, entity)
                _ask(typing, "empty", node.at)
                return meant.Missing(of)
            case nodes.Quant():
                relation = self._relation(node.rel, entity, place(node, 0))
                return meant.Related(node.q, relation, *self._rows(relation, node.where, node.window))
            case nodes.Segment():
                return self._segment(node, entity)
            case nodes.InList():
                return self._lists.meaning(node, entity, self.meaning)
            case _:
                assert_never(node)

    def _each(self, args: tuple[nodes.Node, ...], entity: Entity) -> tuple[Meaning, ...]:
        found: list[Meaning] = []
        faults: list[Fault] = []
        for arg in args:
            try:
                found.append(self.meaning(arg, entity))
            except Invalid as error:
                faults += error.faults
        if faults:
            raise Invalid(None, tuple(faults))
        return tuple(found)

    # -- predicates ----------------------------------------------------------------------------------------------------

    def _cmp(self, node: nodes.Cmp, entity: Entity) -> Meaning:
        of, typing = self._operand(node.of, entity)
        _ask(typing, "equal" if node.cmp in ("eq", "ne") else "order", node.at)
        if typing.kind == "ref":
            refers = self._values.refers(of, typing, (node.value,))
            return meant.Not(refers) if node.cmp == "ne" else refers
        return compared(of, typing, node.cmp, self._values.value(node.value, typing, entity), node.value.at)

    def _in(self, node: nodes.In, entity: Entity) -> Meaning:
        of, typing = self._operand(node.of, entity)
        _ask(typing, "equal", node.at)
        if not node.values:
            raise invalid(node.at, "A list of values has at least one.")
        if typing.kind == "ref":
            return self._values.refers(of, typing, node.values)
        return one_of(of, typing, [(self._values.value(v, typing, entity), v.at) for v in node.values])

    def _range(self, node: nodes.Range, entity: Entity) -> Meaning:
        of, typing = self._operand(node.of, entity)
        _ask(typing, "order", node.at)
        lo, hi = (None if v is None else self._values.value(v, typing, entity) for v in (node.lo, node.hi))
        if lo is None and hi is None:
            raise invalid(node.at, "A range has at least one bound.")
        return within(of, lo, hi, node.hi_open)

    def _time(self, node: nodes.Time, entity: Entity) -> Meaning:
        of, typing = self._operand(node.of, entity)
        _ask(typing, "time", node.at)
        bounds = self._values.bounds(node.window, "date" if typing.kind == "date" else "instant")
        return meant.Between(of, bounds.lo, bounds.hi, hi_open=True)

    def _text(self, node: nodes.Text, entity: Entity) -> Meaning:
        of, typing = self._operand(node.of, entity)
        _ask(typing, "text", node.at)
        return meant.Match(of, node.match, self._values.literal(node.value, typing))

    def _has(self, node: nodes.Has, entity: Entity) -> Meaning:
        of, typing = self._operand(node.of, entity)
        _ask(typing, "tags", node.at)
        if not node.values:
            raise invalid(node.at, "A list of values has at least one.")
        values = dict.fromkeys(self._values.literal(v, typing) for v in node.values)
        return meant.Tagged(of, node.quantifier == "all_of", tuple(values))

    def _segment(self, node: nodes.Segment, entity: Entity) -> Meaning:
        if entity.name != "accounts":
            instead = "" if node.event else "; of contacts ask account.segment.<segmentation>"
            raise invalid(node.at, f"{node.event or 'in_segment'} is asked of accounts{instead}.")
        if not (known := self._workspace.segmentations.get(node.segmentation)):
            slugs = self._workspace.segmentations
            raise invalid(place(node, 0), "There is no such segmentation.", nearest(node.segmentation, slugs))
        if node.segment not in known.segments:
            raise invalid(place(node, 1), "There is no such segment in it.", nearest(node.segment, known.segments))
        if node.event is None or node.window is None:
            return meant.Compare(meant.SegmentOf(known.id, known.slug), "eq", node.segment)
        bounds = self._values.bounds(node.window, "instant")
        return meant.Moved(known.id, known.slug, node.segment, node.event, bounds)

    # -- operands ------------------------------------------------------------------------------------------------------

    def _operand(self, of: nodes.Operand, entity: Entity) -> tuple[meant.Operand, Typing]:
        match of:
            case nodes.Path(name):
                return fields.resolve(name, entity, self._workspace, of.at)
            case nodes.Aggregate():
                return self._fold(of, entity, of.window)
            case nodes.Change():
                return self._change(of, entity)
            case nodes.Rank():
                raise invalid(of.at, f"{of.fn} is a number: it can be asked {', '.join(SPELLINGS[q] for q in RANKS)}.")
            case _:
                assert_never(of)

    def _fold(self, of: nodes.Aggregate, entity: Entity, window: nodes.Window | None) -> tuple[meant.FoldOf, Typing]:
        relation = self._relation(of.rel, entity, place(of, 0))
        target = ENTITIES[relation.target]
        folded = None
        if of.field is not None:
            folded = target.fields.get(of.field)
            if folded is None:
                raise invalid(place(of, 1), f"{relation.name} have no such field.", nearest(of.field, target.fields))
        typing = fold_typing(of.fn, relation, folded, of.at)
        return meant.FoldOf(of.fn, relation, folded, *self._rows(relation, of.where, window)), typing

    def _change(self, of: nodes.Change, entity: Entity) -> tuple[meant.Operand, Typing]:
        inner = of.of
        if not isinstance(inner, nodes.Aggregate):
            raise invalid(of.at, f"{of.fn} takes a function over related rows, as in sum(usage.value).")
        if inner.window:
            raise invalid(inner.at, f"The windows stand in {of.fn}, not in {inner.fn}.")
        now, typing = self._fold(inner, entity, of.now)
        if typing.kind not in NUMBERS:
            raise invalid(inner.at, f"{of.fn} takes numbers.")
        was, _ = self._fold(inner, entity, of.was)
        relative = of.fn == "change"
        kind = Typing(of.fn, "number") if relative else Typing(of.fn, typing.kind, share=typing.share)
        return meant.ChangeOf(now, was, relative), kind

    def _relation(self, name: str, entity: Entity, at: At) -> Relation:
        many = {r.name: r for r in entity.relations.values() if r.many}
        if name not in many:
            raise invalid(at, f"{entity.name} have no such related rows.", nearest(name, many))
        return many[name]

    def _rows(
        self, relation: Relation, where: nodes.Node | None, window: nodes.Window | None
    ) -> tuple[Meaning | None, Bounds | None]:
        target = ENTITIES[relation.target]
        meaning = self.meaning(where, target) if where else None
        if window is None:
            return meaning, None
        if target.time_field is None:
            raise invalid(window.at, f"{relation.name} have no time that a window could be on.")
        kind = target.fields[target.time_field].kind
        return meaning, self._values.bounds(window, "date" if kind == "date" else "instant")


RANKS: tuple[Question, ...] = ("equal", "order", "empty")


def _ask(typing: Typing, question: Question, at: At) -> None:
    possible = QUESTIONS[typing.kind]
    if question not in possible:
        ways = "; ".join(SPELLINGS[q] for q in possible)
        raise invalid(at, f"{typing.label} can be asked: {ways}." if ways else f"{typing.label} cannot be asked whole.")
